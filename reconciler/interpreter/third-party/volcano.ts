// Volcano: Jobs of several tasks that start together.

import type { KubeObject } from "../../../kube/object.ts";
import type { MemberStatus } from "../aggregation.ts";
import { type Fields, fieldsAt, listAt, objectsAt, textAt } from "../field-access.ts";
import type { Status } from "../interpreter.ts";
import type { RulesByKind } from "../kind-rules.ts";
import { aggregatingAnew, type Report, sumsOf } from "./rules/aggregation.ts";
import { componentOf, nameOr } from "./rules/components.ts";
import { distinctDependencies } from "./rules/dependencies.ts";
import { objectsAtPath } from "./rules/field-paths.ts";
import { isZero, mergedOf, pruned, verbatimOfOne } from "./rules/merging.ts";
import { numberAt, numberOfText, numberOr } from "./rules/numbers.ts";
import { dependenciesOfTemplate, requirementsOfTemplate } from "./rules/pod-templates.ts";
import { reflecting } from "./rules/reflection.ts";

const JOB = "batch.volcano.sh/v1alpha1/Job";
const HEALTHY_PHASES: ReadonlySet<unknown> = new Set([
  "Pending",
  "Running",
  "Restarting",
  "Completing",
  "Completed",
  "Aborting",
  "Aborted",
  "Terminating",
  "Terminated",
]);
const FAILURES: ReadonlySet<unknown> = new Set(["Failed", "Aborting", "Aborted", "Terminating", "Terminated"]);
const SUMS = [
  "minAvailable",
  "pending",
  "running",
  "succeeded",
  "failed",
  "terminating",
  "unknown",
  "retryCount",
] as const;

const MAPS = ["taskStatusCount", "controlledResources"] as const;

export const VOLCANO_RULES: RulesByKind = {
  [JOB]: {
    interpretHealth: (object) => HEALTHY_PHASES.has(fieldsAt(object, "status", "state")["phase"]),
    // A job starts when the pods it cannot do without fit, so that these are what is looked for.
    getComponents: (object) =>
      objectsAt(fieldsAt(object, "spec"), "tasks").map((task, index) =>
        componentOf(
          nameOr(task, "name", `task-${index}`),
          numberOr(task["minAvailable"], 1),
          requirementsOfTemplate(fieldsAt(task, "template")),
          `spec.tasks[${index}].minAvailable`,
        ),
      ),
    reflectStatus: reflectJob,
    aggregateStatus: verbatimOfOne(aggregatingAnew(jobStatus)),
  },
};

/** Differs from Karmada: what the pods of a Job refer to is known, so that it can be sent along. */
export const MORE_VOLCANO_RULES: RulesByKind = {
  [JOB]: {
    ...VOLCANO_RULES[JOB],
    getDependencies: (object) =>
      distinctDependencies(
        objectsAtPath(object, "spec", "tasks").flatMap((task) =>
          dependenciesOfTemplate(object, fieldsAt(task, "template")),
        ),
      ),
  },
};

const reflectFields = reflecting([...SUMS, "version", "runningDuration", ...MAPS, "state", "conditions"]);

function reflectJob(object: KubeObject): Status {
  const status = fieldsAt(object, "status");
  // Whatever else is written there would only be refused where statuses are added up.
  for (const field of MAPS) fieldsAt(status, field);
  const { conditions, ...reflected } = reflectFields(object);
  return Array.isArray(conditions) ? { ...reflected, conditions } : reflected;
}

function jobStatus(report: Report): Fields {
  const { members } = report;
  const status = {
    ...sumsOf(members, SUMS),
    version: Math.max(0, ...members.map(({ status }) => numberAt(status, "version"))),
    runningDuration: longestDuration(members),
    taskStatusCount: taskPhases(members),
    controlledResources: mergedOf(members, "controlledResources"),
    conditions: jobConditions(members),
    state: jobState(report),
  };
  // Fields of an object stay an object.
  return (pruned(status, isZero) ?? {}) as Fields;
}

/** Failed once a cluster's job is, completed once every cluster's is; nothing is said before. */
function jobState({ items, members, now }: Report): Fields | undefined {
  const failed: string[] = [];
  let completed = 0;
  for (const { clusterName, status } of members) {
    const phase = fieldsAt(status, "state")["phase"];
    if (phase === "Completed") completed++;
    else if (phase === "Failed" || phase === "Aborted") failed.push(clusterName);
  }
  if (completed > 0 && completed === items.length) {
    return {
      phase: "Completed",
      reason: "Completed",
      message: "Job completed successfully",
      lastTransitionTime: now,
    };
  }
  if (failed.length === 0) return undefined;
  return {
    phase: "Failed",
    reason: "VolcanoJobFailed",
    message: `Job failed in clusters: ${failed.join(",")}`,
    lastTransitionTime: now,
  };
}

/** All of the first cluster whose job failed; without failures the latest of each status. */
function jobConditions(members: readonly MemberStatus[]): readonly unknown[] {
  const latest = new Map<string, Fields>();
  for (const { status } of members) {
    const conditions = objectsAt(status, "conditions");
    if (conditions.some((condition) => FAILURES.has(condition["status"]))) return listAt(status, "conditions");
    for (const condition of conditions) {
      const of = textAt(condition, "status");
      const other = latest.get(of);
      if (other === undefined || textAt(condition, "lastTransitionTime") > textAt(other, "lastTransitionTime")) {
        latest.set(of, condition);
      }
    }
  }
  return [...latest.values()];
}

/** How many pods of each task are in each phase, over all clusters. */
function taskPhases(members: readonly MemberStatus[]): Fields {
  const tasks = new Map<string, Record<string, number>>();
  for (const { status } of members) {
    for (const [task, counts] of Object.entries(fieldsAt(status, "taskStatusCount"))) {
      const counted = fieldsAt(counts, "phase");
      const sums = { ...tasks.get(task) };
      for (const phase of Object.keys(counted)) {
        sums[phase] = (sums[phase] ?? 0) + numberAt(counted, phase, `status.taskStatusCount.${task}.phase`);
      }
      tasks.set(task, sums);
    }
  }
  return Object.fromEntries([...tasks].map(([task, phase]) => [task, { phase }]));
}

function longestDuration(members: readonly MemberStatus[]): unknown {
  let longest: unknown;
  for (const { status } of members) {
    if (seconds(status["runningDuration"]) > seconds(longest)) longest = status["runningDuration"];
  }
  return longest;
}

/** The length of a duration such as `1h2m3.5s`. As Karmada: milliseconds are read as minutes. */
function seconds(duration: unknown): number {
  if (typeof duration === "number") return duration;
  if (typeof duration !== "string") return 0;
  let total = 0;
  for (const [, count = "", unit = ""] of duration.matchAll(/([0-9.]+)([hms])/g)) {
    total += (numberOfText(count) ?? 0) * (UNIT_SECONDS[unit] ?? 0);
  }
  return total > 0 ? total : (numberOfText(duration) ?? 0);
}

const UNIT_SECONDS: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1 };
