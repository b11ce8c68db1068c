// Compares what the Works of a fleet say with what the member clusters have.
import type { Cluster } from "../../api/cluster.ts";
import { DRIFT_ANNOTATION } from "../../api/drift-rules.ts";
import type { Work } from "../../api/work.ts";
import { strategyForCrd } from "../../fleets/apiserver/crd/custom-kind.ts";
import { fieldTypeOf } from "../../fleets/apiserver/kinds/field-types.ts";
import { typeNameOf } from "../../fleets/apiserver/kinds/tables.ts";
import { fieldPathText } from "../../fleets/drift.ts";
import { FIELD_MANAGER } from "../../fleets/member.ts";
import { scaleTargetKey, scaleTargetOf, targetOfScaler } from "../../fleets/scaler-watch.ts";
import type { KubeClient } from "../../kube/client/kube-client.ts";
import { isForbidden, isNotFound } from "../../kube/client/status-error.ts";
import { findCondition } from "../../kube/conditions.ts";
import { DEDUCED, type FieldType } from "../../kube/fields/type.ts";
import { gvkOf, type KubeObject, type ObjectRef, parseApiVersion, refKey, refOf } from "../../kube/object.ts";
import { AppError, messageOf } from "../../runtime/errors.ts";
import { mapLimit } from "../../runtime/parallel.ts";
import type { Interpretation } from "../controllers/interpretation/interpretation.ts";
import { SYNC_NAME_LABEL, SYNC_NAMESPACE_LABEL } from "../controllers/sync/sync-decisions.ts";
import { type CopyState, compareCopy } from "../plan/live-drift.ts";
import { DRIFT_FINDINGS_ANNOTATION, readStanding } from "../works/drift-record.ts";
import { retainsReplicas, rulesOfCopy } from "../works/field-rules.ts";
import { executionNamespace, workName } from "../works/naming.ts";
import { withMember } from "./member-client.ts";

const WORK_API = "work.karmada.io/v1alpha1";
const FEW_OBJECTS = 16;

export interface CopiesOptions {
  readonly interpretation: Interpretation;
  /** Only copies of objects that this answers true for. */
  readonly wants: (object: ObjectRef) => boolean;
  /**
   * These are all of them. Where they are few, only the Works that policies make of them are read: for who has a long way to
   * the control plane.
   */
  readonly objects?: readonly ObjectRef[] | undefined;
  readonly signal: AbortSignal;
}

export interface LiveCopies {
  readonly copies: readonly CopyState[];
  readonly unreachable: readonly { readonly cluster: string; readonly reason: string }[];
}

/** Asks every cluster that has Works for its copies. A cluster that does not answer costs the others nothing. */
export async function compareLiveCopies(
  controlPlane: KubeClient,
  clusters: readonly Cluster[],
  options: CopiesOptions,
): Promise<LiveCopies> {
  const unreachable: { cluster: string; reason: string }[] = [];
  const found = await mapLimit(clusters, 16, async (cluster) => {
    const name = cluster.metadata.name ?? "";
    const works = await worksOf(controlPlane, name, options);
    const pairs = works.flatMap((work) =>
      manifestsOf(work)
        .filter((manifest) => options.wants(refOf(manifest)))
        .map((manifest) => ({ work, manifest })),
    );
    if (pairs.length === 0) return [];
    try {
      return await withMember(controlPlane, cluster, (member) =>
        compareInMember(name, member, { works, pairs }, options),
      );
    } catch (error) {
      if (options.signal.aborted) throw error;
      unreachable.push({ cluster: name, reason: messageOf(error) });
      return [];
    }
  });
  return { copies: found.flat(), unreachable };
}

async function worksOf(
  controlPlane: KubeClient,
  cluster: string,
  { objects, signal }: CopiesOptions,
): Promise<readonly Work[]> {
  const namespace = executionNamespace(cluster);
  if (objects === undefined || objects.length > FEW_OBJECTS)
    return (await controlPlane.list<Work>(WORK_API, "Work", { namespace, signal })).items;
  const works: Work[] = [];
  for (const { kind, name, namespace: own = "" } of objects) {
    const ref = { apiVersion: WORK_API, kind: "Work", namespace, name: workName(kind, name, own) };
    const work = await controlPlane.find<Work>(ref, signal);
    if (work !== undefined) works.push(work);
  }
  return works;
}

interface WantedCopy {
  readonly work: Work;
  readonly manifest: KubeObject;
}

