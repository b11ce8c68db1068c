// Conditions of Jobs, which carry a probe time beside the usual fields.

import { type Fields, objectsAt, textAt } from "./field-access.ts";

/** A condition as programs that decode Jobs write it: both times are always there. */
export function encodeJobCondition(condition: Fields): Fields {
  return {
    ...condition,
    lastProbeTime: condition["lastProbeTime"] ?? null,
    lastTransitionTime: condition["lastTransitionTime"] ?? null,
  };
}

export function hasCondition(status: Fields, type: string): boolean {
  return objectsAt(status, "conditions").some(
    (condition) => textAt(condition, "type") === type && textAt(condition, "status") === "True",
  );
}

/** How a Job has ended; undefined while it has not. */
export function outcomeOfJob(status: Fields): "Complete" | "Failed" | undefined {
  for (const condition of objectsAt(status, "conditions")) {
    const type = textAt(condition, "type");
    if ((type === "Complete" || type === "Failed") && textAt(condition, "status") === "True") return type;
  }
  return undefined;
}
