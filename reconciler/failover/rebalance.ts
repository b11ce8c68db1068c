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
  /** For people: why the scheduler passes the request over although it is written; absent when it does not. */
  readonly withoutEffect?: string;
}

/** What to do for every workload that is not done, each once. `findBinding` answers undefined when there is none. */
export function decideRebalance(
  rebalancer: WorkloadRebalancer,
  findBinding: (workload: RebalancerTarget) => Binding | undefined,
): readonly RebalanceStep[] {
  // As Karmada: the time of the request, not the present, so that a repeated pass asks for nothing new.
  const time = rebalancer.metadata.creationTimestamp ?? "";
  return pendingWorkloads(rebalancer).map((workload) => {
    const binding = findBinding(workload);
    if (binding === undefined) return { workload, verdict: "missing" };
    const present = binding.spec.rescheduleTriggeredAt;
    if (present != null && Date.parse(present) >= Date.parse(time)) return { workload, verdict: "triggered" };
    const withoutEffect = whyWithoutEffect(workload, binding, time);
    return {
      workload,
      verdict: "trigger",
      rescheduleTriggeredAt: time,
      ...(withoutEffect === undefined ? {} : { withoutEffect }),
    };
  });
}

/** The workloads that are asked for and of which nothing is known yet, each once. */
export function pendingWorkloads(rebalancer: WorkloadRebalancer): readonly RebalancerTarget[] {
  const done = new Set(
    (rebalancer.status?.observedWorkloads ?? [])
      .filter((entry) => entry.result)
      .map((entry) => sortKey(entry.workload)),
  );
  const pending = new Map<string, RebalancerTarget>();
  for (const workload of rebalancer.spec.workloads) {
    const key = sortKey(workload);
    if (!done.has(key) && !pending.has(key)) pending.set(key, normalized(workload));
  }
  return [...pending.values()];
}

/** As Karmada writes it: an empty namespace is left out. */
function normalized(workload: RebalancerTarget): RebalancerTarget {
  const { namespace, ...rest } = workload;
  return namespace ? workload : rest;
}

// As Karmada, which says nothing: only a request that is later than the last scheduling counts, in whole seconds.
function whyWithoutEffect(workload: RebalancerTarget, binding: Binding, time: string): string | undefined {
  const last = binding.status?.lastScheduledTime;
  if (last == null || Date.parse(time) > Date.parse(last)) return undefined;
  return `${describe(workload)} is not placed anew: it was last scheduled at ${last}, and this request of ${time} is not later (times are whole seconds); create another WorkloadRebalancer to ask again`;
}

function describe({ apiVersion, kind, namespace, name }: RebalancerTarget): string {
  return `${apiVersion} ${kind} ${namespace ? `${namespace}/` : ""}${name}`;
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
  const stepped = new Set(steps.map((step) => sortKey(step.workload)));
  const asked = new Set(rebalancer.spec.workloads.map(sortKey));
  const kept = before.filter(({ workload, result }) => {
    const key = sortKey(workload);
    return !stepped.has(key) && (result === "Successful" || asked.has(key));
  });
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
