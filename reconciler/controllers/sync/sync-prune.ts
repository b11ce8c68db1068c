// Deleting what is no longer in the source: what may go, in which order, and what is left.
import type { InventoryEntry, Sync } from "../../../api/gitops.ts";
import { describeRef, type KubeObject, type ObjectRef } from "../../../kube/object.ts";
import { messageOf } from "../../../runtime/errors.ts";
import { mapLimit } from "../../../runtime/parallel.ts";
import type { ControllerContext } from "../context.ts";
import { subjectOf } from "../events.ts";
import { keyOf } from "./git-repository.ts";
import { belongsTo, refOfEntry } from "./sync-decisions.ts";
import { stageRank } from "./sync-steps.ts";
import { type Deletion, readSyncWishes } from "./sync-wishes.ts";

/** An object of the inventory as it is now. */
export interface OwnObject {
  readonly entry: InventoryEntry;
  readonly ref: ObjectRef;
  readonly live: KubeObject;
}

/** Reads those of a Sync's objects that are there and still its own. A kind that is no longer served went with its objects. */
export async function findOwnObjects(
  context: ControllerContext,
  sync: Sync,
  entries: readonly InventoryEntry[],
): Promise<OwnObject[]> {
  const found = await mapLimit(entries, 16, async (entry): Promise<OwnObject | undefined> => {
    const ref = refOfEntry(entry);
    if (ref === undefined || (await context.client.mapper.find(ref.apiVersion, ref.kind)) === undefined)
      return undefined;
    const live = await context.client.find(ref);
    return live !== undefined && belongsTo(live, sync) ? { entry, ref, live } : undefined;
  });
  return found.filter((object) => object !== undefined);
}

export interface DeletionWishes {
  readonly deletable: readonly OwnObject[];
  /** They say that they are not to be deleted. */
  readonly kept: readonly OwnObject[];
  /** Of the deletable: they say that a person is to be asked. */
  readonly toConfirm: readonly OwnObject[];
}

/** Sorts objects by what they say about being deleted: `prune` with the source, `deletion` with the Sync. */
export function sortByWishes(objects: readonly OwnObject[], occasion: "prune" | "deletion"): DeletionWishes {
  const wishes = objects.map((object): { object: OwnObject; wish: Deletion } => {
    const { isSkipped, ...read } = readSyncWishes(object.live);
    return { object, wish: isSkipped ? "no" : read[occasion] };
  });
  return {
    deletable: wishes.filter(({ wish }) => wish !== "no").map(({ object }) => object),
    kept: wishes.filter(({ wish }) => wish === "no").map(({ object }) => object),
    toConfirm: wishes.filter(({ wish }) => wish === "confirm").map(({ object }) => object),
  };
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

/** What a deletion left: refused by the server, or on its way out and waiting for somebody. */
export interface LeftObject extends OwnObject {
  readonly isRefused: boolean;
}

/**
 * Deletes objects one after the other. Answers with those that are still there, because their deletion was refused or
 * because they wait for somebody: they stay in the inventory.
 */
export async function deleteOwnObjects(
  context: ControllerContext,
  sync: Sync,
  objects: readonly OwnObject[],
): Promise<LeftObject[]> {
  const left: LeftObject[] = [];
  for (const object of objects) {
    try {
      await context.client.delete(object.ref, { uid: object.live.metadata.uid });
      const rest = await context.client.find(object.ref);
      if (rest !== undefined && rest.metadata.uid === object.live.metadata.uid)
        left.push({ ...object, isRefused: false });
      context.logger.info("pruned object", { source: keyOf(sync), object: describeRef(object.ref) });
    } catch (error) {
      const words = `${describeRef(object.ref)}: ${messageOf(error)}`;
      context.events.record(subjectOf(sync), "Warning", "PruneFailed", words);
      left.push({ ...object, isRefused: true });
    }
  }
  return left;
}
