// Objects that mean pods: by their labels, or by the name of what makes them.
import { isObject, type KubeObject, parseApiVersion } from "../../../kube/object.ts";
import { type LabelSelector, matchesLabelSelector } from "../../../kube/selectors.ts";
import { AppError } from "../../../runtime/errors.ts";
import { asObject, podsOf } from "./pods.ts";
import { isOfKind, specOf } from "./reviewed-change.ts";

export interface Selection {
  /** Where the object says it. */
  readonly field: string;
  /** `app=web`, for people. */
  readonly words: string;
  /** Whether it means what an object of the same namespace is, or the pods that it makes. */
  matches(object: KubeObject): boolean;
}

/** As the control plane serves them. */
export const SELECTING_KINDS = [
  { apiVersion: "v1", kind: "Service" },
  { apiVersion: "policy/v1", kind: "PodDisruptionBudget" },
  { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy" },
  { apiVersion: "autoscaling/v2", kind: "HorizontalPodAutoscaler" },
] as const;

/** Kinds that make pods and are looked for around a selector. */
export const POD_KINDS = [
  { apiVersion: "apps/v1", kind: "Deployment" },
  { apiVersion: "apps/v1", kind: "StatefulSet" },
  { apiVersion: "apps/v1", kind: "DaemonSet" },
  { apiVersion: "apps/v1", kind: "ReplicaSet" },
  { apiVersion: "batch/v1", kind: "Job" },
  { apiVersion: "batch/v1", kind: "CronJob" },
  { apiVersion: "v1", kind: "Pod" },
  { apiVersion: "v1", kind: "ReplicationController" },
  { apiVersion: "argoproj.io/v1alpha1", kind: "Rollout" },
  { apiVersion: "apps.kruise.io/v1alpha1", kind: "CloneSet" },
] as const;

/** Undefined for what selects nothing by itself, means every pod of its namespace, or is not understood. */
export function selectionOf(object: KubeObject): Selection | undefined {
  const spec = specOf(object);
  if (isOfKind(object, "/Service"))
    return spec["type"] === "ExternalName" ? undefined : byLabels("spec.selector", { matchLabels: spec["selector"] });
  if (isOfKind(object, "policy/PodDisruptionBudget")) return byLabels("spec.selector", spec["selector"]);
  if (isOfKind(object, "networking.k8s.io/NetworkPolicy")) return byLabels("spec.podSelector", spec["podSelector"]);
  if (!isOfKind(object, "autoscaling/HorizontalPodAutoscaler")) return undefined;
  const { apiVersion, kind, name } = asObject(spec["scaleTargetRef"]);
  if (typeof kind !== "string" || typeof name !== "string") return undefined;
  const { group } = parseApiVersion(typeof apiVersion === "string" ? apiVersion : "");
  return {
    field: "spec.scaleTargetRef",
    words: `${kind} ${name}`,
    matches: (target) =>
      target.metadata.name === name && target.kind === kind && parseApiVersion(target.apiVersion).group === group,
  };
}

function byLabels(field: string, given: unknown): Selection | undefined {
  if (!isObject(given)) return undefined;
  const { matchLabels, matchExpressions } = given;
  const hasLabels = isObject(matchLabels) && Object.keys(matchLabels).length > 0;
  const hasExpressions = Array.isArray(matchExpressions) && matchExpressions.length > 0;
  if (!hasLabels && !hasExpressions) return undefined;
  // Checked by the server, and by the first match below.
  const selector = given as LabelSelector;
  try {
    matchesLabelSelector(selector, {});
  } catch (error) {
    if (error instanceof AppError) return undefined;
    throw error;
  }
  const labels = Object.entries(asObject(matchLabels)).map(([key, value]) => `${key}=${String(value)}`);
  const expressions = hasExpressions
    ? matchExpressions.filter(isObject).map(({ key, operator }) => `${String(key)} ${String(operator)}`)
    : [];
  return {
    field,
    words: [...labels, ...expressions].join(", "),
    matches: (object) => {
      const pods = podsOf(object);
      return pods !== undefined && matchesLabelSelector(selector, pods.labels);
    },
  };
}
