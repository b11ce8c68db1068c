// Conditions in the status of a Pod, as Kubernetes' components write them.
import { isObject, type KubeObject } from "../../kube/object.ts";
import { rfc3339 } from "../../runtime/clock.ts";

/** A condition as a component wants it, without its times. */
export interface ConditionDraft {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  readonly reason?: string;
  readonly message?: string;
}

/**
 * The Pod's status with a condition set. The time of its last transition stays while its status does; a condition that
 * says the same as before leaves the status equal.
 */
export function withPodCondition(pod: KubeObject, draft: ConditionDraft, nowMs: number): Record<string, unknown> {
  const status = isObject(pod["status"]) ? pod["status"] : {};
  const conditions = Array.isArray(status["conditions"]) ? status["conditions"].filter(isObject) : [];
  const index = conditions.findIndex((each) => each["type"] === draft.type);
  const before = conditions[index];
  const generation = pod.metadata.generation;
  const condition = {
    ...draft,
    lastProbeTime: before?.["lastProbeTime"] ?? null,
    lastTransitionTime: before?.["status"] === draft.status ? before["lastTransitionTime"] : rfc3339(nowMs),
    ...(generation === undefined ? {} : { observedGeneration: generation }),
  };
  const next = before === undefined ? [...conditions, condition] : conditions.with(index, condition);
  return { ...status, conditions: next };
}
