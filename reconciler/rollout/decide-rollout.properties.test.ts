// What rollouts promise, over random fleets, settings, faults and histories.
import { describe, expect, it } from "vitest";
import type { Rollout } from "../../api/rollout.ts";
import { Random } from "../../runtime/random.ts";
import { testSeed } from "../../test/seed.ts";
import { type ClusterView, decideRollout, isInProgress, type RolloutInput } from "./decide-rollout.ts";
import { formatRolloutState, parseRolloutState, type RolloutState } from "./rollout-state.ts";
import { countOf, readRolloutSettings } from "./settings.ts";

const SEED = testSeed();
const CASES = Number(process.env["TEST_CASES"] ?? 150);
const STEPS = 60;

interface Member {
  name: string;
  wave: number;
  awaySince: number | undefined;
  /** What is there, and since when. */
  has: string | undefined;
  at: number;
}

/** A fleet whose members do, after a while, what they are told. */
class World {
  readonly dice: Random;
  readonly settings: Rollout;
  readonly members: Member[] = [];
  now = 1_700_000_000_000;
  revision = "r0";
  paused = false;
  abort: string | undefined;
  state: RolloutState | undefined;
  #next = 0;

  constructor(seed: number) {
    this.dice = new Random(seed);
    const { dice } = this;
    this.settings = {
      waves: Array.from({ length: dice.below(4) }, (_, index) => ({
        name: `wave-${index}`,
        ...(dice.chance(0.5) ? { maxConcurrency: dice.pick([1, 2, "50%"]) } : {}),
      })),
      ...(dice.chance(0.6) ? { maxConcurrency: dice.pick([1, 2, 3, "40%"]) } : {}),
      maxFailures: dice.pick([0, 0, 1, "25%"]),
      minSuccessTime: dice.pick(["0s", "20s", "1m"]),
      progressDeadline: dice.pick(["1m", "3m", "None"]),
      skipUnavailableAfter: dice.pick(["0s", "1m", "None"]),
      onFailure: dice.pick(["ReturnToLastHealthy", "ReturnToLastHealthy", "Stop"]),
    };
    for (let i = 0; i < 1 + dice.below(10); i++) this.join();
  }

  join(): void {
    const wave = this.dice.below((this.settings.waves?.length ?? 0) + 1);
    this.members.push({ name: `m${this.#next++}`, wave, awaySince: undefined, has: undefined, at: 0 });
  }

  isBad(revision: string, name: string): boolean {
    const chance = new Random(revision.charCodeAt(1) * 7_919 + Number(name.slice(1)) * 104_729 + SEED);
    return Number(revision.slice(1)) % 3 === 2 ? chance.chance(0.6) : chance.chance(0.03);
  }

  /** Something happens, or nothing. */
  happen(): void {
    const { dice, members } = this;
    this.now += dice.pick([0, 1_000, 10_000, 30_000, 120_000]);
    if (dice.chance(0.07)) this.revision = `r${dice.below(6)}`;
    if (dice.chance(0.05)) this.paused = !this.paused;
    if (dice.chance(0.05)) this.abort = dice.chance(0.5) ? this.revision : undefined;
    if (dice.chance(0.05)) this.join();
    if (dice.chance(0.04) && members.length > 1) members.splice(dice.below(members.length), 1);
    for (const member of members)
      if (dice.chance(member.awaySince === undefined ? 0.05 : 0.3))
        member.awaySince = member.awaySince === undefined ? this.now : undefined;
    for (const member of members) {
      const wanted = this.state?.clusters[member.name]?.revision;
      if (wanted === undefined || wanted === member.has || member.awaySince !== undefined) continue;
      member.has = wanted;
      member.at = this.now + dice.below(40_000);
    }
  }

  input(): RolloutInput {
    return {
      settings: readRolloutSettings(this.settings),
      revision: this.revision,
      previous: this.state,
      controls: { paused: this.paused, abort: this.abort },
      now: this.now,
      clusters: this.members.map((member) => ({
        name: member.name,
        wave: member.wave,
        copy: this.copyOf(member),
        unavailableSince: member.awaySince,
      })),
    };
  }

  copyOf({ name, has, at }: Member): ClusterView["copy"] {
    if (has === undefined || has !== this.state?.clusters[name]?.revision) return "pending";
    return this.now < at || this.isBad(has, name) ? "unhealthy" : "healthy";
  }
}

