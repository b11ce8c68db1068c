import { describe, expect, it } from "vitest";
import { formatQuantity } from "../kube/quantity.ts";
import type { FederatedResourceQuota } from "./quota.ts";
import { bindingUsage, chargeQuota, isUsageChanged, overallUsed, type Usage, usageDifference } from "./quota-usage.ts";
import type { ResourceBinding } from "./work.ts";

type Spec = Partial<ResourceBinding["spec"]>;

function binding(spec: Spec): ResourceBinding {
  return {
    apiVersion: "work.karmada.io/v1alpha2",
    kind: "ResourceBinding",
    metadata: { name: "web-deployment", namespace: "shop" },
    spec: { resource: { apiVersion: "apps/v1", kind: "Deployment", name: "web" }, ...spec },
  };
}

function quota(overall: Record<string, string>, used: Record<string, string> = {}): FederatedResourceQuota {
  return {
    apiVersion: "policy.karmada.io/v1alpha1",
    kind: "FederatedResourceQuota",
    metadata: { name: "team", namespace: "shop" },
    spec: { overall },
    status: { overallUsed: used },
  };
}

function shown(usage: Usage): Record<string, string> {
  return Object.fromEntries([...usage].map(([name, amount]) => [name, formatQuantity(amount)]));
}

const REQUEST = { replicaRequirements: { resourceRequest: { cpu: "500m", memory: "1Gi" } } };
const clusters = (...replicas: (number | undefined)[]): ResourceBinding["spec"]["clusters"] =>
  replicas.map((count, index) => ({ name: `m${index}`, ...(count === undefined ? {} : { replicas: count }) }));

describe("bindingUsage", () => {
  it.each<[string, Spec, Record<string, string>]>([
    ["is the request times all replicas", { ...REQUEST, clusters: clusters(2, 3) }, { cpu: "2500m", memory: "5Gi" }],
    ["is nothing before scheduling", REQUEST, {}],
    ["is nothing without replicas", { ...REQUEST, clusters: clusters(0, undefined) }, {}],
    ["is nothing without requests", { clusters: clusters(2) }, {}],
    [
      "of components is their sum in each cluster, whatever the replicas there",
      {
        ...REQUEST,
        clusters: clusters(7, undefined),
        components: [
          { name: "a", replicas: 2, replicaRequirements: { resourceRequest: { cpu: "1", "example.com/gpu": "1" } } },
          { name: "b", replicas: 1, replicaRequirements: { resourceRequest: { cpu: "250m" } } },
          { name: "c", replicas: 4 },
        ],
      },
      { cpu: "4500m", "example.com/gpu": "4" },
    ],
  ])("%s", (_, spec, usage) => {
    expect(shown(bindingUsage(binding(spec)))).toEqual(usage);
  });
});

describe("isUsageChanged", () => {
  const before: Spec = { ...REQUEST, clusters: clusters(2, 3) };
  const parts: Spec = { components: [{ name: "a", replicas: 1, replicaRequirements: {} }], clusters: clusters(1) };

  it.each<[string, Spec, Spec, boolean]>([
    ["another placement", before, { ...before, placement: {} }, false],
    ["replicas that only moved", before, { ...before, clusters: clusters(3, 2) }, false],
    ["other clusters", before, { ...before, clusters: [{ name: "x", replicas: 5 }] }, false],
    ["more replicas", before, { ...before, clusters: clusters(3, 3) }, true],
    [
      "the same request in other words",
      before,
      { ...before, replicaRequirements: { resourceRequest: { cpu: "0.5", memory: "1024Mi" } } },
      false,
    ],
    [
      "another request",
      before,
      { ...before, replicaRequirements: { resourceRequest: { cpu: "1", memory: "1Gi" } } },
      true,
    ],
    ["other clusters of components", parts, { ...parts, clusters: [{ name: "x", replicas: 1 }] }, true],
    [
      "more components",
      parts,
      { ...parts, components: [...(parts.components ?? []), { name: "b", replicas: 1 }] },
      true,
    ],
    [
      "more replicas of a component",
      parts,
      { ...parts, components: [{ name: "a", replicas: 2, replicaRequirements: {} }] },
      true,
    ],
    ["a component that now asks for something", parts, { ...parts, components: [{ name: "a", replicas: 1 }] }, true],
    [
      "another name of a component",
      parts,
      { ...parts, components: [{ name: "z", replicas: 1, replicaRequirements: {} }] },
      false,
    ],
  ])("of %s: %4$s", (_, old, now, isChanged) => {
    expect(isUsageChanged(binding(old), binding(now))).toBe(isChanged);
  });
});

describe("chargeQuota", () => {
  const use = (...replicas: number[]): Usage => bindingUsage(binding({ ...REQUEST, clusters: clusters(...replicas) }));

  it("adds what is limited to what is used, and drops what is nothing", () => {
    expect(chargeQuota(quota({ cpu: "4" }, { cpu: "1", pods: "0" }), use(2))).toEqual({
      outcome: "charged",
      overallUsed: { cpu: "2" },
    });
  });

  it("lets a namespace take all there is, and no more", () => {
    expect(chargeQuota(quota({ cpu: "2", memory: "3Gi" }, { cpu: "500m", memory: "0" }), use(3)).outcome).toBe(
      "charged",
    );
    expect(chargeQuota(quota({ cpu: "2", memory: "3Gi" }, { cpu: "501m" }), use(3))).toEqual({
      outcome: "exceeded",
      message: "FederatedResourceQuota(shop/team) exceeded for resource cpu: requested sum 2001m, limit 2.",
    });
  });

  it("leaves quotas of other resources alone", () => {
    expect(chargeQuota(quota({ pods: "1" }, { pods: "7" }), use(3))).toEqual({ outcome: "untouched" });
  });

  it("gives back", () => {
    expect(chargeQuota(quota({ cpu: "4" }, { cpu: "2" }), usageDifference(use(1), use(4)))).toEqual({
      outcome: "charged",
      overallUsed: { cpu: "500m" },
    });
  });

  it("refuses even less while more is used than the limit, as Karmada does", () => {
    expect(chargeQuota(quota({ cpu: "1" }, { cpu: "4" }), usageDifference(use(1), use(2))).outcome).toBe("exceeded");
  });

  it("counts the usage of all bindings by what is limited", () => {
    expect(overallUsed([use(1), use(2, 3), new Map()], { cpu: "9", pods: "9" })).toEqual({ cpu: "3" });
  });
});
