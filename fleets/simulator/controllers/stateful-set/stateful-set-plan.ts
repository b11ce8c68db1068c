// What a StatefulSet does next, by the Pods that there are. Pure.
import type { KubeObject } from "../../../../kube/object.ts";
import { isAvailable } from "../pod-availability.ts";
import { isBeingDeleted, isReady, isTerminal, podPhase } from "../pod-object.ts";
import {
  isCreated,
  isEnded,
  isInRange,
  newPod,
  ordinalOf,
  type Revisions,
  replicasOf,
  revisionOf,
  startOrdinal,
  statefulSetSpec,
} from "./stateful-set-spec.ts";

/** One thing to do about a Pod. */
export type Step =
  | { readonly do: "delete"; readonly pod: KubeObject }
  /** Creates its claims, then the Pod; nothing while a claim still belongs to its predecessor. */
  | { readonly do: "create"; readonly pod: KubeObject }
  /** Creates what is missing of its claims. */
  | { readonly do: "complete-claims"; readonly pod: KubeObject }
  /** Mends its labels, its volumes and its claims' owners, where they are wrong. */
  | { readonly do: "mend"; readonly pod: KubeObject }
  /** Mends its claims' owners. */
  | { readonly do: "mend-claims"; readonly pod: KubeObject };

/** What is done about one Pod, and whether a set that goes by order looks no further after it. */
export interface Turn {
  readonly steps: readonly Step[];
  readonly blocks: boolean;
}

export interface StatefulSetPlan {
  /** Whether one Pod is dealt with after the other. */
  readonly isOrdered: boolean;
  /** The Pods of the wanted ordinals, in order; drafts for those that are missing. */
  readonly replicas: readonly KubeObject[];
  /** The Pods beyond them, from the highest ordinal down. */
  readonly condemned: readonly KubeObject[];
  /** One after the other: a stage begins when nothing blocks the one before. */
  readonly stages: readonly (readonly Turn[])[];
  /** The Pod that makes room for the new revision, once all stages are done. */
  readonly replaced: KubeObject | undefined;
}

/** What to do about the Pods of a set, from what they are at the moment. Pure. */
export function planStatefulSet(
  set: KubeObject,
  revisions: Revisions,
  pods: readonly KubeObject[],
  nowMs: number,
): StatefulSetPlan {
  const { minReadySeconds = 0, podManagementPolicy } = statefulSetSpec(set);
  const isOrdered = podManagementPolicy !== "Parallel";
  const start = startOrdinal(set);
  const present = new Map(pods.map((pod) => [ordinalOf(pod), pod]));
  const replicas = Array.from(
    { length: replicasOf(set) },
    (_, index) => present.get(start + index) ?? newPod(set, revisions, start + index),
  );
  const condemned = pods
    .filter((pod) => ordinalOf(pod) >= 0 && !isInRange(set, ordinalOf(pod)))
    .toSorted((a, b) => ordinalOf(b) - ordinalOf(a));
  if (set.metadata.deletionTimestamp !== undefined)
    return { isOrdered, replicas, condemned, stages: [], replaced: undefined };
  const isUnavailable = (pod: KubeObject): boolean => !isAvailable(pod, minReadySeconds, nowMs) || isBeingDeleted(pod);
  const firstUnavailable = replicas.find(isUnavailable) ?? condemned.findLast(isUnavailable);
  const isSettled = (pod: KubeObject): boolean =>
    podPhase(pod) === "Running" && isReady(pod) && isAvailable(pod, minReadySeconds, nowMs);
  return {
    isOrdered,
    replicas,
    condemned,
    stages: [
      replicas.map((pod) => turnOfReplica(pod, isOrdered, isSettled)),
      condemned.map((pod): Turn => ({ steps: [{ do: "mend-claims", pod }], blocks: false })),
      condemned.map((pod) => turnOfCondemned(pod, isOrdered, pod === firstUnavailable || isSettled(pod))),
    ],
    replaced: replacedByUpdate(set, revisions, replicas, isUnavailable),
  };
}

function turnOfReplica(pod: KubeObject, isOrdered: boolean, isSettled: (pod: KubeObject) => boolean): Turn {
  // As Kubernetes: one that succeeded is replaced like one that failed. Its successor waits until it is gone.
  if (isTerminal(pod)) return { steps: isEnded(pod) ? [{ do: "delete", pod }] : [], blocks: true };
  if (!isCreated(pod)) return { steps: [{ do: "create", pod }], blocks: true };
  const steps: Step[] = podPhase(pod) === "Pending" ? [{ do: "complete-claims", pod }] : [];
  if (isOrdered && (isBeingDeleted(pod) || !isSettled(pod))) return { steps, blocks: true };
  return { steps: [...steps, { do: "mend", pod }], blocks: false };
}

function turnOfCondemned(pod: KubeObject, isOrdered: boolean, mayGo: boolean): Turn {
  if (isBeingDeleted(pod) || (isOrdered && !mayGo)) return { steps: [], blocks: true };
  return { steps: [{ do: "delete", pod }], blocks: true };
}

/** The highest Pod that is not of the new revision, when all above it are available. */
function replacedByUpdate(
  set: KubeObject,
  { update }: Revisions,
  replicas: readonly KubeObject[],
  isUnavailable: (pod: KubeObject) => boolean,
): KubeObject | undefined {
  const { updateStrategy } = statefulSetSpec(set);
  if (updateStrategy?.type === "OnDelete") return undefined;
  // As Kubernetes 1.36, which ignores maxUnavailable unless a feature gate is on: one Pod at a time.
  const least = updateStrategy?.rollingUpdate?.partition ?? 0;
  for (const pod of replicas.slice(least).toReversed()) {
    if (revisionOf(pod) !== update.metadata.name && !isBeingDeleted(pod)) return pod;
    if (isUnavailable(pod)) return undefined;
  }
  return undefined;
}
