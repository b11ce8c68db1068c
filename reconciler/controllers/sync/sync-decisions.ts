// What a Sync does with what was rendered, as pure functions: order, inventory, and how much may be deleted at once.
import {
  DRIFT_ANNOTATION,
  DRIFT_RULES_ANNOTATION,
  type DriftRule,
  type ObjectDriftRule,
  readDriftAnnotations,
  rulesAbout,
} from "../../../api/drift-rules.ts";
import {
  CONFIRM_PRUNE_ANNOTATION,
  DEFAULT_PRUNE_LIMIT_PERCENT,
  type InventoryEntry,
  type Sync,
} from "../../../api/gitops.ts";
import { formatApiVersion, type KubeObject, type ObjectRef, parseApiVersion, refOf } from "../../../kube/object.ts";

/** Says on each object which Sync put it there; a Sync deletes only what carries its own name. */
export const SYNC_NAME_LABEL = "gitops.flaghoist.io/sync-name";
export const SYNC_NAMESPACE_LABEL = "gitops.flaghoist.io/sync-namespace";

/** Objects of one stage are applied together; a stage begins when the one before is done. */
export type Stage = "definitions" | "namespaces" | "interpreters" | "overrides" | "policies" | "objects";

const STAGES: readonly Stage[] = ["definitions", "namespaces", "interpreters", "overrides", "policies", "objects"];

/**
 * Policies come before what they place, overrides before policies, and before all what says how many replicas a template
 * has, so that each is placed once and right at the first attempt.
 */
function stageOf(object: KubeObject): Stage {
  const { group } = parseApiVersion(object.apiVersion);
  if (object.kind === "CustomResourceDefinition") return "definitions";
  if (object.kind === "Namespace" && group === "") return "namespaces";
  if (group === "config.karmada.io") return "interpreters";
  if (group === "policy.karmada.io") return object.kind.includes("Override") ? "overrides" : "policies";
  return "objects";
}

export function inStages(
  objects: readonly KubeObject[],
): { readonly stage: Stage; readonly objects: readonly KubeObject[] }[] {
  return STAGES.map((stage) => ({ stage, objects: objects.filter((object) => stageOf(object) === stage) })).filter(
    (group) => group.objects.length > 0,
  );
}

/** As Flux writes it: namespace, name, group and kind joined by underscores; colons in names are doubled underscores. */
export function inventoryEntry(ref: ObjectRef): InventoryEntry {
  const { group, version } = parseApiVersion(ref.apiVersion);
  const name = ref.name.replaceAll(":", "__");
  return { id: [ref.namespace ?? "", name, group, ref.kind].join("_"), v: version };
}

/** The inverse of `inventoryEntry`; undefined for an id that is none. */
export function refOfEntry(entry: InventoryEntry): ObjectRef | undefined {
  const first = entry.id.indexOf("_");
  const last = entry.id.lastIndexOf("_");
  const middle = entry.id.lastIndexOf("_", last - 1);
  if (first < 0 || middle <= first) return undefined;
  const namespace = entry.id.slice(0, first);
  return {
    apiVersion: formatApiVersion(entry.id.slice(middle + 1, last), entry.v),
    kind: entry.id.slice(last + 1),
    namespace: namespace === "" ? undefined : namespace,
    name: entry.id.slice(first + 1, middle).replaceAll("__", ":"),
  };
}

export interface PrunePlan {
  /** Objects to delete, now or once confirmed. */
  readonly prune: readonly InventoryEntry[];
  /** Why nothing may be deleted before a person confirms; undefined when it may. */
  readonly held: string | undefined;
}

/**
 * Which of the Sync's objects are no longer wanted, and whether they may go without a word from a person. A revision
 * that would delete more than the limit, or everything, is held until it is confirmed by annotation.
 */
