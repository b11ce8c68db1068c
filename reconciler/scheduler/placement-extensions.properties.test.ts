// What strictSpread and minReplicasPerCluster promise, against a model that tries every set of clusters of a small fleet.
import { describe, expect, it } from "vitest";
import type { Cluster } from "../../api/cluster.ts";
import type { Placement, ReplicaSchedulingStrategy, SpreadConstraint } from "../../api/policy.ts";
import type { ResourceBindingSpec, TargetCluster } from "../../api/work.ts";
import { testSeed } from "../../test/seed.ts";
import { FleetIndex } from "./fleet/fleet-index.ts";
import type { SchedulingResult } from "./result.ts";
import { schedule } from "./schedule.ts";
import { Dice } from "./testing/random-cases.ts";

const SEED = testSeed();
const CASES = Number(process.env["TEST_CASES"] ?? 500);

interface Example {
  readonly clusters: readonly Cluster[];
  readonly spec: ResourceBindingSpec;
  readonly placement: Placement;
}

function randomCluster(dice: Dice, name: string): Cluster {
  const zones = dice.chance(0.9) ? dice.some(["a", "b", "c"], 0.45) : [];
  return {
    apiVersion: "cluster.karmada.io/v1alpha1",
    kind: "Cluster",
    metadata: { name, labels: dice.chance(0.9) ? { rack: dice.pick(["r1", "r2", "r3"]) } : {} },
    spec: {
      syncMode: "Push",
      ...(dice.chance(0.95) ? { region: dice.pick(["north", "south", "west"]) } : {}),
      ...(dice.chance(0.95) ? { provider: dice.pick(["aws", "gcp", "own"]) } : {}),
      zones: zones.length > 0 || dice.chance(0.1) ? zones : ["a"],
      ...(dice.chance(0.05) ? { taints: [{ key: "away", effect: "NoSchedule" as const }] } : {}),
    },
    status: {
      apiEnablements: [{ groupVersion: "apps/v1", resources: [{ kind: "Deployment", name: "deployments" }] }],
      resourceSummary: { allocatable: { pods: String(dice.pick([0, 1, 2, 3, 5, 8, 20])) } },
    },
  };
}

function randomConstraints(dice: Dice): SpreadConstraint[] {
  const bounds = () => {
    const minGroups = dice.between(1, 3);
    return { minGroups, ...(dice.chance(0.6) ? { maxGroups: minGroups + dice.between(0, 2) } : {}) };
  };
  const fields = (["region", "zone", "provider"] as const).filter(() => dice.chance(0.4));
  const labels = dice.chance(0.3) ? [{ spreadByLabel: "rack", ...bounds() }] : [];
  const cluster = dice.chance(0.7) ? [{ spreadByField: "cluster" as const, ...bounds() }] : [];
  const constraints = [...fields.map((spreadByField) => ({ spreadByField, ...bounds() })), ...labels, ...cluster];
  return constraints.length > 0 ? constraints : [{ spreadByField: "zone", ...bounds() }];
}

function randomStrategy(dice: Dice, names: readonly string[], duplicates: boolean): ReplicaSchedulingStrategy {
  const weighted = { replicaSchedulingType: "Divided" as const, replicaDivisionPreference: "Weighted" as const };
  const strategies: ReplicaSchedulingStrategy[] = [
    { ...weighted, weightPreference: { dynamicWeight: "AvailableReplicas" } },
    { replicaSchedulingType: "Divided", replicaDivisionPreference: "Aggregated" },
    {
      ...weighted,
      weightPreference: {
        staticWeightList: [
          { targetCluster: { clusterNames: dice.some(names, 0.6) }, weight: dice.between(1, 9) },
          { targetCluster: { clusterNames: [names[0] ?? "none"] }, weight: dice.between(1, 3) },
        ],
      },
    },
    ...(duplicates ? [{ replicaSchedulingType: "Duplicated" as const }] : []),
  ];
  return dice.pick(strategies);
}

