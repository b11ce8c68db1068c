// The loop of a fuzzer: inputs, checks, times, and the first failure of each target made small.
import { performance } from "node:perf_hooks";
import { Random } from "../../runtime/random.ts";
import type { FuzzFailure, FuzzInput, FuzzTarget } from "./fuzz-target.ts";
import { minimise } from "./minimise.ts";

export interface FuzzOptions {
  readonly seed: number;
  /** For each target: until the time is over, or the number of inputs is reached. */
  readonly seconds?: number | undefined;
  readonly iterations?: number | undefined;
}

export interface FuzzReport {
  readonly target: string;
  readonly inputs: number;
  readonly longestMs: number;
  readonly failure: FuzzFailure | undefined;
}

const LONGEST_MS = 50;
const YIELD_MS = 20;

/** Runs one target until its first failure or the end of its time. */
export async function fuzz(target: FuzzTarget, options: FuzzOptions): Promise<FuzzReport> {
  const rejections: unknown[] = [];
  const onRejection = (reason: unknown): void => void rejections.push(reason);
  process.on("unhandledRejection", onRejection);
  try {
    return await run(target, options, rejections);
  } finally {
    process.off("unhandledRejection", onRejection);
  }
}

async function run(target: FuzzTarget, options: FuzzOptions, rejections: unknown[]): Promise<FuzzReport> {
  const end = options.seconds === undefined ? Number.POSITIVE_INFINITY : performance.now() + options.seconds * 1000;
  const most = options.iterations ?? Number.POSITIVE_INFINITY;
  const known = target.known ?? [];
  let longestMs = 0;
  let yielded = performance.now();
  let iteration = 0;
  for (; iteration < most + known.length && performance.now() < end; iteration++) {
    // Every input has its own seed: the one printed makes it again, whatever came before.
    const seed = (options.seed + iteration - known.length) >>> 0;
    const input = known[iteration] ?? target.generate(new Random(seed));
    const { problem, ms } = await attempt(target, input, rejections);
    longestMs = Math.max(longestMs, ms);
    if (problem !== undefined) {
      const kind = kindOf(problem);
      const small = await minimise(input, async (smaller) => {
        const again = await attempt(target, smaller, rejections);
        return again.problem !== undefined && kindOf(again.problem) === kind;
      });
      const shown = (await attempt(target, small, rejections)).problem ?? problem;
      const failure = { target: target.name, seed, iteration, problem: shown, input: small };
      return { target: target.name, inputs: iteration + 1, longestMs, failure };
    }
    if (performance.now() - yielded > YIELD_MS) {
      // Unhandled rejections are told between turns of the event loop.
      await new Promise((resolve) => setImmediate(resolve));
      yielded = performance.now();
    }
  }
  return { target: target.name, inputs: iteration, longestMs, failure: undefined };
}

/** The first words of a problem, or the first line of an error: a smaller input must fail in the same way. */
function kindOf(problem: string): string {
  return (problem.startsWith("threw") ? problem.split("\n") : problem.split(/[:\n]/))[0] ?? "";
}

async function attempt(
  target: FuzzTarget,
  input: FuzzInput,
  rejections: unknown[],
): Promise<{ readonly problem: string | undefined; readonly ms: number }> {
  rejections.length = 0;
  const mostMs = target.mostMs ?? LONGEST_MS;
  let { problem, ms } = await measured(target, input);
  // Another process may have had the processor: only what is slow every time is slow.
  for (let again = 0; again < 4 && ms > mostMs && problem === undefined; again++) {
    await new Promise((resolve) => setImmediate(resolve));
    const next = await measured(target, input);
    ms = Math.min(ms, next.ms);
    problem = next.problem;
  }
  if (problem === undefined && ms > mostMs) problem = `blocks the event loop: ${Math.round(ms)} ms`;
  problem ??= pollution();
  if (rejections.length > 0) problem ??= `unhandled rejection: ${textOf(rejections[0])}`;
  return { problem, ms };
}

async function measured(target: FuzzTarget, input: FuzzInput): Promise<{ problem: string | undefined; ms: number }> {
  const start = performance.now();
  try {
    const problem = await target.check(input);
    return { problem, ms: performance.now() - start };
  } catch (error) {
    return { problem: `threw: ${textOf(error)}`, ms: performance.now() - start };
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

const OBJECT_KEYS = Object.getOwnPropertyNames(Object.prototype).length;

/** A prototype that got a key from an input. What was added is taken away again. */
function pollution(): string | undefined {
  const names = Object.getOwnPropertyNames(Object.prototype);
  if (names.length === OBJECT_KEYS) return undefined;
  const added = names.slice(OBJECT_KEYS);
  for (const name of added) Reflect.deleteProperty(Object.prototype, name);
  return `prototype pollution: ${added.join(", ")}`;
}
