// What holds for every fleet and binding. A failure names the seed; set TEST_SEED to see it again.
import { describe, expect, it } from "vitest";
import { testSeed } from "../../test/seed.ts";
import { allocateSeats, traceSeats } from "./division/webster.ts";
import { FleetIndex } from "./fleet/fleet-index.ts";
import type { SchedulingResult } from "./result.ts";
import { schedule } from "./schedule.ts";
import { scheduleNaively } from "./testing/naive-model.ts";
import { Dice, type RandomCase, randomCase, randomCluster } from "./testing/random-cases.ts";

const SEED = testSeed();
const CASES = 600;

function forRandomCases(maxClusters: number, check: (example: RandomCase, dice: Dice) => void): void {
  for (let i = 0; i < CASES; i++) {
    const dice = new Dice(SEED + i);
    const example = randomCase(dice, maxClusters);
    try {
      check(example, dice);
    } catch (error) {
      throw new Error(`TEST_SEED=${SEED}, case ${i}: ${JSON.stringify({ ...example, clusters: undefined })}`, {
        cause: error,
      });
    }
  }
}

function summary(result: SchedulingResult): unknown {
  if (result.error !== undefined) return result.error.kind;
  return result.clusters
    .map(({ name, replicas }) => ({ name, replicas: replicas ?? 0 }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

describe(`schedule (seed ${SEED})`, () => {
  it("answers as the naive model does", () => {
    forRandomCases(14, ({ spec, status, clusters }) => {
      expect(summary(schedule({ spec, status, fleet: clusters }))).toEqual(scheduleNaively(spec, status, clusters));
    });
  });

  it("does not depend on the order in which clusters are listed", () => {
    forRandomCases(30, ({ spec, status, clusters }, dice) => {
      const answer = schedule({ spec, status, fleet: clusters });
      const shuffled = schedule({ spec, status, fleet: dice.shuffle(clusters) });
      expect(shuffled.clusters ?? shuffled.error).toEqual(answer.clusters ?? answer.error);
    });
  });

  it("places every replica exactly once when dividing, and all in each cluster when duplicating", () => {
    forRandomCases(30, ({ spec, status, clusters }) => {
      const result = schedule({ spec, status, fleet: clusters });
      const replicas = spec.replicas ?? 0;
      if (result.error !== undefined || replicas === 0) return;
      const counts = result.clusters.map((target) => target.replicas ?? 0);
      const divided = spec.placement?.replicaScheduling?.replicaSchedulingType === "Divided";
      if (divided) expect(counts.reduce((sum, count) => sum + count, 0)).toBe(replicas);
      else expect(counts.every((count) => count === replicas)).toBe(true);
    });
  });

  it("never uses a cluster that a filter refuses, and explains every cluster", () => {
    forRandomCases(20, ({ spec, status, clusters }) => {
      const result = schedule({ spec, status, fleet: clusters, options: { explain: true } });
      const traces = result.trace?.clusters ?? [];
      expect(traces.map((trace) => trace.cluster).sort()).toEqual(clusters.map((c) => c.metadata.name).sort());
      for (const target of result.clusters ?? []) {
        const trace = traces.find((entry) => entry.cluster === target.name);
        expect(trace).toMatchObject({ verdict: "chosen", refusals: [] });
      }
      for (const trace of traces) expect(trace.verdict === "refused").toBe(trace.refusals.length > 0);
    });
  });

  it("answers the same with and without a trace", () => {
    forRandomCases(20, ({ spec, status, clusters }) => {
      const plain = schedule({ spec, status, fleet: clusters });
      const traced = schedule({ spec, status, fleet: clusters, options: { explain: true } });
      expect(traced.clusters ?? traced.error).toEqual(plain.clusters ?? plain.error);
      expect(plain.trace).toBeUndefined();
    });
  });

  it("answers from a fleet that was changed step by step as from a new one", () => {
    const dice = new Dice(SEED);
    const fleet = new FleetIndex();
    const present = new Map<string, ReturnType<typeof randomCluster>>();
    for (let i = 0; i < CASES; i++) {
      const name = `member${dice.between(0, 20)}`;
      if (dice.chance(0.2)) {
        fleet.delete(name);
        present.delete(name);
      } else {
        const before = present.get(name);
        const made = randomCluster(dice, name);
        const cluster = before !== undefined && dice.chance(0.5) ? { ...before, status: made.status ?? {} } : made;
        fleet.set(cluster);
        present.set(name, cluster);
      }
      const example = randomCase(new Dice(SEED + dice.between(0, 5)), 20);
      const spec = { ...example.spec, replicas: dice.pick([0, 3, 12]) };
      const { status } = example;
      const answer = schedule({ spec, status, fleet });
      const fresh = schedule({ spec, status, fleet: [...present.values()] });
      expect(answer.clusters ?? answer.error, `TEST_SEED=${SEED}, step ${i}`).toEqual(fresh.clusters ?? fresh.error);
    }
  });
});

describe(`allocateSeats (seed ${SEED})`, () => {
  it("gives the seats that going one by one gives", () => {
    const dice = new Dice(SEED);
    for (let i = 0; i < CASES; i++) {
      const size = dice.between(1, 25);
      const names = Array.from({ length: size }, (_, index) => String.fromCharCode(97 + index));
      const top = dice.pick([2, 10, 1000, 2_000_000_000]);
      const shares = names.map((name) => ({ name, weight: dice.between(0, top) }));
      const total = dice.pick([0, 1, 2, 5, 20, 100, 400]);
      const descending = dice.chance(0.5);

      const weights = Float64Array.from(shares, (share) => share.weight);
      const seats = allocateSeats(total, { weights, ranks: names.map((_, rank) => rank) }, () => descending);

      const steps = traceSeats(total, shares, descending, total);
      const counted = names.map((name) => steps.filter((step) => step.name === name).length);
      expect([...seats], `TEST_SEED=${SEED}: ${total} over ${weights}`).toEqual(counted);
    }
  });
});
