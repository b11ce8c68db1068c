import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../../kube/object.ts";
import { standardInterpreter } from "../standard-interpreter.ts";

const NOW = "2026-01-01T00:00:00Z";
const interpreter = standardInterpreter("flaghoist");
const VERSIONS = ["cluster.x-k8s.io/v1beta1", "cluster.x-k8s.io/v1beta2"];
const [V1BETA1 = "", V1BETA2 = ""] = VERSIONS;

function object(apiVersion: string, kind: string, fields: Record<string, unknown> = {}): KubeObject {
  return { apiVersion, kind, metadata: { name: "web", namespace: "fleet", generation: 1 }, ...fields };
}

function condition(type: string, status = "True"): Record<string, unknown> {
  return { type, status, reason: "Said", message: "", lastTransitionTime: NOW };
}

describe("health of Cluster API's objects", () => {
  const health = (apiVersion: string, kind: string, status: Record<string, unknown>, spec = {}): boolean =>
    interpreter.interpretHealth(object(apiVersion, kind, { spec, status }));

  it("is the phase of a Cluster and the condition that its version has", () => {
    expect(health(V1BETA1, "Cluster", { phase: "Provisioned", conditions: [condition("Ready")] })).toBe(true);
    expect(health(V1BETA1, "Cluster", { phase: "Provisioned", conditions: [condition("Ready", "False")] })).toBe(false);
    expect(health(V1BETA2, "Cluster", { phase: "Provisioned", conditions: [condition("Available")] })).toBe(true);
    expect(health(V1BETA2, "Cluster", { phase: "Provisioned", conditions: [condition("Available", "Unknown")] })).toBe(
      false,
    );
    expect(health(V1BETA2, "Cluster", { phase: "Provisioning" })).toBe(false);
    expect(health(V1BETA2, "Cluster", {})).toBe(false);
  });

  it("is that all wanted machines are up to date and ready, in the counters that the version has", () => {
    const counts = { phase: "Running", replicas: 2, readyReplicas: 2 };

    expect(health(V1BETA1, "MachineDeployment", { ...counts, updatedReplicas: 2 }, { replicas: 2 })).toBe(true);
    expect(health(V1BETA2, "MachineDeployment", { ...counts, upToDateReplicas: 1 }, { replicas: 2 })).toBe(false);
    expect(health(V1BETA2, "MachineDeployment", { ...counts, phase: "ScalingUp" }, { replicas: 2 })).toBe(false);
    expect(health(V1BETA2, "MachineDeployment", counts, { replicas: 3 })).toBe(false);
    expect(health(V1BETA2, "MachineSet", { replicas: 2, readyReplicas: 2 }, { replicas: 2 })).toBe(true);
    expect(health(V1BETA1, "MachinePool", { phase: "ScaledToZero" }, { replicas: 0 })).toBe(true);
    expect(
      health("controlplane.cluster.x-k8s.io/v1beta2", "KubeadmControlPlane", {
        ...counts,
        conditions: [condition("Available", "False")],
      }),
    ).toBe(false);
  });

  it.each(VERSIONS)("is what the other kinds of %s say themselves", (version) => {
    expect(health(version, "Machine", { phase: "Running", conditions: [condition("Ready")] })).toBe(true);
    expect(health(version, "Machine", { phase: "Failed" })).toBe(false);
    expect(health(version, "MachineHealthCheck", { conditions: [condition("RemediationAllowed", "False")] })).toBe(
      false,
    );
    expect(health(version, "ClusterClass", { conditions: [condition("VariablesReconciled")] })).toBe(true);
  });
});

