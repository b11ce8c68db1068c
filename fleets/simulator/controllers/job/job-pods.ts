// The Pods of a Job: which count as failed, which are one too many, and what a new one looks like.
import type { KubeObject } from "../../../../kube/object.ts";
import { isTerminal, type Pod } from "../pod-object.ts";
import { podFromTemplate } from "../pod-template.ts";
import { byRemoval } from "../removal-order.ts";
import { isIndexed, type Job, replacesOnlyFailedPods, TRACKING_FINALIZER } from "./job-object.ts";
import { judgeFailure } from "./pod-failure-policy.ts";

const INDEX_KEY = "batch.kubernetes.io/job-completion-index";
const FAILURES_KEY = "batch.kubernetes.io/job-index-failure-count";
const IGNORED_FAILURES_KEY = "batch.kubernetes.io/job-index-ignored-failure-count";
/** A generated name has 63 characters, five of them random. */
const MOST_OF_PREFIX = 58;
const LARGEST_INT32 = 2 ** 31 - 1;

/** Whether the Job has not counted the Pod yet. */
export function isTracked({ metadata }: KubeObject): boolean {
  return metadata.finalizers?.includes(TRACKING_FINALIZER) === true;
}

/** Whether the Pod counts as failed for the Job. */
export function isFailed(pod: Pod, job: Job): boolean {
  if (pod.status.phase === "Failed") return true;
  // Somebody else may have deleted it, and it would never come to fail.
  return !replacesOnlyFailedPods(job) && pod.metadata.deletionTimestamp !== undefined && !isTerminal(pod);
}

/** The completion index of a Pod; undefined when it has none. */
export function indexOf({ metadata }: KubeObject): number | undefined {
  const text = metadata.annotations?.[INDEX_KEY];
  return text !== undefined && /^\+?\d+$/.test(text) ? Number(text) : undefined;
}

/** The completion index of a Pod of an Indexed Job if it is one of those that the Job has. */
export function validIndexOf(pod: KubeObject, job: Job): number | undefined {
  const index = indexOf(pod);
  return index !== undefined && index < (job.spec.completions ?? 0) ? index : undefined;
}

/** Failures of a Pod's index before it that count towards the limit of the index. */
export function countedIndexFailures({ metadata }: KubeObject): number {
  return int32(metadata.annotations?.[FAILURES_KEY]);
}

/** All failures of a Pod's index before it. */
export function indexFailures(pod: KubeObject): number {
  return countedIndexFailures(pod) + int32(pod.metadata.annotations?.[IGNORED_FAILURES_KEY]);
}

function int32(text: string | undefined): number {
  const value = /^\+?\d+$/.test(text ?? "") ? Number(text) : 0;
  return value > LARGEST_INT32 ? 0 : value;
}

/** The active Pods to remove: at least `atLeast`, and of an Indexed Job all that have another's index or none. */
export function surplusPods(job: Job, active: readonly Pod[], atLeast: number): Pod[] {
  if (!isIndexed(job)) return [...active].sort(byRemoval).slice(0, atLeast);
  const byIndex = new Map<number | undefined, Pod[]>();
  for (const pod of active) {
    const index = validIndexOf(pod, job);
    byIndex.set(index, [...(byIndex.get(index) ?? []), pod]);
  }
  const surplus = byIndex.get(undefined) ?? [];
  byIndex.delete(undefined);
  const left: Pod[] = [];
  for (const [, pods] of [...byIndex].sort(([a = 0], [b = 0]) => a - b)) {
    const worth = pods.sort(byRemoval);
    surplus.push(...worth.slice(0, -1));
    left.push(...worth.slice(-1));
  }
  left.sort(byRemoval);
  return [...surplus, ...left.slice(0, Math.max(0, atLeast - surplus.length))];
}

/**
 * A new Pod of the Job; of an Indexed Job that with `index`, which carries on the count of failures of the Pod that it
 * replaces.
 */
export function newPod(job: Job, index: number | undefined, replaced: Pod | undefined): KubeObject {
  const pod = podFromTemplate(job, job.spec.template);
  const { finalizers = [], ...metadata } = pod.metadata;
  const tracked = {
    ...metadata,
    finalizers: finalizers.includes(TRACKING_FINALIZER) ? finalizers : [...finalizers, TRACKING_FINALIZER],
  };
  if (index === undefined) return { ...pod, metadata: tracked };
  const name = job.metadata.name ?? "";
  return {
    ...pod,
    metadata: {
      ...tracked,
      generateName: indexedPrefix(name, index),
      labels: { ...metadata.labels, [INDEX_KEY]: String(index) },
      annotations: { ...metadata.annotations, ...indexAnnotations(job, index, replaced) },
    },
    spec: { ...withIndexVariable(pod["spec"] as Record<string, unknown>), hostname: `${name}-${index}` },
  };
}

function indexedPrefix(name: string, index: number): string {
  const suffix = `-${index}-`;
  return name.slice(0, MOST_OF_PREFIX - suffix.length) + suffix;
}

function indexAnnotations(job: Job, index: number, replaced: Pod | undefined): Record<string, string> {
  const { backoffLimitPerIndex, podFailurePolicy } = job.spec;
  if (backoffLimitPerIndex === undefined) return { [INDEX_KEY]: String(index) };
  let counted = 0;
  let ignored = 0;
  if (replaced !== undefined) {
    counted = countedIndexFailures(replaced);
    ignored = indexFailures(replaced) - counted;
    if (judgeFailure(podFailurePolicy, replaced).counts) counted++;
    else ignored++;
  }
  return {
    [INDEX_KEY]: String(index),
    [FAILURES_KEY]: String(counted),
    ...(ignored === 0 ? {} : { [IGNORED_FAILURES_KEY]: String(ignored) }),
  };
}

const INDEX_VARIABLE = {
  name: "JOB_COMPLETION_INDEX",
  valueFrom: { fieldRef: { fieldPath: `metadata.labels['${INDEX_KEY}']` } },
};

function withIndexVariable(spec: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const withVariable = (containers: unknown): unknown =>
    Array.isArray(containers) ? containers.map(addIndexVariable) : containers;
  const { initContainers } = spec;
  return {
    ...spec,
    ...(initContainers === undefined ? {} : { initContainers: withVariable(initContainers) }),
    containers: withVariable(spec["containers"]),
  };
}

function addIndexVariable(container: { readonly env?: readonly { readonly name: string }[] }): unknown {
  const { env = [] } = container;
  return env.some(({ name }) => name === INDEX_VARIABLE.name)
    ? container
    : { ...container, env: [...env, INDEX_VARIABLE] };
}
