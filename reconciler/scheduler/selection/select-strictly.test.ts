import { describe, expect, it } from "vitest";
import type { Cluster } from "../../../api/cluster.ts";
import type { Placement, SpreadConstraint } from "../../../api/policy.ts";
import type { TargetCluster } from "../../../api/work.ts";
import { schedule } from "../schedule.ts";

interface Site {
  readonly region?: string;
  readonly zones?: readonly string[];
  readonly provider?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly room?: number;
}

function fleet(sites: Readonly<Record<string, Site>>): Cluster[] {
  return Object.entries(sites).map(([name, { region = "", zones = [], provider = "", labels = {}, room = 100 }]) => ({
    apiVersion: "cluster.karmada.io/v1alpha1",
    kind: "Cluster",
    metadata: { name, labels },
    spec: { syncMode: "Push", region, zones: [...zones], provider },
    status: {
      apiEnablements: [{ groupVersion: "apps/v1", resources: [{ kind: "Deployment", name: "deployments" }] }],
      resourceSummary: { allocatable: { pods: String(room) } },
    },
  }));
}

const DYNAMIC = {
  replicaSchedulingType: "Divided",
  replicaDivisionPreference: "Weighted",
  weightPreference: { dynamicWeight: "AvailableReplicas" },
} as const;
const AGGREGATED = { replicaSchedulingType: "Divided", replicaDivisionPreference: "Aggregated" } as const;

interface Case {
  readonly sites: Readonly<Record<string, Site>>;
  readonly spread: SpreadConstraint[];
  readonly replicas?: number;
  readonly scheduling?: NonNullable<Placement["replicaScheduling"]>;
  readonly placed?: TargetCluster[];
  readonly more?: Partial<Placement>;
}

function place({ sites, spread, replicas = 4, scheduling, placed = [], more }: Case) {
  const placement: Placement = {
    spreadConstraints: spread,
    flaghoist: { strictSpread: true },
    ...(scheduling === undefined ? {} : { replicaScheduling: scheduling }),
    ...more,
  };
  const resource = { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "web" };
  const spec = { placement, replicas, resource, clusters: placed };
  return schedule({ spec, fleet: fleet(sites), options: { explain: true } });
}

function counts(result: ReturnType<typeof place>): Record<string, number | undefined> | string {
  if (result.error !== undefined) return `${result.error.kind}: ${result.error.message}`;
  return Object.fromEntries(result.clusters.map((target) => [target.name, target.replicas]));
}

const TWO_ZONES = {
  a1: { zones: ["a"], room: 50 },
  a2: { zones: ["a"], room: 40 },
  b1: { zones: ["b"], room: 10 },
};

