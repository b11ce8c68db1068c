import { describe, expect, it } from "vitest";
import type { Cluster } from "../../api/cluster.ts";
import type { ClusterAffinity } from "../../api/policy.ts";
import { clusterMatches } from "./cluster-affinity.ts";

const tokyo: Cluster = {
  apiVersion: "cluster.karmada.io/v1alpha1",
  kind: "Cluster",
  metadata: { name: "tokyo-1", labels: { env: "prod" } },
  spec: { syncMode: "Push", region: "ap-northeast", zones: ["a", "b"] },
};

function field(key: string, operator: string, ...values: string[]): ClusterAffinity {
  return { fieldSelector: { matchExpressions: [{ key, operator, values }] } };
}

describe("clusterMatches", () => {
  it.each<[string, ClusterAffinity, boolean]>([
    ["nothing", {}, true],
    ["its name", { clusterNames: ["tokyo-1"] }, true],
    ["another name", { clusterNames: ["paris-1"] }, false],
    ["its name, but excluded", { clusterNames: ["tokyo-1"], exclude: ["tokyo-1"] }, false],
    ["its labels", { labelSelector: { matchLabels: { env: "prod" } } }, true],
    ["an empty label selector", { labelSelector: {} }, true],
    ["an invalid label selector", { labelSelector: { matchExpressions: [{ key: "env", operator: "Near" }] } }, false],
    ["its region", field("region", "In", "ap-northeast"), true],
    ["another region", field("region", "In", "eu-west"), false],
    ["not a provider it does not have", field("provider", "NotIn", "aws"), true],
    ["one of its zones", field("zone", "In", "b", "c"), true],
    ["not one of its zones", field("zone", "NotIn", "b", "c"), false],
    ["any zone", field("zone", "Exists"), true],
    ["no zone", field("zone", "DoesNotExist"), false],
    ["an unknown operator on zones", field("zone", "Gt", "1"), false],
    ["its labels but another name", { labelSelector: {}, clusterNames: ["x"] }, false],
  ])("answers an affinity for %s", (_, affinity, expected) => {
    expect(clusterMatches(tokyo, affinity)).toBe(expected);
  });
});
