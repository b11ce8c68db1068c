// The Works of a binding: what each of its clusters is to have.

import type { Cluster } from "../../api/cluster.ts";
import type { TargetCluster, Work } from "../../api/work.ts";
import { gvkOf, isObject, type KubeObject, refOf } from "../../kube/object.ts";
import { AppError } from "../../runtime/errors.ts";
import { onceEach } from "../../runtime/once-each.ts";
import { PendingQuestions } from "../interpreter/answers.ts";
import type { Interpreter } from "../interpreter/interpreter.ts";
import { ObjectOverrides, type OverrideOptions } from "../overrides/apply-overrides.ts";
import type { OverridePolicySource } from "../overrides/override-policies.ts";
import type { OverrideResult } from "../overrides/override-result.ts";
import { withHeldReplicas } from "../scheduler/relocation/held-replicas.ts";
import { type AnyBinding, unionOf } from "./binding.ts";
import { overriddenIdentity, targetClusterMissing, workBeingDeleted } from "./errors.ts";
import { divideCompletions, withCompletions } from "./job-completions.ts";
import {
  bindingAnnotations,
  bindingLabels,
  conflictResolutionOf,
  withCopyMetadata,
  withTextMetadata,
} from "./metadata.ts";
import { CONFLICT_RESOLUTION_ANNOTATION, WORK_FINALIZER, WORK_ID_LABEL } from "./metadata-keys.ts";
import { executionNamespace, workName } from "./naming.ts";
import { pruneObject } from "./prune.ts";
import { withReplacement } from "./replacement.ts";
import { effectiveTargets, purgesDirectly } from "./targets.ts";
import { type MetadataStripping, type StrippedKeys, trackingKeys, withoutTrackingKeys } from "./tracking-metadata.ts";

export const WORK_API_VERSION = "work.karmada.io/v1alpha1";

export interface WorksRequest {
  readonly binding: AnyBinding;
  /** The object as the user wrote it; shared by all clusters and never changed. */
  readonly template: KubeObject;
  readonly clusterOf: (name: string) => Cluster | undefined;
  readonly overridePolicies: OverridePolicySource;
  /** Whether overrides work as Karmada's (default), or better. */
  readonly compatibility?: OverrideOptions["compatibility"];
  readonly interpreter: Pick<Interpreter, "hookEnabled" | "reviseReplica">;
  /** Permanent id of the Work of that name: that of the existing one, or a new one; left to admission when absent. */
  readonly workIdOf?: (namespace: string, name: string) => string;
  /** Karmada's feature gates of these names; off when absent. */
  readonly gates?: { readonly statefulFailoverInjection?: boolean };
  /** Metadata of tools that copies go without; none when absent. */
  readonly stripping?: MetadataStripping;
}

export interface BuiltWork {
  readonly cluster: string;
  /** As it is written for the first time; an existing one takes it up with `mergeWork`. */
  readonly work: Work;
  /** What was overridden in this cluster, and by whom. */
  readonly overrides: OverrideResult;
}

/** A cluster that gets nothing new because of an error in what is meant for it. Its present Work stays. */
export interface FailedWork {
  readonly cluster: string;
  readonly error: AppError;
}

export interface WorksPlan {
  readonly works: readonly BuiltWork[];
  readonly failures: readonly FailedWork[];
}

/**
 * The Works of all clusters a binding means. An error in one cluster (a failing override, a cluster that is gone)
 * leaves the others alone. Works to delete are found by `orphanWorks`, and `worksToAwait` says when to hold back.
 */
export function buildWorks({ interpreter, ...request }: WorksRequest): WorksPlan {
  const prepared = prepareWorks(request);
  return buildPreparedWorks(prepared, prepared.targets, interpreter);
}

/** What the Works of a binding have in common; made by `prepareWorks`. */
export interface PreparedWorks extends Omit<WorksRequest, "interpreter"> {
  /** The clusters that get something. */
  readonly targets: readonly TargetCluster[];
  readonly overrides: ObjectOverrides;
  readonly completions: ReadonlyMap<string, number> | undefined;
  readonly preservedLabels: Readonly<Record<string, string>> | undefined;
  readonly stripped: StrippedKeys | undefined;
}

