// Objects that are several jobs, with one condition for the end of all.

import { type Fields, textAt } from "../../field-access.ts";
import { type Report, sumsOf } from "./aggregation.ts";
import { agreedConditions } from "./agreed-conditions.ts";
import { findCondition, hasConditionWith } from "./conditions.ts";
import { objectsAtPath } from "./field-paths.ts";

export interface JobSetWords {
  /** The type of the condition of success, such as `Completed`. */
  readonly succeeded: string;
  /** What people call the object. */
  readonly noun: string;
}

/**
 * Conditions that tell the end as Jobs do: failed once that is so in one cluster, succeeded once it is in all. Of other
 * types as `agreedConditions` says.
 */
export function jobSetConditions(report: Report, { succeeded, noun }: JobSetWords): readonly Fields[] {
  const others = agreedConditions(report, []).filter(({ type }) => type !== succeeded && type !== "Failed");
  const failed = clustersWith(report, "Failed");
  if (failed.length > 0) return [...others, ended(report, "Failed", `${noun} failed in ${failed.join(", ")}`)];
  const done = clustersWith(report, succeeded);
  return done.length > 0 && done.length === report.items.length
    ? [...others, ended(report, succeeded, `${noun} succeeded in all clusters`)]
    : others;
}

function clustersWith({ members }: Report, type: string): readonly string[] {
  return members.filter(({ status }) => hasConditionWith(status, type, "True")).map(({ clusterName }) => clusterName);
}

// The time is that of the template's condition when it says so already.
function ended({ old, now, members }: Report, type: string, message: string): Fields {
  const before = findCondition(old, type);
  const first = members.map(({ status }) => findCondition(status, type)).find((one) => one?.["status"] === "True");
  const time = before?.["status"] === "True" ? textAt(before, "lastTransitionTime") : "";
  return {
    type,
    status: "True",
    reason: textAt(first ?? {}, "reason") || type,
    message,
    lastTransitionTime: time || now,
  };
}

/** The counters of the entries of equal name in the lists under `field`, added up over all members. */
export function countersByName({ members }: Report, field: string, counters: readonly string[]): readonly Fields[] {
  const entries = members.flatMap(({ clusterName, status }) =>
    objectsAtPath(status, field).map((entry) => ({ clusterName, status: entry })),
  );
  const names = new Set(entries.map(({ status }) => textAt(status, "name")));
  return [...names].map((name) => ({
    name,
    ...sumsOf(
      entries.filter(({ status }) => status["name"] === name),
      counters,
    ),
  }));
}
