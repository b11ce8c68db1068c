import { describe, expect, it } from "vitest";
import type { Cluster } from "../../api/cluster.ts";
import type { ObjectReport, PlacementChange, PlanReport } from "../../api/plan-report.ts";
import type { PropagationPolicy } from "../../api/policy.ts";
import { type KubeObject, type ObjectRef, refOf } from "../../kube/object.ts";
import {
  binding,
  claimed,
  cluster,
  configMap,
  deployment,
  policy,
  weighted,
  world as worldOf,
} from "../../test/builders.ts";
import { createInterpreter } from "../interpreter/levels.ts";
import { nativeLevel } from "../interpreter/native.ts";
import { comparePlans } from "./changes.ts";
import { makeReport } from "./make-report.ts";
import { PlacementReasons } from "./placement-reasons.ts";
import { runRiver } from "./river.ts";
import { changeWorld, type World } from "./world.ts";

const options = { interpreter: createInterpreter({ native: nativeLevel() }), now: 0 };
const fleet = [
  cluster({ name: "a", region: "eu", labels: { tier: "prod" } }),
  cluster({ name: "b", region: "eu" }),
  cluster({ name: "c", region: "us" }),
];

function report(before: World, put: readonly KubeObject[], removed: readonly ObjectRef[] = []): PlanReport {
  const after = changeWorld(before, put, removed);
  const compared = {
    before: { world: before, outcomes: runRiver(before, options) },
    after: { world: after, outcomes: runRiver(after, options) },
  };
  const names = [...new Set([...before.clusters, ...after.clusters].map(({ metadata }) => metadata.name ?? ""))];
  return makeReport({
    subject: { path: "apps", head: { name: "head" }, fleet: { from: "live", clusters: names.length } },
    made: { at: "2026-11-29T09:30:00Z", tookMs: 1, version: "0.1.0" },
    renderHash: "sha256:0",
    clusters: after.clusters,
    plan: comparePlans(compared.before.outcomes, compared.after.outcomes, names),
    source: [],
    warnings: [],
    drift: [],
    driftUnknown: [],
    held: undefined,
    kept: [],
    heldClusters: [],
    hooks: { runs: [], onFailure: [], onDeletion: [], idle: undefined },
    deletionsUnknown: undefined,
    whatIf: [],
    findings: [],
    reasons: new PlacementReasons(compared, ({ name }) => ({ file: `policies/${name}.yaml`, line: 1 })),
  });
}

function placementOf({ objects }: PlanReport, name = "web"): PlacementChange | undefined {
  return objects.find(({ object }) => object.name === name)?.placement;
}

function reasonsOf(placement: PlacementChange | undefined): Record<string, string | undefined> {
  return Object.fromEntries((placement?.clusters ?? []).map(({ cluster: name, reason }) => [name, reason]));
}

/** A Deployment where its policy has it. */
function placed(owner: PropagationPolicy, clusters: Record<string, number>, others: Partial<World> = {}): World {
  const replicas = Object.values(clusters).reduce((sum, count) => sum + count, 0);
  const web = claimed(deployment({ replicas }), owner);
  return worldOf({
    clusters: fleet,
    policies: [owner],
    templates: [web],
    bindings: [
      binding({
        template: web,
        policy: owner,
        replicas,
        clusters: Object.entries(clusters).map(([name, own]) => ({ name, replicas: own })),
      }),
    ],
    ...others,
  });
}

const divided = (weights: Record<string, number>) => ({
  ...weighted(weights),
  clusterAffinity: { clusterNames: Object.keys(weights) },
});