function inProgress(state: RolloutState | undefined, target: string, names: ReadonlySet<string>): number {
  if (state === undefined || state.stable === target) return 0;
  return Object.entries(state.clusters).filter(([name, record]) => names.has(name) && isInProgress(record, target))
    .length;
}

function check(input: RolloutInput, before: RolloutState | undefined, after: RolloutState): void {
  const { settings, clusters, revision: target, now } = input;
  const isLeading = after.stable !== target;
  // Never more than maxConcurrency on their way because of us.
  const limits: [number | string | undefined, readonly ClusterView[]][] = [
    [settings.maxConcurrency, clusters],
    ...settings.waves.map(
      ({ maxConcurrency }, wave) =>
        [maxConcurrency, clusters.filter((view) => view.wave === wave)] as [typeof maxConcurrency, ClusterView[]],
    ),
  ];
  for (const [limit, members] of limits) {
    if (limit === undefined || !isLeading) continue;
    const names = new Set(members.map(({ name }) => name));
    const was = inProgress(before, target, names);
    const is = inProgress(after, target, names);
    if (is > was) expect(is).toBeLessThanOrEqual(Math.max(1, countOf(limit, members.length)));
  }
  for (const view of clusters) {
    const record = after.clusters[view.name];
    const old = before?.clusters[view.name];
    // No wave starts before the one before is done.
    if (isLeading && record?.revision === target && old?.revision !== target) {
      for (const earlier of clusters.filter(({ wave }) => wave < view.wave)) {
        const its = after.clusters[earlier.name];
        const isOver = its?.revision === target && (its.done === true || its.failed !== undefined);
        const isAway =
          earlier.unavailableSince !== undefined && earlier.unavailableSince + settings.skipUnavailableMs <= now;
        expect(isOver || isAway, `${view.name} began before ${earlier.name} was done`).toBe(true);
      }
    }
    // What cannot be seen never counts as done.
    if (record?.done && !(old?.revision === record.revision && old.done))
      expect(view.unavailableSince, `${view.name} is done unseen`).toBeUndefined();
  }
  // A return ends at the last healthy revision, everywhere.
  if (after.phase === "Returned" || after.phase === "Returning")
    expect(new Set(Object.values(after.clusters).map(({ revision }) => revision))).toEqual(new Set([after.stable]));
  // Nothing becomes the last healthy revision that no cluster was healthy with.
  if (after.stable !== undefined && after.stable !== before?.stable)
    expect(Object.values(after.clusters).some(({ revision, done }) => revision === after.stable && done)).toBe(true);
  // Nobody has nothing once there is something to give.
  if (after.stable !== undefined)
    expect(Object.keys(after.clusters).sort()).toEqual(clusters.map((c) => c.name).sort());
}

describe(`rollouts (seed ${SEED})`, () => {
  it("keep their promises whatever happens", () => {
    for (let i = 0; i < CASES; i++) {
      const world = new World(SEED + i);
      for (let step = 0; step < STEPS; step++) {
        world.happen();
        const input = world.input();
        const { state } = decideRollout(input);
        check(input, input.previous, state);
        expect(parseRolloutState(formatRolloutState(state))).toEqual(state);
        world.state = state;
      }
    }
  });

  it("decide the same again while nothing changes", () => {
    for (let i = 0; i < CASES; i++) {
      const world = new World(SEED + i);
      for (let step = 0; step < STEPS / 3; step++) {
        world.happen();
        world.state = decideRollout(world.input()).state;
        // What members show is of what they were told before: a look at the same instant shows nothing more.
        world.state = decideRollout(world.input()).state;
        const again = decideRollout(world.input()).state;

        expect(again).toEqual(world.state);
      }
    }
  });

  it("come to an end once everybody is there and well", () => {
    for (let i = 0; i < CASES; i++) {
      const world = new World(SEED + i);
      for (let step = 0; step < STEPS; step++) {
        world.happen();
        world.state = decideRollout(world.input()).state;
      }
      world.isBad = () => false;
      world.paused = false;
      world.abort = undefined;
      world.revision = "r9";
      for (const member of world.members) member.awaySince = undefined;
      for (let step = 0; step < 4 * world.members.length + 10; step++) {
        for (const member of world.members) {
          member.has = world.state?.clusters[member.name]?.revision;
          member.at = world.now;
        }
        world.state = decideRollout(world.input()).state;
        world.now += 61_000;
      }

      expect(world.state?.phase).toBe("Complete");
      expect(Object.values(world.state?.clusters ?? {}).every(({ revision }) => revision === "r9")).toBe(true);
    }
  });
});
