// What a change takes out of the source: what of it goes, what stays in spite of that and why, and what waits for a person.
import { deletionRefusal } from "../../api/admission/deletion.ts";
import type { InventoryEntry, Sync } from "../../api/gitops.ts";
import { describeRef, type ObjectRef } from "../../kube/object.ts";
import { decidePruning, type KeptObject, type OwnObject, sortByWishes } from "../controllers/sync/sync-removals.ts";
import { type DeletionLimits, decideDeletions } from "../works/mass-deletion.ts";
import type { ObjectChange } from "./changes.ts";
import type { Outcome } from "./river.ts";

export interface PlannedPrunes {
  readonly removed: readonly ObjectRef[];
  readonly kept: readonly KeptObject[];
  /** Why nothing is deleted before a person confirms; undefined when it is. */
  readonly held: string | undefined;
}

export interface PrunesInput {
  readonly sync: Sync;
  /** What the Sync would have. */
  readonly wanted: readonly InventoryEntry[];
  /** What is there of what it would have no longer. */
  readonly own: readonly OwnObject[];
  readonly revision: string;
  /** Objects that hold something that is not to go, by `refKey`. */
  readonly full?: ReadonlyMap<string, KeptObject>;
}

/** As the Sync decides, and as the server answers: a protected object is asked for and stays. */
export function plannedPrunes(input: PrunesInput): PlannedPrunes {
  const { deletable, kept, held } = decidePruning(input);
  const refusals = new Map(deletable.map((object) => [object, deletionRefusal(object.live)]));
  return {
    removed: deletable.filter((object) => refusals.get(object) === undefined).map(({ ref }) => ref),
    kept: [
      ...kept,
      ...deletable.flatMap((object) => {
        const why = refusals.get(object);
        return why === undefined ? [] : [{ ref: object.ref, why }];
      }),
    ],
    held,
  };
}

/** What goes along with a Sync that is deleted: other words count than for what its source has no longer. */
export function plannedEnd(sync: Sync, own: readonly OwnObject[]): PlannedPrunes {
  const { deletable, kept, toConfirm } = sortByWishes(own, "deletion");
  const spared = deletable.flatMap(({ ref, live }): KeptObject[] => {
    const why = deletionRefusal(live);
    return why === undefined ? [] : [{ ref, why }];
  });
  const stays = new Set(spared.map(({ ref }) => ref));
  return {
    removed: deletable.filter(({ ref }) => !stays.has(ref)).map(({ ref }) => ref),
    kept: [...kept, ...spared],
    held: toConfirm.length === 0 ? undefined : `once Sync ${syncKey(sync)} is deleted: ${askWords(toConfirm)}`,
  };
}

function syncKey({ metadata }: Sync): string {
  return `${metadata.namespace}/${metadata.name}`;
}

const MOST_ASKING = 3;

function askWords(toConfirm: readonly OwnObject[]): string {
  const names = toConfirm.slice(0, MOST_ASKING).map(({ ref }) => describeRef(ref));
  const more = toConfirm.length > names.length ? ` and ${toConfirm.length - names.length} more` : "";
  return (
    `its deletion waits for a person, as ${names.join(", ")}${more} ${toConfirm.length === 1 ? "asks" : "ask"} to be ` +
    "confirmed (Delete=confirm); its status says how"
  );
}

/** What a Sync has, and what the change takes out of it. */
export interface SyncPrune {
  readonly sync: Sync;
  /** Objects that it has. */
  readonly total: number;
  /** Objects that it is to have. */
  readonly wanted: number;
  readonly removed: readonly ObjectRef[];
}

/** A cluster that would lose so much that its deletions wait for a person. */
export interface HeldCluster {
  readonly cluster: string;
  readonly deleted: number;
  /** Copies that it has now. */
  readonly present: number;
}

export function heldClusterText({ cluster, deleted, present }: HeldCluster): string {
  return (
    `cluster ${cluster} would lose ${deleted} of ${present} objects: they wait there until a person confirms it ` +
    "(the condition DeletionsHeld of the Cluster says how)"
  );
}

/** How many copies each cluster has. */
export function presentCopies(outcomes: ReadonlyMap<string, Outcome>): ReadonlyMap<string, number> {
  const present = new Map<string, number>();
  for (const { copies } of outcomes.values())
    for (const { cluster } of copies) present.set(cluster, (present.get(cluster) ?? 0) + 1);
  return present;
}

/**
 * Clusters in which the copies that go would be held. `present`: how many each has; where it does not say, no more than those
 * that go. `limits`: those of the control plane; undefined when it holds nothing.
 */
export function heldClusters(
  changes: readonly ObjectChange[],
  present: ReadonlyMap<string, number>,
  limits: DeletionLimits | undefined,
): readonly HeldCluster[] {
  if (limits === undefined) return [];
  const deleted = new Map<string, number>();
  for (const { cluster, change } of changes)
    if (change === "deleted") deleted.set(cluster, (deleted.get(cluster) ?? 0) + 1);
  return [...deleted]
    .map(([cluster, waiting]) => ({ cluster, deleted: waiting, present: present.get(cluster) ?? waiting }))
    .filter(({ deleted: waiting, present: all }) => {
      const figures = { present: all, waiting, done: 0, firstAskedMs: 0, lastAskedMs: 0 };
      return decideDeletions(figures, limits, 0).kind === "hold";
    })
    .sort((a, b) => (a.cluster < b.cluster ? -1 : 1));
}
