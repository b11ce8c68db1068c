// Statuses of ReplicaSets, ReplicationControllers and StatefulSets with what kstatus, Argo CD and `kubectl rollout status`
// look at beside the counters.

import type { AggregatedStatusItem } from "../../api/work.ts";
import type { KubeObject } from "../../kube/object.ts";
import { aggregateReplicaSet, aggregateStatefulSetByTemplate, sumOf } from "./aggregate-workloads.ts";
import { reportedStatuses, withStatus } from "./aggregation.ts";
import { fieldsAt, integerAt, nonZero, objectsAt, present, textAt } from "./field-access.ts";
import type { Status } from "./interpreter.ts";
import { reflectReplicaSet, reflectStatefulSet } from "./reflect-status.ts";
import { agreedConditions } from "./third-party/rules/agreed-conditions.ts";

/** The counters of Karmada, the pods that kstatus counts, and the condition that says why there are too few. */
export function reflectLabeledReplicas(object: KubeObject): Status | undefined {
  const reflected = reflectReplicaSet(object);
  if (reflected === undefined) return undefined;
  const status = fieldsAt(object, "status");
  const failures = objectsAt(status, "conditions").filter(
    (condition) => textAt(condition, "type") === "ReplicaFailure" && textAt(condition, "status") === "True",
  );
  return present({
    ...reflected,
    fullyLabeledReplicas: nonZero(integerAt(status, "fullyLabeledReplicas")),
    conditions: failures.length === 0 ? undefined : failures,
  });
}

export function aggregateLabeledReplicas(
  object: KubeObject,
  items: readonly AggregatedStatusItem[],
  now: string,
): KubeObject {
  const aggregated = aggregateReplicaSet(object, items, now);
  const members = reportedStatuses(items);
  const report = { template: object, old: fieldsAt(object, "status"), items, members, now };
  const conditions = agreedConditions(report, []);
  const { conditions: _old, ...counters } = fieldsAt(aggregated, "status");
  return withStatus(aggregated, {
    ...counters,
    ...present({ fullyLabeledReplicas: nonZero(sumOf(members, "fullyLabeledReplicas")) }),
    ...(conditions.length === 0 ? {} : { conditions }),
  });
}

// Differs from Karmada, which does not collect the observed generation, so that the template never gets one.
export function reflectObservedStatefulSet(object: KubeObject): Status | undefined {
  const reflected = reflectStatefulSet(object);
  if (reflected === undefined) return undefined;
  const status = fieldsAt(object, "status");
  return present({
    ...reflected,
    observedGeneration: nonZero(integerAt(status, "observedGeneration")),
    currentRevision: textAt(status, "currentRevision") || undefined,
    updateRevision: textAt(status, "updateRevision") || undefined,
  });
}

/** With the revisions of a cluster where they still differ, and equal ones once they do nowhere. */
export function aggregateStatefulSetWithRevisions(
  object: KubeObject,
  items: readonly AggregatedStatusItem[],
  now: string,
): KubeObject {
  const aggregated = aggregateStatefulSetByTemplate(object, items, now);
  const revisions = reportedStatuses(items)
    .map(({ status }) => [textAt(status, "currentRevision"), textAt(status, "updateRevision")] as const)
    .filter(([, update]) => update !== "");
  const [currentRevision, updateRevision] =
    revisions.find(([current, update]) => current !== update) ?? revisions[0] ?? [];
  if (updateRevision === undefined) return aggregated;
  return withStatus(aggregated, { ...fieldsAt(aggregated, "status"), currentRevision, updateRevision });
}
