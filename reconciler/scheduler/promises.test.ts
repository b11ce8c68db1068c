// What scheduling promises its users, for whatever they write. A failure names the seed; set TEST_SEED to see it again and
// TEST_CASES to try more.
import { describe, expect, it } from "vitest";
import type { Cluster } from "../../api/cluster.ts";
import type { Placement } from "../../api/policy.ts";
import type { ResourceBindingSpec, TargetCluster } from "../../api/work.ts";
import { testSeed } from "../../test/seed.ts";
import { clusterMatches } from "../policies/cluster-affinity.ts";
import { FleetIndex } from "./fleet/fleet-index.ts";
import type { SchedulingResult } from "./result.ts";
import { schedule } from "./schedule.ts";
import { scheduleNaively } from "./testing/naive-model.ts";
import { type HardCase, randomBinding, randomHardCase, randomHardFleet } from "./testing/random-bindings.ts";
import { Dice } from "./testing/random-cases.ts";
import { randomCluster } from "./testing/random-fleets.ts";

const SEED = testSeed();
const CASES = Number(process.env["TEST_CASES"] ?? 400);

function forHardCases(check: (example: HardCase, dice: Dice) => void): void {
  for (let i = 0; i < CASES; i++) {
    const dice = new Dice(SEED + i);
    const example = randomHardCase(dice, 40);
    try {
      check(example, dice);
    } catch (error) {
      throw new Error(`TEST_SEED=${SEED + i}: ${JSON.stringify({ ...example, clusters: undefined })}`, {
        cause: error,
      });
    }
  }
}

function decide(example: HardCase, fleet: FleetIndex | readonly Cluster[] = example.clusters): SchedulingResult {
  return schedule({
    spec: example.spec,
    status: example.status,
    fleet,
    options: {
      emptyWorkloadPropagation: example.enableEmptyWorkloadPropagation,
      featureGates: example.featureGates ?? {},
    },
  });
}

function answerOf(result: SchedulingResult): unknown {
  return result.clusters ?? result.error;
}

function replicasByName(targets: readonly TargetCluster[]): Map<string, number> {
  return new Map(targets.map((target) => [target.name, target.replicas ?? 0]));
}

function strategyOf(placement: Placement | undefined): "duplicated" | "static" | "by-room" {
  const scheduling = placement?.replicaScheduling;
  if (scheduling?.replicaSchedulingType !== "Divided") return "duplicated";
  const byRoom =
    scheduling.replicaDivisionPreference === "Aggregated" || scheduling.weightPreference?.dynamicWeight !== undefined;
  return byRoom ? "by-room" : "static";
}

/** The affinities of which a target must match one; undefined when any cluster will do. */
function affinitiesOf({ spec, status }: HardCase) {
  const { placement } = spec;
  if (placement?.clusterAffinity !== undefined) return [placement.clusterAffinity];
  const name = status.schedulerObservingAffinityName;
  const term = placement?.clusterAffinities?.find((each) => each.affinityName === name);
  if (term === undefined) return undefined;
  const isWorkload =
    (spec.replicas ?? 0) > 0 || spec.replicaRequirements !== undefined || spec.components !== undefined;
  return [term, ...(isWorkload ? (term.overflowAffinities ?? []) : [])];
}

/** A steady division by room of a workload that holds replicas already, over one tier and without limits on clusters. */
function isSteadyScaling({ spec, status }: HardCase): boolean {
  const { placement, rescheduleTriggeredAt } = spec;
  return (
    strategyOf(placement) === "by-room" &&
    spec.components === undefined &&
    (spec.replicas ?? 0) > 0 &&
    placement?.clusterAffinities === undefined &&
    placement?.spreadConstraints === undefined &&
    (rescheduleTriggeredAt === undefined || status.lastScheduledTime === undefined)
  );
}

/** What the current targets that may stay hold together; a target that may not is missing from the result. */
function heldBy(spec: ResourceBindingSpec, stays: (name: string) => boolean): TargetCluster[] {
  return (spec.clusters ?? []).filter((target) => stays(target.name));
}

