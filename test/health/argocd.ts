// When Argo CD calls an object of a built-in kind healthy: the rules that its documentation gives ("Resource Health"), in
// our own words. What has no rule is healthy once it is there.
import { isObject, type KubeObject } from "../../kube/object.ts";
import { conditions, count, fields, holds, list } from "./reading.ts";

export type ArgoHealth = "Healthy" | "Progressing" | "Degraded" | "Suspended" | "Unknown";

/** The health of an object as it is on the endpoint. */
export function argoHealth(object: KubeObject): ArgoHealth {
  if (object.metadata.deletionTimestamp !== undefined) return "Progressing";
  return RULES[`${object.apiVersion}/${object.kind}`]?.(object) ?? "Healthy";
}

const RULES: Readonly<Record<string, (object: KubeObject) => ArgoHealth>> = {
  "apps/v1/Deployment": deployment,
  "apps/v1/StatefulSet": statefulSet,
  "apps/v1/DaemonSet": daemonSet,
  "apps/v1/ReplicaSet": replicaSet,
  "batch/v1/Job": job,
  "batch/v1/CronJob": cronJob,
  "v1/Pod": pod,
  "v1/Service": (object) => (fields(object, "spec")["type"] === "LoadBalancer" ? addressed(object) : "Healthy"),
  "networking.k8s.io/v1/Ingress": addressed,
  "v1/PersistentVolumeClaim": claim,
  "policy/v1/PodDisruptionBudget": disruptionBudget,
  "autoscaling/v2/HorizontalPodAutoscaler": autoscaler,
  "apiextensions.k8s.io/v1/CustomResourceDefinition": definition,
  "apiregistration.k8s.io/v1/APIService": (object) => (holds(object, "Available", "True") ? "Healthy" : "Progressing"),
};

function deployment(object: KubeObject): ArgoHealth {
  const [spec, status] = [fields(object, "spec"), fields(object, "status")];
  if (spec["paused"] === true) return "Suspended";
  if (!isObserved(object)) return "Progressing";
  if (conditions(object).some((one) => one["type"] === "Progressing" && one["reason"] === "ProgressDeadlineExceeded"))
    return "Degraded";
  const updated = count(status, "updatedReplicas");
  const isRolledOut =
    updated >= count(spec, "replicas") &&
    count(status, "replicas") <= updated &&
    count(status, "availableReplicas") >= updated;
  return isRolledOut ? "Healthy" : "Progressing";
}

function statefulSet(object: KubeObject): ArgoHealth {
  const [spec, status] = [fields(object, "spec"), fields(object, "status")];
  if (count(status, "observedGeneration") === 0 || !isObserved(object)) return "Progressing";
  if (count(status, "readyReplicas") < count(spec, "replicas")) return "Progressing";
  const strategy = fields(spec, "updateStrategy");
  if (strategy["type"] === "RollingUpdate" && isObject(strategy["rollingUpdate"])) {
    const wanted = count(spec, "replicas") - count(strategy["rollingUpdate"], "partition");
    return count(status, "updatedReplicas") < wanted ? "Progressing" : "Healthy";
  }
  if (strategy["type"] === "OnDelete") return "Healthy";
  return status["updateRevision"] === status["currentRevision"] ? "Healthy" : "Progressing";
}

function daemonSet(object: KubeObject): ArgoHealth {
  const status = fields(object, "status");
  if (!isObserved(object)) return "Progressing";
  if (fields(object, "spec", "updateStrategy")["type"] === "OnDelete") return "Healthy";
  const desired = count(status, "desiredNumberScheduled");
  const isRolledOut = count(status, "updatedNumberScheduled") >= desired && count(status, "numberAvailable") >= desired;
  return isRolledOut ? "Healthy" : "Progressing";
}

function replicaSet(object: KubeObject): ArgoHealth {
  if (!isObserved(object)) return "Progressing";
  if (holds(object, "ReplicaFailure", "True")) return "Degraded";
  const isAvailable = count(fields(object, "status"), "availableReplicas") >= count(fields(object, "spec"), "replicas");
  return isAvailable ? "Healthy" : "Progressing";
}