/** The first half of `buildWorks`, for those who build the Works of many clusters in several turns. */
export function prepareWorks(request: Omit<WorksRequest, "interpreter">): PreparedWorks {
  const targets = withHeldReplicas(request.binding, effectiveTargets(request.binding));
  return {
    ...request,
    targets,
    overrides: new ObjectOverrides(request.overridePolicies, { compatibility: request.compatibility }),
    completions: divideCompletions(request.template, request.binding, targets),
    preservedLabels:
      request.gates?.statefulFailoverInjection === true ? preservedLabels(request.binding, targets) : undefined,
    stripped: request.stripping === undefined ? undefined : trackingKeys(request.template, request.stripping),
  };
}

/** The second half of `buildWorks`, for some of the `targets`. */
export function buildPreparedWorks(
  prepared: PreparedWorks,
  targets: readonly TargetCluster[],
  interpreter: WorksRequest["interpreter"],
): WorksPlan {
  const { made, failures } = makeForEach(prepared, targets, interpreter, ({ bare, overrides }, target) => ({
    cluster: target.name,
    work: workOf(prepared, bare, overrides, target),
    overrides,
  }));
  return { works: made, failures };
}

/** One cluster's copy as it is, without who sent it. */
export interface BuiltCopy {
  readonly cluster: string;
  readonly manifest: KubeObject;
  readonly overrides: OverrideResult;
}

export interface CopiesPlan {
  readonly copies: readonly BuiltCopy[];
  readonly failures: readonly FailedWork[];
}

/**
 * The manifests of `buildWorks`, but for what `withCopyMetadata` writes on them. Clusters whose copies come to the same share
 * one manifest, so that whoever compares copies need not look at each.
 */
export function buildCopies({ interpreter, ...request }: WorksRequest): CopiesPlan {
  const prepared = prepareWorks(request);
  const finish = onceEach(withTextMetadata);
  const { made, failures } = makeForEach(prepared, prepared.targets, interpreter, ({ bare, overrides }, target) => ({
    cluster: target.name,
    manifest: finish(bare),
    overrides,
  }));
  return { copies: made, failures };
}

interface BareCopy {
  /** What is sent, without what we write on it. */
  readonly bare: KubeObject;
  readonly overrides: OverrideResult;
}

/** An error in one cluster leaves the others alone. */
function makeForEach<T>(
  prepared: PreparedWorks,
  targets: readonly TargetCluster[],
  interpreter: WorksRequest["interpreter"],
  make: (copy: BareCopy, target: TargetCluster) => T,
): { readonly made: readonly T[]; readonly failures: readonly FailedWork[] } {
  const { binding, template } = prepared;
  const revises = isWorkload(binding) && interpreter.hookEnabled(gvkOf(template), "ReviseReplica");
  // Many clusters have as many replicas as others.
  const revised = onceEach((replicas: number) => (revises ? interpreter.reviseReplica(template, replicas) : template));
  const stripped = onceEach((object: KubeObject) => strip(prepared, object));
  const made: T[] = [];
  const failures: FailedWork[] = [];
  const pending = new PendingQuestions();
  for (const target of targets) {
    try {
      made.push(make(copyFor(prepared, target, revised, stripped), target));
    } catch (error) {
      if (pending.take(error)) continue;
      if (!(error instanceof AppError)) throw error;
      failures.push({ cluster: target.name, error });
    }
  }
  pending.throwIfAny();
  return { made, failures };
}

/** `revised` is the template with so many replicas. */
function copyFor(
  { completions, overrides, clusterOf }: PreparedWorks,
  target: TargetCluster,
  revised: (replicas: number) => KubeObject,
  stripped: (object: KubeObject) => KubeObject,
): BareCopy {
  const cluster = clusterOf(target.name);
  if (cluster === undefined) throw targetClusterMissing(target.name);
  // The order matters: overrides have the last word on replicas and completions.
  const overridden = overrides.apply(withCompletions(revised(target.replicas ?? 0), completions, target.name), cluster);
  return { bare: stripped(overridden.object), overrides: overridden };
}

