import { describe, expect, it } from "vitest";
import type { FleetExpectation } from "../../../api/fleet-timeline.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { type Found, judgeExpectation } from "./judge-expectation.ts";

function deployment(name: string, ready: number | undefined, available: string): KubeObject {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace: "shop", labels: { app: name } },
    status: {
      ...(ready === undefined ? {} : { readyReplicas: ready }),
      conditions: [{ type: "Available", status: available }],
    },
  };
}

const FLEET: readonly Found[] = [
  { cluster: "a", objects: [deployment("web", 3, "True"), deployment("api", undefined, "False")] },
  { cluster: "b", objects: [deployment("web", 2, "True")] },
];

function judge(expectation: Partial<FleetExpectation>, found = FLEET): string | undefined {
  return judgeExpectation({ apiVersion: "apps/v1", kind: "Deployment", ...expectation }, found);
}

describe("judgeExpectation", () => {
  it.each<[string, Partial<FleetExpectation>, string | undefined]>([
    ["a condition of every object", { name: "web", condition: "Available=True" }, undefined],
    [
      "a condition that one has not",
      { condition: "Available=True" },
      "a: Deployment shop/api has Available False, not True",
    ],
    ["a condition of nothing", { name: "x", condition: "Available=True" }, "a: there is no Deployment x"],
    [
      "a value of every object",
      { name: "web", path: ".status.readyReplicas", equals: 3 },
      "b: .status.readyReplicas of Deployment shop/web is 2, not 3",
    ],
    [
      "0 where nothing is said",
      { name: "api", path: ".status.readyReplicas", equals: 0 },
      "b: there is no Deployment api",
    ],
    ["a number in each cluster", { equals: 1 }, "a: the number of Deployment is 2, not 1"],
    ["a number in all clusters", { equals: 3, each: false }, undefined],
    [
      "a sum of values",
      { path: ".status.readyReplicas", each: false, atLeast: 6 },
      "in all clusters together: .status.readyReplicas is 5, less than 6",
    ],
    [
      "a bound",
      { labels: { app: "web" }, path: ".status.readyReplicas", atMost: 2 },
      "a: .status.readyReplicas is 3, more than 2",
    ],
    ["objects by a pattern of names", { name: "w*", namespace: "shop", equals: 1 }, undefined],
    ["another namespace", { namespace: "other", equals: 0 }, undefined],
  ])("%s", (_, expectation, words) => {
    expect(judge(expectation)).toBe(words);
  });
});