describe("strictSpread", () => {
  it("chooses as many zones as the constraint says, heaviest first", () => {
    const sites = { ...TWO_ZONES, c1: { zones: ["c"], room: 30 } };
    const spread = [{ spreadByField: "zone" as const, minGroups: 2, maxGroups: 2 }];

    expect(counts(place({ sites, spread, scheduling: DYNAMIC, replicas: 12 }))).toEqual({ a1: 5, a2: 4, c1: 3 });
  });

  it("gives every chosen zone a replica also where one cluster has room for all", () => {
    const spread = [{ spreadByField: "zone" as const, minGroups: 2 }];

    expect(counts(place({ sites: TWO_ZONES, spread, scheduling: AGGREGATED, replicas: 8 }))).toEqual({ a1: 7, b1: 1 });
    expect(counts(place({ sites: TWO_ZONES, spread, scheduling: DYNAMIC, replicas: 3 }))).toEqual({
      a1: 1,
      a2: 1,
      b1: 1,
    });
  });

  it("without it, zones only say who may take part, as in Karmada", () => {
    const spread = [
      { spreadByField: "zone" as const, minGroups: 2 },
      { spreadByField: "cluster" as const, minGroups: 1, maxGroups: 3 },
    ];
    const more = { flaghoist: { strictSpread: false } };

    expect(counts(place({ sites: TWO_ZONES, spread, scheduling: AGGREGATED, replicas: 8, more }))).toEqual({ a1: 8 });
  });

  it("counts a cluster of several zones for each of them", () => {
    const sites = {
      wide: { zones: ["a", "b", "c"], room: 9 },
      a: { zones: ["a"], room: 99 },
      b: { zones: ["b"], room: 9 },
    };

    const most = place({ sites, spread: [{ spreadByField: "zone", minGroups: 2, maxGroups: 2 }], scheduling: DYNAMIC });
    const least = place({ sites, spread: [{ spreadByField: "zone", minGroups: 3 }], scheduling: AGGREGATED });

    // The wide cluster would make it three zones.
    expect(counts(most)).toEqual({ a: 3, b: 1 });
    expect(counts(least)).toEqual({ wide: 4 });
  });

  it("meets constraints by region, provider, zone, label and cluster at once", () => {
    const rack = (value: string) => ({ rack: value });
    const sites = {
      n1: { region: "north", zones: ["1"], provider: "aws", labels: rack("r1") },
      n2: { region: "north", zones: ["2"], provider: "aws", labels: rack("r1") },
      n3: { region: "north", zones: ["2"], provider: "gcp", labels: rack("r2") },
      s1: { region: "south", zones: ["1"], provider: "aws", labels: rack("r2"), room: 200 },
      s2: { region: "south", zones: ["1"], provider: "gcp", labels: rack("r1"), room: 90 },
    };
    const spread: SpreadConstraint[] = [
      { spreadByField: "region", minGroups: 2 },
      { spreadByField: "zone", minGroups: 3 },
      { spreadByField: "provider", minGroups: 2 },
      { spreadByLabel: "rack", minGroups: 2 },
      { spreadByField: "cluster", minGroups: 3, maxGroups: 3 },
    ];

    const result = place({ sites, spread });

    // A zone is a place within its region: 1 in the north is not 1 in the south.
    expect(counts(result)).toEqual({ s1: 4, n1: 4, n3: 4 });
  });

  it("holds for static weights and full copies too", () => {
    const rule = (weight: number, ...clusterNames: string[]) => ({ targetCluster: { clusterNames }, weight });
    const scheduling: Placement["replicaScheduling"] = {
      replicaSchedulingType: "Divided",
      replicaDivisionPreference: "Weighted",
      weightPreference: { staticWeightList: [rule(9, "a1"), rule(8, "a2"), rule(1, "b1")] },
    };
    const spread = [{ spreadByField: "zone" as const, minGroups: 2 }];

    expect(counts(place({ sites: TWO_ZONES, spread, scheduling, replicas: 5 }))).toEqual({ a1: 2, a2: 2, b1: 1 });
    const one = [{ spreadByField: "zone" as const, maxGroups: 1 }];
    expect(counts(place({ sites: TWO_ZONES, spread: one, replicas: 2 }))).toEqual({ a1: 2, a2: 2 });
  });

  it("keeps replicas where they are as long as the constraints hold, and moves them when they do not", () => {
    const spread = [{ spreadByField: "zone" as const, minGroups: 2 }];
    const held = [
      { name: "a2", replicas: 5 },
      { name: "b1", replicas: 3 },
    ];

    const grown = place({ sites: TWO_ZONES, spread, scheduling: AGGREGATED, replicas: 9, placed: held });
    const alone = place({
      sites: TWO_ZONES,
      spread,
      scheduling: AGGREGATED,
      replicas: 8,
      placed: [{ name: "a2", replicas: 8 }],
    });
    const joined = place({
      sites: TWO_ZONES,
      spread,
      scheduling: AGGREGATED,
      replicas: 9,
      placed: [{ name: "a2", replicas: 8 }],
    });

    expect(counts(grown)).toEqual({ a2: 6, b1: 3 });
    expect(counts(alone)).toEqual({ a1: 7, b1: 1 });
    expect(counts(joined)).toEqual({ a2: 8, b1: 1 });
  });

  it("stays in the zones it is in rather than going to heavier ones", () => {
    const sites = { a: { zones: ["a"], room: 5 }, b: { zones: ["b"], room: 50 }, c: { zones: ["c"], room: 60 } };
    const spread = [{ spreadByField: "zone" as const, minGroups: 1, maxGroups: 1 }];

    expect(counts(place({ sites, spread, replicas: 2, placed: [{ name: "a", replicas: 2 }] }))).toEqual({ a: 2 });
    expect(counts(place({ sites, spread, replicas: 2 }))).toEqual({ c: 2 });
  });

  it("refuses clusters without the label of a constraint", () => {
    const sites = { a: { labels: { rack: "1" } }, b: {} };

    const result = place({ sites, spread: [{ spreadByLabel: "rack", minGroups: 1 }] });

    expect(counts(result)).toEqual({ a: 4 });
    expect(result.trace?.clusters[1]?.refusals).toMatchObject([
      {
        filter: "SpreadConstraint",
        reason: "cluster(s) did not have label rack property",
        path: "Cluster b: metadata.labels: rack",
      },
    ]);
  });

  it("tells which groups were weighed and chosen, and what they get at least", () => {
    const spread = [{ spreadByField: "zone" as const, minGroups: 2 }];

    const { trace } = place({ sites: TWO_ZONES, spread, scheduling: AGGREGATED, replicas: 8 });

    expect(trace?.selection).toEqual({
      by: "strict",
      path: "placement.spreadConstraints",
      reason: "zone: 2 of 2 (minGroups 2), 3 of 3 clusters",
      needReplicas: 8,
      groups: [
        { by: "zone", group: "a", clusters: ["a1", "a2"], weight: 4000, chosen: true },
        { by: "zone", group: "b", clusters: ["b1"], weight: 4000, chosen: true },
      ],
      selected: ["a1", "a2", "b1"],
    });
    expect(trace?.divisions[0]?.floors).toEqual([
      { name: "a1", replicas: 1 },
      { name: "b1", replicas: 1 },
    ]);
  });

  it.each<{ readonly what: string; readonly example: Case; readonly message: string }>([
    {
      what: "groups that do not exist",
      example: { sites: TWO_ZONES, spread: [{ spreadByField: "zone", minGroups: 3 }] },
      message: "SchedulerError: zone: 2 groups exist among the clusters that fit, minGroups is 3",
    },
    {
      what: "groups without room",
      example: {
        sites: { a: { zones: ["a"], room: 12 }, b: { zones: ["b"], room: 0 } },
        spread: [{ spreadByField: "zone", minGroups: 2 }],
        scheduling: DYNAMIC,
      },
      message: "Unschedulable: zone: 1 group has room for 12 replicas, minGroups is 2",
    },
    {
      what: "clusters that do not exist",
      example: { sites: TWO_ZONES, spread: [{ spreadByField: "cluster", minGroups: 4 }], scheduling: DYNAMIC },
      message: "Unschedulable: cluster: 3 clusters have room for 1 replica, minGroups is 4",
    },
    {
      what: "too few replicas",
      example: {
        sites: TWO_ZONES,
        spread: [{ spreadByField: "zone", minGroups: 2 }],
        scheduling: DYNAMIC,
        replicas: 1,
      },
      message: "Unschedulable: 1 replica is too few: zone (minGroups 2) need 2 clusters with at least 1 replica each",
    },
    {
      what: "room within the most groups",
      example: {
        sites: { a: { zones: ["a"], room: 5 }, b: { zones: ["b"], room: 4 }, c: { zones: ["c"], room: 3 } },
        spread: [{ spreadByField: "zone", maxGroups: 2 }],
        scheduling: DYNAMIC,
        replicas: 10,
      },
      message:
        "Unschedulable: the clusters that zone (minGroups 1, maxGroups 2) allow have room for at most 9 of 10 replicas",
    },
    {
      what: "room of all clusters",
      example: {
        sites: TWO_ZONES,
        spread: [{ spreadByField: "zone", minGroups: 2 }],
        scheduling: DYNAMIC,
        replicas: 101,
      },
      message: "Unschedulable: the clusters that fit have room for 100 of 101 replicas",
    },
    {
      what: "constraints that exclude each other",
      example: {
        sites: { a: { zones: ["a"], provider: "aws" }, b: { zones: ["b"], provider: "gcp" } },
        spread: [
          { spreadByField: "zone", minGroups: 2 },
          { spreadByField: "provider", maxGroups: 1 },
        ],
      },
      message:
        "SchedulerError: no choice of clusters meets provider (minGroups 1, maxGroups 1) and zone (minGroups 2) at once, though each can be met by itself",
    },
    {
      what: "a minimum above the maximum",
      example: { sites: TWO_ZONES, spread: [{ spreadByField: "zone", minGroups: 2, maxGroups: 1 }] },
      message: "SchedulerError: zone: minGroups 2 is more than maxGroups 1",
    },
  ])("names the constraint and the numbers: $what", ({ example, message }) => {
    expect(counts(place(example))).toBe(message.replace(": ", ": failed to select clusters: "));
  });

  it("finds zones for hundreds of clusters, each with a label of its own", () => {
    const sites = Object.fromEntries(
      Array.from({ length: 300 }, (_, i) => [
        `m${String(i).padStart(3, "0")}`,
        { region: `r${i % 5}`, zones: [`z${i % 7}`, `z${(i * 3) % 11}`], labels: { host: `h${i}` }, room: i % 40 },
      ]),
    );
    const spread: SpreadConstraint[] = [
      { spreadByField: "region", minGroups: 3, maxGroups: 3 },
      { spreadByField: "zone", minGroups: 4, maxGroups: 9 },
      { spreadByLabel: "host", minGroups: 8 },
      { spreadByField: "cluster", maxGroups: 10 },
    ];

    const result = place({ sites, spread, scheduling: DYNAMIC, replicas: 200 });

    expect(result.error).toBeUndefined();
    expect(result.clusters).toHaveLength(10);
  });
});
