// Conditions of several members made into those of one template.

import type { MemberStatus } from "../../aggregation.ts";
import { type Fields, textAt } from "../../field-access.ts";
import { objectsAtPath } from "./field-paths.ts";

/** True when the object under `status` has a condition of this type and status, and one of the reasons if any are named. */
export function hasConditionWith(status: Fields, type: string, value: string, reasons?: readonly string[]): boolean {
  return conditionsOf(status).some(
    (condition) =>
      condition["type"] === type &&
      condition["status"] === value &&
      // A reason that is no text is none of them.
      (reasons === undefined || reasons.includes(condition["reason"] as string)),
  );
}

/** The condition of a type; undefined when there is none. */
export function findCondition(status: Fields, type: string): Fields | undefined {
  return conditionsOf(status).find((condition) => condition["type"] === type);
}

/** Of each type the condition of the last member that has it, in the order in which the types first appear. */
export function lastConditionsByType(members: readonly MemberStatus[]): readonly Fields[] {
  const byType = new Map<unknown, Fields>();
  for (const { status } of members) {
    for (const condition of conditionsOf(status)) {
      if (condition["type"] !== undefined && condition["type"] !== null) byType.set(condition["type"], condition);
    }
  }
  return [...byType.values()];
}

/**
 * One condition for all that agree in type, status and reason: the first of them, with the messages of all as
 * `cluster=message, cluster=message`.
 */
export function mergedConditions(members: readonly MemberStatus[]): readonly Fields[] {
  const merged: Record<string, unknown>[] = [];
  for (const { clusterName, status } of members) {
    for (const condition of conditionsOf(status)) {
      const message = `${clusterName}=${messageOf(condition)}`;
      const same = merged.find((other) => SAME.every((field) => (other[field] ?? null) === (condition[field] ?? null)));
      if (same === undefined) merged.push({ ...condition, message });
      else same["message"] = `${String(same["message"])}, ${message}`;
    }
  }
  return merged;
}

const SAME: readonly string[] = ["type", "status", "reason"];

function messageOf(condition: Fields): string {
  const message = condition["message"];
  return typeof message === "number" ? String(message) : textAt(condition, "message");
}

/** The conditions in a status; entries that are null say nothing. */
export function conditionsOf(status: Fields): readonly Fields[] {
  return objectsAtPath(status, "conditions");
}
