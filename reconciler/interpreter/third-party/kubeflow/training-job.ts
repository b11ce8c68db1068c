// Kubeflow's training operator: jobs whose pods have roles, each role with a number of replicas and a template.

import type { Component } from "../../../../api/work.ts";
import type { KubeObject } from "../../../../kube/object.ts";
import type { MemberStatus } from "../../aggregation.ts";
import { type Fields, fieldsAt, optionalFieldsAt } from "../../field-access.ts";
import { type Dependency, NOTHING_REPORTED } from "../../interpreter.ts";
import type { KindRules } from "../../kind-rules.ts";
import { aggregatingAnew, type Report, sumsOf } from "../rules/aggregation.ts";
import { componentOf } from "../rules/components.ts";
import { hasConditionWith } from "../rules/conditions.ts";
import { distinctDependencies } from "../rules/dependencies.ts";
import { extremeTextOf, isZero, pruned } from "../rules/merging.ts";
import { numberOr } from "../rules/numbers.ts";
import { dependenciesOfTemplate, requirementsOfTemplate } from "../rules/pod-templates.ts";

/** What tells one kind of training job from another. */
export interface TrainingJob {
  /** The field of the spec that has the roles. */
  readonly specs: string;
  /** The roles in the order of their components. */
  readonly roles: readonly string[];
  /** How the job ended in one cluster; undefined while it has not. */
  readonly ending: (status: Fields) => Ending | undefined;
  /** The conditions that those of the clusters add up to. */
  readonly conditions: (report: Report, summary: Summary) => readonly Fields[];
  /** True when a job that an empty list of clusters runs is told as never started; else it counts to zero. */
  readonly resets: boolean;
}

export type Ending = "Succeeded" | "Failed";

/** What the clusters say together. */
export interface Summary {
  /** The clusters in which the job failed. */
  readonly failed: readonly string[];
  readonly succeededEverywhere: boolean;
  readonly startTime: string | undefined;
  readonly completionTime: string | undefined;
}

/** The rules for a kind of training job. */
export function trainingJobRules(
  job: TrainingJob,
): Pick<KindRules, "getComponents" | "interpretHealth" | "aggregateStatus" | "getDependencies"> {
  return {
    getComponents: (object) => componentsOf(object, job),
    getDependencies: (object) => dependenciesOf(object, job),
    interpretHealth: isUnfailed,
    aggregateStatus: aggregatingAnew((report) => jobStatus(report, job)),
  };
}

/** A job is healthy from its first condition on until it has failed. */
function isUnfailed(object: KubeObject): boolean {
  const status = fieldsAt(object, "status");
  const hasConditions = status["conditions"] !== undefined && status["conditions"] !== null;
  return hasConditions && !hasConditionWith(status, "Failed", "True");
}

function componentsOf(object: KubeObject, { specs, roles }: TrainingJob): readonly Component[] {
  return roles.flatMap((role) => {
    const spec = optionalFieldsAt(object, "spec", specs, role);
    if (spec === undefined) return [];
    const requirements = requirementsOfTemplate(fieldsAt(spec, "template"));
    const where = `spec.${specs}.${role}.replicas`;
    return [componentOf(role.toLowerCase(), numberOr(spec["replicas"], 1), requirements, where)];
  });
}

function dependenciesOf(object: KubeObject, { specs, roles }: TrainingJob): readonly Dependency[] {
  return distinctDependencies(
    roles.flatMap((role) => dependenciesOfTemplate(object, fieldsAt(object, "spec", specs, role, "template"))),
  );
}

function jobStatus(report: Report, job: TrainingJob): Fields {
  const { old, items, members } = report;
  if (items === NOTHING_REPORTED || (job.resets && items.length === 0)) return { ...old, ...UNSTARTED };
  const endings = members.map(({ clusterName, status }) => ({ clusterName, ending: job.ending(status) }));
  const succeeded = endings.filter(({ ending }) => ending === "Succeeded").length;
  const summary: Summary = {
    failed: endings.filter(({ ending }) => ending === "Failed").map(({ clusterName }) => clusterName),
    succeededEverywhere: succeeded > 0 && succeeded === items.length,
    startTime: extremeTextOf(members, "startTime", "first"),
    completionTime: extremeTextOf(members, "completionTime", "last"),
  };
  const status = {
    ...old,
    ...(summary.succeededEverywhere ? { completionTime: summary.completionTime } : {}),
    startTime: summary.startTime,
    lastReconcileTime: extremeTextOf(members, "lastReconcileTime", "last"),
    replicaStatuses: Object.fromEntries(job.roles.map((role) => [role, countsOf(members, role)])),
    conditions: job.conditions(report, summary),
  };
  // Fields of an object stay an object.
  return (pruned(status, isZero) ?? {}) as Fields;
}

function countsOf(members: readonly MemberStatus[], role: string): Fields {
  const counts = members.map(({ clusterName, status }) => ({
    clusterName,
    status: fieldsAt(status, "replicaStatuses", role),
  }));
  return sumsOf(counts, ["active", "failed", "succeeded"]);
}

const UNSTARTED: Fields = {
  startTime: undefined,
  completionTime: undefined,
  replicaStatuses: {},
  conditions: [],
};
