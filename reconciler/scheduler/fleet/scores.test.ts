import { describe, expect, it } from "vitest";
import type { Cluster } from "../../../api/cluster.ts";
import type { PlacementScore } from "../../../api/placement-extensions.ts";
import type { Placement } from "../../../api/policy.ts";
import type { TargetCluster } from "../../../api/work.ts";
import { schedule } from "../schedule.ts";
import { FleetIndex } from "./fleet-index.ts";
import { scoreCluster } from "./scores.ts";

const RESOURCE = { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "web" };

interface Facts {
  readonly annotations?: Record<string, string>;
  readonly labels?: Record<string, string>;
  readonly cpu?: string;
  readonly used?: string;
}

function cluster(name: string, { annotations = {}, labels = {}, cpu = "10", used = "0" }: Facts = {}): Cluster {
  return {
    apiVersion: "cluster.karmada.io/v1alpha1",
    kind: "Cluster",
    metadata: { name, annotations, labels },
    spec: { syncMode: "Push", region: "eu", zones: ["a", "b"], taints: [{ key: "slow", effect: "PreferNoSchedule" }] },
    status: {
      apiEnablements: [{ groupVersion: "apps/v1", resources: [{ kind: "Deployment", name: "deployments" }] }],
      conditions: [
        { type: "Ready", status: "True", reason: "Up", message: "", lastTransitionTime: "2026-01-01T00:00:00Z" },
      ],
      resourceSummary: { allocatable: { cpu, pods: "20" }, allocated: { cpu: used } },
    },
  };
}

function score(expression: string, facts: Facts = {}) {
  const [answer] = scoreCluster([{ expression }], cluster("m1", facts), RESOURCE);
  return answer?.error ?? answer?.value;
}

describe("scoreCluster", () => {
  it.each<[string, number]>([
    ["42", 42],
    ["99.5", 99.5],
    ["7u", 7],
    ["cluster.name == 'm1' && cluster.region == 'eu' && cluster.provider == '' ? 1 : 2", 1],
    ["cluster.zones.size() * 10", 20],
    ["cluster.taints[0].value == '' && cluster.taints[0].key == 'slow' ? 5 : 6", 5],
    ["cluster.conditions.exists(c, c.type == 'Ready' && c.status == 'True') ? 8 : 9", 8],
    ["resource.kind == 'Deployment' && resource.name == 'web' ? 3 : 4", 3],
  ])("answers what the expression says: %s", (expression, value) => {
    expect(score(expression)).toBe(value);
  });

  it.each([
    ["10", "2500m", 75],
    ["1e1", "5", 50],
    ["0.01k", "7.5", 25],
    [" 10 ", "10", 0],
  ])("reads quantities in every notation: %s less %s", (cpu, used, value) => {
    const free =
      "100.0 * (1.0 - cluster.allocated['cpu'].asApproximateFloat() / cluster.allocatable['cpu'].asApproximateFloat())";

    expect(score(free, { cpu, used })).toBeCloseTo(value, 9);
  });

  it.each<[string, Facts, string]>([
    ["cluster.labels['tier'] == 'spot' ? 1 : 0", {}, "no such key: tier"],
    ["cluster.allocatable['cpu'].isGreaterThan(quantity('1')) ? 1 : 0", { cpu: "many" }, '"many" is not a quantity'],
    ["101", {}, "is 101, not a number from 0 to 100"],
    ["-1", {}, "is -1, not a number from 0 to 100"],
    ["0.0 / 0.0", {}, "is NaN, not a number from 0 to 100"],
    ["dyn('ten')", {}, 'is "ten", not a number from 0 to 100'],
    ["1 / 0", {}, "division by zero"],
    [
      "[1,2,3,4,5,6,7,8,9].map(a, [1,2,3,4,5,6,7,8,9].map(b, [1,2,3,4,5,6,7,8,9].map(c, a+b+c))).size()",
      {},
      "operation cancelled: actual cost limit exceeded",
    ],
  ])("counts 0 and says why where %s cannot be used", (expression, facts, error) => {
    expect(score(expression, facts)).toBe(error);
  });
});

