// The list of conditions in a status.
import type { Condition } from "./object.ts";

/** The condition of a type, if the list has one. */
export function findCondition(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

/** Whether the condition is there with status True. */
export function isConditionTrue(conditions: readonly Condition[] | undefined, type: string): boolean {
  return findCondition(conditions, type)?.status === "True";
}

/**
 * The list with a condition added or replaced in its place. The time of the last transition is `now`, but stays when the
 * status does. A condition that says the same as before leaves the list equal.
 */
export function setCondition(
  conditions: readonly Condition[] | undefined,
  condition: Condition,
  now: string = condition.lastTransitionTime,
): Condition[] {
  const next = [...(conditions ?? [])];
  const index = next.findIndex(({ type }) => type === condition.type);
  const previous = next[index];
  if (previous === undefined) {
    next.push({ ...condition, lastTransitionTime: now });
    return next;
  }
  const lastTransitionTime = previous.status === condition.status ? previous.lastTransitionTime : now;
  next[index] = { ...previous, ...condition, lastTransitionTime };
  return next;
}

/** The list without a condition. */
export function removeCondition(conditions: readonly Condition[] | undefined, type: string): Condition[] {
  return (conditions ?? []).filter((condition) => condition.type !== type);
}
