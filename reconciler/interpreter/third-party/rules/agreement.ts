// Statuses of custom resources beyond what Karmada knows: the template tells what is true of the whole fleet.

import { equalJson } from "../../../../kube/object.ts";
import type { Aggregate, MemberStatus } from "../../aggregation.ts";
import type { Fields } from "../../field-access.ts";
import { aggregating, lastFilledOf, type Report, sumOf } from "./aggregation.ts";
import { agreedConditions, allObserve, verdictsOf } from "./agreed-conditions.ts";
import { type Awaiting, withAwaited } from "./awaited-conditions.ts";

/** What becomes of the fields of a kind's status. Fields that are not named stay as the template has them. */
export interface AgreementRule {
  /** Conditions that every cluster must report, see `agreedConditions`; by default those `verdictsOf` finds. */
  readonly decisive?: readonly string[];
  /** Further conditions that are True as soon as they are so anywhere. */
  readonly announcing?: readonly string[];
  /** What stands for `decisive` conditions while clusters have not reported them; `unknown` unless it is told. */
  readonly awaiting?: Awaiting;
  /** The observed generation of a template that none has been observed of, for kinds that write one. */
  readonly unobserved?: number;
  /** What all clusters say alike. While they do not, what they last agreed upon. */
  readonly agreed?: readonly string[];
  /** As `agreed`, for objects of which only these fields must be alike. */
  readonly agreedBy?: Readonly<Record<string, readonly string[]>>;
  /** Of the last cluster that says anything. */
  readonly latest?: readonly string[];
  /** The sum over the clusters that count; none when no cluster does. */
  readonly sums?: readonly string[];
  /** The earliest of the times, as RFC 3339. */
  readonly earliest?: readonly string[];
  /** The latest of the times, as RFC 3339. */
  readonly latestTimes?: readonly string[];
  /** The first of these values that any cluster has; of further values the first one met. */
  readonly worst?: Readonly<Record<string, readonly string[]>>;
}

/** An aggregation for kinds that keep conditions. */
export function aggregatingAgreement(rule: AgreementRule): Aggregate {
  return aggregating((report) => agreementOf(report, rule));
}

/** The fields of a status that a rule makes; of those that are undefined nothing is left. */
export function agreementOf(report: Report, rule: AgreementRule): Fields {
  return {
    ...fieldsOf(report, rule),
    observedGeneration: observedGenerationOf(report, rule.unobserved),
    conditions: conditionsOf(report, rule),
  };
}

function conditionsOf(report: Report, rule: AgreementRule): readonly Fields[] {
  const { decisive, awaiting = "unknown", announcing } = rule;
  if (decisive === undefined) return agreedConditions(report, verdictsOf(report), announcing);
  return withAwaited(report, agreedConditions(report, decisive, announcing), decisive, awaiting);
}

/** The fields that a rule names: what has to be collected for it, beside conditions and the observed generation. */
export function namedFields(rule: AgreementRule): readonly string[] {
  return [
    ...(rule.agreed ?? []),
    ...Object.keys(rule.agreedBy ?? {}),
    ...(rule.latest ?? []),
    ...(rule.sums ?? []),
    ...(rule.earliest ?? []),
    ...(rule.latestTimes ?? []),
    ...Object.keys(rule.worst ?? {}),
  ];
}

/** Of each field what all clusters say alike; while they do not, what the template says. */
export function agreedFields(report: Report, fields: readonly string[]): Fields {
  return Object.fromEntries(fields.map((field) => [field, agreedValue(report, field)]));
}

function fieldsOf(report: Report, rule: AgreementRule): Record<string, unknown> {
  const { members, old } = report;
  const fields: Record<string, unknown> = {};
  Object.assign(fields, agreedFields(report, rule.agreed ?? []));
  for (const [field, keys] of Object.entries(rule.agreedBy ?? {})) fields[field] = agreedValue(report, field, keys);
  for (const field of rule.latest ?? []) fields[field] = lastFilledOf(members, field) ?? old[field];
  for (const field of rule.sums ?? []) fields[field] = sumOfThoseWith(members, field);
  for (const field of rule.earliest ?? []) fields[field] = timesOf(members, field).at(0);
  for (const field of rule.latestTimes ?? []) fields[field] = timesOf(members, field).at(-1);
  for (const [field, order] of Object.entries(rule.worst ?? {})) fields[field] = worstOf(members, field, order);
  return fields;
}

/**
 * The generation of the template once every cluster has observed it, and until then what it was. `unobserved` is what
 * stands before the first; without it a kind that tells of no generation gets none, for it would never get further.
 */
export function observedGenerationOf(report: Report, unobserved: number | undefined): unknown {
  const { template, members, old } = report;
  const tells =
    unobserved !== undefined || members.some(({ status }) => typeof status["observedGeneration"] === "number");
  if (!tells) return old["observedGeneration"];
  return allObserve(report) ? (template.metadata.generation ?? 0) : (old["observedGeneration"] ?? unobserved);
}

function sumOfThoseWith(members: readonly MemberStatus[], field: string): number | undefined {
  const counting = members.filter(({ status }) => (status[field] ?? undefined) !== undefined);
  return counting.length === 0 ? undefined : sumOf(counting, field);
}

/** What all clusters say alike, and what `old` has while they do not. With `keys`, only these fields must be alike. */
export function agreedValue({ items, members, old }: Report, field: string, keys?: readonly string[]): unknown {
  const [first, ...others] = members.map(({ status }) => status[field] ?? undefined);
  const alike =
    members.length === items.length && first !== undefined && others.every((other) => isAlike(first, other, keys));
  return alike ? first : old[field];
}

function isAlike(one: unknown, other: unknown, keys: readonly string[] | undefined): boolean {
  if (keys === undefined || typeof one !== "object" || typeof other !== "object") return equalJson(one, other);
  // Objects: neither is null, which the caller has made undefined.
  return keys.every((key) => equalJson((one as Fields)[key], (other as Fields)[key]));
}

// Times of the form that Kubernetes writes sort as texts.
function timesOf(members: readonly MemberStatus[], field: string): readonly string[] {
  return members
    .map(({ status }) => status[field])
    .filter((time) => typeof time === "string" && time !== "")
    .map(String)
    .sort();
}

function worstOf(members: readonly MemberStatus[], field: string, order: readonly string[]): unknown {
  const values = members.map(({ status }) => status[field]).filter((value) => typeof value === "string");
  return order.find((value) => values.includes(value)) ?? values[0];
}