function randomExample(dice: Dice, strict: boolean): Example {
  const clusters = Array.from({ length: dice.between(1, 6) }, (_, i) => randomCluster(dice, `m${i}`));
  const names = clusters.map((cluster) => cluster.metadata.name ?? "");
  const replicaScheduling = randomStrategy(dice, names, strict);
  const divides = replicaScheduling.replicaSchedulingType === "Divided";
  const minimum = !strict || (divides && dice.chance(0.4)) ? dice.between(1, 4) : undefined;
  const max = { spreadByField: "cluster" as const, minGroups: 1, maxGroups: dice.between(1, 4) };
  const byRoom = divides && replicaScheduling.weightPreference?.staticWeightList === undefined;
  const groups = !byRoom || !dice.chance(0.2);
  const placement: Placement = {
    replicaScheduling,
    ...(strict ? { spreadConstraints: randomConstraints(dice) } : dice.chance(0.3) ? { spreadConstraints: [max] } : {}),
    ...(groups ? {} : { clusterAffinities: overflowGroups(names) }),
    flaghoist: {
      ...(strict ? { strictSpread: true } : {}),
      ...(minimum === undefined ? {} : { minReplicasPerCluster: minimum }),
    },
  };
  const previous = dice.chance(0.5)
    ? dice.some(names, 0.5).map((name) => ({ name, replicas: dice.between(0, 6) }))
    : [];
  const spec: ResourceBindingSpec = {
    placement,
    replicas: dice.pick([1, 2, 3, 4, 7, 12]),
    resource: {
      apiVersion: "apps/v1",
      kind: "Deployment",
      namespace: "shop",
      name: "web",
      uid: `u${dice.between(0, 9)}`,
    },
    clusters: previous,
    ...(dice.chance(0.3) ? { rescheduleTriggeredAt: "2026-01-02T00:00:00Z" } : {}),
  };
  return { clusters, spec, placement };
}

function overflowGroups(names: readonly string[]): NonNullable<Placement["clusterAffinities"]> {
  const clusterNames = names.slice(0, Math.ceil(names.length / 2));
  return [{ affinityName: "near", clusterNames, overflowAffinities: [{ affinityName: "far", exclude: clusterNames }] }];
}

const STATUS = { lastScheduledTime: "2026-01-01T00:00:00Z", schedulerObservingAffinityName: "near" };

/** What counts of a cluster for the model. */
interface Member {
  readonly name: string;
  readonly cluster: Cluster;
  readonly room: number;
}

function membersOf({ clusters, spec, placement }: Example): Member[] {
  const explained = schedule({ spec, status: STATUS, fleet: clusters, options: { explain: true } });
  const weights = placement.replicaScheduling?.weightPreference?.staticWeightList;
  const passed = (explained.trace?.clusters ?? []).filter(
    (trace) => trace.verdict === "chosen" || trace.verdict === "spare",
  );
  const weighs = (name: string) =>
    weights?.some(
      ({ targetCluster: { clusterNames = [] } }) => clusterNames.length === 0 || clusterNames.includes(name),
    ) ?? true;
  const anyWeighs = passed.some((trace) => weighs(trace.cluster));
  return passed
    .filter((trace) => !anyWeighs || weighs(trace.cluster))
    .map((trace) => ({
      name: trace.cluster,
      cluster: clusters.find((cluster) => cluster.metadata.name === trace.cluster) as Cluster,
      room: trace.available ?? 0,
    }));
}

function groupsOf({ cluster }: Member, constraint: SpreadConstraint, all: readonly SpreadConstraint[]): string[] {
  const { spec, metadata } = cluster;
  if (constraint.spreadByLabel !== undefined) return [metadata.labels?.[constraint.spreadByLabel] ?? ""];
  const scope = all.some((other) => other.spreadByField === "region") ? `${spec.region}/` : "";
  switch (constraint.spreadByField) {
    case "region":
      return [spec.region ?? ""];
    case "provider":
      return [spec.provider ?? ""];
    case "zone":
      return (spec.zones ?? []).map((zone) => scope + zone);
    default:
      return [metadata.name ?? ""];
  }
}

