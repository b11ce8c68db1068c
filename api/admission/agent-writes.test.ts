import { describe, expect, it } from "vitest";
import type { Cluster } from "../cluster.ts";
import { agentWriteRefusal } from "./agent-writes.ts";

function cluster(name: string, spec: Partial<Cluster["spec"]> = {}): Cluster {
  return {
    apiVersion: "cluster.karmada.io/v1alpha1",
    kind: "Cluster",
    metadata: { name },
    spec: { syncMode: "Pull", id: "uid-1", ...spec },
  };
}

function refusal(written: Cluster, more: Partial<Parameters<typeof agentWriteRefusal>[0]> = {}): string | undefined {
  const user = "system:karmada:agent:edge";
  return agentWriteRefusal({ userName: user, operation: "CREATE", cluster: written, others: [], ...more });
}

describe("agentWriteRefusal", () => {
  it("lets an agent register its own cluster, with its own Secrets", () => {
    const own = { namespace: "karmada-cluster", name: "edge" };
    const impersonator = { namespace: "karmada-cluster", name: "edge-impersonator" };

    expect(refusal(cluster("edge"))).toBeUndefined();
    expect(refusal(cluster("edge", { secretRef: own, impersonatorSecretRef: impersonator }))).toBeUndefined();
  });

  it.each<[string, Cluster, RegExp]>([
    ["another cluster", cluster("core"), /may not write cluster core/],
    ["the Push mode", cluster("edge", { syncMode: "Push" }), /in Pull mode only/],
    [
      "a Secret of others",
      cluster("edge", { secretRef: { namespace: "karmada-cluster", name: "core" } }),
      /spec\.secretRef/,
    ],
    [
      "a Secret elsewhere",
      cluster("edge", { secretRef: { namespace: "kube-system", name: "edge" } }),
      /spec\.secretRef/,
    ],
    [
      "an impersonator of others",
      cluster("edge", { impersonatorSecretRef: { namespace: "karmada-cluster", name: "edge" } }),
      /spec\.impersonatorSecretRef/,
    ],
  ])("refuses %s", (_what, written, message) => {
    expect(refusal(written)).toMatch(message);
  });

  it("refuses changes of the spec, and the same cluster under a second name", () => {
    expect(refusal(cluster("edge"), { operation: "UPDATE" })).toMatch(/not change its spec/);
    expect(refusal(cluster("edge"), { others: [cluster("core")] })).toMatch(/registered already, as core/);
    expect(refusal(cluster("edge"), { others: [cluster("edge"), cluster("core", { id: "uid-2" })] })).toBeUndefined();
  });

  it("says nothing to others", () => {
    expect(refusal(cluster("core", { syncMode: "Push" }), { userName: "alice" })).toBeUndefined();
  });
});
