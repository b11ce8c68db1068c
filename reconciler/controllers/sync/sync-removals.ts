// What of a Sync's objects goes with the source or with the Sync, what stays in spite of that and why, and in which order
// things go: pure functions, for the loop and for plans.
import type { InventoryEntry, Sync } from "../../../api/gitops.ts";
import { type KubeObject, type ObjectRef, refKey, refOf } from "../../../kube/object.ts";
import { entriesOf, inventoryEntry, planPrune } from "./sync-decisions.ts";
import { type SyncPlan, stageRank } from "./sync-steps.ts";
import { readSyncWishes } from "./sync-wishes.ts";

/** An object of the inventory as it is now. */
export interface OwnObject {
  readonly entry: InventoryEntry;
  readonly ref: ObjectRef;
  readonly live: KubeObject;
}

export function ownObject(live: KubeObject): OwnObject {
  const ref = refOf(live);
  return { entry: inventoryEntry(ref), ref, live };
}

/** An object that stays though it is no longer wanted. */
export interface KeptObject {
  readonly ref: ObjectRef;
  /** What keeps it, for people: `argocd.argoproj.io/sync-options: Prune=false`. */
  readonly why: string;
}

export interface DeletionWishes {
  readonly deletable: readonly OwnObject[];
  /** They say that they are not to be deleted. */
  readonly kept: readonly KeptObject[];
  /** Of the deletable: they say that a person is to be asked. */
  readonly toConfirm: readonly OwnObject[];
}

/** Sorts objects by what they say about being deleted, `prune` with the source, `deletion` with the Sync; `full` are kept. */
export function sortByWishes(
  objects: readonly OwnObject[],
  occasion: "prune" | "deletion",
  full: ReadonlyMap<string, KeptObject> = new Map(),
): DeletionWishes {
  const deletable: OwnObject[] = [];
  const kept: KeptObject[] = [];
  const toConfirm: OwnObject[] = [];
  for (const object of objects) {
    const wishes = readSyncWishes(object.live);
    const why = wishes.keptBy[occasion] ?? full.get(refKey(object.ref))?.why;
    if (why !== undefined) {
      kept.push({ ref: object.ref, why });
      continue;
    }
    deletable.push(object);
    if (wishes[occasion] === "confirm") toConfirm.push(object);
  }
  return { deletable, kept, toConfirm };
}

/** What a Sync has once a plan is carried out, and what is recorded before its first write. */
export interface PlannedInventory {
  readonly wanted: readonly InventoryEntry[];
  /** With what is no longer wanted and not deleted yet. */
  readonly recorded: readonly InventoryEntry[];
}

/** Objects that are left alone stay what they were. What became a hook is kept no longer, and is no object to delete either. */
export function planInventory(plan: SyncPlan, before: readonly InventoryEntry[]): PlannedInventory {
  const skipped = new Set(entriesOf(plan.skipped).map(({ id }) => id));
  const wanted = [...entriesOf(plan.objects), ...before.filter(({ id }) => skipped.has(id))];
  const ids = new Set(wanted.map(({ id }) => id));
  const hooks = new Set(entriesOf(plan.hooks).map(({ id }) => id));
  return { wanted, recorded: [...wanted, ...before.filter(({ id }) => !ids.has(id) && !hooks.has(id))] };
}

/** Entries that a Sync has recorded and no longer wants; what became a hook is none of them. */
export function unwantedEntries(plan: SyncPlan, before: readonly InventoryEntry[]): readonly InventoryEntry[] {
  const { wanted, recorded } = planInventory(plan, before);
  return recorded.slice(wanted.length);
}

export interface PruningInput {
  readonly sync: Sync;
  readonly wanted: readonly InventoryEntry[];
  /** Those of the unwanted objects that are there and still the Sync's own. */
  readonly own: readonly OwnObject[];
  readonly revision: string;
  /** The other Sync that waits for an object. */
  readonly heirOf?: (entry: InventoryEntry) => string | undefined;
  /** When the revision was first tried; see `planPrune`. */
  readonly askedAtMs?: number;
  /** Of what is rendered; see `planPrune`. */
  readonly digest?: string;
  /** Objects that hold something that is not to go, by `refKey`; see `findFullContainers`. */
  readonly full?: ReadonlyMap<string, KeptObject>;
}

export interface PruningDecision {
  /** To be deleted, unless `held`. */
  readonly deletable: readonly OwnObject[];
  readonly kept: readonly KeptObject[];
  /** Left to another Sync. */
  readonly handedOver: readonly { readonly object: OwnObject; readonly heir: string }[];
  readonly held: string | undefined;
  readonly isConfirmed: boolean;
}

/** What a Sync prunes of what is no longer in its source. */
export function decidePruning({
  sync,
  wanted,
  own,
  revision,
  heirOf,
  askedAtMs,
  digest,
  full,
}: PruningInput): PruningDecision {
  if (sync.spec.prune === false) {
    const kept = own.map(({ ref }) => ({ ref, why: "spec.prune of the Sync is false" }));
    return { deletable: [], kept, handedOver: [], held: undefined, isConfirmed: false };
  }
  const handedOver = own.flatMap((object) => {
    const heir = heirOf?.(object.entry);
    return heir === undefined ? [] : [{ object, heir }];
  });
  const rest = own.filter((object) => !handedOver.some((handed) => handed.object === object));
  const { deletable, kept, toConfirm } = sortByWishes(rest, "prune", full);
  const ids = new Set(deletable.map(({ entry }) => entry.id));
  const { held, isConfirmed } = planPrune(sync, wanted, revision, {
    isDeletable: ({ id }) => ids.has(id),
    toConfirm: toConfirm.map(({ ref }) => ref),
    ...(askedAtMs === undefined ? {} : { askedAtMs }),
    ...(digest === undefined ? {} : { digest }),
  });
  return { deletable, kept, handedOver, held, isConfirmed };
}

/**
 * Objects to delete in the order in which they go: the reverse of that in which they came. Each batch is gone before the
 * next goes; within one, what others need is deleted after them.
 */
export function orderDeletions(objects: readonly OwnObject[]): readonly (readonly OwnObject[])[] {
  const batches = new Map<number, OwnObject[]>();
  for (const object of objects) {
    const { wave, isPrunedLast } = readSyncWishes(object.live);
    // As Argo CD: what is pruned last goes after every wave.
    const turn = isPrunedLast ? Number.NEGATIVE_INFINITY : wave;
    const batch = batches.get(turn);
    if (batch === undefined) batches.set(turn, [object]);
    else batch.push(object);
  }
  return [...batches.entries()]
    .sort(([a], [b]) => (a === b ? 0 : a < b ? 1 : -1))
    .map(([, batch]) => batch.toReversed().sort((a, b) => stageRank(b.live) - stageRank(a.live)));
}