function keepsConstraints(set: readonly Member[], constraints: readonly SpreadConstraint[]): boolean {
  return constraints.every((constraint) => {
    const groups = new Set(set.flatMap((member) => groupsOf(member, constraint, constraints)));
    return groups.size >= (constraint.minGroups ?? 1) && groups.size <= (constraint.maxGroups ?? 99);
  });
}

function kindOf({ placement }: Example): "whole" | "room" | "weight" {
  const scheduling = placement.replicaScheduling;
  if (scheduling?.replicaSchedulingType === "Duplicated") return "whole";
  return scheduling?.weightPreference?.staticWeightList === undefined ? "room" : "weight";
}

/** Whether any set of clusters can take the replicas as demanded. */
function isPossible(example: Example): boolean {
  const members = membersOf(example);
  const { spec, placement } = example;
  const strict = placement.flaghoist?.strictSpread === true;
  const floor = placement.flaghoist?.minReplicasPerCluster ?? 1;
  const replicas = spec.replicas ?? 0;
  const kind = kindOf(example);
  // As Karmada: static weights do not heed constraints, unless they are strict.
  const most = strict || kind === "weight" ? 99 : (placement.spreadConstraints?.[0]?.maxGroups ?? 99);
  for (let bits = 1; bits < 1 << members.length; bits++) {
    const set = members.filter((_, i) => (bits & (1 << i)) !== 0);
    if (strict ? !keepsConstraints(set, placement.spreadConstraints ?? []) : set.length > most) continue;
    if (kind === "whole") return true;
    if (set.length * floor > replicas) continue;
    if (kind === "weight") return true;
    const room = set.reduce((sum, member) => sum + member.room, 0);
    if (room >= replicas && set.every((member) => member.room >= floor)) return true;
  }
  return false;
}

function plain(result: SchedulingResult): unknown {
  return result.error === undefined ? result.clusters : { kind: result.error.kind, message: result.error.message };
}

function forExamples(strict: boolean, check: (example: Example, dice: Dice) => void): void {
  for (let i = 0; i < CASES; i++) {
    const dice = new Dice(SEED + i);
    const example = randomExample(dice, strict);
    try {
      check(example, dice);
    } catch (error) {
      const clusters = example.clusters.map(({ metadata, spec, status }) => ({
        metadata,
        spec,
        room: status?.resourceSummary,
      }));
      throw new Error(`TEST_SEED=${SEED + i} TEST_CASES=1: ${JSON.stringify({ clusters, spec: example.spec })}`, {
        cause: error,
      });
    }
  }
}

