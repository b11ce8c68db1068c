// What a ReplicaSet says of its Pods.
import type { KubeObject } from "../../../../kube/object.ts";
import { isAvailable } from "../pod-availability.ts";
import { isReady } from "../pod-object.ts";
import { type ReplicaSet, type ReplicaSetCondition, type ReplicaSetStatus, sizeOf } from "./replica-set.ts";

const FAILURE = "ReplicaFailure";

/** What a ReplicaSet controller sees of the Pods. */
export interface PodsOfSet {
  readonly active: readonly KubeObject[];
  /** Those that still run on their way out; undefined for kinds that do not tell. */
  readonly terminating: readonly KubeObject[] | undefined;
}

/** The status, given the Pods and why the last attempt to make or delete some failed, if it did. */
export function replicaSetStatus(
  set: ReplicaSet,
  { active, terminating }: PodsOfSet,
  failure: string | undefined,
  nowMs: number,
  now: string,
): ReplicaSetStatus {
  const minReadySeconds = set.spec.minReadySeconds ?? 0;
  const labels = Object.entries(set.spec.template.metadata?.labels ?? {});
  const labelled = active.filter((pod) => labels.every(([key, value]) => pod.metadata.labels?.[key] === value)).length;
  const ready = active.filter(isReady).length;
  const available = active.filter((pod) => isAvailable(pod, minReadySeconds, nowMs)).length;
  const conditions = conditionsAfter(set, active.length, failure, now);
  return {
    replicas: active.length,
    ...(labelled === 0 ? {} : { fullyLabeledReplicas: labelled }),
    ...(ready === 0 ? {} : { readyReplicas: ready }),
    ...(available === 0 ? {} : { availableReplicas: available }),
    ...(terminating === undefined ? {} : { terminatingReplicas: terminating.length }),
    ...(set.metadata.generation === undefined ? {} : { observedGeneration: set.metadata.generation }),
    ...(conditions.length === 0 ? {} : { conditions }),
  };
}

// As Kubernetes: the first failure stays, with its time and message, until there is none any more.
function conditionsAfter(
  set: ReplicaSet,
  active: number,
  failure: string | undefined,
  now: string,
): readonly ReplicaSetCondition[] {
  const conditions = set.status?.conditions ?? [];
  const known = conditions.some(({ type }) => type === FAILURE);
  if (failure === undefined) return known ? conditions.filter(({ type }) => type !== FAILURE) : conditions;
  if (known) return conditions;
  const reason = active < sizeOf(set) ? "FailedCreate" : "FailedDelete";
  return [...conditions, { type: FAILURE, status: "True", reason, message: failure, lastTransitionTime: now }];
}
