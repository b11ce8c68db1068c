// The binding of a template: everything that scheduling and delivery need to know of the object and its policy.

import { DEFAULT_FEATURE_GATES, type FeatureGates } from "../../api/feature-gates.ts";
import type { Suspension } from "../../api/policy.ts";
import type {
  ClusterResourceBinding,
  ReplicaRequirements,
  ResourceBinding,
  ResourceBindingSpec,
  WorkloadAffinityGroups,
} from "../../api/work.ts";
import {
  gvkOf,
  isObject,
  type KubeObject,
  type ObjectMeta,
  type OwnerReference,
  parseApiVersion,
  refOf,
} from "../../kube/object.ts";
import { letPendingPass } from "../interpreter/answers.ts";
import type { Interpreter } from "../interpreter/interpreter.ts";
import { changeMetadata, claimMarks } from "../policies/claim.ts";
import type { Policy } from "../policies/policy-index.ts";
import { mergeSuspension } from "../policies/suspension.ts";
import { bindingOfAnotherObject, demandUnknown, priorityClassMissing, prioritySourceUnsupported } from "./errors.ts";
import {
  BINDING_FINALIZER,
  BINDING_ID_LABEL,
  CLUSTER_BINDING_FINALIZER,
  CLUSTER_BINDING_ID_LABEL,
} from "./metadata-keys.ts";
import { bindingName } from "./naming.ts";

export const BINDING_API_VERSION = "work.karmada.io/v1alpha2";

export type AnyBinding = ResourceBinding | ClusterResourceBinding;

export interface BindingRequest {
  readonly template: KubeObject;
  /** The policy that holds the template. */
  readonly policy: Policy;
  readonly interpreter: Pick<Interpreter, "hookEnabled" | "getReplicas" | "getComponents">;
  /** Permanent id for a binding that is new; left to admission when absent. */
  readonly id?: string;
  /** The value of a PriorityClass of the control plane; undefined when there is none of that name. */
  readonly priorityOf?: (priorityClassName: string) => number | undefined;
  /** Feature gates; their defaults when absent. */
  readonly gates?: FeatureGates;
}

/**
 * The binding of a template as it is made for the first time: without clusters. An existing one takes it up with
 * `mergeBinding`. Throws when the interpreter cannot read the template, or for a priority class that does not exist.
 */
export function buildBinding(request: BindingRequest): AnyBinding {
  const { template } = request;
  const namespaced = template.metadata.namespace !== undefined && template.metadata.namespace !== "";
  const metadata = bindingMetadata(request, namespaced);
  const spec = bindingSpec(request, namespaced);
  return namespaced
    ? { apiVersion: BINDING_API_VERSION, kind: "ResourceBinding", metadata, spec }
    : { apiVersion: BINDING_API_VERSION, kind: "ClusterResourceBinding", metadata, spec };
}

function bindingMetadata({ template, policy, id }: BindingRequest, namespaced: boolean): ObjectMeta {
  const { name = "", namespace = "", uid = "" } = template.metadata;
  const idLabel = namespaced ? BINDING_ID_LABEL : CLUSTER_BINDING_ID_LABEL;
  const metadata: ObjectMeta = {
    name: bindingName(template.kind, name),
    ...(namespaced ? { namespace } : {}),
    ...(id === undefined ? {} : { labels: { [idLabel]: id } }),
    finalizers: [namespaced ? BINDING_FINALIZER : CLUSTER_BINDING_FINALIZER],
    ownerReferences: [
      { apiVersion: template.apiVersion, kind: template.kind, name, uid, controller: true, blockOwnerDeletion: true },
    ],
  };
  return changeMetadata(metadata, claimMarks(policy));
}

function bindingSpec(request: BindingRequest, namespaced: boolean): ResourceBindingSpec {
  const { template, policy } = request;
  const { spec } = policy;
  const { name = "", namespace, uid, resourceVersion } = template.metadata;
  const suspension = mergeSuspension(undefined, spec.suspension);
  return {
    resource: {
      apiVersion: template.apiVersion,
      kind: template.kind,
      name,
      ...(namespace ? { namespace } : {}),
      ...(uid ? { uid } : {}),
      ...(resourceVersion ? { resourceVersion } : {}),
    },
    ...demandOf(request),
    ...(spec.propagateDeps === true ? { propagateDeps: true } : {}),
    ...(spec.schedulerName ? { schedulerName: spec.schedulerName } : {}),
    ...(spec.placement === undefined ? {} : { placement: spec.placement }),
    ...(spec.failover === undefined ? {} : { failover: spec.failover }),
    ...(spec.conflictResolution === undefined ? {} : { conflictResolution: spec.conflictResolution }),
    ...(spec.preserveResourcesOnDeletion === undefined
      ? {}
      : { preserveResourcesOnDeletion: spec.preserveResourcesOnDeletion }),
    ...(suspension === undefined ? {} : { suspension }),
    ...(namespaced ? priorityOf(request) : {}),
    ...(namespaced ? affinityGroupsOf(request) : {}),
  };
}

