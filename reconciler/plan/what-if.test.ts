import { describe, expect, it } from "vitest";
import type { ReportedLoss } from "../../api/plan-report.ts";
import type { KubeObject } from "../../kube/object.ts";
import { refKey, refOf } from "../../kube/object.ts";
import { cluster, deployment, policy, weighted, world } from "../../test/builders.ts";
import { createInterpreter } from "../interpreter/levels.ts";
import { nativeLevel } from "../interpreter/native.ts";
import { possibleLosses } from "./possible-losses.ts";
import { runRiver } from "./river.ts";
import { fleetWithout, Survivals, survivalOf, whatIf } from "./what-if.ts";

const options = { interpreter: createInterpreter({ native: nativeLevel() }), now: 0 };
const fleet = [
  cluster({ name: "tokyo-1", region: "ap" }),
  cluster({ name: "paris-1", region: "eu" }),
  cluster({ name: "paris-2", region: "eu" }),
];
const key = refKey(refOf(deployment()));

function budget(spec: Record<string, unknown>): KubeObject {
  return {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: { name: "web", namespace: "shop" },
    spec: { selector: { matchLabels: { app: "web" } }, ...spec },
  };
}

function web(): KubeObject {
  const object = deployment({ replicas: 6 });
  const spec = object["spec"] as Record<string, unknown>;
  const template = spec["template"] as Record<string, unknown>;
  return { ...object, spec: { ...spec, template: { ...template, metadata: { labels: { app: "web" } } } } };
}

function compare(
  before: Readonly<Record<string, number>>,
  after: Readonly<Record<string, number>>,
  budgets: readonly KubeObject[] = [],
): Promise<ReportedLoss[]> {
  const [old, fresh] = [before, after].map((weights) => {
    const owner = policy({ name: "p", placement: weighted(weights), clusters: Object.keys(weights) });
    const given = { ...world({ clusters: fleet, policies: [owner], templates: [web()] }), budgets };
    return { outcomes: runRiver(given, options), world: given };
  });
  if (old === undefined || fresh === undefined) throw new Error("two worlds were made");
  return whatIf([key], old, fresh, 0);
}

describe("possibleLosses", () => {
  it("are every cluster, zone, region and provider that is not the whole fleet", () => {
    const words = possibleLosses([
      ...["a-1", "a-2"].map((name) => cluster({ name, region: "north", provider: "aye" })),
      ...["a-3", "a-4"].map((name) => cluster({ name, region: "south", provider: "aye" })),
      ...["b-1", "b-2"].map((name) => cluster({ name, region: "west", provider: "bee" })),
    ]).map(({ what, name }) => `${what} ${name}`);

    expect(words).toEqual([
      ...["a-1", "a-2", "a-3", "a-4", "b-1", "b-2"].map((name) => `cluster ${name}`),
      "region north",
      "region south",
      "provider aye",
      "provider bee",
    ]);
  });

  it("names what has the same clusters together", () => {
    const tokyo = possibleLosses(fleet).find(({ name }) => name === "tokyo-1");

    expect(tokyo?.also).toEqual([{ what: "region", name: "ap" }]);
  });

  it("loses no cluster with one of its zones", () => {
    const [first, ...others] = fleet;
    const spread = { ...cluster({ name: "wide" }), spec: { syncMode: "Push" as const, zones: ["z1", "z2"] } };
    const single = { ...cluster({ name: "slim" }), spec: { syncMode: "Push" as const, zone: "z1" } };
    const losses = possibleLosses([...(first === undefined ? [] : [first]), ...others, spread, single]);

    expect(losses.find(({ name }) => name === "slim")?.also).toEqual([{ what: "zone", name: "z1" }]);
    expect(losses.find(({ name }) => name === "wide")?.also).toBeUndefined();
  });
});

