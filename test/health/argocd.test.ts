import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../kube/object.ts";
import { argoHealth } from "./argocd.ts";

function made(apiVersion: string, kind: string, spec: object, status: object, generation = 2): KubeObject {
  return { apiVersion, kind, metadata: { name: "web", generation }, spec, status };
}

const condition = (type: string, status: string, reason = "R"): object => ({ type, status, reason });
const rolledOut = { observedGeneration: 2, replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2 };

describe("argoHealth", () => {
  it.each<[string, string, KubeObject]>([
    ["Healthy", "rolled out", made("apps/v1", "Deployment", { replicas: 2 }, rolledOut)],
    ["Suspended", "paused", made("apps/v1", "Deployment", { paused: true }, {})],
    [
      "Progressing",
      "not observed",
      made("apps/v1", "Deployment", { replicas: 2 }, { ...rolledOut, observedGeneration: 1 }),
    ],
    ["Progressing", "old pods left", made("apps/v1", "Deployment", { replicas: 2 }, { ...rolledOut, replicas: 3 })],
    [
      "Degraded",
      "past its deadline",
      made(
        "apps/v1",
        "Deployment",
        {},
        { ...rolledOut, conditions: [condition("Progressing", "False", "ProgressDeadlineExceeded")] },
      ),
    ],
    ["Progressing", "never observed", made("apps/v1", "StatefulSet", {}, { readyReplicas: 2 }, 0)],
    [
      "Healthy",
      "rolled out up to its partition",
      made(
        "apps/v1",
        "StatefulSet",
        { replicas: 3, updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 2 } } },
        { observedGeneration: 2, readyReplicas: 3, updatedReplicas: 1, currentRevision: "a", updateRevision: "b" },
      ),
    ],
    ["Progressing", "too few", made("apps/v1", "DaemonSet", {}, { observedGeneration: 2, desiredNumberScheduled: 3 })],
    [
      "Degraded",
      "failing",
      made("apps/v1", "ReplicaSet", {}, { observedGeneration: 2, conditions: [condition("ReplicaFailure", "True")] }),
    ],
    ["Suspended", "suspended", made("batch/v1", "Job", {}, { conditions: [condition("Suspended", "True")] })],
    ["Healthy", "complete", made("batch/v1", "Job", {}, { conditions: [condition("Complete", "True")] })],
    ["Progressing", "without condition", made("policy/v1", "PodDisruptionBudget", {}, { currentHealthy: 2 })],
    [
      "Healthy",
      "short of pods, which may be meant",
      made(
        "policy/v1",
        "PodDisruptionBudget",
        {},
        { conditions: [condition("DisruptionAllowed", "False", "InsufficientPods")] },
      ),
    ],
    [
      "Degraded",
      "without metrics",
      made(
        "autoscaling/v2",
        "HorizontalPodAutoscaler",
        {},
        { conditions: [condition("ScalingActive", "False", "FailedGetResourceMetric")] },
      ),
    ],
    ["Degraded", "lost", made("v1", "PersistentVolumeClaim", {}, { phase: "Lost" })],
    ["Progressing", "without address", made("v1", "Service", { type: "LoadBalancer" }, { loadBalancer: {} })],
    ["Healthy", "inside the cluster", made("v1", "Service", { type: "ClusterIP" }, {})],
    [
      "Degraded",
      "without image",
      made(
        "v1",
        "Pod",
        { restartPolicy: "Always" },
        { containerStatuses: [{ state: { waiting: { reason: "ImagePullBackOff" } } }] },
      ),
    ],
    ["Healthy", "of a kind without rule", made("v1", "ConfigMap", {}, {})],
  ])("is %s when %s", (health, _when, object) => {
    expect(argoHealth(object)).toBe(health);
  });

  it("is Progressing while it is deleted", () => {
    const object = made("v1", "ConfigMap", {}, {});
    expect(argoHealth({ ...object, metadata: { ...object.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } })).toBe(
      "Progressing",
    );
  });
});
