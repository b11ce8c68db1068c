// Templates of resources that platforms are made of, as Argo CD and kstatus judge them by what their copies say.
import { describe, expect, it } from "vitest";
import type { AggregatedStatusItem } from "../../api/work.ts";
import type { KubeObject } from "../../kube/object.ts";
import { standardInterpreter } from "../../reconciler/interpreter/standard-interpreter.ts";
import { progressOf } from "../../reconciler/interpreter/third-party/rules/kstatus.ts";
import { platformHealth } from "./argocd-platform.ts";

type Fields = Readonly<Record<string, unknown>>;

const NOW = "2026-01-01T00:00:00Z";
const interpreter = standardInterpreter("flaghoist");

function condition(type: string, status = "True"): Fields {
  return { type, status, reason: "Said", message: "said", lastTransitionTime: NOW, observedGeneration: 2 };
}

function conditions(...types: readonly string[]): Fields {
  return { conditions: types.map((type) => condition(type)) };
}

/** The status of a copy that is as it should be. */
const GOOD: Readonly<Record<string, Fields>> = {
  "kustomize.toolkit.fluxcd.io/v1/Kustomization": { observedGeneration: 2, ...conditions("Ready", "Healthy") },
  "helm.toolkit.fluxcd.io/v2/HelmRelease": { observedGeneration: 2, ...conditions("Ready", "Released") },
  "source.toolkit.fluxcd.io/v1/GitRepository": { observedGeneration: 2, ...conditions("Ready", "ArtifactInStorage") },
  "source.toolkit.fluxcd.io/v1/HelmRepository": { observedGeneration: 2, ...conditions("Ready", "ArtifactInStorage") },
  "cert-manager.io/v1/Certificate": conditions("Ready"),
  "cert-manager.io/v1/CertificateRequest": conditions("Ready", "Approved"),
  "cert-manager.io/v1/Issuer": conditions("Ready"),
  "cert-manager.io/v1/ClusterIssuer": conditions("Ready"),
  "external-secrets.io/v1/ExternalSecret": conditions("Ready"),
  "external-secrets.io/v1/SecretStore": conditions("Ready"),
  "pkg.crossplane.io/v1/Provider": conditions("Installed", "Healthy"),
  "kyverno.io/v1/ClusterPolicy": conditions("Ready"),
  "cluster.x-k8s.io/v1beta1/Cluster": { phase: "Provisioned", observedGeneration: 2, ...conditions("Ready") },
  "cluster.x-k8s.io/v1beta1/MachineDeployment": {
    phase: "Running",
    replicas: 2,
    updatedReplicas: 2,
    readyReplicas: 2,
    observedGeneration: 2,
    ...conditions("Ready"),
  },
  "gateway.networking.k8s.io/v1/Gateway": conditions("Accepted", "Programmed"),
  "gateway.networking.k8s.io/v1/HTTPRoute": {
    parents: [{ parentRef: { name: "web" }, controllerName: "example.com/gateway", ...conditions("Accepted") }],
  },
};

/** Kinds of which kstatus can tell that clusters are awaited: they keep a generation or Ready. */
const TOLD_BY_CONDITIONS = Object.keys(GOOD).filter((kind) => !/gateway|crossplane/.test(kind));

function object(key: string, status?: Fields): KubeObject {
  const [group, version, kind = ""] = key.split("/");
  return {
    apiVersion: `${group}/${version}`,
    kind,
    metadata: {
      name: "web",
      generation: 2,
      annotations: { "resourcetemplate.karmada.io/generation": "2" },
    },
    spec: { replicas: 2 },
    ...(status === undefined ? {} : { status }),
  };
}

function report(clusterName: string, key: string, status: Fields = {}): AggregatedStatusItem {
  return { clusterName, applied: true, status: { ...interpreter.reflectStatus(object(key, status)) } };
}

function aggregated(key: string, ...items: AggregatedStatusItem[]): KubeObject {
  return interpreter.aggregateStatus(object(key), items, NOW);
}

describe.each(Object.entries(GOOD))("a template of %s", (key, good) => {
  it("is Healthy to Argo CD and Current to kstatus when its copies are", () => {
    const template = aggregated(key, report("a", key, good), report("b", key, good));

    expect(platformHealth(template)).toBe("Healthy");
    expect(progressOf(template)).toBe("Current");
    expect(interpreter.interpretHealth(object(key, good))).toBe(true);
  });

  it("is Progressing to Argo CD before its first copy says anything, never Degraded", () => {
    expect(platformHealth(aggregated(key))).toBe("Progressing");
    expect(platformHealth(aggregated(key, { clusterName: "a" }, { clusterName: "b" }))).toBe("Progressing");
    expect(platformHealth(aggregated(key, report("a", key), report("b", key)))).toBe("Progressing");
  });

  it("is not Degraded to Argo CD while one cluster has not reported", () => {
    expect(platformHealth(aggregated(key, report("a", key, good), { clusterName: "b" }))).not.toBe("Degraded");
  });
});

describe.each(TOLD_BY_CONDITIONS)("a template of %s", (key) => {
  it("is InProgress to kstatus until its copies have reported", () => {
    const good = GOOD[key] ?? {};

    if (!key.startsWith("cluster.x-k8s.io")) expect(progressOf(aggregated(key))).toBe("InProgress");
    expect(progressOf(aggregated(key, report("a", key, good), { clusterName: "b" }))).toBe("InProgress");
  });

  it("is Degraded to Argo CD when a copy is not ready", () => {
    const bad = { ...GOOD[key], conditions: [condition("Ready", "False")] };
    const template = aggregated(key, report("a", key, GOOD[key]), report("b", key, bad));

    if (!key.endsWith("MachineDeployment")) expect(platformHealth(template)).toBe("Degraded");
    expect(progressOf(template)).toBe("InProgress");
  });
});
