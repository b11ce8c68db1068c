// A ReplicaSet as its controllers read it.
import type { KubeObject } from "../../../../kube/object.ts";
import type { LabelSelector } from "../../../../kube/selectors.ts";
import type { PodTemplate } from "../pod-template.ts";
import { equalTemplates } from "../pod-template-hash.ts";

export interface ReplicaSetCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
}

export interface ReplicaSetStatus {
  readonly replicas?: number;
  readonly fullyLabeledReplicas?: number;
  readonly readyReplicas?: number;
  readonly availableReplicas?: number;
  readonly terminatingReplicas?: number;
  readonly observedGeneration?: number;
  readonly conditions?: readonly ReplicaSetCondition[];
}

/** A ReplicaSet, defaulted by the server. */
export interface ReplicaSet extends KubeObject {
  readonly spec: {
    readonly replicas?: number;
    readonly minReadySeconds?: number;
    readonly selector?: LabelSelector;
    readonly template: PodTemplate;
  };
  readonly status?: ReplicaSetStatus;
}

/** How many Pods the set is to have. */
export function sizeOf(set: ReplicaSet): number {
  return set.spec.replicas ?? 1;
}

/** Sets from old to new; those of one second by name. */
export function byAge(a: ReplicaSet, b: ReplicaSet): number {
  return compare(a.metadata.creationTimestamp ?? "", b.metadata.creationTimestamp ?? "") || byName(a, b);
}

function byName(a: KubeObject, b: KubeObject): number {
  return compare(a.metadata.name ?? "", b.metadata.name ?? "");
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The set whose template makes the same Pods, but for the label that tells sets apart; the oldest of several. */
export function findSetOfTemplate(template: PodTemplate, sets: readonly ReplicaSet[]): ReplicaSet | undefined {
  return [...sets].sort(byAge).find((set) => equalTemplates(set.spec.template, template));
}