/** What is left of a copy when it is sent. */
function strip({ template, preservedLabels, stripped }: PreparedWorks, object: KubeObject): KubeObject {
  checkIdentity(object, template);
  const pruned = withReplacement(withLabels(pruneObject(object), preservedLabels));
  return stripped === undefined ? pruned : withoutTrackingKeys(pruned, template, stripped);
}

// Differs from Karmada, which writes a Work of no object then.
function checkIdentity(object: KubeObject, template: KubeObject): void {
  const { metadata, kind, apiVersion } = object as { readonly [field in keyof KubeObject]?: unknown };
  if (!isObject(metadata)) throw overriddenIdentity("metadata", refOf(template));
  const { name, namespace = "" } = metadata;
  for (const [field, value] of Object.entries({
    apiVersion,
    kind,
    "metadata.name": name,
    "metadata.namespace": namespace,
  }))
    if (typeof value !== "string") throw overriddenIdentity(field, refOf(template));
}

function workOf(context: PreparedWorks, bare: KubeObject, overrides: OverrideResult, target: TargetCluster): Work {
  const { binding, template } = context;
  const { object } = overrides;
  const namespace = executionNamespace(target.name);
  const name = workName(object.kind, object.metadata.name ?? "", object.metadata.namespace ?? "");
  const id = context.workIdOf?.(namespace, name);
  const manifest = withCopyMetadata(bare, template, binding, { namespace, name, id });
  return {
    apiVersion: WORK_API_VERSION,
    kind: "Work",
    metadata: {
      name,
      namespace,
      labels: { ...bindingLabels(binding), ...(id === undefined ? {} : { [WORK_ID_LABEL]: id }) },
      annotations: {
        ...bindingAnnotations(binding),
        [CONFLICT_RESOLUTION_ANNOTATION]: conflictResolutionOf(object, binding),
        ...overrides.appliedAnnotations,
      },
      finalizers: [WORK_FINALIZER],
    },
    spec: {
      suspendDispatching: isDispatchingSuspended(binding, target.name),
      preserveResourcesOnDeletion: binding.spec.preserveResourcesOnDeletion === true,
      // A manifest is any object; the API server judges its fields.
      workload: { manifests: [manifest as Record<string, unknown>] },
    },
  };
}

/** Whether replicas are told to the clusters at all. */
export function isWorkload(binding: AnyBinding): boolean {
  const { replicas, replicaRequirements, components } = binding.spec;
  return (replicas ?? 0) > 0 || replicaRequirements != null || (components ?? []).length > 0;
}

export function isDispatchingSuspended(binding: AnyBinding, cluster: string): boolean {
  const { suspension } = binding.spec;
  return (
    suspension?.dispatching === true || suspension?.dispatchingOnClusters?.clusterNames?.includes(cluster) === true
  );
}

/** State of the copy that failed, handed to its one successor. Only after a move that removes the old copy first. */
function preservedLabels(
  binding: AnyBinding,
  targets: readonly TargetCluster[],
): Readonly<Record<string, string>> | undefined {
  const task = binding.spec.gracefulEvictionTasks?.at(-1);
  const [target] = targets;
  if (task === undefined || target === undefined || targets.length !== 1 || !purgesDirectly(task)) {
    return undefined;
  }
  return task.clustersBeforeFailover?.includes(target.name) === true ? undefined : task.preservedLabelState;
}

function withLabels(object: KubeObject, labels: Readonly<Record<string, string>> | undefined): KubeObject {
  if (labels === undefined) return object;
  return { ...object, metadata: { ...object.metadata, labels: { ...object.metadata.labels, ...labels } } };
}

/**
 * An existing Work brought up to date with `desired`: its spec is replaced; labels, annotations and finalizers are only
 * added. Throws `work-being-deleted` when it is on its way out.
 */
export function mergeWork(existing: Work, desired: Work): Work {
  const { metadata } = existing;
  if (metadata.deletionTimestamp !== undefined) {
    throw workBeingDeleted(metadata.namespace ?? "", metadata.name ?? "");
  }
  return {
    ...existing,
    metadata: {
      ...metadata,
      labels: { ...metadata.labels, ...desired.metadata.labels },
      annotations: { ...metadata.annotations, ...desired.metadata.annotations },
      finalizers: unionOf(metadata.finalizers, desired.metadata.finalizers),
    },
    spec: desired.spec,
  };
}
