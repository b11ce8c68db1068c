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
  ARGO_DELETION_APPROVED_ANNOTATION,
  CONFIRM_PRUNE_ANNOTATION,
  DEFAULT_PRUNE_LIMIT_COUNT,
  DEFAULT_PRUNE_LIMIT_PERCENT,
  type InventoryEntry,
  isApprovedSince,
  type Sync,
} from "../../../api/gitops.ts";
import {
  describeRef,
  formatApiVersion,
  type KubeObject,
  type ObjectRef,
  parseApiVersion,
  refOf,
} from "../../../kube/object.ts";

/** Says on each object which Sync put it there; a Sync deletes only what carries its own name. */
export const SYNC_NAME_LABEL = "gitops.flaghoist.io/sync-name";
export const SYNC_NAMESPACE_LABEL = "gitops.flaghoist.io/sync-namespace";

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
  /** A person has confirmed a deletion that would have been held. */
  readonly isConfirmed: boolean;
}

export interface PruneOptions {
  /** Whether an entry's object is there and may go; every entry by default. */
  readonly isDeletable?: (entry: InventoryEntry) => boolean;
  /** Objects among those to delete that say they want to be asked for. */
  readonly toConfirm?: readonly ObjectRef[];
  /** When the revision was first tried: an approval in Argo CD's words must be younger. */
  readonly askedAtMs?: number;
  /** Of what is rendered, to tell it from what was applied of the same revision. */
  readonly digest?: string;
}

/**
 * Which of the Sync's objects are no longer wanted, and whether they may go without a word from a person. A revision
 * that would delete more than the limits, or everything, or what asks for confirmation, is held until it is confirmed.
 */
export function planPrune(
  sync: Sync,
  wanted: readonly InventoryEntry[],
  revision: string,
  { isDeletable = () => true, toConfirm = [], askedAtMs, digest }: PruneOptions = {},
): PrunePlan {
  const before = sync.status?.inventory?.entries ?? [];
  const keep = new Set(wanted.map((entry) => entry.id));
  const prune = sync.spec.prune === false ? [] : before.filter((entry) => !keep.has(entry.id) && isDeletable(entry));
  if (prune.length === 0) return { prune, held: undefined, isConfirmed: false };
  // While a revision is being applied the inventory holds its new objects too. They must not make the share that it
  // deletes look small, or a held revision would pass at the second attempt.
  const total = Math.max(prune.length, Math.min(before.length, sync.status?.lastAppliedObjects ?? before.length));
  const limit = exceededLimit(sync, prune.length, total, wanted.length);
  if (limit === undefined && toConfirm.length === 0) return { prune, held: undefined, isConfirmed: false };
  const { annotations = {}, name, namespace } = sync.metadata;
  const { status } = sync;
  // A revision was confirmed as it was: what a changed Sync makes of it, such as with another path, is another matter.
  const isOther =
    digest !== undefined && status?.lastAppliedRevision === revision && status.lastAppliedDigest !== digest;
  const commit = `${commitOf(revision).slice(0, 12)}${isOther ? `/${sync.metadata.generation ?? 0}` : ""}`;
  const word = annotations[CONFIRM_PRUNE_ANNOTATION];
  const isConfirmed =
    (isOther ? word === commit : confirms(word, revision)) ||
    isApprovedSince(annotations[ARGO_DELETION_APPROVED_ANNOTATION], askedAtMs);
  if (isConfirmed) return { prune, held: undefined, isConfirmed };
  const why =
    limit === undefined
      ? `delete ${toConfirm.slice(0, 3).map(describeRef).join(", ")}${toConfirm.length > 3 ? ` and ${toConfirm.length - 3} more` : ""}, which asks to be confirmed (Prune=confirm)`
      : `delete ${prune.length} of ${total} objects of Sync ${namespace}/${name} (limit ${limit})`;
  return {
    prune,
    isConfirmed,
    held:
      `held: revision ${revision} would ${why}. To go on: ` +
      `kubectl annotate sync ${name} -n ${namespace} --overwrite ${CONFIRM_PRUNE_ANNOTATION}=${commit}`,
  };
}

/** The limit that a deletion goes beyond, for people; undefined when none. */
export function exceededLimit(sync: Sync, count: number, total: number, wanted: number): string | undefined {
  const share = sync.spec.pruneLimitPercent ?? DEFAULT_PRUNE_LIMIT_PERCENT;
  if (share < 100 && (wanted === 0 || count * 100 > total * share)) return `${share} %`;
  // Whoever takes away the limit of the share means it, unless he says something else of the count.
  const most = sync.spec.pruneLimitCount ?? (share >= 100 ? 0 : DEFAULT_PRUNE_LIMIT_COUNT);
  return most > 0 && count > most ? `${most} objects` : undefined;
}

function commitOf(revision: string): string {
  return revision.slice(revision.lastIndexOf(":") + 1);
}

/** A confirmation names the revision whole, or its commit, or at least seven characters of it. */
function confirms(annotation: string | undefined, revision: string): boolean {
  if (annotation === undefined || annotation === "") return false;
  const [commit = ""] = annotation.split("/");
  return annotation === revision || (commit.length >= 7 && commitOf(revision).startsWith(commit));
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
