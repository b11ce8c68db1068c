import { describe, expect, it } from "vitest";
import type { ClusterPropagationPolicy, PropagationPolicy, PropagationSpec } from "../../api/policy.ts";
import type { KubeObject } from "../../kube/object.ts";
import { describeTie, matchPolicy } from "./match.ts";
import { PolicyIndex } from "./policy-index.ts";

const KIND = { apiVersion: "apps/v1", kind: "Deployment" };

const WEB: KubeObject = { ...KIND, metadata: { name: "web", namespace: "shop", labels: { app: "web" } } };

const BY_KIND = { ...KIND };
const BY_LABELS = { ...KIND, labelSelector: { matchLabels: { app: "web" } } };
const BY_NAME = { ...KIND, name: "web" };

function policy(name: string, selector: PropagationSpec["resourceSelectors"][0], priority?: number): PropagationPolicy {
  return {
    apiVersion: "policy.karmada.io/v1alpha1",
    kind: "PropagationPolicy",
    metadata: { name, namespace: "shop" },
    spec: { resourceSelectors: [selector], ...(priority === undefined ? {} : { priority }) },
  };
}

function clusterPolicy(name: string, priority: number): ClusterPropagationPolicy {
  return {
    apiVersion: "policy.karmada.io/v1alpha1",
    kind: "ClusterPropagationPolicy",
    metadata: { name },
    spec: { resourceSelectors: [BY_NAME], priority },
  };
}

function verdicts(object: KubeObject, policies: Parameters<typeof matchPolicy>[1]): string[] {
  return matchPolicy(object, policies).candidates.map(({ policy: one, verdict }) => `${one.metadata.name} ${verdict}`);
}

describe("matchPolicy", () => {
  it("prefers the higher priority, then the closer selector, then the earlier name", () => {
    const policies = [
      policy("e-late-name", BY_NAME, 1),
      policy("d-name", BY_NAME, 1),
      policy("c-labels", BY_LABELS, 1),
      policy("b-kind", BY_KIND, 1),
      policy("a-default", BY_NAME),
      policy("z-negative", BY_NAME, -1),
    ];

    expect(verdicts(WEB, policies)).toEqual([
      "d-name best",
      "e-late-name later-name",
      "c-labels less-specific",
      "b-kind less-specific",
      "a-default lower-priority",
      "z-negative lower-priority",
    ]);
  });

  it("prefers any policy of the namespace to every cluster-scoped one", () => {
    const match = matchPolicy(WEB, [clusterPolicy("all", 100), policy("own", BY_KIND)]);

    expect(match.policy?.metadata.name).toBe("own");
    expect(match.candidates.map((candidate) => candidate.policy.metadata.name)).toEqual(["own", "all"]);
  });

  it("passes over policies that are being deleted, and says so", () => {
    const leaving = policy("leaving", BY_NAME, 10);
    leaving.metadata.deletionTimestamp = "2026-01-01T00:00:00Z";

    expect(verdicts(WEB, [leaving, policy("own", BY_KIND)])).toEqual(["own best", "leaving deleting"]);
  });

  it("knows no policy of another namespace, kind or name", () => {
    const elsewhere = policy("elsewhere", BY_KIND);
    elsewhere.metadata.namespace = "other";

    expect(matchPolicy(WEB, [elsewhere, policy("other", { ...KIND, name: "cart" })]).policy).toBeUndefined();
  });

  it("says in words why a policy lost", () => {
    const { candidates } = matchPolicy(WEB, [
      policy("a", BY_NAME, 10),
      policy("b", BY_KIND, 0),
      policy("c", BY_LABELS, 10),
    ]);

    expect(candidates.map((candidate) => candidate.reason)).toEqual([
      "selects the object by name",
      "selects the object by labels, shop/a by name",
      "priority 0 < 10 of shop/a",
    ]);
  });
});

describe("PolicyIndex", () => {
  it("follows changes and deletions of policies", () => {
    const index = new PolicyIndex([policy("own", BY_NAME)]);
    expect(matchPolicy(WEB, index).policy?.metadata.name).toBe("own");

    index.set(policy("own", { ...KIND, name: "cart" }));
    expect(matchPolicy(WEB, index).policy).toBeUndefined();
    index.set(policy("own", BY_KIND));
    expect(matchPolicy(WEB, index).policy?.metadata.name).toBe("own");
    index.delete("shop/own");
    expect(matchPolicy(WEB, index).policy).toBeUndefined();
  });

  it("looks at few of many policies", () => {
    const many = Array.from({ length: 5000 }, (_, i) => policy(`p${i}`, { ...KIND, name: `app-${i}` }));
    const index = new PolicyIndex([...many, policy("all", BY_KIND)]);

    expect(index.shortlist(WEB).namespaced.map((one) => one.metadata.name)).toEqual(["all"]);
  });
});

describe("describeTie", () => {
  it("says that only the name decided, and what to do about it", () => {
    const { policy: chosen, candidates } = matchPolicy(WEB, [policy("b", BY_NAME, 2), policy("a", BY_NAME, 2)]);

    expect(chosen === undefined ? "" : describeTie(chosen, candidates)).toBe(
      "policy shop/a applies only for being first by name: shop/b has the same priority 2 and also selects the object by name; give the one that shall apply a higher spec.priority",
    );
  });

  it("says nothing when priority, selector or scope decided", () => {
    const own = policy("own", BY_NAME, 2);
    const others = [policy("a", BY_NAME, 1), policy("b", BY_LABELS, 2), clusterPolicy("c", 2), clusterPolicy("d", 2)];

    expect(describeTie(own, matchPolicy(WEB, [own, ...others]).candidates)).toBeUndefined();
  });

  it("counts the others when they are many", () => {
    const all = ["a", "b", "c", "d", "e", "f"].map((name) => policy(name, BY_KIND));
    const [first] = all;

    const told = first === undefined ? undefined : describeTie(first, matchPolicy(WEB, all).candidates);

    expect(told).toContain("shop/b, shop/c, shop/d and 2 more have the same priority 0");
  });
});
