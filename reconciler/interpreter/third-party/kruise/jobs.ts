// OpenKruise: BroadcastJob, which runs a pod on every node, and AdvancedCronJob, which makes jobs of either kind.

import type { KubeObject } from "../../../../kube/object.ts";
import type { MemberStatus } from "../../aggregation.ts";
import { type Fields, fieldsAt, listAt, objectsAt, optionalFieldsAt } from "../../field-access.ts";
import type { Dependency, ReplicaDemand } from "../../interpreter.ts";
import type { KindRules } from "../../kind-rules.ts";
import { aggregating, lastOf, sumsOf, unchanged } from "../rules/aggregation.ts";
import { retaining, revising } from "../rules/fields.ts";
import { optionalNumberAt } from "../rules/numbers.ts";
import { demandOf, dependenciesOfTemplate } from "../rules/pod-templates.ts";
import { reflecting } from "../rules/reflection.ts";

const BROADCAST_JOB_COUNTERS = ["active", "succeeded", "failed", "desired"];

export const BROADCAST_JOB: KindRules = {
  getReplicas: broadcastParallelism,
  reviseReplica: revising("spec", "parallelism"),
  // The labels by which the member's controller knows the job's pods.
  retain: retaining(["spec", "template", "metadata", "labels"]),
  getDependencies: (object) => dependenciesOfTemplate(object, fieldsAt(object, "spec", "template")),
  interpretHealth: isBroadcasting,
  reflectStatus: reflecting([...BROADCAST_JOB_COUNTERS, "conditions", "startTime", "completionTime", "phase"]),
  aggregateStatus: aggregating(
    ({ members, items }) => ({
      ...sumsOf(members, BROADCAST_JOB_COUNTERS),
      phase: lastOf(members, "phase") ?? "",
      conditions: outcomeConditions(
        items.map(({ clusterName, status }) => ({ clusterName, status: optionalFieldsAt(status) ?? {} })),
      ),
    }),
    unchanged,
  ),
};

export const ADVANCED_CRON_JOB: KindRules = {
  getDependencies: dependenciesOfCron,
  aggregateStatus: aggregating(
    ({ members }) => ({
      active: members.flatMap(({ status }) => listAt(status, "active")),
      type: lastOf(members, "type") ?? "",
      lastScheduleTime: lastOf(members, "lastScheduleTime"),
    }),
    unchanged,
  ),
};

/** As many pods at once as the author allows; one, where the author leaves it open. */
function broadcastParallelism(object: KubeObject): ReplicaDemand {
  const spec = fieldsAt(object, "spec");
  return demandOf(Math.trunc(optionalNumberAt(spec, "parallelism", "spec") ?? 1), fieldsAt(spec, "template"));
}

/** Something is to run, nothing has failed, and something runs or is done. */
function isBroadcasting(object: KubeObject): boolean {
  const { desired, failed, succeeded, active } = fieldsAt(object, "status");
  // As Karmada: a status that does not say that nothing failed, not even with a 0, is no good news.
  return desired !== 0 && failed === 0 && !(succeeded === 0 && active === 0);
}

/**
 * The conditions of the whole: failed where some member has failed, completed once all are complete.
 *
 * As Karmada: a member that says nothing of its end is counted like the one before it.
 */
function outcomeConditions(members: readonly MemberStatus[]): readonly Fields[] {
  const conditions: Fields[] = [];
  const failed: string[] = [];
  let outcome: unknown;
  let complete = 0;
  for (const { clusterName, status } of members) {
    outcome = objectsAt(status, "conditions").find(isEnd)?.["type"] ?? outcome;
    if (outcome === "Complete") complete++;
    else if (outcome === "Failed") failed.push(clusterName);
  }
  if (failed.length > 0) {
    const message = `Job executed failed in member clusters: ${failed.join(", ")}`;
    conditions.push({ type: "Failed", status: "True", reason: "JobFailed", message });
  }
  if (complete > 0 && complete === members.length) {
    conditions.push({ type: "Completed", status: "True", reason: "Completed", message: "Job completed" });
  }
  return conditions;
}

function isEnd({ type, status }: Fields): boolean {
  return (type === "Complete" || type === "Failed") && status === "True";
}

function dependenciesOfCron(object: KubeObject): readonly Dependency[] {
  const templates = fieldsAt(object, "spec", "template");
  const job = optionalFieldsAt(templates, "broadcastJobTemplate") ?? fieldsAt(templates, "jobTemplate");
  return dependenciesOfTemplate(object, fieldsAt(job, "spec", "template"));
}
