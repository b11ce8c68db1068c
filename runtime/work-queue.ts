import { spread } from "./circuit-breaker.ts";
import type { Clock, Timer } from "./clock.ts";
import { AppError, messageOf } from "./errors.ts";
import type { Logger } from "./logger.ts";
import { PriorityLine } from "./priority-line.ts";
import { Turn } from "./turn.ts";

export interface WorkQueueOptions {
  /** Names the queue in logs. */
  readonly name: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Keys processed at the same time. */
  readonly workers: number;
  /** First back-off after a failure; doubles up to `maxBackoffMs`. */
  readonly minBackoffMs?: number;
  readonly maxBackoffMs?: number;
  /** Of the keys that wait, those of higher priority go first; asked when a key is added. */
  readonly priorityOf?: (key: string) => number;
  /** How many may run at present, if fewer than `workers`; `look` when that grows. */
  readonly room?: () => number;
  /** From 0 up to 1, for back-offs that differ; without it they are exact. */
  readonly random?: () => number;
}

/** What a step asks for: nothing, or to run again after a while although nothing failed. */
export interface StepResult {
  readonly requeueAfterMs?: number | undefined;
}

/** Does the work of one key from the whole present state. Throws to be retried by the error's `recovery`. */
export type Step = (key: string, signal: AbortSignal) => Promise<StepResult | undefined>;

/** Steps that wait outside at the same time; more than that keep their places. */
const MOST_PARKED = 256;

/**
 * Runs a step for keys, each key at most once at a time. A key added while it runs is run once more afterwards, so no
 * change is lost and none is worked twice in parallel. Failed keys come back with exponential back-off of their own.
 */
export class WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #step: Step;
  readonly #waiting = new PriorityLine();
  readonly #running = new Set<string>();
  readonly #again = new Set<string>();
  readonly #failures = new Map<string, number>();
  readonly #timers = new Map<string, { readonly timer: Timer; readonly at: number }>();
  readonly #abort = new AbortController();
  readonly #turn = new Turn();
  #startsLater = false;
  #parked = 0;
  #idle: (() => void)[] = [];

  constructor(options: WorkQueueOptions, step: Step) {
    this.#options = options;
    this.#step = step;
  }

  /** Keys waiting or running now; keys in back-off do not count. */
  get depth(): number {
    return this.#waiting.size + this.#running.size;
  }

  add(key: string): void {
    if (this.#abort.signal.aborted) return;
    this.#timers.get(key)?.timer.cancel();
    this.#timers.delete(key);
    if (this.#running.has(key)) {
      this.#again.add(key);
      return;
    }
    if (this.#waiting.has(key)) return;
    this.#waiting.add(key, this.#options.priorityOf?.(key) ?? 0);
    this.#startLater();
  }

  /** Adds the key after `ms`; an earlier pending wake-up of the same key stays. */
  addAfter(key: string, ms: number): void {
    if (this.#abort.signal.aborted) return;
    if (ms <= 0) {
      this.add(key);
      return;
    }
    const at = this.#options.clock.now() + ms;
    const pending = this.#timers.get(key);
    if (pending !== undefined) {
      if (pending.at <= at) return;
      pending.timer.cancel();
    }
    const timer = this.#options.clock.after(ms, () => {
      this.#timers.delete(key);
      this.add(key);
    });
    this.#timers.set(key, { timer, at });
  }

  /** Starts what there is room for. */
  look(): void {
    if (this.#waiting.size > 0) this.#startLater();
  }

  /**
   * Waits within a step for somebody outside who may be slow, and lets another key run meanwhile: one that does not answer
   * then keeps no place from the rest.
   */
  async park<T>(awaited: Promise<T>): Promise<T> {
    if (this.#parked >= MOST_PARKED) return awaited;
    this.#parked++;
    this.#startLater();
    try {
      return await awaited;
    } finally {
      this.#parked--;
    }
  }

  /** Resolves when nothing waits or runs; back-offs and later wake-ups do not count. */
  async whenIdle(): Promise<void> {
    if (this.depth === 0) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** Ends: running steps see their signal abort, nothing new starts. Resolves when all have returned. */
  async stop(): Promise<void> {
    this.#abort.abort(new AppError("stopped", "the program is stopping", { recovery: "retry" }));
    this.#waiting.clear();
    this.#again.clear();
    for (const { timer } of this.#timers.values()) timer.cancel();
    this.#timers.clear();
    if (this.#running.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
    else this.#tellIdle();
    this.#failures.clear();
  }

  /** Starting in a later turn lets one burst of events become one run. */
  #startLater(): void {
    if (this.#startsLater) return;
    this.#startsLater = true;
    setImmediate(() => {
      this.#startsLater = false;
      this.#turn.begin();
      this.#start();
    });
  }

  #start(): void {
    const { workers, room } = this.#options;
    while (this.#running.size - this.#parked < Math.min(workers, room?.() ?? workers)) {
      // Steps that wait for nothing would otherwise follow one another without end.
      if (this.#turn.isOver) {
        this.#startLater();
        return;
      }
      const key = this.#waiting.take();
      if (key === undefined) return;
      this.#running.add(key);
      void this.#run(key);
    }
  }

  async #run(key: string): Promise<void> {
    try {
      const result = await this.#step(key, this.#abort.signal);
      if (result?.requeueAfterMs !== undefined) this.#addAfterRun(key, result.requeueAfterMs);
      this.#failures.delete(key);
    } catch (error) {
      this.#fail(key, error);
    }
    this.#running.delete(key);
    if (this.#again.delete(key)) this.add(key);
    this.#start();
    if (this.depth === 0) this.#tellIdle();
  }

  #tellIdle(): void {
    const waiters = this.#idle;
    this.#idle = [];
    for (const resolve of waiters) resolve();
  }

  #addAfterRun(key: string, ms: number): void {
    // A timer of NaN fires at once, for ever.
    if (Number.isNaN(ms)) throw new RangeError("a step asked to run again after NaN ms");
    if (ms <= 0) this.#again.add(key);
    else this.addAfter(key, ms);
  }

  #fail(key: string, error: unknown): void {
    if (this.#abort.signal.aborted) return;
    const { name, logger, minBackoffMs = 200, maxBackoffMs = 60_000, random } = this.#options;
    if (error instanceof AppError && error.recovery === "stall") {
      this.#failures.delete(key);
      logger.debug("step stalled", { queue: name, key, code: error.code, error: error.message });
      return;
    }
    if (error instanceof AppError && error.recovery === "wait") {
      this.addAfter(key, error.afterMs ?? 5_000);
      return;
    }
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    const backoff = Math.min(maxBackoffMs, minBackoffMs * 2 ** Math.min(failures - 1, 20));
    // Whoever refused may have said how long to wait.
    const asked = error instanceof AppError ? (error.afterMs ?? 0) : 0;
    this.addAfter(key, Math.max(asked, random === undefined ? backoff : spread(backoff, random)));
    if (error instanceof AppError) {
      const level = failures > 3 ? "warn" : "debug";
      logger[level]("step failed", { queue: name, key, code: error.code, error: error.message, failures });
    } else {
      const stack = error instanceof Error ? error.stack : undefined;
      logger.error("step failed unexpectedly", { queue: name, key, error: messageOf(error), stack, failures });
    }
  }
}
