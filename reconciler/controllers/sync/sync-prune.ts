// Deleting objects of a Sync: which are there and its own, and what a deletion leaves.
import type { InventoryEntry, Sync } from "../../../api/gitops.ts";
import type { KubeClient } from "../../../kube/client/kube-client.ts";
import { describeRef, type ObjectRef } from "../../../kube/object.ts";
import { messageOf } from "../../../runtime/errors.ts";
import { mapLimit } from "../../../runtime/parallel.ts";
import type { ControllerContext } from "../context.ts";
import { subjectOf } from "../events.ts";
import { keyOf } from "./git-repository.ts";
import { belongsTo, refOfEntry } from "./sync-decisions.ts";
import type { OwnObject } from "./sync-removals.ts";

interface Served {
  readonly client: KubeClient;
}

/** Reads those of a Sync's objects that are there and still its own. A kind that is no longer served went with its objects. */
export async function findOwnObjects(
  served: Served,
  sync: Sync,
  entries: readonly InventoryEntry[],
): Promise<readonly OwnObject[]> {
  return (await surveyInventory(served, sync, entries)).own;
}

export interface InventorySurvey {
  readonly own: readonly OwnObject[];
  /** What is there no more. What became somebody else's is in neither. */
  readonly gone: readonly ObjectRef[];
}

/** Looks at every object of an inventory. */
export async function surveyInventory(
  { client }: Served,
  sync: Sync,
  entries: readonly InventoryEntry[],
): Promise<InventorySurvey> {
  const own: OwnObject[] = [];
  const gone: ObjectRef[] = [];
  const found = await mapLimit(entries, 16, async (entry) => {
    const ref = refOfEntry(entry);
    if (ref === undefined) return undefined;
    const isServed = (await client.mapper.find(ref.apiVersion, ref.kind)) !== undefined;
    return { entry, ref, live: isServed ? await client.find(ref) : undefined };
  });
  for (const one of found) {
    if (one === undefined) continue;
    const { live } = one;
    if (live === undefined) gone.push(one.ref);
    else if (belongsTo(live, sync)) own.push({ ...one, live });
  }
  return { own, gone };
}

/** What a deletion left. */
export interface LeftObject extends OwnObject {
  /** Why the server refused; undefined for what is on its way out and waits for somebody. */
  readonly why: string | undefined;
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
        left.push({ ...object, why: undefined });
      context.logger.info("pruned object", { source: keyOf(sync), object: describeRef(object.ref) });
    } catch (error) {
      const why = messageOf(error);
      context.events.record(subjectOf(sync), "Warning", "PruneFailed", `${describeRef(object.ref)}: ${why}`);
      left.push({ ...object, why });
    }
  }
  return left;
}