export function planPrune(sync: Sync, wanted: readonly InventoryEntry[], revision: string): PrunePlan {
  const before = sync.status?.inventory?.entries ?? [];
  const keep = new Set(wanted.map((entry) => entry.id));
  const prune = sync.spec.prune === false ? [] : before.filter((entry) => !keep.has(entry.id));
  if (prune.length === 0) return { prune, held: undefined };
  const limit = sync.spec.pruneLimitPercent ?? DEFAULT_PRUNE_LIMIT_PERCENT;
  // While a revision is being applied the inventory holds its new objects too. They must not make the share that it
  // deletes look small, or a held revision would pass at the second attempt.
  const total = Math.max(prune.length, Math.min(before.length, sync.status?.lastAppliedObjects ?? before.length));
  const allowed = limit >= 100 || (wanted.length > 0 && prune.length * 100 <= total * limit);
  if (allowed || confirms(sync.metadata.annotations?.[CONFIRM_PRUNE_ANNOTATION], revision))
    return { prune, held: undefined };
  const { name, namespace } = sync.metadata;
  const commit = commitOf(revision).slice(0, 12);
  return {
    prune,
    held:
      `held: revision ${revision} would delete ${prune.length} of ${total} objects of Sync ${namespace}/${name} (limit ${limit} %). To go on: ` +
      `kubectl annotate sync ${name} -n ${namespace} --overwrite ${CONFIRM_PRUNE_ANNOTATION}=${commit}`,
  };
}

function commitOf(revision: string): string {
  return revision.slice(revision.lastIndexOf(":") + 1);
}

/** A confirmation names the revision whole, or its commit, or at least seven characters of it. */
function confirms(annotation: string | undefined, revision: string): boolean {
  if (annotation === undefined || annotation === "") return false;
  return annotation === revision || (annotation.length >= 7 && commitOf(revision).startsWith(annotation));
}

/** An object as it will be applied: marked as the Sync's, in a namespace if its kind has them. */
export function prepareObject(object: KubeObject, sync: Sync, namespaced: boolean): KubeObject {
  const { targetNamespace } = sync.spec;
  const namespace = namespaced ? (targetNamespace ?? object.metadata.namespace ?? "default") : undefined;
  const { namespace: _, ...metadata } = object.metadata;
  const annotations = withDriftRules(object, sync, namespace);
  return {
    ...object,
    metadata: {
      ...metadata,
      ...(namespace === undefined ? {} : { namespace }),
      ...(annotations === undefined ? {} : { annotations }),
      labels: {
        ...metadata.labels,
        [SYNC_NAME_LABEL]: sync.metadata.name ?? "",
        [SYNC_NAMESPACE_LABEL]: sync.metadata.namespace ?? "",
      },
    },
  };
}

/** The object's annotations, with what the Sync says about drift: it travels to the copies. */
function withDriftRules(
  object: KubeObject,
  { spec }: Sync,
  namespace: string | undefined,
): Record<string, string> | undefined {
  const { annotations, namespace: _, ...metadata } = object.metadata;
  const placed = { ...object, metadata: { ...metadata, ...(namespace === undefined ? {} : { namespace }) } };
  const rules = rulesAbout(placed, spec);
  const own = readDriftAnnotations({ ...object, metadata: onlyDriftRules(annotations) }).rules;
  const added = {
    ...(spec.drift === undefined || spec.drift === "correct" ? {} : { [DRIFT_ANNOTATION]: spec.drift }),
    ...(rules.length === 0 ? {} : { [DRIFT_RULES_ANNOTATION]: JSON.stringify([...own, ...rules].map(written)) }),
  };
  return Object.keys(added).length === 0 ? annotations : { ...annotations, ...added };
}

/** Of the object's own annotations, the one that the Sync's rules are added to. */
function onlyDriftRules(annotations: Readonly<Record<string, string>> | undefined): KubeObject["metadata"] {
  const text = annotations?.[DRIFT_RULES_ANNOTATION];
  return text === undefined ? {} : { annotations: { [DRIFT_RULES_ANNOTATION]: text } };
}

function written({ mode, jsonPointers, managers }: ObjectDriftRule): Partial<DriftRule> {
  return {
    mode,
    ...(jsonPointers.length === 0 ? {} : { jsonPointers: [...jsonPointers] }),
    ...(managers.length === 0 ? {} : { managedFieldsManagers: [...managers] }),
  };
}

/** Whether a live object was put there by this Sync. */
export function belongsTo(object: KubeObject, sync: Sync): boolean {
  const labels = object.metadata.labels ?? {};
  return labels[SYNC_NAME_LABEL] === sync.metadata.name && labels[SYNC_NAMESPACE_LABEL] === sync.metadata.namespace;
}

export function entriesOf(objects: readonly KubeObject[]): InventoryEntry[] {
  return objects.map((object) => inventoryEntry(refOf(object)));
}
