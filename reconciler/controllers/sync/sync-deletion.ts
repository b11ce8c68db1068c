// The end of a Sync: what it put there goes with it, or stays, as it says.
import {
  ARGO_DELETION_APPROVED_ANNOTATION,
  CONFIRM_DELETIONS_ANNOTATION,
  isApprovedSince,
  type Sync,
} from "../../../api/gitops.ts";
import { describeRef, refOf } from "../../../kube/object.ts";
import { AppError } from "../../../runtime/errors.ts";
import type { StepResult } from "../../../runtime/work-queue.ts";
import type { ControllerContext } from "../context.ts";
import { confirmTemplateDeletions } from "../works/confirmed-deletion.ts";
import { keyOf } from "./git-repository.ts";
import { hasCopies } from "./sync-hooks.ts";
import { deleteOwnObjects, findOwnObjects, type LeftObject } from "./sync-prune.ts";
import { type OwnObject, orderDeletions, sortByWishes } from "./sync-removals.ts";

export const SYNC_FINALIZER = "gitops.flaghoist.io/sync-controller";

/** What becomes of the objects of a deleted Sync; as Flux, one that is suspended leaves them. */
export function deletionModeOf(sync: Sync): "delete" | "wait" | "orphan" {
  if (sync.spec.suspend === true) return "orphan";
  switch (sync.spec.deletionPolicy ?? "MirrorPrune") {
    case "MirrorPrune":
      return sync.spec.prune === false ? "orphan" : "delete";
    case "Delete":
      return "delete";
    case "WaitForTermination":
      return "wait";
    case "Orphan":
      return "orphan";
  }
}

/** Whether a person has spoken for all that a deleted Sync takes along: ours with the time of the deletion, or Argo CD's. */
export function isDeletionConfirmed(sync: Sync): boolean {
  const { annotations = {}, deletionTimestamp } = sync.metadata;
  const askedAtMs = deletionTimestamp === undefined ? undefined : Date.parse(deletionTimestamp);
  return (
    isApprovedSince(annotations[CONFIRM_DELETIONS_ANNOTATION], askedAtMs) ||
    isApprovedSince(annotations[ARGO_DELETION_APPROVED_ANNOTATION], askedAtMs)
  );
}

/** Why the deletion of a Sync waits for a person; undefined when it does not. */
export function whyDeletionHeld(sync: Sync, toConfirm: readonly OwnObject[]): string | undefined {
  const askedAt = sync.metadata.deletionTimestamp;
  if (toConfirm.length === 0 || askedAt === undefined) return undefined;
  if (isDeletionConfirmed(sync)) return undefined;
  const { name, namespace } = sync.metadata;
  const named = toConfirm.slice(0, 3).map(({ ref }) => describeRef(ref));
  const more = toConfirm.length > named.length ? ` and ${toConfirm.length - named.length} more` : "";
  return (
    `held: Sync ${namespace}/${name} would take along ${named.join(", ")}${more}, which ${toConfirm.length === 1 ? "asks" : "ask"} to be confirmed (Delete=confirm). ` +
    `To go on: kubectl annotate sync ${name} -n ${namespace} --overwrite ${CONFIRM_DELETIONS_ANNOTATION}=${askedAt}`
  );
}

/** Deletes what a deleted Sync had applied, in reverse order, then lets it go. */
export async function finishSync(context: ControllerContext, sync: Sync): Promise<StepResult | undefined> {
  if (!(sync.metadata.finalizers ?? []).includes(SYNC_FINALIZER)) return undefined;
  const mode = deletionModeOf(sync);
  if (mode !== "orphan") {
    const own = await findOwnObjects(context, sync, sync.status?.inventory?.entries ?? []);
    const { deletable, toConfirm } = sortByWishes(own, "deletion");
    const held = whyDeletionHeld(sync, toConfirm);
    if (held !== undefined) throw new AppError("deletion-held", held, { recovery: "stall" });
    if (isDeletionConfirmed(sync))
      await confirmTemplateDeletions(
        context,
        deletable.map(({ ref }) => ref),
        `deletion of Sync ${keyOf(sync)}`,
      );
    const left: LeftObject[] = [];
    const batches = orderDeletions(deletable);
    for (const [index, batch] of batches.entries()) {
      left.push(...(await deleteOwnObjects(context, sync, batch)));
      const isAwaited = mode === "wait" || index < batches.length - 1;
      if (isAwaited && batch.some(({ ref }) => hasCopies(context, ref))) return { requeueAfterMs: 500 };
    }
    const stays = left.filter(({ isRefused }) => isRefused).map(({ ref }) => describeRef(ref));
    if (stays.length > 0)
      throw new AppError(
        "prune-failed",
        `${stays.length} objects of Sync ${keyOf(sync)} could not be deleted: ${stays.slice(0, 5).join(", ")}`,
        { recovery: "retry" },
      );
    if (mode === "wait" && left.length > 0) return { requeueAfterMs: 1_000 };
  }
  const finalizers = (sync.metadata.finalizers ?? []).filter((finalizer) => finalizer !== SYNC_FINALIZER);
  await context.client.patch(
    refOf(sync),
    { metadata: { resourceVersion: sync.metadata.resourceVersion, finalizers } },
    "merge",
  );
  return undefined;
}
