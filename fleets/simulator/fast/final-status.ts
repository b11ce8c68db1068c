// The status that a workload has once all it wants is there, with the words of the controllers that would get there. Pure.
import { isObject, type KubeObject } from "../../../kube/object.ts";
import { rfc3339 } from "../../../runtime/clock.ts";
import { newStatefulSetRevision } from "../controllers/revisions/controller-revisions.ts";

type Status = Readonly<Record<string, unknown>>;

/** `spec.replicas` of a workload. */
export function wantedReplicas(object: KubeObject): number {
  const spec = isObject(object["spec"]) ? object["spec"] : {};
  return typeof spec["replicas"] === "number" ? spec["replicas"] : 1;
}

function conditionsOf(object: KubeObject): readonly Status[] {
  const status = isObject(object["status"]) ? object["status"] : {};
  return Array.isArray(status["conditions"]) ? status["conditions"].filter(isObject) : [];
}

/** Whether a Job is held back or has ended: nothing is run for it. */
export function isJobAtRest(object: KubeObject): boolean {
  const spec = isObject(object["spec"]) ? object["spec"] : {};
  const ended = conditionsOf(object).some(
    ({ type, status }) => (type === "Complete" || type === "Failed") && status === "True",
  );
  return spec["suspend"] === true || ended;
}

/** The final status of a workload; `nodes` is how many run a Pod of a DaemonSet. */
export function finalStatus(object: KubeObject, nodes: () => number, nowMs: number): Status {
  switch (object.kind) {
    case "Deployment":
      return deploymentStatus(object, nowMs);
    case "StatefulSet":
      return statefulSetStatus(object);
    case "DaemonSet":
      return daemonSetStatus(object, nodes());
    case "Job":
      return jobStatus(object, nowMs);
    default:
      return replicaSetStatus(object);
  }
}

function deploymentStatus(object: KubeObject, nowMs: number): Status {
  const wanted = wantedReplicas(object);
  return {
    ...observed(object),
    ...withoutZeros({
      replicas: wanted,
      updatedReplicas: wanted,
      readyReplicas: wanted,
      availableReplicas: wanted,
    }),
    terminatingReplicas: 0,
    conditions: [
      condition(object, "Available", "MinimumReplicasAvailable", "Deployment has minimum availability.", nowMs),
      condition(
        object,
        "Progressing",
        "NewReplicaSetAvailable",
        // As the deployment controller speaks of one that has no ReplicaSet.
        `Deployment "${object.metadata.name}" has successfully progressed.`,
        nowMs,
      ),
    ],
  };
}

function condition(object: KubeObject, type: string, reason: string, message: string, nowMs: number): Status {
  const known = conditionsOf(object).find((other) => other["type"] === type && other["status"] === "True");
  const time = rfc3339(nowMs);
  const { lastTransitionTime = time, lastUpdateTime = time } = known ?? {};
  return { type, status: "True", reason, message, lastTransitionTime, lastUpdateTime };
}

function replicaSetStatus(object: KubeObject): Status {
  const wanted = wantedReplicas(object);
  return {
    ...observed(object),
    replicas: wanted,
    ...withoutZeros({ fullyLabeledReplicas: wanted, readyReplicas: wanted, availableReplicas: wanted }),
    terminatingReplicas: 0,
  };
}

function statefulSetStatus(object: KubeObject): Status {
  const wanted = wantedReplicas(object);
  const revision = newStatefulSetRevision(object, 1, 0).metadata.name;
  return {
    ...observed(object),
    replicas: wanted,
    availableReplicas: wanted,
    ...withoutZeros({ readyReplicas: wanted, currentReplicas: wanted, updatedReplicas: wanted }),
    currentRevision: revision,
    updateRevision: revision,
    collisionCount: 0,
  };
}

function daemonSetStatus(object: KubeObject, nodes: number): Status {
  return {
    ...observed(object),
    currentNumberScheduled: nodes,
    desiredNumberScheduled: nodes,
    numberMisscheduled: 0,
    numberReady: nodes,
    ...withoutZeros({ updatedNumberScheduled: nodes, numberAvailable: nodes }),
  };
}

function jobStatus(object: KubeObject, nowMs: number): Status {
  const spec = isObject(object["spec"]) ? object["spec"] : {};
  const completions = typeof spec["completions"] === "number" ? spec["completions"] : 1;
  const time = rfc3339(nowMs);
  const said = {
    status: "True",
    reason: "CompletionsReached",
    message: "Reached expected number of succeeded pods",
    lastProbeTime: time,
    lastTransitionTime: time,
  };
  return {
    startTime: object.metadata.creationTimestamp ?? time,
    completionTime: time,
    succeeded: completions,
    ready: 0,
    terminating: 0,
    uncountedTerminatedPods: {},
    conditions: [
      ...conditionsOf(object).filter((other) => other["type"] !== "Suspended"),
      { type: "SuccessCriteriaMet", ...said },
      { type: "Complete", ...said },
    ],
  };
}

function observed({ metadata }: KubeObject): Status {
  return { observedGeneration: metadata.generation };
}

function withoutZeros(counts: Readonly<Record<string, number>>): Status {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0));
}
