import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../../kube/object.ts";
import { cluster, deployment, policy, weighted, world } from "../../../test/builders.ts";
import { budgetState, disruptionBudget } from "./disruption-budget.ts";
import { causedBy } from "./reviewed-change.ts";
import { review } from "./testing/review.ts";

const rule = causedBy(disruptionBudget);
const kinds = ["apps/v1 Deployment", "policy/v1 PodDisruptionBudget"];
const clusters = [cluster({ name: "a", kinds }), cluster({ name: "b", kinds })];
const selects = [
  { apiVersion: "apps/v1", kind: "Deployment" },
  { apiVersion: "policy/v1", kind: "PodDisruptionBudget" },
];
const owner = policy({
  name: "p",
  selects,
  placement: { ...weighted({ a: 2, b: 1 }), clusterAffinity: { clusterNames: ["a", "b"] } },
});

function budget(limit: Record<string, unknown>): KubeObject {
  return {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: { name: "web", namespace: "shop", uid: "b" },
    spec: { selector: { matchLabels: { app: "web" } }, ...limit },
  };
}
const withBudget = (limit: Record<string, unknown>, replicas = 6) =>
  world({ clusters, policies: [owner], templates: [deployment({ replicas }), budget(limit)] });

describe("a budget", () => {
  it("is found below its minimum in the cluster that gets too few after division", () => {
    const put = [budget({ minAvailable: 3 })];
    const given = world({ clusters, policies: [owner], templates: [deployment()] });

    expect(rule(review({ world: given, put }))).toMatchObject([
      {
        rule: "budget-below-minimum",
        severity: "warning",
        clusters: ["b"],
        field: "spec.minAvailable",
        message: expect.stringContaining("2 replicas"),
      },
    ]);
  });

  it("is found to allow nothing when replicas are taken away", () => {
    const found = rule(review({ world: withBudget({ minAvailable: 2 }, 9), put: [deployment({ replicas: 6 })] }));

    expect(found).toMatchObject([
      {
        rule: "budget-allows-nothing",
        clusters: ["b"],
        message: expect.stringContaining("minAvailable 2 of 2 replicas"),
      },
    ]);
  });

  it("is fine with room, and as it was before", () => {
    const put = [deployment({ replicas: 6, image: "shop/web:2" })];

    expect(rule(review({ world: withBudget({ maxUnavailable: 1 }), put }))).toEqual([]);
    expect(rule(review({ world: withBudget({ minAvailable: 3 }), put }))).toEqual([]);
  });
});

describe("budgetState", () => {
  it.each([
    [{ minAvailable: 2 }, 3, { required: 2, allowed: 1 }],
    [{ minAvailable: 5 }, 3, { required: 5, allowed: 0 }],
    [{ minAvailable: "50%" }, 3, { required: 2, allowed: 1 }],
    [{ maxUnavailable: "10%" }, 3, { required: 2, allowed: 1 }],
    [{ maxUnavailable: 0 }, 3, { required: 3, allowed: 0 }],
    [{ maxUnavailable: "half" }, 3, undefined],
    [{}, 3, undefined],
  ])("of %o with %i pods", (limit, pods, expected) => {
    expect(budgetState(budget(limit), pods)).toEqual(expected);
  });
});
