// A Deployment as its controller reads it, and the limits of its rollout.
import type { KubeObject } from "../../../../kube/object.ts";
import type { LabelSelector } from "../../../../kube/selectors.ts";
import type { PodTemplate } from "../pod-template.ts";

export interface DeploymentCondition {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  readonly reason?: string;
  readonly message?: string;
  readonly lastUpdateTime?: string;
  readonly lastTransitionTime?: string;
}

export interface DeploymentStatus {
  readonly observedGeneration?: number;
  readonly replicas?: number;
  readonly updatedReplicas?: number;
  readonly readyReplicas?: number;
  readonly availableReplicas?: number;
  readonly unavailableReplicas?: number;
  readonly terminatingReplicas?: number;
  readonly collisionCount?: number;
  readonly conditions?: readonly DeploymentCondition[];
}

type IntOrPercent = number | string;

/** A Deployment, defaulted by the server. */
export interface Deployment extends KubeObject {
  readonly spec: {
    readonly replicas?: number;
    readonly selector?: LabelSelector;
    readonly template: PodTemplate;
    readonly minReadySeconds?: number;
    readonly strategy?: {
      readonly type?: string;
      readonly rollingUpdate?: { readonly maxSurge?: IntOrPercent; readonly maxUnavailable?: IntOrPercent };
    };
    readonly revisionHistoryLimit?: number;
    readonly progressDeadlineSeconds?: number;
    readonly paused?: boolean;
  };
  readonly status?: DeploymentStatus;
}

/** As Kubernetes: the largest number of 32 bits stands for no limit. */
const NO_LIMIT = 2_147_483_647;

/** `spec.replicas`, defaulted. */
export function wantedOf(deployment: Deployment): number {
  return deployment.spec.replicas ?? 1;
}

/** Whether Pods are replaced a few at a time; otherwise all at once. */
export function isRollingUpdate(deployment: Deployment): boolean {
  return deployment.spec.strategy?.type !== "Recreate";
}

/** How long nothing may move before the rollout counts as failed, seconds; undefined when that does not matter. */
export function progressDeadlineOf({ spec }: Deployment): number | undefined {
  return spec.progressDeadlineSeconds === NO_LIMIT ? undefined : spec.progressDeadlineSeconds;
}

/** How many old ReplicaSets are kept; undefined when all are. */
export function historyLimitOf({ spec }: Deployment): number | undefined {
  return spec.revisionHistoryLimit === NO_LIMIT ? undefined : spec.revisionHistoryLimit;
}

/** How many Pods there may be above the wanted number. */
export function maxSurgeOf(deployment: Deployment): number {
  return isRollingUpdate(deployment) ? fenceposts(deployment).surge : 0;
}

/** How many of the wanted Pods may be unavailable. */
export function maxUnavailableOf(deployment: Deployment): number {
  const wanted = wantedOf(deployment);
  return isRollingUpdate(deployment) && wanted > 0 ? Math.min(wanted, fenceposts(deployment).unavailable) : 0;
}

/** A share that leaves no room for any step allows one Pod to be unavailable. */
function fenceposts(deployment: Deployment): { readonly surge: number; readonly unavailable: number } {
  const { maxSurge = 0, maxUnavailable = 0 } = deployment.spec.strategy?.rollingUpdate ?? {};
  const wanted = wantedOf(deployment);
  const surge = scaled(maxSurge, wanted, Math.ceil);
  const unavailable = scaled(maxUnavailable, wanted, Math.floor);
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}

/** A number, or the share of `total` that a percentage makes. */
function scaled(value: IntOrPercent, total: number, round: (n: number) => number): number {
  if (typeof value === "number") return value;
  const percent = Number.parseInt(value, 10);
  return Number.isNaN(percent) ? 0 : round((percent * total) / 100);
}
