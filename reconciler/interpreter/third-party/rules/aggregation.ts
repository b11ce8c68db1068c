// What the aggregations of custom resources have in common: a status is made from what the members say, and written
// beside what the template says already.

import type { AggregatedStatusItem } from "../../../../api/work.ts";
import { equalJson, type KubeObject } from "../../../../kube/object.ts";
import { type Aggregate, type MemberStatus, reportedStatuses } from "../../aggregation.ts";
import { type Fields, fieldsAt, optionalFieldsAt } from "../../field-access.ts";
import { NOTHING_REPORTED } from "../../interpreter.ts";
import { withoutEmpties } from "./empties.ts";
import { numberAt } from "./numbers.ts";

/** What an aggregation has to go by. */
export interface Report {
  readonly template: KubeObject;
  /** The status of the template until now. */
  readonly old: Fields;
  /** Every cluster, those that report nothing included. */
  readonly items: readonly AggregatedStatusItem[];
  /** The clusters that report a status. */
  readonly members: readonly MemberStatus[];
  /** RFC 3339, for new conditions. */
  readonly now: string;
}

/**
 * An aggregation that writes the fields that `statusOf` gives over those of the template's status; one that is undefined,
 * null or empty is taken away. `unreported` says what is written for a binding without any aggregated status, where that
 * is something else.
 */
export function aggregating(
  statusOf: (report: Report) => Fields,
  unreported: (report: Report) => Fields = statusOf,
): Aggregate {
  return (template, items, now) => {
    const report = reportOf(template, items, now);
    return withCleanStatus(template, {
      ...report.old,
      ...(items === NOTHING_REPORTED ? unreported : statusOf)(report),
    });
  };
}

/** For `aggregating`: nothing is written. */
export function unchanged(): Fields {
  return {};
}

/** As `aggregating`, but nothing of the template's status survives beside the fields given. */
export function aggregatingAnew(statusOf: (report: Report) => Fields): Aggregate {
  return (template, items, now) => withCleanStatus(template, statusOf(reportOf(template, items, now)));
}

function reportOf(template: KubeObject, items: readonly AggregatedStatusItem[], now: string): Report {
  return { template, old: fieldsAt(template, "status"), items, members: reportedStatuses(items), now };
}

/**
 * The object with `status` less its empty fields, and without one when no field was there, not even an empty one; the
 * very same object when it says so already.
 *
 * Differs from Karmada: what stands beside the status is left as its author wrote it. Only the status is to be written,
 * and for kinds without a status subresource the whole object is.
 */
export function withCleanStatus(object: KubeObject, status: Fields): KubeObject {
  if (Object.values(status).some((value) => value !== undefined && value !== null)) {
    const clean = withoutEmpties(status);
    return equalJson(object["status"], clean) ? object : { ...object, status: clean };
  }
  if (object["status"] === undefined) return object;
  const { status: _old, ...rest } = object;
  return { ...rest, apiVersion: object.apiVersion, kind: object.kind, metadata: object.metadata };
}

/** The sums of counters over all members, zeros included. Throws `interpreter-field-malformed`. */
export function sumsOf(members: readonly MemberStatus[], counters: readonly string[]): Record<string, number> {
  return Object.fromEntries(counters.map((counter) => [counter, sumOf(members, counter)]));
}

/** The sum of one counter over all members. Throws `interpreter-field-malformed`. */
export function sumOf(members: readonly MemberStatus[], counter: string): number {
  return members.reduce((sum, { status }) => sum + numberAt(status, counter), 0);
}

/** The value that the last member to have the field gives it; undefined when none has it. */
export function lastOf(members: readonly MemberStatus[], field: string): unknown {
  return members.findLast(({ status }) => status[field] !== undefined && status[field] !== null)?.status[field];
}

/** As `lastOf`, passing over empty texts. */
export function lastFilledOf(members: readonly MemberStatus[], field: string): unknown {
  const isFilled = (value: unknown): boolean => value !== undefined && value !== null && value !== "";
  return members.findLast(({ status }) => isFilled(status[field]))?.status[field];
}

/**
 * The template's generation once every cluster has a copy of this very generation and its controller has seen it; until
 * then what the template says, or 0. Needs `reflectingWithGenerations`. A cluster that reports nothing has seen generation
 * 0 of everything, which only a template has that no server has stored; `silentHaveSeen` false denies it that.
 */
export function observedGenerationOf({ template, old, items }: Report, silentHaveSeen = true): unknown {
  const generation = template.metadata.generation ?? 0;
  const allHaveSeen = items.every((item) => {
    const status = optionalFieldsAt(item, "status");
    if (status === undefined && !silentHaveSeen) return false;
    const { resourceTemplateGeneration, generation: own, observedGeneration } = status ?? {};
    return (resourceTemplateGeneration ?? 0) === generation && (own ?? 0) === (observedGeneration ?? 0);
  });
  return allHaveSeen ? generation : (old["observedGeneration"] ?? 0);
}