describe(`schedule, for anything that can be written (seed ${SEED})`, () => {
  it("answers as the naive model does", () => {
    let compared = 0;
    forHardCases((example) => {
      const { spec, status, clusters } = example;
      // The naive model knows neither components nor gates.
      if (spec.components !== undefined || example.featureGates !== undefined) return;
      compared++;
      const result = decide({ ...example, enableEmptyWorkloadPropagation: false });
      const summary =
        result.error?.kind ??
        [...replicasByName(result.clusters ?? [])]
          .map(([name, replicas]) => ({ name, replicas }))
          .sort((a, b) => (a.name < b.name ? -1 : 1));

      expect(summary).toEqual(scheduleNaively(spec, status, clusters));
    });
    expect(compared).toBeGreaterThan(CASES / 4);
  });

  it("places every replica exactly once when dividing, and all in each cluster when duplicating", () => {
    let divided = 0;
    forHardCases((example) => {
      const { spec } = example;
      const replicas = spec.replicas ?? 0;
      const { clusters } = decide({ ...example, enableEmptyWorkloadPropagation: false });
      if (clusters === undefined || replicas === 0) return;

      const counts = clusters.map((target) => target.replicas ?? 0);
      if (strategyOf(spec.placement) === "duplicated") expect(new Set(counts)).toEqual(new Set([replicas]));
      else {
        divided++;
        expect(counts.reduce((sum, count) => sum + count, 0)).toBe(replicas);
      }
      expect(counts.every((count) => count > 0)).toBe(true);
    });
    expect(divided).toBeGreaterThan(CASES / 20);
  });

  it("uses only clusters that exist, are not being left and match the affinity, each once", () => {
    forHardCases((example) => {
      const targets = decide(example).clusters ?? [];
      const byName = new Map(example.clusters.map((cluster) => [cluster.metadata.name ?? "", cluster]));
      const affinities = affinitiesOf(example);
      const left = new Set(example.spec.gracefulEvictionTasks?.map((task) => task.fromCluster));

      expect(new Set(targets.map((target) => target.name)).size).toBe(targets.length);
      for (const { name } of targets) {
        const cluster = byName.get(name);
        expect(cluster?.metadata.deletionTimestamp, name).toBeUndefined();
        expect(left, name).not.toContain(name);
        if (cluster === undefined) throw new Error(`${name} does not exist`);
        if (affinities === undefined) continue;
        expect(
          affinities.some((affinity) => clusterMatches(cluster, affinity)),
          name,
        ).toBe(true);
      }
    });
  });

  it("keeps within the most clusters and regions a spread allows, on clusters that have what it speaks of", () => {
    forHardCases((example) => {
      const { placement } = example.spec;
      const targets = decide(example).clusters ?? [];
      const byName = new Map(example.clusters.map((cluster) => [cluster.metadata.name ?? "", cluster]));
      const chosen = targets.map((target) => byName.get(target.name)?.spec);
      const constraints = placement?.spreadConstraints ?? [];
      for (const { spreadByField, maxGroups = 0 } of constraints) {
        if (spreadByField === "region") expect(chosen.every((spec) => spec?.region)).toBe(true);
        if (spreadByField === "provider") expect(chosen.every((spec) => spec?.provider)).toBe(true);
        if (spreadByField === "zone") expect(chosen.every((spec) => (spec?.zones ?? []).length > 0)).toBe(true);
        // Static weights say where replicas go, so that limits do not apply to them.
        if (strategyOf(placement) === "static") continue;
        if (spreadByField === "region") {
          expect(new Set(chosen.map((spec) => spec?.region)).size).toBeLessThanOrEqual(maxGroups || Infinity);
        }
        // The first cluster of each region is taken whatever the limit on clusters.
        const withRegions = constraints.some((one) => one.spreadByField === "region");
        if (spreadByField === "cluster" && !withRegions) expect(targets.length).toBeLessThanOrEqual(maxGroups);
      }
    });
  });

  it("does not depend on the order of clusters, tolerations, weights, constraints or requirements", () => {
    forHardCases((example, dice) => {
      const { placement } = example.spec;
      const preference = placement?.replicaScheduling?.weightPreference;
      const affinity = placement?.clusterAffinity;
      const expressions = affinity?.fieldSelector?.matchExpressions ?? [];
      const shuffled: Placement = {
        ...placement,
        ...(placement?.clusterTolerations && { clusterTolerations: dice.shuffle(placement.clusterTolerations) }),
        ...(placement?.spreadConstraints && { spreadConstraints: dice.shuffle(placement.spreadConstraints) }),
        ...(placement?.replicaScheduling && {
          replicaScheduling: {
            ...placement.replicaScheduling,
            ...(preference && {
              weightPreference: {
                ...preference,
                ...(preference.staticWeightList && { staticWeightList: dice.shuffle(preference.staticWeightList) }),
              },
            }),
          },
        }),
        ...(affinity && {
          clusterAffinity: {
            ...affinity,
            ...(affinity.clusterNames && { clusterNames: dice.shuffle(affinity.clusterNames) }),
            ...(affinity.fieldSelector && { fieldSelector: { matchExpressions: dice.shuffle(expressions) } }),
          },
        }),
      };

      const one = decide(example);
      const other = decide({
        ...example,
        clusters: dice.shuffle(example.clusters),
        spec: { ...example.spec, placement: shuffled },
      });

      // The text of a refusal names the first filter that refuses, whose reason may be another taint or property.
      expect(other.clusters ?? other.error?.kind).toEqual(one.clusters ?? one.error?.kind);
    });
  });

  it("takes no replicas from a cluster when scaling up, and adds none when scaling down", () => {
    let up = 0;
    let down = 0;
    forHardCases((example) => {
      if (!isSteadyScaling(example)) return;
      const { clusters } = decide({ ...example, enableEmptyWorkloadPropagation: false });
      if (clusters === undefined) return;
      const traced =
        schedule({ ...example, fleet: example.clusters, options: { explain: true } }).trace?.clusters ?? [];
      const staying = new Set(
        traced.filter((one) => one.verdict === "chosen" || one.verdict === "spare").map((one) => one.cluster),
      );
      const held = heldBy(example.spec, (name) => staying.has(name));
      const sum = held.reduce((total, target) => total + (target.replicas ?? 0), 0);
      const now = replicasByName(clusters);

      if (sum <= (example.spec.replicas ?? 0)) {
        up++;
        for (const { name, replicas = 0 } of held) expect(now.get(name) ?? 0, name).toBeGreaterThanOrEqual(replicas);
      } else {
        down++;
        const before = replicasByName(held);
        for (const [name, replicas] of now) expect(replicas, name).toBeLessThanOrEqual(before.get(name) ?? 0);
      }
    });
    expect(up).toBeGreaterThan(0);
    expect(down).toBeGreaterThan(0);
  });

  it("still finds a place when a cluster has more room than before", () => {
    let tried = 0;
    forHardCases((example, dice) => {
      // Groups of clusters are compared by rules of their own, which promise no such thing.
      if (example.spec.placement?.spreadConstraints?.some((one) => one.spreadByField === "region")) return;
      if (decide(example).clusters === undefined || example.clusters.length === 0) return;
      tried++;
      const lucky = dice.between(0, example.clusters.length - 1);
      const clusters = example.clusters.map((cluster, i) => (i === lucky ? roomier(cluster) : cluster));

      expect(decide({ ...example, clusters }).error).toBeUndefined();
    });
    expect(tried).toBeGreaterThan(CASES / 10);
  });

  it("answers from a fleet that changed step by step, and from what it remembers, as from a new one", () => {
    const dice = new Dice(SEED);
    const fleet = new FleetIndex();
    const present = new Map<string, Cluster>();
    const questions = Array.from({ length: 12 }, () => randomBinding(dice, randomHardFleet(dice, 20)));
    for (let i = 0; i < CASES; i++) {
      const name = `member${dice.between(1, 20)}`;
      const before = present.get(name);
      if (before !== undefined && dice.chance(0.2)) {
        fleet.delete(name);
        present.delete(name);
      } else {
        const made = randomCluster(dice, name, dice.pick(["same", "few", "any"]));
        const kept = dice.pick<(old: Cluster) => Cluster>([
          () => made,
          (old) => ({ ...old, status: made.status ?? {} }),
          (old) => ({ ...old, spec: made.spec }),
          (old) => ({ ...old, metadata: made.metadata }),
          (old) => structuredClone(old),
        ]);
        const cluster = before === undefined ? made : kept(before);
        fleet.set(cluster);
        present.set(name, cluster);
      }
      for (const question of dice.some(questions, 0.3)) {
        const example = { ...question, clusters: [...present.values()] };
        const remembered = decide(example, fleet);

        expect(answerOf(remembered), `TEST_SEED=${SEED}, step ${i}`).toEqual(answerOf(decide(example)));
        expect(answerOf(decide(example, fleet)), `TEST_SEED=${SEED}, step ${i} again`).toEqual(answerOf(remembered));
      }
    }
  });
});

/** The cluster with nothing running; the nodes by which its room may be counted instead are not reported. */
function roomier(cluster: Cluster): Cluster {
  const { resourceSummary, ...status } = cluster.status ?? {};
  if (resourceSummary === undefined) return cluster;
  const { allocatable = {}, allocatableModelings } = resourceSummary;
  return {
    ...cluster,
    status: {
      ...status,
      resourceSummary: {
        allocatable,
        ...(allocatableModelings === undefined
          ? {}
          : {
              allocatableModelings: allocatableModelings.map((one) => ({
                ...one,
                count: one.count < 0 ? one.count : one.count + 3,
              })),
            }),
      },
    },
  };
}
