// What becomes of the objects of a deleted Sync, as it says, as pure functions.
import {
  ARGO_DELETION_APPROVED_ANNOTATION,
  CONFIRM_DELETIONS_ANNOTATION,
  DELETION_ASKED_ANNOTATION,
  SKIP_DELETION_HOOKS_ANNOTATION,
  type Sync,
} from "../../../api/gitops.ts";
import { describeRef } from "../../../kube/object.ts";
import { rfc3339 } from "../../../runtime/clock.ts";
import { holdTime, isHoldConfirmed } from "../../works/hold-confirmation.ts";
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

/** What people say on a deletion, each a time. */
const WORDS = [
  CONFIRM_DELETIONS_ANNOTATION,
  ARGO_DELETION_APPROVED_ANNOTATION,
  SKIP_DELETION_HOOKS_ANNOTATION,
] as const;

/** The time that people's words on the deletion of a Sync go by; undefined when it is not being deleted. */
export function deletionAskedAt({ metadata: { annotations = {}, deletionTimestamp } }: Sync): string | undefined {
  const recorded = annotations[DELETION_ASKED_ANNOTATION];
  if (deletionTimestamp === undefined || recorded === undefined) return deletionTimestamp;
  // What is no time is later than nothing.
  return Date.parse(recorded) > Date.parse(deletionTimestamp) ? recorded : deletionTimestamp;
}

/**
 * What is to be recorded as that time of a deletion that is looked at for the first time, if it is not the time of the
 * deletion: nobody has said anything in the future, so such words were on the Sync before the clocks jumped back.
 */
export function laterAskedAt(sync: Sync, nowMs: number): string | undefined {
  const { annotations = {}, deletionTimestamp } = sync.metadata;
  const askedAt = deletionAskedAt(sync);
  if (deletionTimestamp === undefined || askedAt !== deletionTimestamp) return undefined;
  const askedMs = Date.parse(askedAt);
  const times = WORDS.map((key) => annotations[key])
    .filter((word) => word !== undefined && Date.parse(word) > Math.max(nowMs, askedMs))
    .map((word) => holdTime(word, askedMs));
  const laterMs = Math.max(askedMs, ...times);
  return laterMs === askedMs ? undefined : rfc3339(laterMs);
}

/** Whether one of those words of a deleted Sync is about its deletion. */
export function isSaidOfDeletion(sync: Sync, word: (typeof WORDS)[number], nowMs: number): boolean {
  const askedAt = deletionAskedAt(sync);
  return askedAt !== undefined && isHoldConfirmed(sync.metadata.annotations?.[word], Date.parse(askedAt), nowMs);
}

/** Whether a person has spoken for all that a deleted Sync takes along: ours with the time of the deletion, or Argo CD's. */
export function isDeletionConfirmed(sync: Sync, nowMs: number): boolean {
  return (
    isSaidOfDeletion(sync, CONFIRM_DELETIONS_ANNOTATION, nowMs) ||
    isSaidOfDeletion(sync, ARGO_DELETION_APPROVED_ANNOTATION, nowMs)
  );
}

/** Why the deletion of a Sync waits for a person; undefined when it does not. */
export function whyDeletionHeld(sync: Sync, toConfirm: readonly OwnObject[], nowMs: number): string | undefined {
  const askedAt = deletionAskedAt(sync);
  if (toConfirm.length === 0 || askedAt === undefined) return undefined;
  if (isDeletionConfirmed(sync, nowMs)) return undefined;
  const { name, namespace } = sync.metadata;
  const named = toConfirm.slice(0, 3).map(({ ref }) => describeRef(ref));
  const more = toConfirm.length > named.length ? ` and ${toConfirm.length - named.length} more` : "";
  return (
    `held: Sync ${namespace}/${name} would take along ${named.join(", ")}${more}, which ${toConfirm.length === 1 ? "asks" : "ask"} to be confirmed (Delete=confirm). ` +
    `To go on: kubectl annotate sync ${name} -n ${namespace} --overwrite ${CONFIRM_DELETIONS_ANNOTATION}=${askedAt}`
  );
}
