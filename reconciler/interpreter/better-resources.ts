// Statuses of claims, disruption budgets, autoscalers and CronJobs with what kstatus and Argo CD look at: Karmada leaves
// their conditions and generations away, so that Argo CD waits for ever.

import type { AggregatedStatusItem } from "../../api/work.ts";
import type { KubeObject } from "../../kube/object.ts";
import { aggregateCronJob } from "./aggregate-jobs.ts";
import { aggregateAutoscaler, aggregateDisruptionBudget } from "./aggregate-resources.ts";
import { type Aggregate, reportedStatuses, withStatus } from "./aggregation.ts";
import { type Fields, fieldsAt, integerAt, listAt, nonZero, objectsAt, present, textAt } from "./field-access.ts";
import type { Status } from "./interpreter.ts";
import { reflectAutoscaler, reflectDisruptionBudget } from "./reflect-status.ts";
import type { Report } from "./third-party/rules/aggregation.ts";
import { agreedConditions } from "./third-party/rules/agreed-conditions.ts";
import { agreedValue, observedGenerationOf } from "./third-party/rules/agreement.ts";
import { generationsOf } from "./third-party/rules/reflection.ts";

function reportOf(template: KubeObject, items: readonly AggregatedStatusItem[], now: string): Report {
  return { template, old: fieldsAt(template, "status"), items, members: reportedStatuses(items), now };
}

/** `reflect`, and with it the conditions, the observed generation, and which generations it is about. */
function withObservation(
  reflect: (object: KubeObject) => Status | undefined,
): (object: KubeObject) => Status | undefined {
  return (object) => {
    const reflected = reflect(object);
    if (reflected === undefined) return undefined;
    const status = fieldsAt(object, "status");
    const conditions = objectsAt(status, "conditions");
    return present({
      ...reflected,
      observedGeneration: nonZero(integerAt(status, "observedGeneration")),
      conditions: conditions.length === 0 ? undefined : conditions,
      ...generationsOf(object),
    });
  };
}

/** Conditions of the whole fleet; those in `decisive` are Unknown while a cluster that should report them does not. */
function conditionsOf(report: Report, decisive: readonly string[]): Fields {
  const isKept = report.members.some(({ status }) => listAt(status, "conditions").length > 0);
  const conditions = isKept ? agreedConditions(report, decisive) : listAt(report.old, "conditions");
  return conditions.length === 0 ? {} : { conditions };
}

function observationOf(report: Report): Fields {
  return present({ observedGeneration: observedGenerationOf(report, undefined) });
}

/** Aggregates as `aggregate` does, with the generation observed and the conditions of the fleet. */
function withObserved(
  aggregate: (object: KubeObject, items: readonly AggregatedStatusItem[]) => KubeObject,
  decisive: readonly string[],
): Aggregate {
  return (object, items, now) => {
    const report = reportOf(object, items, now);
    return withStatus(object, {
      ...fieldsAt(aggregate(object, items), "status"),
      ...observationOf(report),
      ...conditionsOf(report, decisive),
    });
  };
}

export const reflectObservedBudget = withObservation(reflectDisruptionBudget);

export const aggregateObservedBudget = withObserved(aggregateDisruptionBudget, ["DisruptionAllowed"]);

export const reflectObservedAutoscaler = withObservation(reflectAutoscaler);

export const aggregateObservedAutoscaler = withObserved(aggregateAutoscaler, [
  "AbleToScale",
  "ScalingActive",
  "ScalingLimited",
]);

/** Bound once every copy is; what was not reported yet is pending, and what all have alike is told. */
export function aggregateWholeClaim(
  object: KubeObject,
  items: readonly AggregatedStatusItem[],
  now: string,
): KubeObject {
  const report = reportOf(object, items, now);
  const phases = report.members.map(({ status }) => textAt(status, "phase"));
  const isBound = items.length > 0 && phases.length === items.length && phases.every((phase) => phase === "Bound");
  return withStatus(
    object,
    present({
      phase: phases.includes("Lost") ? "Lost" : isBound ? "Bound" : "Pending",
      accessModes: isBound ? agreedValue(report, "accessModes") : undefined,
      capacity: isBound ? agreedValue(report, "capacity") : undefined,
    }),
  );
}

/** The times of a cluster whose last run has failed, if there is one: the latest of the others would hide it. */
export function aggregateCronJobWithFailure(object: KubeObject, items: readonly AggregatedStatusItem[]): KubeObject {
  const aggregated = aggregateCronJob(object, items);
  const failed = reportedStatuses(items).find(({ status }) => hasFailed(status));
  if (failed === undefined) return aggregated;
  const { lastScheduleTime, lastSuccessfulTime } = failed.status;
  return withStatus(aggregated, { ...fieldsAt(aggregated, "status"), lastScheduleTime, lastSuccessfulTime });
}

function hasFailed(status: Fields): boolean {
  const [scheduled, succeeded] = [textAt(status, "lastScheduleTime"), textAt(status, "lastSuccessfulTime")];
  return listAt(status, "active").length === 0 && succeeded !== "" && Date.parse(succeeded) < Date.parse(scheduled);
}