async function compareInMember(
  cluster: string,
  member: KubeClient,
  { works, pairs }: { readonly works: readonly Work[]; readonly pairs: readonly WantedCopy[] },
  { interpretation, signal }: CopiesOptions,
): Promise<CopyState[]> {
  const types = new MemberTypes(member);
  const scaled = await scaledTargets(member, works);
  return mapLimit(pairs, 8, async ({ work, manifest }): Promise<CopyState> => {
    const object = refOf(manifest);
    const labels = manifest.metadata.labels ?? {};
    const common = {
      cluster,
      object,
      mode: manifest.metadata.annotations?.[DRIFT_ANNOTATION] ?? "correct",
      sync:
        labels[SYNC_NAME_LABEL] === undefined
          ? undefined
          : `${labels[SYNC_NAMESPACE_LABEL] ?? ""}/${labels[SYNC_NAME_LABEL]}`,
    };
    const applied = findCondition(work.status?.conditions, "Applied");
    if (applied?.status !== "True" || work.spec.suspendDispatching === true) {
      const message = work.spec.suspendDispatching === true ? "dispatching is suspended" : applied?.message;
      return { ...common, state: "waiting", fields: [], message };
    }
    const live = await member.find(object, signal);
    if (live === undefined) return { ...common, state: "missing", fields: [], message: undefined };
    let desired: KubeObject = manifest;
    if (interpretation.hookEnabled(gvkOf(manifest), "Retain")) {
      try {
        desired = await interpretation.decide((interpreter) => interpreter.retain(manifest, live), { signal });
      } catch (error) {
        if (!(error instanceof AppError) || signal.aborted) throw error;
        return { ...common, state: "unknown", fields: [], message: error.message };
      }
    }
    const rules = rulesOfCopy(manifest, isScaledCopy(manifest, scaled));
    const standing = readStanding(work.metadata.annotations?.[DRIFT_FINDINGS_ANNOTATION]);
    const fields = compareCopy(desired, live, await types.of(object), FIELD_MANAGER, rules).map((field) => {
      const text = fieldPathText(field.fieldPath ?? []);
      const known = standing.find(({ object: key, path }) => key === refKey(object) && path === text);
      return { ...field, firstSeen: known?.since };
    });
    return { ...common, state: fields.length === 0 ? "as-wanted" : "drifted", fields, message: undefined };
  });
}

/** Workloads that an autoscaler in the member, or among its Works, is in charge of. */
async function scaledTargets(member: KubeClient, works: readonly Work[]): Promise<ReadonlySet<string>> {
  const scalers: KubeObject[] = works.flatMap(manifestsOf);
  try {
    scalers.push(...(await member.list("autoscaling/v2", "HorizontalPodAutoscaler")).items);
  } catch (error) {
    const isUnserved = error instanceof AppError && error.code === "api-kind-unknown";
    if (!isUnserved && !isForbidden(error) && !isNotFound(error)) throw error;
  }
  const targets = scalers.map(targetOfScaler).filter((target) => target !== undefined);
  return new Set(targets.map(scaleTargetKey));
}

function isScaledCopy(manifest: KubeObject, scaled: ReadonlySet<string>): boolean {
  return retainsReplicas(manifest) || scaled.has(scaleTargetKey(scaleTargetOf(refOf(manifest))));
}

function manifestsOf(work: Work): KubeObject[] {
  // A Work holds whole objects; the schema keeps them as they are.
  return (work.spec.workload?.manifests ?? []) as unknown as KubeObject[];
}

/** How lists of a kind merge: from our tables for built-in kinds, from the member's definition for others. */
class MemberTypes {
  readonly #member: KubeClient;
  readonly #custom = new Map<string, Promise<FieldType>>();

  constructor(member: KubeClient) {
    this.#member = member;
  }

  async of(object: ObjectRef): Promise<FieldType> {
    const typeName = typeNameOf(object.apiVersion, object.kind);
    if (typeName !== undefined) return fieldTypeOf(typeName);
    const key = `${object.apiVersion}/${object.kind}`;
    let type = this.#custom.get(key);
    if (type === undefined) {
      type = this.#read(object);
      this.#custom.set(key, type);
    }
    return type;
  }

  async #read({ apiVersion, kind }: ObjectRef): Promise<FieldType> {
    const { group, version } = parseApiVersion(apiVersion);
    const plural = (await this.#member.mapper.find(apiVersion, kind))?.plural;
    const definition = await this.#member.find({
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      name: `${plural}.${group}`,
    });
    return definition === undefined ? DEDUCED : strategyForCrd(definition, version).fieldType();
  }
}
