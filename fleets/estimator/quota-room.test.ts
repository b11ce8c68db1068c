import { describe, expect, it } from "vitest";
import type { Component, ReplicaRequirements } from "../../api/work.ts";
import { MOST } from "./place-sets.ts";
import { type QuotaFacts, readQuota, replicasWithinQuotas, setsWithinQuotas } from "./quota-room.ts";

function quota(hard: Record<string, string>, used: Record<string, string>, spec: object = {}): QuotaFacts {
  const metadata = { namespace: "shop", name: "compute" };
  return readQuota({ apiVersion: "v1", kind: "ResourceQuota", metadata, spec, status: { hard, used } });
}

const asking = (
  resourceRequest: ReplicaRequirements["resourceRequest"],
  priorityClassName?: string,
): ReplicaRequirements => ({
  ...(resourceRequest === undefined ? {} : { resourceRequest }),
  ...(priorityClassName === undefined ? {} : { priorityClassName }),
});

function replicas(quotas: readonly QuotaFacts[], requirements: ReplicaRequirements | undefined): number {
  return replicasWithinQuotas(quotas, requirements, []);
}

describe("replicasWithinQuotas", () => {
  it("divides what is free, and the scarcest resource counts", () => {
    const quotas = [quota({ cpu: "10", memory: "8Gi" }, { cpu: "2500m", memory: "1Gi" })];
    expect(replicas(quotas, asking({ cpu: "1", memory: "1Gi" }))).toBe(7);
    expect(replicas(quotas, asking({ cpu: "1", memory: "4Gi" }))).toBe(1);
  });

  it("takes the scarcest of several quotas", () => {
    const quotas = [quota({ cpu: "10" }, { cpu: "0" }), quota({ "requests.cpu": "3" }, { "requests.cpu": "0" })];
    expect(replicas(quotas, asking({ cpu: "1" }))).toBe(3);
  });

  it("reads requests.cpu as cpu, and lets it have the last word of the two", () => {
    const both = quota({ cpu: "10", "requests.cpu": "4" }, { cpu: "0", "requests.cpu": "1" });
    expect(replicas([both], asking({ cpu: "1" }))).toBe(3);
  });

  it("counts extended resources with and without prefix, and neither limits, storage nor objects", () => {
    expect(
      replicas([quota({ "requests.x.com/gpu": "4" }, { "requests.x.com/gpu": "1" })], asking({ "x.com/gpu": 2 })),
    ).toBe(1);
    const others = { "limits.cpu": "1", pods: "1", "requests.storage": "1", "count/services": "0" };
    expect(replicas([quota(others, others)], asking({ cpu: "1", pods: "1" }))).toBe(MOST);
  });

  it("is not limited by quotas without use yet, without the resource, or for pods without requirements", () => {
    expect(replicas([quota({ cpu: "1" }, {})], asking({ cpu: "1" }))).toBe(MOST);
    expect(replicas([quota({ memory: "1" }, { memory: "1" })], asking({ cpu: "1" }))).toBe(MOST);
    expect(replicas([quota({ cpu: "1" }, { cpu: "1" })], asking({ cpu: "0" }))).toBe(MOST);
    expect(replicas([quota({ cpu: "1" }, { cpu: "1" })], undefined)).toBe(MOST);
    expect(replicas([], asking({ cpu: "1" }))).toBe(MOST);
  });

  it("leaves none in a quota that is overdrawn", () => {
    expect(replicas([quota({ cpu: "1" }, { cpu: "3" })], asking({ cpu: "1" }))).toBe(0);
  });

  it.each<[string, object, string | undefined, boolean]>([
    ["any scope but priority classes", { scopes: ["NotTerminating"] }, "high", false],
    ["a priority class, of one that has some", { scopes: ["PriorityClass"] }, "high", true],
    ["a priority class, of one without", { scopes: ["PriorityClass"] }, undefined, false],
    ["a priority class In a list", priority("In", "high", "low"), "high", true],
    ["a priority class In another list", priority("In", "low"), "high", false],
    ["a priority class NotIn a list", priority("NotIn", "low"), undefined, true],
    ["no priority class", priority("DoesNotExist"), undefined, true],
    ["an unknown operator", priority("Like", "high"), "high", false],
    ["In no class at all", priority("In"), "high", false],
    ["one of two scopes", { scopes: ["BestEffort"], ...priority("In", "high") }, "high", true],
  ])("knows whether a quota scoped by %s applies", (_what, spec, priorityClass, applies) => {
    const scoped = quota({ cpu: "2" }, { cpu: "0" }, spec);
    expect(replicas([scoped], asking({ cpu: "1" }, priorityClass))).toBe(applies ? 2 : MOST);
  });

  it("takes what is on its way off first, where the quota applies to it", () => {
    const high = quota({ cpu: "10" }, { cpu: "0" }, priority("In", "high"));
    const pending = (cpu: string, priorityClass: string): Component => ({
      name: "web",
      replicas: 3,
      replicaRequirements: asking({ cpu }, priorityClass),
    });
    const count = (...components: Component[]): number =>
      replicasWithinQuotas([high], asking({ cpu: "1" }, "high"), components);

    expect(count(pending("2", "high"))).toBe(4);
    expect(count(pending("2", "low"))).toBe(10);
    expect(count(pending("4", "high"))).toBe(0);
  });
});

describe("setsWithinQuotas", () => {
  const component = (replicaCount: number, requirements?: ReplicaRequirements): Component => ({
    name: "c",
    replicas: replicaCount,
    ...(requirements === undefined ? {} : { replicaRequirements: requirements }),
  });

  it("counts sets by what all their components ask for together", () => {
    const quotas = [quota({ cpu: "10", memory: "1Gi" }, { cpu: "0", memory: "0" })];
    const components = [component(2, asking({ cpu: "1500m" })), component(1, asking({ cpu: "1", memory: "100Mi" }))];
    expect(setsWithinQuotas(quotas, components, [])).toBe(2);
  });

  it("counts only components that the scope of the quota is about", () => {
    const quotas = [quota({ cpu: "10" }, { cpu: "0" }, priority("In", "high"))];
    expect(setsWithinQuotas(quotas, [component(5, asking({ cpu: "1" }, "high")), component(50)], [])).toBe(2);
    expect(setsWithinQuotas(quotas, [component(5, asking({ cpu: "1" }))], [])).toBe(MOST);
  });

  it("is not limited for components that ask for nothing", () => {
    expect(setsWithinQuotas([quota({ cpu: "1" }, { cpu: "1" })], [component(5)], [])).toBe(MOST);
    expect(setsWithinQuotas([quota({ cpu: "1" }, { cpu: "1" })], [], [])).toBe(MOST);
  });
});

function priority(operator: string, ...values: string[]): object {
  return { scopeSelector: { matchExpressions: [{ scopeName: "PriorityClass", operator, values }] } };
}
