// Fleets to which everything happens that the seed says, on virtual time: and what is left of them when it is over.
import { parseArgs } from "node:util";
import { Random } from "../../runtime/random.ts";
import { planActions } from "./support-fleet-actions.ts";
import { problemsOf } from "./support-fleet-checks.ts";
import { heal, perform } from "./support-fleet-deeds.ts";
import { checkReports } from "./support-fleet-report.ts";
import { ChaosWorld } from "./support-fleet-world.ts";

const ACTIONS = 40;
const LASTS_MS = 15 * 60_000;
/** How long all may take to be well again. */
const RECOVERS_MS = 20 * 60_000;
const QUIET_MS = 10 * 60_000;

export interface SeedReport {
  readonly seed: number;
  readonly clusters: number;
  readonly actions: number;
  readonly crashes: number;
  readonly writes: number;
  /** From the end of the last trouble until all was well. */
  readonly recoveredMs: number;
  readonly violations: readonly string[];
  /** What happened, in order of time. */
  readonly notes: readonly string[];
}

export interface SeedOptions {
  /** Numbers of actions to leave out. */
  readonly without?: ReadonlySet<number>;
}

/** Plays one seed to its end. */
export async function playSeed(seed: number, { without = new Set() }: SeedOptions = {}): Promise<SeedReport> {
  const world = await ChaosWorld.open(seed);
  try {
    const actions = planActions(new Random(seed ^ 0x5eed), ACTIONS, LASTS_MS).filter(
      ({ index }) => !without.has(index),
    );
    const begin = world.now;
    for (const action of actions) {
      await world.pass(Math.max(0, begin + action.atMs - world.now));
      const words = await perform(world, action);
      if (words !== undefined) world.note(`${action.index} ${action.kind}: ${words}`);
    }
    await world.pass(Math.max(0, begin + LASTS_MS - world.now));
    world.note("everything is mended");
    await heal(world);
    const mended = world.now;
    let problems = problemsOf(world);
    while (problems.length > 0 && world.now - mended < RECOVERS_MS) {
      await world.pass(15_000);
      problems = problemsOf(world);
    }
    const recoveredMs = world.now - mended;
    for (const problem of problems) world.violate(problem);
    await staysQuiet(world);
    if (world.violations.length === 0) await checkReports(world, new Random(seed ^ 0x7e11));
    const { crashes, memberWrites, storeWrites, violations, notes } = world;
    const writes = memberWrites.length + storeWrites;
    return {
      seed,
      clusters: world.clusterNames.length,
      actions: actions.length,
      crashes,
      writes,
      recoveredMs,
      violations,
      notes,
    };
  } finally {
    await world.close();
  }
}

/** When nothing happens, nothing is written into members, and all stays well. */
async function staysQuiet(world: ChaosWorld): Promise<void> {
  // What failover moved returns after its clusters were well for some minutes.
  await world.pass(world.mayMove ? 420_000 : 60_000);
  const before = world.memberWrites.length;
  await world.pass(QUIET_MS);
  const written = world.memberWrites.slice(before);
  if (written.length > 0) world.violate(`written although nothing happened: ${written.slice(0, 5).join(", ")}`);
  for (const problem of problemsOf(world)) world.violate(`no longer well: ${problem}`);
}

/** The smallest list of actions that still goes wrong, found by leaving out what is not needed. */
export async function minimise(seed: number): Promise<SeedReport> {
  const without = new Set<number>();
  let report = await playSeed(seed, { without });
  for (let size = Math.ceil(ACTIONS / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let first = 0; first < ACTIONS; first += size) {
      const more = Array.from({ length: size }, (_, index) => first + index).filter((index) => !without.has(index));
      if (more.length === 0) continue;
      const smaller = await playSeed(seed, { without: new Set([...without, ...more]) });
      if (smaller.violations.length === 0) continue;
      for (const index of more) without.add(index);
      report = smaller;
    }
  }
  return report;
}

export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: "string", default: "50" },
      seed: { type: "string", default: "1" },
      minimise: { type: "boolean", default: false },
      verbose: { type: "boolean", short: "v", default: false },
    },
  });
  const [count, first] = [Number(values.seeds), Number(values.seed)];
  if (!Number.isInteger(count) || count < 1 || !Number.isInteger(first)) {
    process.stderr.write("usage: npm run chaos -- fleet [--seeds N] [--seed FIRST] [--minimise] [--verbose]\n");
    process.exitCode = 2;
    return;
  }
  const failed: number[] = [];
  const sums = { actions: 0, crashes: 0, writes: 0 };
  const cpu = process.cpuUsage();
  for (let seed = first; seed < first + count; seed++) {
    let report = await playSeed(seed);
    sums.actions += report.actions;
    sums.crashes += report.crashes;
    sums.writes += report.writes;
    if (report.violations.length === 0 && !values.verbose) continue;
    if (report.violations.length > 0) failed.push(seed);
    if (report.violations.length > 0 && values.minimise) report = await minimise(seed);
    tell(report);
  }
  const { user, system } = process.cpuUsage(cpu);
  process.stdout.write(
    `${count} seeds from ${first}: ${sums.actions} actions, ${sums.crashes} crashes, ${sums.writes} writes, ` +
      `${((user + system) / 1e6).toFixed(0)} s of CPU; ` +
      (failed.length === 0 ? "all well\n" : `not well: ${failed.join(", ")}\n`),
  );
  if (failed.length > 0) process.exitCode = 1;
}

function tell({ seed, clusters, recoveredMs, notes, violations }: SeedReport): void {
  process.stdout.write(`seed ${seed}: ${clusters} clusters, well again after ${recoveredMs / 1000} s\n`);
  for (const note of notes) process.stdout.write(`  ${note}\n`);
  for (const violation of violations) process.stdout.write(`  VIOLATION (seed ${seed}) ${violation}\n`);
}