describe.each([
  { name: "strictSpread", strict: true },
  { name: "minReplicasPerCluster", strict: false },
])(`$name (seed ${SEED})`, ({ strict }) => {
  it("finds a placement exactly when there is one", () => {
    let found = 0;
    forExamples(strict, (example) => {
      const { error } = schedule({ spec: example.spec, status: STATUS, fleet: example.clusters });
      const possible = isPossible(example);
      if (possible) found++;
      expect(error === undefined, error?.message ?? "placed").toBe(possible);
    });
    // Both outcomes must be common for this to say anything.
    if (CASES >= 100) expect(found / CASES).toBeGreaterThan(0.15);
    if (CASES >= 100) expect(found / CASES).toBeLessThan(0.95);
  });

  it("keeps all replicas, the fewest per cluster, the room and, when strict, every constraint", () => {
    forExamples(strict, (example) => {
      const { spec, placement, clusters } = example;
      const result = schedule({ spec, status: STATUS, fleet: clusters });
      if (result.error !== undefined) return;
      const members = membersOf(example);
      const used = result.clusters.map((target) => members.find((member) => member.name === target.name) as Member);
      const kind = kindOf(example);
      if (strict) expect(keepsConstraints(used, placement.spreadConstraints ?? []), JSON.stringify(result)).toBe(true);
      if (kind === "whole") return;
      const counts = result.clusters.map((target) => target.replicas ?? 0);
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(spec.replicas);
      expect(Math.min(...counts)).toBeGreaterThanOrEqual(placement.flaghoist?.minReplicasPerCluster ?? 1);
      if (kind === "room") {
        for (const [i, member] of used.entries()) expect(member.room).toBeGreaterThanOrEqual(counts[i] as number);
      }
    });
  });

  it("does not depend on the order of clusters, nor on being explained", () => {
    forExamples(strict, ({ spec, clusters }, dice) => {
      const answer = plain(schedule({ spec, status: STATUS, fleet: clusters }));
      const shuffled = schedule({ spec, status: STATUS, fleet: dice.shuffle(clusters), options: { explain: true } });
      expect(plain(shuffled)).toEqual(answer);
    });
  });

  it("moves nothing when it is asked again about its own answer", () => {
    forExamples(strict, ({ spec, clusters }) => {
      // As Karmada, overflow is taken back as soon as there is room again.
      if (spec.placement?.clusterAffinities !== undefined) return;
      const { rescheduleTriggeredAt: _asked, ...calm } = spec;
      const first = schedule({ spec: calm, status: STATUS, fleet: clusters });
      if (first.error !== undefined) return;
      const fleet = clusters.map((cluster) => withoutRoom(cluster, first.clusters));
      const again = schedule({ spec: { ...calm, clusters: [...first.clusters] }, status: STATUS, fleet });
      const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
      expect([...(again.clusters ?? [])].sort(byName), again.error?.message).toEqual([...first.clusters].sort(byName));
    });
  });
});

describe(`a fleet that changes (seed ${SEED})`, () => {
  it("gives the answers that a new one gives, also where scores and groups are remembered", () => {
    const dice = new Dice(SEED);
    const fleet = new FleetIndex();
    const present = new Map<string, Cluster>();
    const scores = [
      { expression: "cluster.labels[?'rack'].orValue('') == 'r2' ? 40 : 10", weight: 2 },
      { expression: "cluster.annotations.size() * 7 + cluster.zones.size()" },
    ];
    const placements = Array.from({ length: 6 }, (_, i): Placement => {
      const { placement } = randomExample(new Dice(SEED + i), true);
      return { ...placement, flaghoist: { ...placement.flaghoist, scores } };
    });
    for (let i = 0; i < CASES; i++) {
      const name = `m${dice.between(0, 8)}`;
      if (dice.chance(0.15)) {
        fleet.delete(name);
        present.delete(name);
      } else {
        const made = randomCluster(dice, name);
        const before = present.get(name);
        // Often only what expressions see is another.
        const base = before !== undefined && dice.chance(0.5) ? before : made;
        const annotations = dice.chance(0.5) ? { price: "1" } : {};
        const cluster = { ...base, metadata: { ...base.metadata, annotations } };
        fleet.set(cluster);
        present.set(name, cluster);
      }
      const placement = dice.pick(placements);
      const resource = { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "web" };
      const names = [...present.keys()];
      const clusters = dice.chance(0.4) ? dice.some(names, 0.4).map((one) => ({ name: one, replicas: 2 })) : [];
      const spec = { placement, replicas: dice.pick([2, 5, 9]), resource, clusters };

      const answer = schedule({ spec, status: STATUS, fleet });

      const fresh = schedule({ spec, status: STATUS, fleet: [...present.values()] });
      expect(plain(answer), `TEST_SEED=${SEED}, step ${i}`).toEqual(plain(fresh));
    }
  });
});

/** The cluster once it runs what it was given. */
function withoutRoom(cluster: Cluster, clusters: readonly TargetCluster[]): Cluster {
  const own = clusters.find((target) => target.name === cluster.metadata.name)?.replicas ?? 0;
  const summary = cluster.status?.resourceSummary;
  return {
    ...cluster,
    status: { ...cluster.status, resourceSummary: { ...summary, allocated: { pods: String(own) } } },
  };
}