describe("replicas of machines", () => {
  it("are not divided: they are no pods", () => {
    const gvk = { group: "cluster.x-k8s.io", version: "v1beta2", kind: "MachineDeployment" };

    expect(interpreter.hookEnabled(gvk, "InterpretReplica")).toBe(false);
    expect(interpreter.hookEnabled(gvk, "ReviseReplica")).toBe(false);
  });

  it("stay as an autoscaler in the member set them", () => {
    const set = (replicas: number, annotations?: Record<string, string>): KubeObject => {
      const plain = object(V1BETA2, "MachineDeployment", { spec: { replicas } });
      return annotations === undefined ? plain : { ...plain, metadata: { ...plain.metadata, annotations } };
    };
    const scaled = { "cluster.x-k8s.io/cluster-api-autoscaler-node-group-min-size": "1" };

    expect(interpreter.retain(set(1, scaled), set(4))["spec"]).toEqual({ replicas: 4 });
    expect(interpreter.retain(set(1), set(4))["spec"]).toEqual({ replicas: 1 });
  });
});

describe("a copy of a Cluster", () => {
  it("keeps what its provider wrote where the template says nothing", () => {
    const endpoint = { host: "10.0.0.1", port: 6443 };
    const observed = object(V1BETA2, "Cluster", { spec: { controlPlaneEndpoint: endpoint, paused: true } });

    expect(interpreter.retain(object(V1BETA2, "Cluster", { spec: {} }), observed)["spec"]).toEqual({
      controlPlaneEndpoint: endpoint,
    });
    expect(
      interpreter.retain(object(V1BETA2, "Cluster", { spec: { controlPlaneEndpoint: { host: "x" } } }), observed)[
        "spec"
      ],
    ).toEqual({ controlPlaneEndpoint: { host: "x" } });
  });

  it("takes along what it is made from, as far as its references tell the version", () => {
    const names = (version: string, kind: string, spec: unknown): string[] =>
      interpreter.getDependencies(object(version, kind, { spec })).map(({ kind: needed, name }) => `${needed} ${name}`);
    const infrastructureRef = {
      apiVersion: "infrastructure.cluster.x-k8s.io/v1beta1",
      kind: "DockerCluster",
      name: "web",
    };

    expect(names(V1BETA1, "Cluster", { infrastructureRef })).toEqual(["DockerCluster web"]);
    expect(names(V1BETA1, "Cluster", { topology: { class: "quick" } })).toEqual(["ClusterClass quick"]);
    expect(names(V1BETA2, "Cluster", { topology: { classRef: { name: "quick" } } })).toEqual(["ClusterClass quick"]);
    expect(names(V1BETA2, "Cluster", { topology: { classRef: { name: "quick", namespace: "other" } } })).toEqual([]);
    expect(
      names(V1BETA2, "Cluster", { infrastructureRef: { apiGroup: "a", kind: "DockerCluster", name: "web" } }),
    ).toEqual([]);
    expect(
      names(V1BETA1, "MachineDeployment", {
        clusterName: "web",
        template: { spec: { bootstrap: { dataSecretName: "user-data" }, infrastructureRef } },
      }),
    ).toEqual(["Cluster web", "DockerCluster web", "Secret user-data"]);
  });
});

describe("the status of machines in several clusters", () => {
  it("adds up, in the worst phase, and is observed once every cluster has seen it", () => {
    const member = (clusterName: string, phase: string) => ({
      clusterName,
      status: {
        phase,
        replicas: 2,
        readyReplicas: phase === "Running" ? 2 : 1,
        observedGeneration: 4,
        generation: 4,
        resourceTemplateGeneration: 1,
        conditions: [condition("Available"), condition("ScalingUp", phase === "Running" ? "False" : "True")],
      },
    });
    const template = object(V1BETA2, "MachineDeployment");
    const aggregated = interpreter.aggregateStatus(template, [member("a", "Running"), member("b", "ScalingUp")], NOW);

    expect(aggregated["status"]).toMatchObject({
      phase: "ScalingUp",
      replicas: 4,
      readyReplicas: 3,
      observedGeneration: 1,
    });
    expect(aggregated["status"]).toMatchObject({
      conditions: [{ type: "Available" }, { type: "ScalingUp", status: "True" }],
    });
  });
});
