// Where the rules of Flaghoist go beyond those of Karmada: statuses of templates that `kubectl rollout status`,
// `kubectl wait`, Flux and Argo CD understand, and that API servers since 1.31 accept. Switched off by
// `compatibility: karmada`.

import type { AggregatedStatusItem } from "../../api/work.ts";
import type { KubeObject } from "../../kube/object.ts";
import { aggregateJob } from "./aggregate-jobs.ts";
import { aggregatePod } from "./aggregate-pods.ts";
import { aggregateDeployment, aggregateStatefulSetByTemplate } from "./aggregate-workloads.ts";
import { reportedStatuses, withStatus } from "./aggregation.ts";
import { type Fields, fieldsAt, integerAt, objectsAt, optionalFieldsAt, textAt } from "./field-access.ts";
import type { Status } from "./interpreter.ts";
import { outcomeOfJob } from "./job-conditions.ts";
import type { KindRules, RulesByKind } from "./kind-rules.ts";
import { NATIVE_RULES } from "./native.ts";
import { reflectDeployment, reflectStatefulSet } from "./reflect-status.ts";
import { withRolloutConditions } from "./rollout-conditions.ts";

/** `karmada`: results equal to Karmada's, its gaps included. `flaghoist`: with the gaps closed. */
export type Compatibility = "karmada" | "flaghoist";

/** The built-in rules under an option `compatibility`. */
export function nativeRules(compatibility: Compatibility): RulesByKind {
  return compatibility === "karmada" ? NATIVE_RULES : BETTER_RULES;
}

const BETTER_RULES: RulesByKind = {
  ...NATIVE_RULES,
  "apps/v1/Deployment": better("apps/v1/Deployment", {
    reflectStatus: reflectDeploymentWithTroubles,
    aggregateStatus: (object, items, now) => withRolloutConditions(aggregateDeployment(object, items, now), items, now),
  }),
  "apps/v1/StatefulSet": better("apps/v1/StatefulSet", {
    reflectStatus: reflectObservedStatefulSet,
    aggregateStatus: aggregateStatefulSetByTemplate,
  }),
  "batch/v1/Job": better("batch/v1/Job", { aggregateStatus: aggregateJobInStages }),
  "v1/Pod": better("v1/Pod", { aggregateStatus: aggregatePodWithReadiness }),
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

function reflectObservedStatefulSet(object: KubeObject): Status | undefined {
  const reflected = reflectStatefulSet(object);
  const observedGeneration = integerAt(fieldsAt(object, "status"), "observedGeneration");
  return reflected === undefined || observedGeneration === 0 ? reflected : { ...reflected, observedGeneration };
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
  if (outcome === undefined) return aggregated;
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
  ];
  return withStatus(object, status);
}
