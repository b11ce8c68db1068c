// Copies in a member that no Work stands behind any more: a backup of the member brought them back, or one of the control
// plane forgot them. They are told of, and go on a person's word alone: whoever restored them may have wanted just that.

import { type Condition, describeRef, type KubeObject, type ObjectRef, refOf } from "../../kube/object.ts";
import { rfc3339 } from "../../runtime/clock.ts";
import { holdTime, isHoldConfirmed } from "./hold-confirmation.ts";
import {
  MANAGED_LABEL,
  MANAGED_LABEL_VALUE,
  WORK_ID_LABEL,
  WORK_NAME_ANNOTATION,
  WORK_NAMESPACE_ANNOTATION,
} from "./metadata-keys.ts";
import { executionNamespace } from "./naming.ts";

/** On a Cluster while there are such copies. */
export const LEFT_OVER_CONDITION = "LeftOver";
/** On a Cluster: has those removed that were found until the time it says. */
export const REMOVE_LEFT_OVER_ANNOTATION = "gitops.flaghoist.io/remove-left-over";

export interface LeftOver {
  readonly ref: ObjectRef;
  readonly uid: string;
  readonly workName: string;
  /** Since when (milliseconds) no Work stands behind it. */
  readonly sinceMs: number;
  /** The time that a person's word on it goes by. */
  readonly askedMs: number;
}

const NAMED = 3;

/**
 * The name of the Work that a copy in `cluster` says it is of; undefined when we did not provably make it. That takes all our
 * marks for that very cluster, and that `manager`, the name under which we apply, still has fields of it.
 */
export function workNameOfCopy(copy: KubeObject, cluster: string, manager: string): string | undefined {
  const { labels = {}, annotations = {}, managedFields = [], ownerReferences = [] } = copy.metadata;
  if (labels[MANAGED_LABEL] !== MANAGED_LABEL_VALUE || !labels[WORK_ID_LABEL]) return undefined;
  if (annotations[WORK_NAMESPACE_ANNOTATION] !== executionNamespace(cluster)) return undefined;
  // Made in the member by the controller of another object, with its labels.
  if (ownerReferences.some((owner) => owner.controller === true)) return undefined;
  const isApplied = managedFields.some((entry) => entry.manager === manager && entry.operation === "Apply");
  return isApplied ? annotations[WORK_NAME_ANNOTATION] || undefined : undefined;
}

/** One that is found at `now` (milliseconds); `word` is what a person said of others before. */
export function leftOverOf(copy: KubeObject, workName: string, now: number, word: string | undefined): LeftOver {
  return {
    ref: refOf(copy),
    uid: copy.metadata.uid ?? "",
    workName,
    sinceMs: now,
    askedMs: holdTime(word, now),
  };
}

/** Whether a person asked for its removal after it was found. */
export function mayBeRemoved({ askedMs }: LeftOver, word: string | undefined, now: number): boolean {
  return isHoldConfirmed(word, askedMs, now);
}

/** What is told of a cluster at `now` (milliseconds). */
export function leftOverCondition(cluster: string, found: readonly LeftOver[], now: number): Condition {
  const type = LEFT_OVER_CONDITION;
  if (found.length === 0)
    return {
      type,
      status: "False",
      reason: "NothingLeftOver",
      message: "everything of ours that is known in the cluster has a Work",
      lastTransitionTime: rfc3339(now),
    };
  const sorted = [...found].sort((a, b) => a.sinceMs - b.sinceMs || (describeRef(a.ref) < describeRef(b.ref) ? -1 : 1));
  const names = sorted.slice(0, NAMED).map(({ ref }) => describeRef(ref));
  const more = found.length > names.length ? ` and ${found.length - names.length} more` : "";
  const until = rfc3339(Math.max(...found.map(({ askedMs }) => askedMs)));
  const [are, they, them] =
    found.length === 1
      ? ["1 object is", "It stays as it is", "it"]
      : [`${found.length} objects are`, "They stay as they are", "them"];
  return {
    type,
    status: "True",
    reason: "NoWork",
    message:
      `${are} left over: put into cluster ${cluster} by this control plane, but without a Work now, as after a restored ` +
      `backup: ${names.join(", ")}${more}. ${they}. ` +
      `To keep ${them}: apply the template again, or take label ${MANAGED_LABEL} away in the cluster. ` +
      `To remove ${them}: kubectl annotate cluster ${cluster} --overwrite ${REMOVE_LEFT_OVER_ANNOTATION}=${until}`,
    lastTransitionTime: rfc3339(sorted[0]?.sinceMs ?? now),
  };
}
