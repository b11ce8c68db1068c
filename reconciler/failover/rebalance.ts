// Requests to choose clusters afresh.

import type {
  ObservedWorkload,
  RebalancerTarget,
  WorkloadRebalancer,
  WorkloadRebalancerStatus,
} from "../../api/apps.ts";
import { equalJson } from "../../kube/object.ts";
import { rfc3339 } from "../../runtime/clock.ts";
import type { Binding } from "../scheduler/occasion.ts";

/** What became of one workload of the request. */
export interface RebalanceStep {
  readonly workload: RebalancerTarget;
  /**
   * `trigger`: write `rescheduleTriggeredAt` to the binding. `triggered`: it has that time already. `missing`: there is no
   * binding, and it is not looked for again.
   */
  readonly verdict: "trigger" | "triggered" | "missing";
  readonly rescheduleTriggeredAt?: string;
}

/** What to do for every workload that is not done. `findBinding` answers undefined when there is none. */
export function decideRebalance(
  rebalancer: WorkloadRebalancer,
  findBinding: (workload: RebalancerTarget) => Binding | undefined,
): readonly RebalanceStep[] {
  // As Karmada: the time of the request, not the present, so that a repeated pass asks for nothing new.
  const time = rebalancer.metadata.creationTimestamp ?? "";
  return rebalancer.spec.workloads
    .filter((workload) => !isDone(rebalancer, workload))
    .map((workload) => {
      const binding = findBinding(workload);
      if (binding === undefined) return { workload, verdict: "missing" };
      const present = binding.spec.rescheduleTriggeredAt;
      if (present != null && Date.parse(present) >= Date.parse(time)) return { workload, verdict: "triggered" };
      return { workload, verdict: "trigger", rescheduleTriggeredAt: time };
    });
}

function isDone(rebalancer: WorkloadRebalancer, workload: RebalancerTarget): boolean {
  const seen = rebalancer.status?.observedWorkloads?.find((entry) => equalJson(entry.workload, workload));
  return seen?.result === "Successful" || (seen?.result === "Failed" && seen.reason === "ReferencedBindingNotFound");
}

/**
 * The status after the steps were carried out; `failed` are those whose write failed and is tried again. Workloads that
 * are no longer asked for stay listed if they were successful.
 */
export function statusAfterRebalance(
  rebalancer: WorkloadRebalancer,
  steps: readonly RebalanceStep[],
  failed: ReadonlySet<RebalanceStep>,
  now: number,
): WorkloadRebalancerStatus {
  const before = rebalancer.status?.observedWorkloads ?? [];
  const kept = before.filter(
    (entry) =>
      !steps.some((step) => equalJson(step.workload, entry.workload)) &&
      (entry.result === "Successful" || rebalancer.spec.workloads.some((one) => equalJson(one, entry.workload))),
  );
  const observedWorkloads = [...kept, ...steps.map((step) => observe(step, failed.has(step)))].sort(compareWorkloads);
  const { generation } = rebalancer.metadata;
  const status: WorkloadRebalancerStatus = {
    ...rebalancer.status,
    observedWorkloads,
    ...(generation === undefined ? {} : { observedGeneration: generation }),
  };
  if (failed.size > 0 || equalJson(status, rebalancer.status ?? {})) return status;
  return { ...status, finishTime: rfc3339(now) };
}

function observe(step: RebalanceStep, failed: boolean): ObservedWorkload {
  if (failed) return { workload: step.workload };
  if (step.verdict === "missing") {
    return { workload: step.workload, result: "Failed", reason: "ReferencedBindingNotFound" };
  }
  return { workload: step.workload, result: "Successful" };
}

function compareWorkloads(a: ObservedWorkload, b: ObservedWorkload): number {
  const left = sortKey(a.workload);
  const right = sortKey(b.workload);
  return left < right ? -1 : left > right ? 1 : 0;
}

function sortKey(workload: RebalancerTarget): string {
  return `${workload.apiVersion} ${workload.kind} ${workload.namespace ?? ""} ${workload.name}`;
}

/** When (milliseconds) a finished request is to be deleted; undefined when it stays or is not finished. */
export function rebalancerExpiry(rebalancer: WorkloadRebalancer): number | undefined {
  const ttl = rebalancer.spec.ttlSecondsAfterFinished;
  const finished = rebalancer.status?.finishTime;
  return ttl == null || finished == null ? undefined : Date.parse(finished) + ttl * 1000;
}
