// Kubeflow's MPI operator: jobs of a launcher and workers.

import type { Component } from "../../../../api/work.ts";
import type { KubeObject } from "../../../../kube/object.ts";
import type { MemberStatus } from "../../aggregation.ts";
import { type Fields, fieldsAt, objectsAt, optionalFieldsAt, textAt } from "../../field-access.ts";
import { NOTHING_REPORTED, type Status } from "../../interpreter.ts";
import type { KindRules } from "../../kind-rules.ts";
import { aggregatingAnew, type Report, sumsOf } from "../rules/aggregation.ts";
import { componentOf } from "../rules/components.ts";
import { hasConditionWith } from "../rules/conditions.ts";
import { withoutEmpties } from "../rules/empties.ts";
import { extremeTextOf, pruned, verbatimOfOne } from "../rules/merging.ts";
import { numberOr } from "../rules/numbers.ts";
import { requirementsOfTemplate } from "../rules/pod-templates.ts";

export const MPI_JOB_RULES: KindRules = {
  interpretHealth: isHealthy,
  getComponents: componentsOf,
  reflectStatus,
  aggregateStatus: (template, items, now) => aggregate(template, items.length === 0 ? NOTHING_REPORTED : items, now),
};

const aggregate = verbatimOfOne(aggregatingAnew(jobStatus));

/** A job is healthy from its first condition on until it has failed. */
function isHealthy(object: KubeObject): boolean {
  const status = fieldsAt(object, "status");
  return objectsAt(status, "conditions").length > 0 && !hasConditionWith(status, "Failed", "True");
}

/** Roles with a template, by name; workers that no number is given for are none. */
function componentsOf(object: KubeObject): readonly Component[] {
  return Object.entries(fieldsAt(object, "spec", "mpiReplicaSpecs"))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([role, spec]) => {
      const template = optionalFieldsAt(spec, "template");
      if (template === undefined) return [];
      const replicas = numberOr(fieldsAt(spec)["replicas"], role.toLowerCase() === "worker" ? 0 : 1);
      return [componentOf(role, replicas, requirementsOfTemplate(template), `spec.mpiReplicaSpecs.${role}.replicas`)];
    });
}

function reflectStatus(object: KubeObject): Status {
  const status = optionalFieldsAt(object, "status");
  if (status === undefined) return {};
  const { conditions, startTime, completionTime, lastReconcileTime } = status;
  const replicaStatuses = Object.entries(fieldsAt(status, "replicaStatuses")).flatMap(([role, counts]) => {
    if (counts === undefined || counts === null) return [];
    const { active, succeeded, failed, selector } = fieldsAt(counts);
    return [[role, { active, succeeded, failed, selector }] as const];
  });
  // A copy of an object is one.
  return withoutEmpties({
    replicaStatuses: Object.fromEntries(replicaStatuses),
    conditions: Array.isArray(conditions) ? conditions : undefined,
    startTime,
    completionTime,
    lastReconcileTime,
  }) as Status;
}

function jobStatus({ members }: Report): Fields {
  const status = {
    replicaStatuses: countsByRole(members),
    conditions: latestConditions(members),
    startTime: extremeTextOf(withField(members, "startTime"), "startTime", "first"),
    completionTime: extremeTextOf(withField(members, "completionTime"), "completionTime", "last"),
    lastReconcileTime: extremeTextOf(withField(members, "lastReconcileTime"), "lastReconcileTime", "last"),
  };
  // Fields of an object stay an object.
  return (pruned(status) ?? {}) as Fields;
}

function withField(members: readonly MemberStatus[], field: string): readonly MemberStatus[] {
  return members.filter(({ status }) => status[field] !== "");
}

function countsByRole(members: readonly MemberStatus[]): Fields {
  const byRole = new Map<string, MemberStatus[]>();
  for (const { clusterName, status } of members) {
    for (const [role, counts] of Object.entries(fieldsAt(status, "replicaStatuses"))) {
      if (counts === undefined || counts === null) continue;
      const ofRole = byRole.get(role) ?? [];
      byRole.set(role, [...ofRole, { clusterName, status: fieldsAt(counts) }]);
    }
  }
  return Object.fromEntries([...byRole].map(([role, counts]) => [role, sumsOf(counts, COUNTERS)]));
}

const COUNTERS = ["active", "succeeded", "failed"] as const;

/** Of each type the condition that was updated last; those that tell no time tell nothing. */
function latestConditions(members: readonly MemberStatus[]): readonly Fields[] {
  const latest = new Map<unknown, Fields>();
  for (const condition of members.flatMap(({ status }) => objectsAt(status, "conditions"))) {
    const { type } = condition;
    const other = latest.get(type);
    if (type === undefined || type === null || timeOf(condition) === "") continue;
    if (other === undefined || timeOf(condition) > timeOf(other)) latest.set(type, condition);
  }
  return [...latest.values()];
}

function timeOf(condition: Fields): string {
  const updated = condition["lastUpdateTime"];
  return textAt(condition, updated === undefined || updated === null ? "lastTransitionTime" : "lastUpdateTime");
}
