// The status that a workload's controllers would write, from the wanted and the present pods. Pure.
import { isObject, type KubeObject } from "../../kube/object.ts";
import { rfc3339 } from "../../runtime/clock.ts";
import { newStatefulSetRevision } from "./controllers/revisions/controller-revisions.ts";

export interface PodCounts {
  /** All pods of the workload that are not on their way out. */
  readonly total: number;
  /** Those of the present template. */
  readonly updated: number;
  readonly ready: number;
}

type Status = Record<string, unknown>;

export function wantedReplicas(object: KubeObject): number {
  const spec = isObject(object["spec"]) ? object["spec"] : {};
  return typeof spec["replicas"] === "number" ? spec["replicas"] : 1;
}

function condition(
  type: string,
  ok: boolean,
  reason: string,
  message: string,
  object: KubeObject,
  nowMs: number,
): Status {
  const status = ok ? "True" : "False";
  const known = conditionsOf(object).find((other) => other["type"] === type);
  const time = rfc3339(nowMs);
  const lastTransitionTime = known?.["status"] === status ? known["lastTransitionTime"] : time;
  const lastUpdateTime = known?.["status"] === status && known["reason"] === reason ? known["lastUpdateTime"] : time;
  return { type, status, reason, message, lastTransitionTime, lastUpdateTime };
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

/** Status of a Deployment, with the words of the deployment controller. */
export function deploymentStatus(object: KubeObject, counts: PodCounts, nowMs: number): Status {
  const wanted = wantedReplicas(object);
  const done = counts.updated === wanted && counts.total === wanted && counts.ready === wanted;
  const name = object.metadata.name ?? "";
  const conditions = [
    counts.ready >= wanted - Math.floor(wanted / 4)
      ? condition("Available", true, "MinimumReplicasAvailable", "Deployment has minimum availability.", object, nowMs)
      : condition(
          "Available",
          false,
          "MinimumReplicasUnavailable",
          "Deployment does not have minimum availability.",
          object,
          nowMs,
        ),
    done
      ? condition(
          "Progressing",
          true,
          "NewReplicaSetAvailable",
          `Deployment "${name}" has successfully progressed.`,
          object,
          nowMs,
        )
      : condition("Progressing", true, "ReplicaSetUpdated", `Deployment "${name}" is progressing.`, object, nowMs),
  ];
  return withoutZeros({
    observedGeneration: object.metadata.generation,
    replicas: counts.total,
    updatedReplicas: counts.updated,
    readyReplicas: counts.ready,
    availableReplicas: counts.ready,
    unavailableReplicas: Math.max(0, wanted - counts.ready),
    conditions,
  });
}

export function replicaSetStatus(object: KubeObject, counts: PodCounts): Status {
  return {
    observedGeneration: object.metadata.generation,
    replicas: counts.total,
    ...withoutZeros({
      fullyLabeledReplicas: counts.total,
      readyReplicas: counts.ready,
      availableReplicas: counts.ready,
    }),
  };
}

export function statefulSetStatus(object: KubeObject, counts: PodCounts): Status {
  const revision = newStatefulSetRevision(object, 1, 0).metadata.name;
  return {
    observedGeneration: object.metadata.generation,
    replicas: counts.total,
    availableReplicas: counts.ready,
    ...withoutZeros({ readyReplicas: counts.ready, currentReplicas: counts.updated, updatedReplicas: counts.updated }),
    currentRevision: revision,
    updateRevision: revision,
    collisionCount: 0,
  };
}

export function daemonSetStatus(object: KubeObject, counts: PodCounts, nodes: number): Status {
  return {
    observedGeneration: object.metadata.generation,
    currentNumberScheduled: counts.total,
    desiredNumberScheduled: nodes,
    numberMisscheduled: 0,
    numberReady: counts.ready,
    ...withoutZeros({
      updatedNumberScheduled: counts.updated,
      numberAvailable: counts.ready,
      numberUnavailable: nodes - counts.ready,
    }),
  };
}

/** A Job that has run: everything succeeded. */
export function jobStatus(object: KubeObject, nowMs: number): Status {
  const spec = isObject(object["spec"]) ? object["spec"] : {};
  const completions = typeof spec["completions"] === "number" ? spec["completions"] : 1;
  const time = rfc3339(nowMs);
  const start = object.metadata.creationTimestamp ?? time;
  const others = conditionsOf(object).filter((other) => other["type"] !== "Suspended");
  const since = { lastProbeTime: time, lastTransitionTime: time };
  return {
    startTime: start,
    completionTime: time,
    succeeded: completions,
    ready: 0,
    terminating: 0,
    uncountedTerminatedPods: {},
    conditions: [
      ...others,
      {
        type: "SuccessCriteriaMet",
        status: "True",
        reason: "CompletionsReached",
        message: "Reached expected number of succeeded pods",
        ...since,
      },
      {
        type: "Complete",
        status: "True",
        reason: "CompletionsReached",
        message: "Reached expected number of succeeded pods",
        ...since,
      },
    ],
  };
}

function withoutZeros(status: Status): Status {
  return Object.fromEntries(Object.entries(status).filter(([, value]) => value !== 0));
}
