import { describe, expect, it } from "vitest";
import { demandOf, dependenciesOfTemplate, requirementsOfPodSpec } from "./pod-templates.ts";

const affinityOf = (...nodeSelectorTerms: unknown[]): Record<string, unknown> => ({
  affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } },
});

describe("requirements of a pod template", () => {
  it("are those of its containers and the nodes it can run on", () => {
    const spec = {
      nodeSelector: { disk: "ssd" },
      containers: [{ name: "a", resources: { requests: { cpu: "1" } } }],
    };

    expect(demandOf(2, { spec })).toEqual({
      replicas: 2,
      requirements: { nodeClaim: { nodeSelector: { disk: "ssd" } }, resourceRequest: { cpu: "1" } },
    });
  });

  it("are none for a template that says nothing of either", () => {
    expect(demandOf(2, {})).toEqual({ replicas: 2 });
    expect(requirementsOfPodSpec({ nodeSelector: {}, affinity: {}, tolerations: [{}] })).toBeUndefined();
  });

  it("take a term without expressions for none, and leave out empty texts", () => {
    expect(requirementsOfPodSpec(affinityOf({ matchExpressions: [{}] }, { matchExpressions: [{ key: "a" }] }))).toEqual(
      {
        nodeClaim: { hardNodeAffinity: { nodeSelectorTerms: [{ matchExpressions: [{ key: "a" }] }] } },
      },
    );
    expect(requirementsOfPodSpec({ tolerations: [{ key: "gpu", effect: "" }, { key: "" }] })).toEqual({
      nodeClaim: { tolerations: [{ key: "gpu" }] },
    });
  });

  it("claim nothing where the list of terms is empty", () => {
    expect(requirementsOfPodSpec(affinityOf())).toEqual({ nodeClaim: {} });
  });
});

describe("dependencies of a pod template", () => {
  const object = { apiVersion: "example.io/v1", kind: "Thing", metadata: { name: "web", namespace: "shop" } };
  const spec = { serviceAccountName: "runner", containers: [{ envFrom: [{ configMapRef: { name: "conf" } }] }] };

  it("are in the namespace of the object", () => {
    expect(dependenciesOfTemplate(object, { spec })).toEqual([
      { apiVersion: "v1", kind: "ConfigMap", namespace: "shop", name: "conf" },
      { apiVersion: "v1", kind: "ServiceAccount", namespace: "shop", name: "runner" },
    ]);
  });

  it("are in `default` for an object that names none", () => {
    const nameless = { ...object, metadata: { name: "web" } };

    expect(dependenciesOfTemplate(nameless, { spec }).map(({ namespace }) => namespace)).toEqual([
      "default",
      "default",
    ]);
  });
});
