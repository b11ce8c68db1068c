import { describe, expect, it } from "vitest";
import type { Cluster } from "../../api/cluster.ts";
import type { Remedy, RemedySpec } from "../../api/remedy.ts";
import { remedyActions } from "./remedy-actions.ts";

const RESOLUTION = "ServiceDomainNameResolutionReady";

function cluster(status?: "True" | "False" | "Unknown"): Cluster {
  const condition = { type: RESOLUTION, reason: "r", message: "", lastTransitionTime: "2026-01-01T00:00:00Z" };
  return {
    apiVersion: "cluster.karmada.io/v1alpha1",
    kind: "Cluster",
    metadata: { name: "m1" },
    spec: { syncMode: "Push" },
    ...(status === undefined ? {} : { status: { conditions: [{ ...condition, status }] } }),
  };
}

function remedy(spec: RemedySpec): Remedy {
  return { apiVersion: "remedy.karmada.io/v1alpha1", kind: "Remedy", metadata: { name: "r" }, spec };
}

function match(operator: "Equal" | "NotEqual", conditionStatus: string): RemedySpec["decisionMatches"] {
  return [{ clusterConditionMatch: { conditionType: RESOLUTION, operator, conditionStatus } }];
}

const actions = ["TrafficControl"];

describe("remedyActions", () => {
  it.each<[string, Cluster, RemedySpec, string[]]>([
    ["no matches always hold", cluster(), { actions }, actions],
    ["an empty list never holds", cluster("False"), { actions, decisionMatches: [] }, []],
    ["Equal holds", cluster("False"), { actions, decisionMatches: match("Equal", "False") }, actions],
    ["Equal does not hold", cluster("True"), { actions, decisionMatches: match("Equal", "False") }, []],
    ["NotEqual holds", cluster("Unknown"), { actions, decisionMatches: match("NotEqual", "True") }, actions],
    ["NotEqual does not hold", cluster("True"), { actions, decisionMatches: match("NotEqual", "True") }, []],
    ["a condition that is not there", cluster(), { actions, decisionMatches: match("NotEqual", "True") }, []],
    ["a match of nothing", cluster("False"), { actions, decisionMatches: [{}] }, []],
    ["named", cluster(), { actions, clusterAffinity: { clusterNames: ["m1"] } }, actions],
    ["not named", cluster(), { actions, clusterAffinity: { clusterNames: ["m2"] } }, []],
    ["an affinity without names", cluster(), { actions, clusterAffinity: {} }, []],
    ["no actions", cluster(), {}, []],
  ])("%s", (_, target, spec, expected) => {
    expect(remedyActions(target, [remedy(spec)])).toEqual(expected);
  });

  it("holds when any match does", () => {
    const decisionMatches = [...(match("Equal", "Unknown") ?? []), ...(match("Equal", "False") ?? [])];

    expect(remedyActions(cluster("False"), [remedy({ actions, decisionMatches })])).toEqual(actions);
  });

  it("has each action of several remedies once, sorted", () => {
    const remedies = [remedy({ actions: ["B", "A"] }), remedy({ actions: ["A", "C"] })];

    expect(remedyActions(cluster(), remedies)).toEqual(["A", "B", "C"]);
  });
});
