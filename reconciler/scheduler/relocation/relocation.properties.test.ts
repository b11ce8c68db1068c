// What moves that nobody asked for promise, over random fleets, placements and presents.
import { describe, expect, it } from "vitest";
import type { Cluster } from "../../../api/cluster.ts";
import type { Placement } from "../../../api/policy.ts";
import type { ResourceBinding, TargetCluster } from "../../../api/work.ts";
import { testSeed } from "../../../test/seed.ts";
import { decideScheduling, type SchedulingDecision } from "../decide-scheduling.ts";
import { recordDecision } from "../explanation/decision-record.ts";
import { readDecision } from "../explanation/read-decision.ts";
import { compareAnswers, replay } from "../explanation/replay.ts";
import { isReady, readReadiness } from "../fleet/cluster-wellness.ts";
import { FleetIndex } from "../fleet/fleet-index.ts";
import { Dice, randomCase } from "../testing/random-cases.ts";
import { decideRelocation } from "./decide-relocation.ts";
import { decideFailBack } from "./fail-back.ts";
import { decideFollowing } from "./follow-clusters.ts";
import { HOME_CLUSTERS_ANNOTATION, rememberHome } from "./home-clusters.ts";
import type { Move } from "./relocation.ts";

const SEED = testSeed();
const CASES = Number(process.env["TEST_CASES"] ?? 400);
const NOW = Date.parse("2026-02-03T04:05:00Z");
const WINDOW_S = 300;
const OPTIONS = { keepOrder: true, healthDampingMs: 60_000 };

function withReadiness(dice: Dice, cluster: Cluster): Cluster {
  const conditions = [
    {
      type: "Ready",
      status: dice.chance(0.75) ? ("True" as const) : ("False" as const),
      reason: "Random",
      message: "",
      lastTransitionTime: new Date(NOW - dice.pick([5, 59, 60, 61, 299, 300, 301, 4_000]) * 1_000).toISOString(),
    },
  ];
  return { ...cluster, status: { ...cluster.status, conditions } };
}

function withLabelsChanged(dice: Dice, cluster: Cluster): Cluster {
  if (!dice.chance(0.3)) return cluster;
  const labels = { ...cluster.metadata.labels, env: dice.pick(["prod", "staging", "dev"]) };
  return { ...cluster, metadata: { ...cluster.metadata, labels } };
}

function written(before: ResourceBinding, decision: SchedulingDecision, clusters = decision.clusters): ResourceBinding {
  return {
    ...before,
    metadata: { ...before.metadata, annotations: { ...before.metadata.annotations, ...decision.annotations } },
    spec: { ...before.spec, ...(clusters === undefined ? {} : { clusters: [...clusters] }) },
    status: { ...before.status, ...decision.status },
  };
}

interface Example {
  /** As it was scheduled, before the clusters became what they are. */
  readonly binding: ResourceBinding;
  readonly clusters: readonly Cluster[];
}

function randomExample(dice: Dice): Example | undefined {
  const { clusters, spec } = randomCase(dice, 8);
  const placement: Placement = {
    ...spec.placement,
    flaghoist: {
      rescheduleOn: dice.some(["ClusterLabels", "ClusterHealth"] as const, 0.7),
      ...(dice.chance(0.7) ? { failBack: { stabilizationSeconds: WINDOW_S } } : {}),
    },
  };
  const { rescheduleTriggeredAt: _asked, gracefulEvictionTasks: _tasks, ...plain } = spec;
  const unplaced: ResourceBinding = {
    apiVersion: "work.karmada.io/v1alpha2",
    kind: "ResourceBinding",
    metadata: {
      name: "web",
      namespace: "shop",
      generation: 1,
      labels: { "propagationpolicy.karmada.io/permanent-id": "id" },
    },
    spec: { ...plain, placement, clusters: [] },
  };
  const decision = decideScheduling(unplaced, new FleetIndex(clusters), NOW - 7_200_000);
  if (decision.verdict !== "scheduled") return undefined;
  const changed = clusters.map((cluster) => withReadiness(dice, withLabelsChanged(dice, cluster)));
  const binding = written(unplaced, decision);
  if (!dice.chance(0.5)) return { binding, clusters: changed };
  // Driven out of some of its clusters, and placed elsewhere.
  const all = binding.spec.clusters ?? [];
  const kept = dice.some(all, 0.5);
  const left = all.filter((target) => !kept.includes(target));
  const annotations = { ...binding.metadata.annotations, ...rememberHome(binding, NOW - 7_000_000) };
  const leaving: ResourceBinding = {
    ...binding,
    metadata: { ...binding.metadata, annotations },
    spec: {
      ...binding.spec,
      clusters: kept,
      gracefulEvictionTasks: left.map(({ name }) => ({ fromCluster: name, producer: "test", reason: "Test" })),
    },
  };
  const moved = decideScheduling(leaving, new FleetIndex(changed), NOW - 6_000_000);
  if (moved.verdict !== "scheduled") return undefined;
  const { gracefulEvictionTasks: _done, ...settled } = leaving.spec;
  return { binding: written({ ...leaving, spec: settled }, moved), clusters: changed };
}

