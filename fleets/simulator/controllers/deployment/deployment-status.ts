// What a Deployment says of its rollout.
import { type ReplicaSet, sizeOf } from "../replica-set/replica-set.ts";
import {
  type Deployment,
  type DeploymentCondition,
  type DeploymentStatus,
  maxUnavailableOf,
  progressDeadlineOf,
  wantedOf,
} from "./deployment.ts";
import { allSets, type SetsOf, sumOf } from "./replica-set-sizes.ts";

const AVAILABLE = "Available";
const PROGRESSING = "Progressing";
const REPLICA_FAILURE = "ReplicaFailure";
const COMPLETE = "NewReplicaSetAvailable";
const TIMED_OUT = "ProgressDeadlineExceeded";
const PAUSED = "DeploymentPaused";

type Conditions = readonly DeploymentCondition[];
/** A condition of this moment. */
type Saying = Pick<DeploymentCondition, "type" | "status" | "reason" | "message">;

/** The time of a decision: milliseconds for comparing, and as conditions have it. */
export interface Moment {
  readonly ms: number;
  readonly text: string;
}

function conditionOf(conditions: Conditions | undefined, type: string): DeploymentCondition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

/** Says something unless it is said already. A condition that changes goes to the end of the list, as in Kubernetes. */
function say(conditions: Conditions, saying: Saying, { text }: Moment): Conditions {
  const known = conditionOf(conditions, saying.type);
  if (known?.status === saying.status && known.reason === saying.reason) return conditions;
  const since = known?.status === saying.status ? (known.lastTransitionTime ?? text) : text;
  return [...without(conditions, saying.type), { ...saying, lastUpdateTime: text, lastTransitionTime: since }];
}

function without(conditions: Conditions, type: string): Conditions {
  return conditions.filter((condition) => condition.type !== type);
}

function progressing(status: Saying["status"], reason: string, message: string): Saying {
  return { type: PROGRESSING, status, reason, message };
}

/** The status with a word about progress that comes before any count; unchanged when nobody waits for progress. */
export function sayProgress(
  deployment: Deployment,
  status: Saying["status"],
  reason: string,
  message: string,
  now: Moment,
): DeploymentStatus {
  const known = deployment.status ?? {};
  if (progressDeadlineOf(deployment) === undefined) return known;
  return { ...known, conditions: say(known.conditions ?? [], progressing(status, reason, message), now) };
}

/** Whether nothing has been said of progress although somebody waits for it. */
export function lacksProgress(deployment: Deployment): boolean {
  return (
    progressDeadlineOf(deployment) !== undefined &&
    conditionOf(deployment.status?.conditions, PROGRESSING) === undefined
  );
}

/**
 * The status after a pause or its end, so that the time of a pause does not count as lack of progress; undefined when
 * there is nothing to say. A rollout that has timed out remains so.
 */
export function pauseStatus(deployment: Deployment, now: Moment): DeploymentStatus | undefined {
  const known = conditionOf(deployment.status?.conditions, PROGRESSING);
  if (progressDeadlineOf(deployment) === undefined || known?.reason === TIMED_OUT) return undefined;
  const paused = deployment.spec.paused === true;
  if (paused === (known?.reason === PAUSED)) return undefined;
  return paused
    ? sayProgress(deployment, "Unknown", PAUSED, "Deployment is paused", now)
    : sayProgress(deployment, "Unknown", "DeploymentResumed", "Deployment is resumed", now);
}

/** Counts of all sets, and whether enough is available. */
export function countedStatus(deployment: Deployment, sets: SetsOf, now: Moment): DeploymentStatus {
  const all = allSets(sets);
  const available = sumOf(all, ({ status }) => status?.availableReplicas ?? 0);
  const { collisionCount, conditions = [] } = deployment.status ?? {};
  const enough = available >= wantedOf(deployment) - maxUnavailableOf(deployment);
  const saying: Saying = enough
    ? {
        type: AVAILABLE,
        status: "True",
        reason: "MinimumReplicasAvailable",
        message: "Deployment has minimum availability.",
      }
    : {
        type: AVAILABLE,
        status: "False",
        reason: "MinimumReplicasUnavailable",
        message: "Deployment does not have minimum availability.",
      };
  const terminating = terminatingOf(all);
  return {
    ...(deployment.metadata.generation === undefined ? {} : { observedGeneration: deployment.metadata.generation }),
    ...counts({
      replicas: sumOf(all, actualOf),
      updatedReplicas: sets.current === undefined ? 0 : actualOf(sets.current),
      readyReplicas: sumOf(all, ({ status }) => status?.readyReplicas ?? 0),
      availableReplicas: available,
      unavailableReplicas: Math.max(0, sumOf(all, sizeOf) - available),
    }),
    ...(terminating === undefined ? {} : { terminatingReplicas: terminating }),
    ...(collisionCount === undefined ? {} : { collisionCount }),
    conditions: say(conditions, saying, now),
  };
}

/** Kubernetes leaves out counts of nothing. */
function counts(numbers: Readonly<Record<string, number>>): DeploymentStatus {
  return Object.fromEntries(Object.entries(numbers).filter(([, count]) => count !== 0));
}

function actualOf({ status }: ReplicaSet): number {
  return status?.replicas ?? 0;
}

