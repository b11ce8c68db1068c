// Where the rules of Flaghoist go beyond those of Karmada: statuses of templates that `kubectl rollout status`,
// `kubectl wait`, Flux and Argo CD understand, and that API servers since 1.31 accept. Switched off by
// `compatibility: karmada`.

import type { AggregatedStatusItem } from "../../api/work.ts";
import type { KubeObject } from "../../kube/object.ts";
import { aggregateJob } from "./aggregate-jobs.ts";
import { aggregatePod } from "./aggregate-pods.ts";
import { aggregateDeployment } from "./aggregate-workloads.ts";
import { type MemberStatus, reportedStatuses, withStatus } from "./aggregation.ts";
import {
  aggregateCronJobWithFailure,
  aggregateObservedAutoscaler,
  aggregateObservedBudget,
  aggregateWholeClaim,
  reflectObservedAutoscaler,
  reflectObservedBudget,
} from "./better-resources.ts";
import {
  aggregateLabeledReplicas,
  aggregateStatefulSetWithRevisions,
  reflectLabeledReplicas,
  reflectObservedStatefulSet,
} from "./better-workloads.ts";
import { ofWeakestCopy, withSpecReplicas } from "./duplicates.ts";
import { type Fields, fieldsAt, integerAt, objectsAt, optionalFieldsAt, textAt } from "./field-access.ts";
import type { Status } from "./interpreter.ts";
import { hasCondition, outcomeOfJob } from "./job-conditions.ts";
import type { KindRules, RulesByKind } from "./kind-rules.ts";
import { NATIVE_RULES } from "./native.ts";
import { reflectDeployment } from "./reflect-status.ts";
import { withRolloutConditions } from "./rollout-conditions.ts";

/** `karmada`: results equal to Karmada's, its gaps included. `flaghoist`: with the gaps closed. */
export type Compatibility = "karmada" | "flaghoist";

/** The built-in rules under an option `compatibility`. */
export function nativeRules(compatibility: Compatibility): RulesByKind {
  return compatibility === "karmada" ? NATIVE_RULES : BETTER_RULES;
}

const aggregateWholeDeployment = ofWeakestCopy(aggregateDeployment, [
  "replicas",
  "updatedReplicas",
  "readyReplicas",
  "availableReplicas",
  "unavailableReplicas",
]);

const LABELED_REPLICAS: KindRules = {
  reflectStatus: withSpecReplicas(reflectLabeledReplicas),
  aggregateStatus: ofWeakestCopy(aggregateLabeledReplicas, [
    "replicas",
    "fullyLabeledReplicas",
    "readyReplicas",
    "availableReplicas",
  ]),
};

const BETTER_RULES: RulesByKind = {
  ...NATIVE_RULES,
  "apps/v1/Deployment": better("apps/v1/Deployment", {
    reflectStatus: withSpecReplicas(reflectDeploymentWithTroubles),
    aggregateStatus: (object, items, now) =>
      withRolloutConditions(aggregateWholeDeployment(object, items, now), items, now),
  }),
  "apps/v1/StatefulSet": better("apps/v1/StatefulSet", {
    reflectStatus: withSpecReplicas(reflectObservedStatefulSet),
    aggregateStatus: ofWeakestCopy(aggregateStatefulSetWithRevisions, [
      "replicas",
      "readyReplicas",
      "currentReplicas",
      "updatedReplicas",
      "availableReplicas",
    ]),
  }),
  "apps/v1/ReplicaSet": better("apps/v1/ReplicaSet", LABELED_REPLICAS),
  // Karmada knows nothing of this one.
  "v1/ReplicationController": better("apps/v1/ReplicaSet", LABELED_REPLICAS),
  "batch/v1/Job": better("batch/v1/Job", { aggregateStatus: aggregateJobInStages }),
  "batch/v1/CronJob": better("batch/v1/CronJob", { aggregateStatus: aggregateCronJobWithFailure }),
  "v1/Pod": better("v1/Pod", { aggregateStatus: aggregatePodWithReadiness }),
  "v1/PersistentVolumeClaim": better("v1/PersistentVolumeClaim", { aggregateStatus: aggregateWholeClaim }),
  "policy/v1/PodDisruptionBudget": better("policy/v1/PodDisruptionBudget", {
    reflectStatus: reflectObservedBudget,
    aggregateStatus: aggregateObservedBudget,
  }),
  "autoscaling/v2/HorizontalPodAutoscaler": better("autoscaling/v2/HorizontalPodAutoscaler", {
    reflectStatus: reflectObservedAutoscaler,
    aggregateStatus: aggregateObservedAutoscaler,
  }),
};

function better(kind: string, rules: KindRules): KindRules {
  return { ...NATIVE_RULES[kind], ...rules };
}

/** Also collects the conditions that say what keeps a rollout from going on; nothing else would tell why it stands. */
function reflectDeploymentWithTroubles(object: KubeObject): Status | undefined {
  const reflected = reflectDeployment(object);
  const troubles = objectsAt(fieldsAt(object, "status"), "conditions").filter(isTrouble);
  return reflected === undefined || troubles.length === 0 ? reflected : { ...reflected, conditions: troubles };
}

