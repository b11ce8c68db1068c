// Plans that failed: how often, when each may be tried again, and what people are told of it.
import type { Clock } from "../../../runtime/clock.ts";
import { AppError } from "../../../runtime/errors.ts";
import type { StepResult } from "../../../runtime/work-queue.ts";
import { cleanLine, cutText } from "../../reports/clean-text.ts";

interface Failure {
  readonly wanted: string;
  readonly times: number;
  /** When it may be tried again; infinite: when somebody asks for it. */
  readonly retryAtMs: number;
}

const FIRST_RETRY_MS = 15_000;
const LONGEST_RETRY_MS = 600_000;
/** Hosts tell of a push before Git serves it, for a moment. */
const MOVED_RETRY_MS = 2_000;
const MOST_MOVES = 6;
const LONGEST_MESSAGE = 500;

/** The last failure of each pull request, by key. `wanted` is what the plan was to be made of. */
export class PlanFailures {
  readonly #clock: Pick<Clock, "now">;
  readonly #known = new Map<string, Failure>();

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  /** Whether the same has failed before. */
  has(key: string, wanted: string): boolean {
    return this.#known.get(key)?.wanted === wanted;
  }

  /** Whether another attempt is due, or none has failed. */
  mayRetry(key: string): boolean {
    return (this.#known.get(key)?.retryAtMs ?? 0) <= this.#clock.now();
  }

  /** When to look again; undefined when nothing failed, or only a person changes that. */
  untilRetry(key: string): StepResult | undefined {
    const { retryAtMs = Number.POSITIVE_INFINITY } = this.#known.get(key) ?? {};
    if (retryAtMs === Number.POSITIVE_INFINITY) return undefined;
    return { requeueAfterMs: Math.max(1, retryAtMs - this.#clock.now()) };
  }

  /** Of a head that Git does not serve yet: when to try again, without a word; undefined for what is a failure. */
  soonAgain(key: string, wanted: string, error: unknown): StepResult | undefined {
    const times = this.#timesOf(key, wanted);
    if (!(error instanceof AppError) || error.code !== "git-head-moved" || times > MOST_MOVES) return undefined;
    this.#known.set(key, { wanted, times, retryAtMs: 0 });
    return { requeueAfterMs: MOVED_RETRY_MS * 2 ** (times - 1) };
  }

  /** Remembers a failure; answers how many there were of the same. */
  add(key: string, wanted: string, error: unknown): number {
    const times = this.#timesOf(key, wanted);
    this.#known.set(key, { wanted, times, retryAtMs: this.#clock.now() + retryAfterMs(error, times) });
    return times;
  }

  delete(key: string): void {
    this.#known.delete(key);
  }

  keys(): Iterable<string> {
    return this.#known.keys();
  }

  #timesOf(key: string, wanted: string): number {
    const before = this.#known.get(key);
    return before?.wanted === wanted ? before.times + 1 : 1;
  }
}

/** A line for a status. */
export function shortLine(text: string): string {
  return cutText(cleanLine(text), LONGEST_MESSAGE);
}

/** What is not foreseen may hold anything, and is for the log. */
export function failureMessage(error: unknown): string {
  return error instanceof AppError
    ? shortLine(error.message)
    : "it failed in a way that was not foreseen; the log of the control plane says more";
}

function retryAfterMs(error: unknown, times: number): number {
  if (error instanceof AppError && error.recovery === "stall") return Number.POSITIVE_INFINITY;
  const asked = error instanceof AppError ? (error.afterMs ?? 0) : 0;
  return Math.max(asked, Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(times - 1, 10)));
}
