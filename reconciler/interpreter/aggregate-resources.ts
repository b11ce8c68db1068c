// Native rules: how the statuses of volumes, claims, disruption budgets and autoscalers add up.

import type { AggregatedStatusItem } from "../../api/work.ts";
import type { KubeObject } from "../../kube/object.ts";
import { sumOf } from "./aggregate-workloads.ts";
import { reportedStatuses, withStatus } from "./aggregation.ts";
import { fieldsAt, nonZero, present, textAt } from "./field-access.ts";

const VOLUME_PHASES: readonly string[] = ["Failed", "Pending", "Available", "Bound", "Released"];

/** The phase that needs the most attention. A copy that reports nothing is Pending. */
export function aggregatePersistentVolume(object: KubeObject, items: readonly AggregatedStatusItem[]): KubeObject {
  const members = reportedStatuses(items);
  const phases = new Set(members.map(({ status }) => textAt(status, "phase")));
  if (members.length < items.length) phases.add("Pending");
  return withStatus(object, present({ phase: VOLUME_PHASES.find((phase) => phases.has(phase)) }));
}

/** Bound, unless a copy is not; Lost anywhere is lost. */
export function aggregateVolumeClaim(object: KubeObject, items: readonly AggregatedStatusItem[]): KubeObject {
  let phase = "Bound";
  for (const { status } of reportedStatuses(items)) {
    const own = textAt(status, "phase");
    if (own !== "Bound") phase = own;
    if (own === "Lost") break;
  }
  return withStatus(object, { phase });
}

export function aggregateDisruptionBudget(object: KubeObject, items: readonly AggregatedStatusItem[]): KubeObject {
  const members = reportedStatuses(items);
  const disruptedPods: Record<string, unknown> = {};
  for (const { clusterName, status } of members) {
    for (const [pod, time] of Object.entries(fieldsAt(status, "disruptedPods"))) {
      disruptedPods[`${clusterName}/${pod}`] = time;
    }
  }
  return {
    ...object,
    status: present({
      currentHealthy: sumOf(members, "currentHealthy"),
      desiredHealthy: sumOf(members, "desiredHealthy"),
      disruptionsAllowed: sumOf(members, "disruptionsAllowed"),
      expectedPods: sumOf(members, "expectedPods"),
      disruptedPods: Object.keys(disruptedPods).length === 0 ? undefined : disruptedPods,
    }),
  };
}

export function aggregateAutoscaler(object: KubeObject, items: readonly AggregatedStatusItem[]): KubeObject {
  const members = reportedStatuses(items);
  return withStatus(
    object,
    present({
      currentReplicas: nonZero(sumOf(members, "currentReplicas")),
      desiredReplicas: sumOf(members, "desiredReplicas"),
      currentMetrics: null,
    }),
  );
}