function isTrouble(condition: Fields): boolean {
  const type = textAt(condition, "type");
  const status = textAt(condition, "status");
  return (type === "Progressing" && status === "False") || (type === "ReplicaFailure" && status === "True");
}

/**
 * API servers since 1.31 take a finished Job only with the condition that announced its end, without active pods and
 * with its times. So a Job that failed somewhere is announced as failing, and has failed once its last pod is gone.
 */
function aggregateJobInStages(object: KubeObject, items: readonly AggregatedStatusItem[], now: string): KubeObject {
  const old = fieldsAt(object, "status");
  const aggregated = aggregateJob(object, items, now);
  if (aggregated === object) return object;
  const status = fieldsAt(aggregated, "status");
  const outcome = outcomeOfJob(status);
  if (outcome === undefined) return withSuspension(aggregated, old, items, now);
  const { completionTime, ...rest } = status;
  const startTime = status["startTime"] ?? now;
  const done = conditionOf(status, outcome);
  const announced = announcement(old, status, outcome, done);
  if (outcome === "Failed") {
    const running = integerAt(status, "active") > 0;
    return withStatus(object, { ...rest, startTime, conditions: running ? [announced] : [announced, done] });
  }
  const { active: _active, ...complete } = rest;
  return withStatus(object, {
    ...complete,
    startTime,
    completionTime: completionTime ?? now,
    conditions: [announced, done],
  });
}

/** Suspended, as kstatus and Argo CD understand it, once the Job is so in every cluster. */
function withSuspension(
  object: KubeObject,
  old: Fields,
  items: readonly AggregatedStatusItem[],
  now: string,
): KubeObject {
  const members = reportedStatuses(items);
  const isSuspended =
    members.length > 0 &&
    members.length === items.length &&
    members.every(({ status }) => hasCondition(status, "Suspended"));
  if (!isSuspended) return object;
  const known = findCondition(old, "Suspended");
  const since = known !== undefined && textAt(known, "status") === "True" ? known["lastTransitionTime"] : now;
  const condition = {
    type: "Suspended",
    status: "True",
    lastProbeTime: since,
    lastTransitionTime: since,
    reason: "JobSuspended",
    message: "Job suspended in every cluster",
  };
  return withStatus(object, { ...fieldsAt(object, "status"), conditions: [condition] });
}

// The announcement keeps the time at which it was first made.
function announcement(old: Fields, status: Fields, outcome: "Complete" | "Failed", done: Fields): Fields {
  const type = outcome === "Complete" ? "SuccessCriteriaMet" : "FailureTarget";
  const known = findCondition(old, type) ?? findCondition(status, type);
  if (known !== undefined) return known;
  return outcome === "Complete"
    ? { ...done, type, reason: "CompletionsReached", message: "All member clusters have met success criteria" }
    : { ...done, type };
}

function conditionOf(status: Fields, type: string): Fields {
  return findCondition(status, type) ?? {};
}

function findCondition(status: Fields, type: string): Fields | undefined {
  return objectsAt(status, "conditions").find((condition) => textAt(condition, "type") === type);
}

/** Keeps names, images and restarts of containers, and adds the condition that `kubectl wait` looks for. */
function aggregatePodWithReadiness(
  object: KubeObject,
  items: readonly AggregatedStatusItem[],
  now: string,
): KubeObject {
  const aggregated = aggregatePod(object, items);
  const members = reportedStatuses(items);
  if (members.length === 0) return aggregated;
  const status: Record<string, unknown> = { ...fieldsAt(aggregated, "status") };
  for (const list of ["initContainerStatuses", "containerStatuses"]) {
    const whole = members.flatMap((member) => objectsAt(member.status, list));
    if (whole.length > 0) status[list] = whole;
  }
  const ready =
    members.length === items.length &&
    members.every((member) => textAt(findCondition(member.status, "Ready") ?? {}, "status") === "True");
  const old = findCondition(optionalFieldsAt(object, "status") ?? {}, "Ready");
  const same = old !== undefined && (textAt(old, "status") === "True") === ready;
  status["conditions"] = [
    {
      type: "Ready",
      status: ready ? "True" : "False",
      ...(ready ? {} : { reason: "ContainersNotReady", message: "the pod is not ready in every cluster" }),
      lastTransitionTime: same ? textAt(old, "lastTransitionTime") : now,
    },
    ...unschedulable(members),
  ];
  return withStatus(object, status);
}

/** What a cluster without room for its copy says, by which kstatus tells waiting from failing. */
function unschedulable(members: readonly MemberStatus[]): readonly Fields[] {
  for (const { status } of members) {
    const scheduled = findCondition(status, "PodScheduled");
    if (scheduled !== undefined && textAt(scheduled, "status") === "False") return [scheduled];
  }
  return [];
}
