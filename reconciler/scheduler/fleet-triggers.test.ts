import { describe, expect, it } from "vitest";
import type { Cluster } from "../../api/cluster.ts";
import type { Placement } from "../../api/policy.ts";
import { cluster } from "../../test/builders.ts";
import { KARMADA_TRIGGER, type PlacementInUse, SERVED_KINDS_TRIGGER } from "./fleet-triggers.ts";

function use(placement: Placement, affinityName = "", observed = true): PlacementInUse {
  return { placement, affinityName, observed };
}

function leaving(name: string): Cluster {
  const made = cluster({ name });
  return { ...made, metadata: { ...made.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } };
}

const A = cluster({ name: "a" });
const LABELLED = cluster({ name: "a", labels: { env: "prod" } });

describe("changes that matter", () => {
  it.each<[what: string, before: Cluster | undefined, after: Cluster | undefined, matters: boolean]>([
    ["a new cluster", undefined, A, false],
    ["a report of its status", A, { ...A, status: {} }, false],
    ["other labels", A, LABELLED, true],
    ["another spec", A, { ...A, metadata: { ...A.metadata, generation: 2 } }, true],
    ["the beginning of its end", A, leaving("a"), true],
    ["its end", leaving("a"), undefined, false],
    ["an end without notice", A, undefined, true],
  ])("%s: %#", (_what, before, after, matters) => {
    expect(KARMADA_TRIGGER.matters({ before, after })).toBe(matters);
  });
});

describe("placements that a change concerns", () => {
  const toProd = { before: A, after: LABELLED };
  const prod = { labelSelector: { matchLabels: { env: "prod" } } };

  it("are those without an affinity, whatever changes", () => {
    expect(KARMADA_TRIGGER.concerns(use({}), toProd)).toBe(true);
  });

  it("are those that select the cluster as it was or as it is", () => {
    expect(KARMADA_TRIGGER.concerns(use({ clusterAffinity: prod }), toProd)).toBe(true);
    expect(KARMADA_TRIGGER.concerns(use({ clusterAffinity: prod }), { before: LABELLED, after: A })).toBe(true);
    expect(KARMADA_TRIGGER.concerns(use({ clusterAffinity: { clusterNames: ["b"] } }), toProd)).toBe(false);
  });

  it("are asked only about the cluster as it is when it leaves", () => {
    const change = { before: LABELLED, after: leaving("a") };

    expect(KARMADA_TRIGGER.concerns(use({ clusterAffinity: prod }), change)).toBe(false);
    expect(KARMADA_TRIGGER.concerns(use({ clusterAffinity: { clusterNames: ["a"] } }), change)).toBe(true);
  });

  it("are judged by the group in use, the first when none is, and never by overflow", () => {
    const placement: Placement = {
      clusterAffinities: [
        {
          affinityName: "first",
          clusterNames: ["b"],
          overflowAffinities: [{ affinityName: "o", clusterNames: ["a"] }],
        },
        { affinityName: "second", clusterNames: ["a"] },
      ],
    };

    expect(KARMADA_TRIGGER.concerns(use(placement), toProd)).toBe(false);
    expect(KARMADA_TRIGGER.concerns(use(placement, "gone"), toProd)).toBe(false);
    expect(KARMADA_TRIGGER.concerns(use(placement, "second"), toProd)).toBe(true);
  });

  it("are all those with groups whose last change nobody has dealt with", () => {
    const placement: Placement = { clusterAffinities: [{ affinityName: "first", clusterNames: ["b"] }] };

    expect(KARMADA_TRIGGER.concerns(use(placement, "first", false), toProd)).toBe(true);
  });
});

describe("kinds that a cluster begins to serve", () => {
  const JOBS = cluster({ name: "a", kinds: ["apps/v1 Deployment", "batch/v1 Job"] });
  const DEPLOYMENTS = cluster({ name: "a", kinds: ["apps/v1 Deployment"] });

  it("matter, those that it no longer serves do not", () => {
    expect(SERVED_KINDS_TRIGGER.matters({ before: DEPLOYMENTS, after: JOBS })).toBe(true);
    expect(SERVED_KINDS_TRIGGER.matters({ before: JOBS, after: DEPLOYMENTS })).toBe(false);
    expect(SERVED_KINDS_TRIGGER.matters({ before: undefined, after: JOBS })).toBe(false);
  });

  it("concern the bindings of these kinds whose placement selects the cluster", () => {
    const change = { before: DEPLOYMENTS, after: JOBS };

    expect(SERVED_KINDS_TRIGGER.kinds?.(change)).toEqual(new Set(["batch/v1/Job"]));
    expect(SERVED_KINDS_TRIGGER.concerns(use({ clusterAffinity: { clusterNames: ["a"] } }), change)).toBe(true);
    expect(SERVED_KINDS_TRIGGER.concerns(use({ clusterAffinity: { clusterNames: ["b"] } }), change)).toBe(false);
  });
});