function demandOf({
  template,
  interpreter,
  gates = DEFAULT_FEATURE_GATES,
}: BindingRequest): Pick<ResourceBindingSpec, "components" | "replicas" | "replicaRequirements"> {
  const gvk = gvkOf(template);
  if (gates.MultiplePodTemplatesScheduling && interpreter.hookEnabled(gvk, "InterpretComponent")) {
    const components = ask("components", template, () => interpreter.getComponents(template));
    return components.length === 0 ? {} : { components: [...components] };
  }
  if (!interpreter.hookEnabled(gvk, "InterpretReplica")) return {};
  const { replicas, requirements } = ask("replicas", template, () => interpreter.getReplicas(template));
  return {
    ...(replicas === 0 ? {} : { replicas }),
    ...(requirements === undefined ? {} : { replicaRequirements: withQuotaFields(requirements, template, gates) }),
  };
}

function ask<T>(what: "replicas" | "components", template: KubeObject, answer: () => T): T {
  try {
    return answer();
  } catch (error) {
    letPendingPass(error);
    throw demandUnknown(what, refOf(template), error);
  }
}

/** Estimates by ResourceQuota ask for the namespace, which pod templates do not name, and for the class of the pods. */
function withQuotaFields(
  requirements: ReplicaRequirements,
  template: KubeObject,
  gates: FeatureGates,
): ReplicaRequirements {
  if (!gates.ResourceQuotaEstimate) return requirements;
  const namespace = requirements.namespace || template.metadata.namespace;
  const priorityClassName = requirements.priorityClassName || classOfPods(template);
  return { ...requirements, ...(namespace ? { namespace } : {}), ...(priorityClassName ? { priorityClassName } : {}) };
}

/** Kinds whose pod template the built-in interpreters read; of others only their own interpreter knows the class. */
const PODS_AT: Readonly<Record<string, readonly string[]>> = {
  "apps/Deployment": ["spec", "template", "spec"],
  "apps/ReplicaSet": ["spec", "template", "spec"],
  "apps/StatefulSet": ["spec", "template", "spec"],
  "batch/Job": ["spec", "template", "spec"],
  "/Pod": ["spec"],
};

function classOfPods(template: KubeObject): string | undefined {
  const path = PODS_AT[`${parseApiVersion(template.apiVersion).group}/${template.kind}`];
  let at: unknown = path === undefined ? undefined : template;
  for (const key of path ?? []) at = isObject(at) ? at[key] : undefined;
  const name = isObject(at) ? at["priorityClassName"] : undefined;
  return typeof name === "string" ? name : undefined;
}

function priorityOf({
  policy,
  priorityOf,
  gates = DEFAULT_FEATURE_GATES,
}: BindingRequest): Pick<ResourceBindingSpec, "schedulePriority"> {
  const wanted = policy.spec.schedulePriority;
  if (!gates.PriorityBasedScheduling || wanted == null) return {};
  if (wanted.priorityClassSource !== "KubePriorityClass") throw prioritySourceUnsupported(wanted.priorityClassSource);
  const priority = priorityOf?.(wanted.priorityClassName);
  if (priority === undefined) throw priorityClassMissing(wanted.priorityClassName);
  return { schedulePriority: priority === 0 ? {} : { priority } };
}

function affinityGroupsOf({
  template,
  policy,
  gates = DEFAULT_FEATURE_GATES,
}: BindingRequest): Pick<ResourceBindingSpec, "workloadAffinityGroups"> {
  const affinity = policy.spec.placement?.workloadAffinity;
  if (!gates.WorkloadAffinity || affinity == null) return {};
  const affinityGroup = groupOf(template, affinity.affinity?.groupByLabelKey);
  const antiAffinityGroup = groupOf(template, affinity.antiAffinity?.groupByLabelKey);
  if (affinityGroup === undefined && antiAffinityGroup === undefined) return {};
  const workloadAffinityGroups: WorkloadAffinityGroups = {
    ...(affinityGroup === undefined ? {} : { affinityGroup }),
    ...(antiAffinityGroup === undefined ? {} : { antiAffinityGroup }),
  };
  return { workloadAffinityGroups };
}

