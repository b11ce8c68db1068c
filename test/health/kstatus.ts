// When kstatus, by which Flux waits, calls an object of a built-in kind current: the rules that its documentation gives,
// in our own words.
import type { KubeObject } from "../../kube/object.ts";
import { conditions, count, fields, holds, list } from "./reading.ts";

export type Kstatus = "Current" | "InProgress" | "Failed" | "Terminating";

/** The status of an object as it is on the endpoint. */
export function kstatus(object: KubeObject): Kstatus {
  return generic(object) ?? RULES[`${object.apiVersion}/${object.kind}`]?.(object) ?? byReady(object);
}

/** What holds for every kind, whatever its own rule says. */
function generic(object: KubeObject): Kstatus | undefined {
  if (object.metadata.deletionTimestamp !== undefined) return "Terminating";
  const { observedGeneration } = fields(object, "status");
  const { generation } = object.metadata;
  if (generation !== undefined && observedGeneration !== undefined && observedGeneration !== generation)
    return "InProgress";
  for (const { type, status } of conditions(object)) {
    if (type === "Reconciling" && status === "True") return "InProgress";
    if (type === "Stalled" && status === "True") return "Failed";
  }
  return undefined;
}

function byReady(object: KubeObject): Kstatus {
  const ready = conditions(object).find(({ type }) => type === "Ready");
  return ready === undefined || ready["status"] === "True" ? "Current" : "InProgress";
}

const RULES: Readonly<Record<string, (object: KubeObject) => Kstatus>> = {
  "apps/v1/Deployment": deployment,
  "apps/v1/StatefulSet": statefulSet,
  "apps/v1/DaemonSet": daemonSet,
  "apps/v1/ReplicaSet": replicaSet,
  "batch/v1/Job": job,
  "batch/v1/CronJob": () => "Current",
  "policy/v1/PodDisruptionBudget": () => "Current",
  "v1/ConfigMap": () => "Current",
  "v1/Secret": () => "Current",
  "v1/Pod": pod,
  "v1/Service": service,
  "v1/PersistentVolumeClaim": (object) => (fields(object, "status")["phase"] === "Bound" ? "Current" : "InProgress"),
  "apiextensions.k8s.io/v1/CustomResourceDefinition": definition,
};

function deployment(object: KubeObject): Kstatus {
  const [spec, status] = [fields(object, "spec"), fields(object, "status")];
  const all = conditions(object);
  if (all.some((one) => one["type"] === "Progressing" && one["reason"] === "ProgressDeadlineExceeded")) return "Failed";
  const wanted = count(spec, "replicas", 1);
  const [replicas, updated] = [count(status, "replicas"), count(status, "updatedReplicas")];
  if (wanted > replicas || wanted > updated || replicas > wanted) return "InProgress";
  if (updated > count(status, "availableReplicas") || wanted > count(status, "readyReplicas")) return "InProgress";
  const hasDeadline =
    typeof spec["progressDeadlineSeconds"] === "number" && spec["progressDeadlineSeconds"] !== 2 ** 31 - 1;
  const hasProgressed = all.some(
    ({ type, status: value, reason }) =>
      type === "Progressing" && value === "True" && reason === "NewReplicaSetAvailable",
  );
  if (hasDeadline && !hasProgressed) return "InProgress";
  return holds(object, "Available", "True") ? "Current" : "InProgress";
}

function statefulSet(object: KubeObject): Kstatus {
  const [spec, status] = [fields(object, "spec"), fields(object, "status")];
  const strategy = fields(spec, "updateStrategy");
  if (strategy["type"] === "OnDelete") return "Current";
  const [wanted, replicas] = [count(spec, "replicas", 1), count(status, "replicas")];
  if (wanted !== replicas || wanted > count(status, "readyReplicas")) return "InProgress";
  const { partition } = fields(strategy, "rollingUpdate");
  if (typeof partition === "number")
    return count(status, "updatedReplicas") < wanted - partition ? "InProgress" : "Current";
  if (wanted > count(status, "currentReplicas")) return "InProgress";
  return status["currentRevision"] === status["updateRevision"] ? "Current" : "InProgress";
}

function daemonSet(object: KubeObject): Kstatus {
  const status = fields(object, "status");
  if (object.metadata.generation === undefined || status["observedGeneration"] === undefined) return "InProgress";
  const desired = status["desiredNumberScheduled"];
  if (typeof desired !== "number") return "InProgress";
  const reached = ["currentNumberScheduled", "updatedNumberScheduled", "numberAvailable", "numberReady"];
  return reached.every((counter) => count(status, counter) >= desired) ? "Current" : "InProgress";
}

function replicaSet(object: KubeObject): Kstatus {
  const [spec, status] = [fields(object, "spec"), fields(object, "status")];
  if (holds(object, "ReplicaFailure", "True")) return "InProgress";
  const wanted = count(spec, "replicas", 1);
  const reached = ["fullyLabeledReplicas", "availableReplicas", "readyReplicas"];
  if (reached.some((counter) => count(status, counter) < wanted)) return "InProgress";
  return count(status, "replicas") > wanted ? "InProgress" : "Current";
}

function job(object: KubeObject): Kstatus {
  if (holds(object, "Complete", "True")) return "Current";
  if (holds(object, "Failed", "True")) return "Failed";
  if (holds(object, "Suspended", "True")) return "Current";
  return fields(object, "status")["startTime"] === undefined ? "InProgress" : "Current";
}

/** A Pod that cannot be scheduled has a while before it fails; here it has had that. */
function pod(object: KubeObject): Kstatus {
  const status = fields(object, "status");
  switch (status["phase"]) {
    case "Succeeded":
    case "Failed":
      return "Current";
    case "Running": {
      if (holds(object, "Ready", "True")) return "Current";
      const containers = list(status, "containerStatuses");
      const loops = containers.some((one) => fields(one, "state", "waiting")["reason"] === "CrashLoopBackOff");
      return loops ? "Failed" : "InProgress";
    }
    default: {
      const scheduled = conditions(object).find(({ type }) => type === "PodScheduled");
      return scheduled?.["status"] === "False" && scheduled["reason"] === "Unschedulable" ? "Failed" : "InProgress";
    }
  }
}

function service(object: KubeObject): Kstatus {
  const { type, clusterIP = "" } = fields(object, "spec");
  return type === "LoadBalancer" && clusterIP === "" ? "InProgress" : "Current";
}

function definition(object: KubeObject): Kstatus {
  if (holds(object, "NamesAccepted", "False")) return "Failed";
  const established = conditions(object).find(({ type }) => type === "Established");
  if (established?.["status"] === "False" && established["reason"] !== "Installing") return "Failed";
  return established?.["status"] === "True" ? "Current" : "InProgress";
}
