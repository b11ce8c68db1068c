// The conditions of training jobs: how a job ended in a cluster, and what is said of it over all clusters.

import { type Fields, objectsAt } from "../../field-access.ts";
import type { Report } from "../rules/aggregation.ts";
import { hasConditionWith } from "../rules/conditions.ts";
import type { Ending, Summary } from "./training-job.ts";

type Conditions = (report: Report, summary: Summary) => readonly Fields[];

/** Failed if any condition says so, whatever else is said. */
export function failureAboveAll(status: Fields): Ending | undefined {
  return (["Failed", "Succeeded"] as const).find((ending) => hasConditionWith(status, ending, "True"));
}

/** What the last of the conditions that tell an end says. */
export function lastEnding(status: Fields): Ending | undefined {
  const last = objectsAt(status, "conditions").findLast(
    ({ type, status: value }) => (type === "Succeeded" || type === "Failed") && value === "True",
  );
  return last === undefined ? undefined : last["type"] === "Failed" ? "Failed" : "Succeeded";
}

/** Only how the job ended, as with the Jobs of Kubernetes. */
export function endConditions(kind: string): Conditions {
  return ({ now }, { failed, succeededEverywhere }) => {
    const times = { lastProbeTime: now, lastTransitionTime: now };
    if (failed.length > 0) return [isTrue("Failed", `${kind}Failed`, failureMessage(kind, failed), times)];
    return succeededEverywhere ? [isTrue("Succeeded", "Completed", `${kind} completed successfully`, times)] : [];
  };
}

/** Created, running and ended, in this order: clients show the last condition. */
export function progressConditions(kind: string): Conditions {
  return ({ members }, { failed, succeededEverywhere, startTime, completionTime }) => {
    const conditions: Fields[] = [];
    if (members.some(({ status }) => hasConditionWith(status, "Created", "True"))) {
      conditions.push(isTrue("Created", `${kind}Created`, `${kind} is created.`, timesOf(startTime, startTime)));
    }
    const running = lastRunning(members);
    if (running !== undefined) {
      const times = timesOf(running["lastUpdateTime"], running["lastTransitionTime"]);
      const condition = isTrue("Running", `${kind}Running`, `${kind} is running.`, times);
      conditions.push(failed.length > 0 || succeededEverywhere ? { ...condition, status: "False" } : condition);
    }
    const times = timesOf(completionTime, completionTime);
    if (failed.length > 0) {
      conditions.push(isTrue("Failed", `${kind}Failed`, failureMessage(kind, failed), times));
    } else if (succeededEverywhere) {
      conditions.push(isTrue("Succeeded", `${kind}Succeeded`, `${kind} is successfully completed.`, times));
    }
    return conditions;
  };
}

// True or not: a cluster whose job runs no longer has run it.
function lastRunning(members: Report["members"]): Fields | undefined {
  return members
    .flatMap(({ status }) => objectsAt(status, "conditions"))
    .findLast((condition) => condition["type"] === "Running");
}

function timesOf(lastUpdateTime: unknown, lastTransitionTime: unknown): Fields {
  return { lastUpdateTime, lastTransitionTime };
}

function failureMessage(kind: string, clusters: readonly string[]): string {
  return `${kind} executed failed in member clusters: ${clusters.join(", ")}`;
}

function isTrue(type: string, reason: string, message: string, times: Fields): Fields {
  return { type, status: "True", ...times, reason, message };
}
