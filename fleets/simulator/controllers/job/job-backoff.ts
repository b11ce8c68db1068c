// How long a Job waits until it replaces Pods that failed: 10 s, twice as long each time, 10 minutes at most.
import { type Pod, podCondition } from "../pod-object.ts";

const FIRST_WAIT_MS = 10_000;
const LONGEST_WAIT_MS = 600_000;

/** A Job's failures since a Pod of it succeeded. Forgotten when the controller restarts, as the real one does. */
export interface BackoffRecord {
  readonly failures: number;
  readonly lastFailureMs?: number;
}

/** A Job that has nothing to wait for. */
export const NO_FAILURES: BackoffRecord = { failures: 0 };

/** The record after more Pods have ended. */
export function countFailures(record: BackoffRecord, succeeded: readonly Pod[], failed: readonly Pod[]): BackoffRecord {
  if (succeeded.length === 0 && failed.length === 0) return record;
  const failureTimes = failed.map(finishedAtMs);
  if (succeeded.length === 0)
    return { failures: record.failures + failed.length, lastFailureMs: Math.max(...failureTimes) };
  const lastSuccess = Math.max(...succeeded.map(finishedAtMs));
  const since = failureTimes.filter((time) => time > lastSuccess);
  return since.length === 0 ? NO_FAILURES : { failures: since.length, lastFailureMs: Math.max(...since) };
}

/** How long new Pods have to wait. */
export function remainingBackoffMs({ failures, lastFailureMs }: BackoffRecord, nowMs: number): number {
  if (failures === 0 || lastFailureMs === undefined) return 0;
  // Beyond thirty doublings a number of milliseconds would no longer be exact.
  const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(failures - 1, 30));
  return Math.max(0, lastFailureMs + wait - nowMs);
}

/** When a Pod ended: its last container, else its condition Ready, else its deletion. */
export function finishedAtMs(pod: Pod): number {
  return (
    containersFinishedAt(pod) ??
    readyFalseSince(pod) ??
    deletionBegan(pod) ??
    Date.parse(pod.metadata.creationTimestamp ?? "")
  );
}

function containersFinishedAt({ spec, status }: Pod): number | undefined {
  const sidecars = new Set(
    spec.initContainers?.filter(({ restartPolicy }) => restartPolicy === "Always").map(({ name }) => name),
  );
  const statuses = [
    ...(status.containerStatuses ?? []),
    ...(status.initContainerStatuses ?? []).filter(({ name }) => sidecars.has(name)),
  ];
  const times = statuses.map(({ state }) => Date.parse(state?.terminated?.finishedAt ?? ""));
  return times.length === 0 || times.some(Number.isNaN) ? undefined : Math.max(...times);
}

function readyFalseSince(pod: Pod): number | undefined {
  const ready = podCondition(pod, "Ready");
  if (ready?.status !== "False") return undefined;
  return known(Date.parse(ready.lastTransitionTime ?? ""));
}

function deletionBegan({ metadata }: Pod): number | undefined {
  if (metadata.deletionTimestamp === undefined) return undefined;
  return known(Date.parse(metadata.deletionTimestamp) - (metadata.deletionGracePeriodSeconds ?? 0) * 1000);
}

function known(time: number): number | undefined {
  return Number.isNaN(time) ? undefined : time;
}