function job(object: KubeObject): ArgoHealth {
  if (holds(object, "Failed", "True")) return "Degraded";
  if (holds(object, "Complete", "True")) return "Healthy";
  return holds(object, "Suspended", "True") ? "Suspended" : "Progressing";
}

function cronJob(object: KubeObject): ArgoHealth {
  if (fields(object, "spec")["suspend"] === true) return "Suspended";
  if (!isObject(object["status"])) return "Progressing";
  const { lastScheduleTime, lastSuccessfulTime, active } = object["status"];
  if (lastScheduleTime === undefined || lastSuccessfulTime === undefined) return "Healthy";
  if (Array.isArray(active) && active.length > 0) return "Healthy";
  return String(lastSuccessfulTime) < String(lastScheduleTime) ? "Degraded" : "Healthy";
}

function pod(object: KubeObject): ArgoHealth {
  const status = fields(object, "status");
  const containers = list(status, "containerStatuses");
  const isLasting = fields(object, "spec")["restartPolicy"] === "Always";
  const reasons = containers.map((container) => String(fields(container, "state", "waiting")["reason"] ?? ""));
  if (isLasting && reasons.some((reason) => /^Err|Error$|BackOff$/.test(reason))) return "Degraded";
  switch (status["phase"]) {
    case "Pending":
      return "Progressing";
    case "Succeeded":
      return "Healthy";
    case "Failed":
      return "Degraded";
    case "Running":
      if (!isLasting) return "Progressing";
      if (holds(object, "Ready", "True")) return "Healthy";
      return containers.some((one) => isObject(fields(one, "lastState")["terminated"])) ? "Degraded" : "Progressing";
    default:
      return "Unknown";
  }
}

function addressed(object: KubeObject): ArgoHealth {
  return list(fields(object, "status", "loadBalancer"), "ingress").length > 0 ? "Healthy" : "Progressing";
}

function claim(object: KubeObject): ArgoHealth {
  const phases: Readonly<Record<string, ArgoHealth>> = { Lost: "Degraded", Pending: "Progressing", Bound: "Healthy" };
  return phases[String(fields(object, "status")["phase"])] ?? "Unknown";
}

function disruptionBudget(object: KubeObject): ArgoHealth {
  const all = conditions(object);
  if (all.length === 0) return "Progressing";
  const isFailing = all.some((one) => one["status"] === "False" && one["reason"] !== "InsufficientPods");
  return isFailing ? "Degraded" : "Healthy";
}

/** The first condition whose reason says something decides. */
function autoscaler(object: KubeObject): ArgoHealth {
  const degraded = [
    "AbleToScale/FailedGetScale",
    "AbleToScale/FailedUpdateScale",
    "ScalingActive/FailedGetResourceMetric",
    "ScalingActive/InvalidSelector",
  ];
  const healthy = [
    "AbleToScale/SucceededRescale",
    "ScalingLimited/DesiredWithinRange",
    "ScalingLimited/TooFewReplicas",
    "ScalingLimited/TooManyReplicas",
  ];
  for (const { type, reason } of conditions(object)) {
    if (degraded.includes(`${type}/${reason}`)) return "Degraded";
    if (healthy.includes(`${type}/${reason}`)) return "Healthy";
  }
  return "Progressing";
}

function definition(object: KubeObject): ArgoHealth {
  if (conditions(object).length === 0 || holds(object, "Terminating", "True")) return "Progressing";
  if (holds(object, "NamesAccepted", "False") || holds(object, "NonStructuralSchema", "True")) return "Degraded";
  return holds(object, "Established", "True") ? "Healthy" : "Degraded";
}

function isObserved(object: KubeObject): boolean {
  return count(fields(object, "status"), "observedGeneration") >= (object.metadata.generation ?? 0);
}