describe("whatIf", () => {
  it("counts what goes on at once, and what failover brings back", async () => {
    const losses = await compare({ "paris-1": 2, "tokyo-1": 1 }, { "paris-1": 1, "tokyo-1": 2 });

    const paris = losses.find(({ loss }) => loss.name === "paris-1");
    expect(paris?.objects).toMatchObject([
      {
        before: { placed: 6, kept: 2, recovered: 6 },
        after: { placed: 6, kept: 4, recovered: 6 },
        outcome: "survives",
        comparison: "better",
      },
    ]);
  });

  it("leaves out what does not touch the object", async () => {
    const losses = await compare({ "paris-1": 1 }, { "paris-1": 1 });

    expect(losses.map(({ loss }) => loss.name)).toEqual(["paris-1", "eu"]);
  });

  it("says so when nothing is left to move to", async () => {
    const losses = await compare({ "paris-1": 1 }, { "paris-1": 1 });

    expect(losses[0]?.objects[0]).toMatchObject({ after: { placed: 6, kept: 0, recovered: 0 }, outcome: "down" });
  });

  it("tells the worst first", async () => {
    const losses = await compare({ "paris-1": 1, "paris-2": 1 }, { "paris-1": 1, "paris-2": 1 });

    expect(losses.map(({ loss, objects }) => `${loss.name} ${objects[0]?.outcome}`)).toEqual([
      "eu down",
      "paris-1 survives",
      "paris-2 survives",
    ]);
  });

  it.each([
    [{ minAvailable: 4 }, 4, "recovers"],
    [{ minAvailable: "50%" }, 3, "survives"],
    [{ maxUnavailable: 1 }, 5, "recovers"],
    [{ maxUnavailable: "34%" }, 3, "survives"],
    [{ minAvailable: 7 }, 7, "below-minimum"],
  ])("asks for as many replicas as a budget does: %o", async (spec, minimum, outcome) => {
    const losses = await compare({ "paris-1": 1, "tokyo-1": 1 }, { "paris-1": 1, "tokyo-1": 1 }, [budget(spec)]);

    expect(losses[0]?.objects[0]).toMatchObject({
      minimum,
      minimumFrom: "PodDisruptionBudget shop/web",
      outcome,
    });
  });

  it("asks for one replica where no budget is about the Pods", async () => {
    const other = budget({ minAvailable: 4, selector: { matchLabels: { app: "other" } } });
    const losses = await compare({ "paris-1": 1, "tokyo-1": 1 }, { "paris-1": 1, "tokyo-1": 1 }, [other]);

    expect(losses[0]?.objects[0]).toMatchObject({ minimum: 1, outcome: "survives" });
    expect(losses[0]?.objects[0]).not.toHaveProperty("minimumFrom");
  });
});

describe("Survivals", () => {
  it.each([1, 2, 3, 4, 5])("are those of each binding alone (seed %i)", (seed) => {
    let state = seed;
    const random = (below: number): number => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return (state >>> 16) % below;
    };
    const clusters = Array.from({ length: 8 }, (_, at) =>
      cluster({
        name: `c${at}`,
        region: `r${at % 3}`,
        provider: `p${at % 2}`,
        allocatable: { cpu: `${2 + random(20)}`, memory: "64Gi", pods: "110" },
      }),
    );
    const placements = Array.from({ length: 6 }, (_, at) => {
      const weights = Object.fromEntries(clusters.map(({ metadata }) => [metadata.name ?? "", random(3)]));
      if (at === 0) return { clusterAffinity: { clusterNames: ["c1", "c2", "c5"] } };
      if (at === 1)
        return {
          flaghoist: { scores: [{ name: "s", expression: 'resource.name.endsWith("1") ? 9 : 1' }] },
          replicaScheduling: weighted(weights).replicaScheduling,
        };
      if (at === 2) return { spreadConstraints: [{ spreadByField: "region" as const, maxGroups: 2, minGroups: 1 }] };
      return weighted({ ...weights, c0: 1 });
    });
    const policies = placements.map((placement, at) =>
      policy({
        name: `p${at}`,
        placement,
        selects: [{ apiVersion: "apps/v1", kind: "Deployment", labelSelector: { matchLabels: { set: `${at}` } } }],
      }),
    );
    const templates = Array.from({ length: 60 }, (_, at) => {
      const object = deployment({
        name: `web-${at}`,
        replicas: 1 + random(5),
        labels: { set: `${random(placements.length)}` },
      });
      return { ...object, metadata: { ...object.metadata, uid: `uid-${random(1000)}` } };
    });
    const outcomes = [...runRiver(world({ clusters, policies, templates }), options).values()];
    const remembered = new Survivals(clusters, 0);
    let asked = 0;

    for (const loss of possibleLosses(clusters)) {
      const lost = new Set(loss.clusters);
      remembered.lose(lost);
      for (const { binding } of outcomes) {
        if (binding === undefined) continue;
        const alone = survivalOf(binding, lost, () => fleetWithout(clusters, lost), 0);
        expect(remembered.of(binding)).toEqual(alone);
        if (alone !== undefined) asked++;
      }
    }

    expect(asked).toBeGreaterThan(50);
  });
});