function groupOf(template: KubeObject, labelKey: string | undefined): string | undefined {
  if (labelKey === undefined) return undefined;
  const value = template.metadata.labels?.[labelKey];
  return value === undefined ? undefined : `${labelKey}=${value}`;
}

/** What the policy and the template decide about a binding; everything else in its spec is kept on updates. */
const DECIDED_FIELDS: readonly (keyof ResourceBindingSpec)[] = [
  "resource",
  "propagateDeps",
  "schedulerName",
  "placement",
  "failover",
  "conflictResolution",
  "preserveResourcesOnDeletion",
  "replicas",
  "replicaRequirements",
  "components",
  "schedulePriority",
  "workloadAffinityGroups",
];

/** As Karmada: these are never brought up to date on ClusterResourceBindings. */
const KEPT_ON_CLUSTER_BINDINGS: ReadonlySet<keyof ResourceBindingSpec> = new Set([
  "propagateDeps",
  "schedulePriority",
  "workloadAffinityGroups",
]);

/**
 * An existing binding brought up to date with `desired` (from `buildBinding`). Chosen clusters, evictions, referrers and
 * a suspended scheduling stay; labels, annotations and finalizers are only added, save that a namespaced policy takes
 * the place of a cluster-wide one.
 *
 * Throws `binding-of-another-object` while the existing binding is controlled by an object with another uid.
 */
export function mergeBinding(existing: AnyBinding, desired: AnyBinding, policy: Policy): AnyBinding {
  const owner = controllerOf(existing);
  const uid = desired.metadata.ownerReferences?.[0]?.uid;
  if (owner !== undefined && owner.uid !== uid) {
    throw bindingOfAnotherObject(existing.metadata.name ?? "", desired.spec.resource, existing.spec.resource);
  }
  const metadata: ObjectMeta = {
    ...existing.metadata,
    labels: { ...existing.metadata.labels, ...newLabels(existing, desired) },
    annotations: { ...existing.metadata.annotations, ...desired.metadata.annotations },
    finalizers: unionOf(existing.metadata.finalizers, desired.metadata.finalizers),
    ...(desired.metadata.ownerReferences === undefined ? {} : { ownerReferences: desired.metadata.ownerReferences }),
  };
  return {
    ...existing,
    metadata: changeMetadata(metadata, claimMarks(policy)),
    spec: mergeSpec(existing, desired, policy.spec.suspension),
  };
}

/**
 * True when the binding was made for an object of the same group, kind and name that is gone, as `template` has taken its
 * place. The binding goes with that object before there can be one for the template.
 */
export function isOfEarlierObject(binding: AnyBinding, template: KubeObject): boolean {
  const owner = controllerOf(binding);
  return (
    owner !== undefined &&
    owner.uid !== template.metadata.uid &&
    owner.kind === template.kind &&
    owner.name === template.metadata.name &&
    parseApiVersion(owner.apiVersion).group === parseApiVersion(template.apiVersion).group
  );
}

function controllerOf(binding: AnyBinding): OwnerReference | undefined {
  return binding.metadata.ownerReferences?.find((reference) => reference.controller === true);
}

// The permanent id outlives every change of policy.
function newLabels(existing: AnyBinding, desired: AnyBinding): Record<string, string> {
  const labels = { ...desired.metadata.labels };
  for (const label of [BINDING_ID_LABEL, CLUSTER_BINDING_ID_LABEL]) {
    const id = existing.metadata.labels?.[label];
    if (id !== undefined && id !== "") labels[label] = id;
  }
  return labels;
}

function mergeSpec(existing: AnyBinding, desired: AnyBinding, suspension: Suspension | undefined): ResourceBindingSpec {
  const merged: Record<string, unknown> = { ...existing.spec };
  for (const field of DECIDED_FIELDS) {
    if (existing.kind === "ClusterResourceBinding" && KEPT_ON_CLUSTER_BINDINGS.has(field)) continue;
    if (desired.spec[field] === undefined) delete merged[field];
    else merged[field] = desired.spec[field];
  }
  const mergedSuspension = mergeSuspension(existing.spec.suspension, suspension);
  if (mergedSuspension === undefined) delete merged["suspension"];
  else merged["suspension"] = mergedSuspension;
  // Every field comes from one of two valid specs.
  return merged as ResourceBindingSpec;
}

/** Both lists without duplicates, sorted: the order in which Karmada stores finalizers it has merged. */
export function unionOf(a: readonly string[] | undefined, b: readonly string[] | undefined): string[] {
  return [...new Set([...(a ?? []), ...(b ?? [])])].sort();
}