const AGGREGATED = { replicaSchedulingType: "Divided", replicaDivisionPreference: "Aggregated" } as const;
const CHEAP: PlacementScore = { name: "cheap", expression: "int(cluster.annotations['cheap'])", weight: 2 };

function place(fleet: FleetIndex | Cluster[], placement: Placement, replicas = 4, clusters: TargetCluster[] = []) {
  const spec = { placement, replicas, resource: RESOURCE, clusters };
  const result = schedule({ spec, fleet, options: { explain: true } });
  return { ...result, names: result.clusters?.map((target) => target.name) ?? result.error?.message };
}

describe("placement.flaghoist.scores", () => {
  const fleet = () => [
    cluster("a", { annotations: { cheap: "10" } }),
    cluster("b", { annotations: { cheap: "60" } }),
    cluster("c", { annotations: { cheap: "50" } }),
  ];
  const byCluster = (max: number): Placement => ({
    spreadConstraints: [{ spreadByField: "cluster", minGroups: 1, maxGroups: max }],
    flaghoist: { scores: [CHEAP] },
  });

  it("choose the clusters that a spread constraint takes", () => {
    expect(place(fleet(), byCluster(2)).names).toEqual(["b", "c"]);
  });

  it("choose which cluster is filled first when replicas are aggregated", () => {
    const placement: Placement = { replicaScheduling: AGGREGATED, flaghoist: { scores: [CHEAP] } };

    const { clusters } = place(fleet(), placement, 25);

    expect(clusters).toEqual([
      { name: "b", replicas: 13 },
      { name: "c", replicas: 12 },
    ]);
    expect(place(fleet(), placement, 4).names).toEqual(["b"]);
  });

  it("add up with what a current target has", () => {
    // 100 for being there and 2 * 10, against 2 * 60.
    expect(place(fleet(), byCluster(1), 4, [{ name: "a", replicas: 4 }]).names).toEqual(["a"]);
    const [a, b, c] = fleet() as [Cluster, Cluster, Cluster];
    const dearer = { ...a, metadata: { ...a.metadata, annotations: { cheap: "9" } } };
    expect(place([dearer, b, c], byCluster(1), 4, [{ name: "a", replicas: 4 }]).names).toEqual(["b"]);
  });

  it("are shown for each cluster, with what went wrong", () => {
    const clusters = [...fleet(), cluster("d")];

    const { trace } = place(clusters, byCluster(2));

    expect(trace?.clusters.map(({ cluster: name, score: sum, scores }) => ({ name, sum, scores })).slice(2)).toEqual([
      { name: "c", sum: 100, scores: [{ name: "cheap", value: 50, weight: 2 }] },
      { name: "d", sum: 0, scores: [{ name: "cheap", value: 0, weight: 2, error: "no such key: cheap" }] },
    ]);
  });

  it("follow the clusters, whatever of them changes, and are asked again only of those", () => {
    const clusters = fleet();
    const index = new FleetIndex(clusters);
    const scores = [CHEAP];
    const placement: Placement = { ...byCluster(1), flaghoist: { scores } };
    expect(place(index, placement).names).toEqual(["b"]);
    const table = index.scores().of(scores, RESOURCE);

    const changes = index.set(cluster("a", { annotations: { cheap: "90" } }));

    expect(changes).toBe(true);
    expect(place(index, placement).names).toEqual(["a"]);
    expect(index.scores().of(scores, RESOURCE)).toBe(table);
    expect(table.changes).toEqual([0]);
  });

  it("may tell objects apart", () => {
    const expression = "resource.name == 'web' && cluster.name == 'c' ? 100 : 0";
    const placement: Placement = { ...byCluster(1), flaghoist: { scores: [{ expression }] } };
    const index = new FleetIndex(fleet());
    const other = { placement, replicas: 4, resource: { ...RESOURCE, name: "db" }, clusters: [] };

    expect(place(index, placement).names).toEqual(["c"]);
    expect(schedule({ spec: other, fleet: index }).clusters?.map((target) => target.name)).toEqual(["a"]);
    expect(place(index, placement).names).toEqual(["c"]);
  });

  it("leave a placement without them as it is", () => {
    expect(place(fleet(), { ...byCluster(1), flaghoist: {} }).names).toEqual(["a"]);
  });
});