function sumOf(clusters: readonly TargetCluster[] | undefined): number {
  return (clusters ?? []).reduce((sum, target) => sum + (target.replicas ?? 0), 0);
}

function forEachExample(check: (example: Example, fleet: FleetIndex) => void): void {
  for (let seed = SEED; seed < SEED + CASES; seed++) {
    const example = randomExample(new Dice(seed));
    if (example === undefined) continue;
    try {
      check(example, new FleetIndex(example.clusters));
    } catch (error) {
      throw new Error(`seed ${seed} (TEST_SEED=${seed} TEST_CASES=1)`, { cause: error });
    }
  }
}

function isDivided({ spec }: ResourceBinding): boolean {
  return spec.placement?.replicaScheduling?.replicaSchedulingType === "Divided" && (spec.replicas ?? 0) > 0;
}

function gainers({ spec }: ResourceBinding, move: Move): string[] {
  const before = new Map((spec.clusters ?? []).map((target) => [target.name, target.replicas ?? 0]));
  return move.clusters.filter((target) => !before.has(target.name)).map((target) => target.name);
}

describe(`relocation (TEST_SEED=${SEED})`, () => {
  it("places every replica, opens no cluster that is not ready, and comes to rest", () => {
    let moves = 0;
    forEachExample(({ binding, clusters }, fleet) => {
      const decision = decideFollowing(binding, fleet, NOW, OPTIONS);
      if (decision.verdict !== "move") return;
      moves++;
      expect(sumOf(decision.clusters)).toBe(binding.spec.replicas);
      for (const name of gainers(binding, decision)) {
        const cluster = clusters.find((one) => one.metadata.name === name) as Cluster;
        expect(isReady(cluster)).toBe(true);
        if (binding.spec.placement?.flaghoist?.rescheduleOn?.includes("ClusterHealth") === true)
          expect(readReadiness(cluster)?.since).toBeLessThanOrEqual(NOW - OPTIONS.healthDampingMs);
      }
      const after = written(binding, decision.decision, decision.clusters);
      expect(decideFollowing(after, fleet, NOW, OPTIONS).verdict).not.toBe("move");
    });
    if (CASES >= 100) expect(moves).toBeGreaterThan(0);
  });

  it("returns only to clusters that have been well for the window, with every replica, and comes to rest", () => {
    let moves = 0;
    forEachExample(({ binding, clusters }, fleet) => {
      const decision = decideFailBack(binding, fleet, NOW, OPTIONS);
      if (decision.verdict !== "move") return;
      moves++;
      if (isDivided(binding)) expect(sumOf(decision.clusters)).toBe(binding.spec.replicas);
      for (const name of gainers(binding, decision)) {
        const readiness = readReadiness(clusters.find((one) => one.metadata.name === name) as Cluster);
        expect(readiness?.ready).toBe(true);
        expect(readiness?.since).toBeLessThanOrEqual(NOW - WINDOW_S * 1_000);
      }
      const after = written(binding, decision.decision, decision.clusters);
      if (decision.endsAtHome) delete after.metadata.annotations?.[HOME_CLUSTERS_ANNOTATION];
      const again = decideFailBack(after, fleet, NOW, OPTIONS);
      // It may go on towards where it belongs, as to an earlier group that had no room for it from further away.
      if (again.verdict !== "move" || gainers(after, again).length > 0) return;
      expect(again.decision.status?.schedulerObservingAffinityName).not.toBe(
        after.status?.schedulerObservingAffinityName,
      );
    });
    if (CASES >= 100) expect(moves).toBeGreaterThan(0);
  });

  it("leaves a record of each move that gives the same answer again", () => {
    forEachExample(({ binding }, fleet) => {
      const decision = decideRelocation(binding, fleet, NOW, OPTIONS);
      if (decision.verdict !== "move") return;
      const { input, decision: made } = decision;
      const record = recordDecision({
        binding: input,
        fleet,
        options: {},
        decision: { ...made, clusters: decision.clusters },
        now: NOW,
      });
      const after = written(binding, { ...made, annotations: { ...made.annotations, ...record } }, decision.clusters);
      const read = readDecision(after);
      expect(read).toMatchObject({ state: "whole" });
      if (read.state !== "whole") return;
      expect(read.decision.occasion?.kind).toBe(decision.occasion.kind);
      expect(compareAnswers(read.decision.answer, replay(read.decision).answer)).toEqual([]);
    });
  });

  it("does not depend on the order in which clusters are known", () => {
    forEachExample(({ binding, clusters }, fleet) => {
      const mixed = new FleetIndex(new Dice(clusters.length).shuffle(clusters));
      for (const decide of [decideFollowing, decideFailBack]) {
        const { verdict, reason } = decide(binding, fleet, NOW, OPTIONS);
        expect(decide(binding, mixed, NOW, OPTIONS)).toMatchObject({ verdict, reason });
      }
    });
  });
});
