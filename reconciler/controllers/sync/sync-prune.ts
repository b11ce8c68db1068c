// Deleting objects of a Sync: which are there and its own, and what a deletion leaves.
import type { InventoryEntry, Sync } from "../../../api/gitops.ts";
import type { KubeClient } from "../../../kube/client/kube-client.ts";
import { describeRef } from "../../../kube/object.ts";
import { messageOf } from "../../../runtime/errors.ts";
import { mapLimit } from "../../../runtime/parallel.ts";
import type { ControllerContext } from "../context.ts";
import { subjectOf } from "../events.ts";
import { keyOf } from "./git-repository.ts";
import { belongsTo, refOfEntry } from "./sync-decisions.ts";
import type { OwnObject } from "./sync-removals.ts";

/** Reads those of a Sync's objects that are there and still its own. A kind that is no longer served went with its objects. */
export async function findOwnObjects(
  { client }: { readonly client: KubeClient },
  sync: Sync,
  entries: readonly InventoryEntry[],
): Promise<OwnObject[]> {
  const found = await mapLimit(entries, 16, async (entry): Promise<OwnObject | undefined> => {
    const ref = refOfEntry(entry);
    if (ref === undefined || (await client.mapper.find(ref.apiVersion, ref.kind)) === undefined) return undefined;
    const live = await client.find(ref);
    return live !== undefined && belongsTo(live, sync) ? { entry, ref, live } : undefined;
  });
  return found.filter((object) => object !== undefined);
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
