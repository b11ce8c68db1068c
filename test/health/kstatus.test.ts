import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../kube/object.ts";
import { kstatus } from "./kstatus.ts";

function made(apiVersion: string, kind: string, spec: object, status: object, generation = 2): KubeObject {
  return { apiVersion, kind, metadata: { name: "web", generation }, spec, status };
}

const condition = (type: string, status: string, reason = "R"): object => ({ type, status, reason });
const available = [condition("Available", "True"), condition("Progressing", "True", "NewReplicaSetAvailable")];
const counts = { observedGeneration: 2, replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2 };
const deadline = { replicas: 2, progressDeadlineSeconds: 600 };

describe("kstatus", () => {
  it.each<[string, string, KubeObject]>([
    ["Current", "rolled out", made("apps/v1", "Deployment", deadline, { ...counts, conditions: available })],
    ["InProgress", "counted without conditions", made("apps/v1", "Deployment", deadline, counts)],
    [
      "InProgress",
      "with pods to spare",
      made("apps/v1", "Deployment", deadline, { ...counts, replicas: 4, conditions: available }),
    ],
    [
      "Failed",
      "past its deadline",
      made("apps/v1", "Deployment", deadline, {
        ...counts,
        conditions: [condition("Progressing", "False", "ProgressDeadlineExceeded")],
      }),
    ],
    ["InProgress", "not observed", made("v1", "ConfigMap", {}, { observedGeneration: 1 })],
    ["Failed", "stalled", made("example.org/v1", "Gadget", {}, { conditions: [condition("Stalled", "True")] })],
    ["InProgress", "not ready", made("example.org/v1", "Gadget", {}, { conditions: [condition("Ready", "False")] })],
    ["Current", "without conditions", made("example.org/v1", "Gadget", {}, {})],
    [
      "InProgress",
      "without labels counted",
      made("apps/v1", "ReplicaSet", { replicas: 2 }, { ...counts, fullyLabeledReplicas: 0 }),
    ],
    ["InProgress", "never observed", made("apps/v1", "DaemonSet", {}, { desiredNumberScheduled: 0 })],
    [
      "InProgress",
      "at two revisions",
      made(
        "apps/v1",
        "StatefulSet",
        { replicas: 2 },
        { ...counts, currentReplicas: 2, currentRevision: "a", updateRevision: "b" },
      ),
    ],
    ["Current", "updated by hand", made("apps/v1", "StatefulSet", { updateStrategy: { type: "OnDelete" } }, {})],
    ["InProgress", "not started", made("batch/v1", "Job", {}, {})],
    ["Current", "running", made("batch/v1", "Job", {}, { startTime: "2026-01-01T00:00:00Z" })],
    ["InProgress", "without address", made("v1", "Service", { type: "LoadBalancer" }, {})],
    ["InProgress", "pending", made("v1", "PersistentVolumeClaim", {}, { phase: "Pending" })],
    [
      "Failed",
      "without a node",
      made("v1", "Pod", {}, { phase: "Pending", conditions: [condition("PodScheduled", "False", "Unschedulable")] }),
    ],
    [
      "Failed",
      "of names that others have",
      made(
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        {},
        { conditions: [condition("NamesAccepted", "False")] },
      ),
    ],
  ])("is %s when %s", (status, _when, object) => {
    expect(kstatus(object)).toBe(status);
  });
});