describe("reasons of a changed placement", () => {
  it("names the policy, the field that it changes, and each weight", () => {
    const before = placed(policy({ name: "p", placement: divided({ a: 1, b: 2 }) }), { a: 2, b: 4 });

    const placement = placementOf(report(before, [policy({ name: "p", placement: divided({ a: 2, b: 1 }) })]));

    expect(placement).toMatchObject({
      policyBefore: "shop/p",
      policyAfter: "shop/p",
      policyPlace: { file: "policies/p.yaml", line: 1 },
      summary: "policy shop/p changes its spec.placement.replicaScheduling",
    });
    expect(reasonsOf(placement)).toEqual({ a: "weight 1 → 2", b: "weight 2 → 1" });
  });

  it("says what refuses a cluster that is lost, and what refused one that is gained", () => {
    const before = placed(policy({ name: "p", clusters: ["a", "b"] }), { a: 6, b: 6 });
    const labelled = policy({
      name: "p",
      placement: {
        clusterAffinity: { fieldSelector: { matchExpressions: [{ key: "region", operator: "In", values: ["us"] }] } },
      },
    });

    const placement = placementOf(report(before, [labelled]));

    expect(placement?.summary).toBe("policy shop/p changes its spec.placement.clusterAffinity");
    expect(reasonsOf(placement)).toEqual({
      a: "region is eu, wanted us",
      b: "region is eu, wanted us",
      c: "before: is not in the list of names",
    });
  });

  it("says why another policy has the object", () => {
    const before = placed(policy({ name: "p", clusters: ["a"] }), { a: 6 });
    const gone = { ...before, templates: [deployment()], bindings: [] };
    const other = policy({ name: "q", clusters: ["c"], priority: 7 });

    expect(placementOf(report(gone, [other]))?.summary).toBe(
      "policy shop/q takes the place of shop/p, which has priority 0 < 7 of shop/q",
    );
  });

  it("says that the policy before goes", () => {
    const p = policy({ name: "p", clusters: ["a"] });
    const before = worldOf({
      clusters: fleet,
      policies: [p, policy({ name: "q", clusters: ["c"] })],
      templates: [deployment()],
    });

    expect(placementOf(report(before, [], [refOf(p)]))?.summary).toBe(
      "policy shop/q takes the place of shop/p, which goes",
    );
  });

  it("says how many replicas there are to divide", () => {
    const before = placed(policy({ name: "p", placement: divided({ a: 1, b: 2 }) }), { a: 2, b: 4 });
    const [web] = before.templates as [KubeObject];

    const placement = placementOf(report(before, [{ ...web, spec: { ...(web["spec"] as object), replicas: 9 } }]));

    expect(placement?.summary).toBe("replicas 6 → 9");
    expect(reasonsOf(placement)).toEqual({ a: "weight 1", b: "weight 2" });
  });

  it("names taint and missing API of clusters that a new object's policy takes in", () => {
    const tainted = cluster({ name: "d", taints: [{ key: "maintenance", value: "true", effect: "NoSchedule" }] });
    const bare = cluster({ name: "e", kinds: ["v1 ConfigMap"] });
    const everywhere = policy({ name: "p", placement: {} });
    const before = worldOf({ clusters: [...fleet, tainted, bare], policies: [everywhere] });

    const placement = placementOf(report(before, [deployment()]));

    expect(placement?.clusters.map(({ cluster: name }) => name)).toEqual(["a", "b", "c"]);
    expect(placement?.refused).toEqual([
      { clusters: ["d"], reason: "taint maintenance=true:NoSchedule is not tolerated" },
      { clusters: ["e"], reason: "no API apps/v1 Deployment (cluster reports 1 API versions; complete)" },
    ]);
  });

  it("does not count out the clusters that a policy leaves out by itself", () => {
    const before = worldOf({ clusters: fleet, policies: [policy({ name: "p", clusters: ["a"] })] });

    const placement = placementOf(report(before, [deployment()]));

    expect(placement).toMatchObject({ policyAfter: "shop/p" });
    expect(placement).not.toHaveProperty("refused");
  });

  it("names the object that another one follows", () => {
    const leading = policy({ name: "p", clusters: ["b"], propagateDeps: true });
    const before = worldOf({ clusters: fleet, policies: [leading], templates: [configMap("settings")] });

    const placement = placementOf(report(before, [deployment({ settings: "settings" })]), "settings");

    expect(reasonsOf(placement)).toEqual({ b: "follows Deployment shop/web" });
  });

  it("says nothing of where an object was that goes, unless replicas go with it", () => {
    const before = placed(policy({ name: "p", placement: {} }), { a: 2, b: 1 });
    const settings: KubeObject = {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "settings", namespace: "shop" },
    };
    const owner = policy({ name: "maps", selects: [{ apiVersion: "v1", kind: "ConfigMap" }], placement: {} });
    const mapped = {
      ...before,
      policies: [...before.policies, owner],
      templates: [...before.templates, claimed(settings, owner)],
    };
    const gone = report(mapped, [], mapped.templates.map(refOf));

    expect(gone.objects.map(({ change, object }) => `${change} ${object.name}`).sort()).toEqual([
      "deleted settings",
      "deleted web",
    ]);
    expect(placementOf(gone, "settings")).toBeUndefined();
    expect(placementOf(gone)?.clusters[0]).toMatchObject({ there: "goes", before: 3 });
  });

  it("says that a cluster comes or goes itself", () => {
    const everywhere = policy({ name: "p", placement: {} });
    const before = placed(everywhere, { a: 6, b: 6, c: 6 });
    const fresh = cluster({ name: "d" });
    const [gone] = fleet as [Cluster];

    const placement = placementOf(report(before, [fresh], [refOf(gone)]));

    expect(reasonsOf(placement)).toEqual({
      a: "the cluster goes with this change",
      d: "the cluster comes with this change",
    });
  });

  it("says why no cluster takes an object, and what would have it taken", () => {
    const before = worldOf({
      clusters: [cluster({ name: "a", taints: [{ key: "x", effect: "NoSchedule" }] }), cluster({ name: "b" })],
      policies: [policy({ name: "p", clusters: ["a"] })],
    });

    const { problems } = report(before, [deployment()]);

    expect(problems).toEqual([
      {
        severity: "error",
        message: expect.stringMatching(/^is in no cluster: 0\/2 clusters are available/),
        object: { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "web" },
        reasons: [
          "a: taint x:NoSchedule is not tolerated → tolerate it there, or take x:NoSchedule off a",
          "b: is not in the list of names → add b to the list",
        ],
      },
    ]);
  });

  it("says that what is placed stays where there is no room for more", () => {
    const small = cluster({ name: "a", allocatable: { cpu: "1", memory: "1Gi", pods: "8" } });
    const placement = {
      clusterAffinity: { clusterNames: ["a"] },
      replicaScheduling: {
        replicaSchedulingType: "Divided" as const,
        replicaDivisionPreference: "Aggregated" as const,
      },
    };
    const before = placed(policy({ name: "p", placement }), { a: 6 }, { clusters: [small] });
    const [web] = before.templates as [KubeObject];

    const { problems } = report(before, [{ ...web, spec: { ...(web["spec"] as object), replicas: 90 } }]);

    expect(problems).toMatchObject([
      {
        message: expect.stringMatching(/^stays where it is, and is not placed anew: /),
        reasons: [expect.stringMatching(/^a: fits, has room for \d+ of 90$/)],
      },
    ]);
  });

  it("tells few of many reasons, and of few of many objects", () => {
    const names = Array.from({ length: 30 }, (_, at) => `m${String(at).padStart(2, "0")}`);
    const weights = (step: number) => Object.fromEntries(names.map((name, at) => [name, 1 + ((at * step) % 29)]));
    const objects = Array.from({ length: 120 }, (_, at) => deployment({ name: `web-${at}`, replicas: 400 }));
    const before = worldOf({
      clusters: names.map((name) => cluster({ name })),
      policies: [policy({ name: "p", placement: divided(weights(1)) })],
      templates: objects,
    });

    const { objects: told, cut } = report(before, [policy({ name: "p", placement: divided(weights(7)) })]);

    const reasons = told.map(({ placement }: ObjectReport) => new Set(Object.values(reasonsOf(placement))).size);
    // Eight, and none.
    expect(Math.max(...reasons)).toBe(9);
    expect(told.filter(({ placement }) => placement?.summary !== undefined)).toHaveLength(100);
    expect(cut).toEqual([{ what: "reasons of placements", left: 20, of: 120 }]);
  });
});