/** Pods of all sets on their way out; undefined when a set does not tell. */
function terminatingOf(sets: readonly ReplicaSet[]): number | undefined {
  let sum = 0;
  for (const { status } of sets) {
    if (status?.terminatingReplicas !== undefined) sum += status.terminatingReplicas;
    else if ((status?.observedGeneration ?? 0) !== 0) return undefined;
  }
  return sum;
}

/** The status in a rollout: counts, progress and what keeps its sets from making Pods. */
export function rolloutStatus(deployment: Deployment, sets: SetsOf, now: Moment): DeploymentStatus {
  const counted = countedStatus(deployment, sets, now);
  const progressed = progressAfter(deployment, counted, sets, now);
  return { ...counted, conditions: failureAfter(progressed, sets, now) };
}

/** Whether all wanted Pods are of the present template and available, and no others are left. */
export function isComplete(deployment: Deployment, status: DeploymentStatus): boolean {
  const wanted = wantedOf(deployment);
  const { updatedReplicas = 0, replicas = 0, availableReplicas = 0, observedGeneration = 0 } = status;
  return (
    updatedReplicas === wanted &&
    replicas === wanted &&
    availableReplicas === wanted &&
    observedGeneration >= (deployment.metadata.generation ?? 0)
  );
}

function progressAfter(deployment: Deployment, status: DeploymentStatus, { current }: SetsOf, now: Moment): Conditions {
  const conditions = status.conditions ?? [];
  const deadline = progressDeadlineOf(deployment);
  if (deadline === undefined) return without(conditions, PROGRESSING);
  const known = conditionOf(deployment.status?.conditions, PROGRESSING);
  // A rollout that has been completed is not watched any more.
  if ((status.replicas ?? 0) === (status.updatedReplicas ?? 0) && known?.reason === COMPLETE) return conditions;
  const subject =
    current === undefined ? `Deployment "${deployment.metadata.name}"` : `ReplicaSet "${current.metadata.name}"`;
  if (isComplete(deployment, status))
    return say(conditions, progressing("True", COMPLETE, `${subject} has successfully progressed.`), now);
  if (hasProgressed(deployment.status ?? {}, status)) {
    // Said anew with each step, since the deadline counts from here.
    const saying = progressing("True", "ReplicaSetUpdated", `${subject} is progressing.`);
    const since = known?.status === "True" ? (known.lastTransitionTime ?? now.text) : now.text;
    return [...without(conditions, PROGRESSING), { ...saying, lastUpdateTime: now.text, lastTransitionTime: since }];
  }
  if (hasTimedOut(known, deadline, now))
    return say(conditions, progressing("False", TIMED_OUT, `${subject} has timed out progressing.`), now);
  return conditions;
}

/** Whether there are more new Pods, fewer old ones, or more that are ready or available. */
function hasProgressed(before: DeploymentStatus, after: DeploymentStatus): boolean {
  const old = ({ replicas = 0, updatedReplicas = 0 }: DeploymentStatus): number => replicas - updatedReplicas;
  return (
    (after.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    old(after) < old(before) ||
    (after.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (after.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  );
}

function hasTimedOut(known: DeploymentCondition | undefined, deadlineSeconds: number, now: Moment): boolean {
  if (known === undefined || known.reason === COMPLETE) return false;
  return known.reason === TIMED_OUT || lastUpdateMs(known) + deadlineSeconds * 1000 < now.ms;
}

function lastUpdateMs({ lastUpdateTime }: DeploymentCondition): number {
  return Date.parse(lastUpdateTime ?? "1970-01-01T00:00:00Z");
}

/** The failure of a set becomes the Deployment's; that of the current set before those of old ones. */
function failureAfter(conditions: Conditions, sets: SetsOf, now: Moment): Conditions {
  const ordered = sets.current === undefined ? sets.old : [sets.current, ...sets.old];
  const failure = ordered
    .flatMap(({ status }) => status?.conditions ?? [])
    .find((condition) => condition.type === REPLICA_FAILURE);
  if (failure === undefined) return without(conditions, REPLICA_FAILURE);
  const known = conditionOf(conditions, REPLICA_FAILURE);
  const { status, reason = "", message = "", lastTransitionTime = now.text } = failure;
  if (known?.status === status && known.reason === reason) return conditions;
  const since = known?.status === status ? (known.lastTransitionTime ?? lastTransitionTime) : lastTransitionTime;
  const moved: DeploymentCondition = {
    type: REPLICA_FAILURE,
    // A ReplicaSet has no other values.
    status: status as DeploymentCondition["status"],
    reason,
    message,
    lastUpdateTime: lastTransitionTime,
    lastTransitionTime: since,
  };
  return [...without(conditions, REPLICA_FAILURE), moved];
}

/**
 * When to look at a rollout again in which nothing moves, milliseconds; undefined when there is no need. As Kubernetes:
 * a second after the deadline, or as soon as it has passed when that is nearer than a second.
 */
export function nextProgressCheckMs(deployment: Deployment, status: DeploymentStatus, now: Moment): number | undefined {
  const known = conditionOf(deployment.status?.conditions, PROGRESSING);
  const deadline = progressDeadlineOf(deployment);
  if (deadline === undefined || known === undefined) return undefined;
  if (isComplete(deployment, status) || known.reason === TIMED_OUT) return undefined;
  const left = lastUpdateMs(known) + deadline * 1000 - now.ms;
  return left < 1000 ? Math.max(5, left + 1) : left + 1000;
}
