import { describe, expect, it } from "vitest";
import type { Placement } from "../../../api/policy.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { cluster, deployment, policy, weighted, world } from "../../../test/builders.ts";
import { oneFailureDomain } from "./one-failure-domain.ts";
import { causedBy } from "./reviewed-change.ts";
import { review } from "./testing/review.ts";

const rule = causedBy(oneFailureDomain);
const clusters = [
  cluster({ name: "a", region: "eu", provider: "x" }),
  cluster({ name: "b", region: "eu", provider: "x" }),
  cluster({ name: "c", region: "us", provider: "x" }),
];

function placing(placement: Placement, replicas = 6) {
  const owner = policy({ name: "p", placement });
  return rule(review({ world: world({ clusters }), put: [owner as unknown as KubeObject, deployment({ replicas })] }));
}

describe("one-failure-domain", () => {
  it("is said where the policy would allow several regions", () => {
    const spread: Placement = {
      ...weighted({ a: 1, b: 1 }),
      clusterAffinity: { clusterNames: ["a", "b"] },
      spreadConstraints: [
        { spreadByField: "region", minGroups: 1, maxGroups: 2 },
        { spreadByField: "cluster", minGroups: 1, maxGroups: 4 },
      ],
    };

    expect(placing(spread)).toMatchObject([
      {
        rule: "one-failure-domain",
        severity: "warning",
        message: expect.stringContaining("all 6 replicas of Deployment shop/web are in region eu"),
        advice: expect.stringContaining("minGroups: 2 for region"),
      },
    ]);
  });

  it("is said when weights give everything to one cluster of several", () => {
    const placement = { ...weighted({ a: 1, b: 0 }), clusterAffinity: { clusterNames: ["a", "b"] } };

    expect(placing(placement)).toMatchObject([{ clusters: ["a"], message: expect.stringContaining("cluster a") }]);
  });

  it("is not said of one replica, nor of what asks for one place, nor of what is spread", () => {
    const two = { ...weighted({ a: 1, b: 1 }), clusterAffinity: { clusterNames: ["a", "b"] } };

    expect(placing(two)).toEqual([]);
    expect(placing(two, 1)).toEqual([]);
    expect(placing({ clusterAffinity: { clusterNames: ["a"] } })).toEqual([]);
  });
});
