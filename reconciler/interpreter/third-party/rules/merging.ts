// Fields of several members' statuses made into one.

import type { AggregatedStatusItem } from "../../../../api/work.ts";
import { isObject, type KubeObject } from "../../../../kube/object.ts";
import type { Aggregate, MemberStatus } from "../../aggregation.ts";
import { interpreterFieldMalformed } from "../../errors.ts";
import { type Fields, fieldsAt } from "../../field-access.ts";
import { NOTHING_REPORTED } from "../../interpreter.ts";
import { withCleanStatus } from "./aggregation.ts";

/**
 * An aggregation that takes the status of a sole cluster as it is, leaves that of the template when the binding has no
 * aggregated status at all, and asks `several` otherwise.
 */
export function verbatimOfOne(several: Aggregate): Aggregate {
  return (template: KubeObject, items: readonly AggregatedStatusItem[], now: string) => {
    if (items === NOTHING_REPORTED) return withCleanStatus(template, fieldsAt(template, "status"));
    const [only] = items;
    return only !== undefined && items.length === 1
      ? withCleanStatus(template, fieldsAt(only, "status"))
      : several(template, items, now);
  };
}

/** The time under `field` that is first, or last, of all members'; undefined when none has it. Throws `interpreter-field-malformed`. */
export function extremeTextOf(
  members: readonly MemberStatus[],
  field: string,
  which: "first" | "last",
): string | undefined {
  let extreme: string | undefined;
  for (const { status } of members) {
    const text = status[field];
    if (text === undefined || text === null) continue;
    if (typeof text !== "string") throw interpreterFieldMalformed(`status.${field}`, "a text");
    if (extreme === undefined || (which === "first" ? text < extreme : text > extreme)) extreme = text;
  }
  return extreme;
}

/** The value that the first member to have the field gives it; undefined when none has it. */
export function firstOf(members: readonly MemberStatus[], field: string): unknown {
  return members.find(({ status }) => status[field] !== undefined && status[field] !== null)?.status[field];
}

/** The objects under `field` of all members merged key by key; of equal keys the last member's counts that is not null. */
export function mergedOf(members: readonly MemberStatus[], field: string): Fields {
  const merged: Record<string, unknown> = {};
  for (const { status } of members) {
    for (const [key, value] of Object.entries(fieldsAt(status, field))) merged[key] = value ?? merged[key];
  }
  return merged;
}

/**
 * A copy without nulls, empty lists and objects, and without what becomes empty by that; `isNothing` says which other
 * values say nothing. Undefined when nothing remains.
 */
export function pruned(value: unknown, isNothing: (value: unknown) => boolean = () => false): unknown {
  if (value === undefined || value === null || isNothing(value)) return undefined;
  if (Array.isArray(value)) {
    const kept = value.map((item) => pruned(item, isNothing)).filter((item) => item !== undefined);
    return kept.length === 0 ? undefined : kept;
  }
  if (!isObject(value)) return value;
  const kept: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) {
    const rest = pruned(inner, isNothing);
    if (rest !== undefined) kept[key] = rest;
  }
  return Object.keys(kept).length === 0 ? undefined : kept;
}

/** True for the values by which counters and durations say that nothing has happened yet. */
export function isZero(value: unknown): boolean {
  return value === 0 || value === "" || value === "0s";
}
