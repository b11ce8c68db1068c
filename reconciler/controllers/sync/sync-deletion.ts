// What becomes of the objects of a deleted Sync, as it says, as pure functions.
import {
  ARGO_DELETION_APPROVED_ANNOTATION,
  CONFIRM_DELETIONS_ANNOTATION,
  isApprovedSince,
  type Sync,
} from "../../../api/gitops.ts";
import { describeRef } from "../../../kube/object.ts";
import type { OwnObject } from "./sync-removals.ts";

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
