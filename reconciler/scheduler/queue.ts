// The order in which bindings are scheduled, and when those that failed come back.

import type { Clock, Timer } from "../../runtime/clock.ts";
import type { Requeue } from "./decide-scheduling.ts";

const INITIAL_BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 10_000;
const FLUSH_BACKOFF_EVERY_MS = 1_000;
const FLUSH_UNSCHEDULABLE_EVERY_MS = 30_000;
/** How long an unschedulable binding rests at most. Nothing tells that room became free. */
const UNSCHEDULABLE_REST_MS = 300_000;

interface Entry {
  readonly key: string;
  priority: number;
  /** When it last became active. */
  timestamp: number;
  attempts: number;
  /** Order among those of equal priority and time. */
  serial: number;
}

/**
 * Keys of bindings to schedule: higher priority first, then those waiting longest. A key is in one place at a time:
 * ready, in progress, resting after a failure, or resting until something may have changed. Pushing a key brings it
 * forward from any rest; pushing one in progress makes it ready again when it is done.
 */
export class SchedulingQueue {
  readonly #clock: Clock;
  readonly #ready = new Map<string, Entry>();
  readonly #heap = new EntryHeap();
  readonly #inProgress = new Map<string, Entry>();
  /** Pushed while in progress. */
  readonly #pushedAgain = new Map<string, number>();
  readonly #backoff = new Map<string, Entry>();
  readonly #unschedulable = new Map<string, Entry>();
  readonly #onReady: () => void;
  readonly #timers = new Map<string, Timer>();
  #serial = 0;
  #stopped = false;

  /** `onReady` is called whenever `pop` may have something to give. */
  constructor(clock: Clock, onReady: () => void = () => {}) {
    this.#clock = clock;
    this.#onReady = onReady;
    this.#every(FLUSH_BACKOFF_EVERY_MS, () => this.#flushBackoff());
    this.#every(FLUSH_UNSCHEDULABLE_EVERY_MS, () => this.#flushUnschedulable());
  }

  /** Keys that can be popped now. */
  get size(): number {
    return this.#ready.size;
  }

  push(key: string, priority = 0): void {
    if (this.#ready.has(key)) return;
    if (this.#inProgress.has(key)) {
      this.#pushedAgain.set(key, priority);
      return;
    }
    const resting = this.#backoff.get(key) ?? this.#unschedulable.get(key);
    this.#backoff.delete(key);
    this.#unschedulable.delete(key);
    this.#activate({ key, priority, timestamp: 0, attempts: resting?.attempts ?? 0, serial: 0 });
    this.#onReady();
  }

  /** The next key, now in progress until `done`; undefined when none is ready. */
  pop(): string | undefined {
    let first = this.#heap.pop();
    // Entries that were forgotten are still in the heap.
    while (first !== undefined && this.#ready.get(first.key) !== first) first = this.#heap.pop();
    if (first === undefined) return undefined;
    this.#ready.delete(first.key);
    first.attempts++;
    this.#inProgress.set(first.key, first);
    return first.key;
  }

  /** Ends the work on a popped key. `outcome` says what becomes of it, unless it was pushed meanwhile. */
  done(key: string, outcome: Requeue): void {
    const entry = this.#inProgress.get(key);
    if (entry === undefined) return;
    this.#inProgress.delete(key);
    const again = this.#pushedAgain.get(key);
    if (again !== undefined) {
      this.#pushedAgain.delete(key);
      const attempts = outcome === "done" ? 0 : entry.attempts;
      this.#activate({ ...entry, priority: again, attempts });
      this.#onReady();
      return;
    }
    if (outcome === "backoff") this.#backoff.set(key, entry);
    if (outcome === "unschedulable") this.#unschedulable.set(key, entry);
  }

  /** Forgets the key wherever it rests; one in progress is forgotten when it is done. */
  forget(key: string): void {
    this.#ready.delete(key);
    this.#backoff.delete(key);
    this.#unschedulable.delete(key);
    this.#pushedAgain.delete(key);
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }

  #activate(entry: Entry): void {
    entry.timestamp = this.#clock.now();
    entry.serial = this.#serial++;
    this.#ready.set(entry.key, entry);
    this.#heap.push(entry);
  }

  #flushBackoff(): void {
    const now = this.#clock.now();
    this.#wake(this.#backoff, (entry) => entry.timestamp + backoffMs(entry.attempts) <= now);
  }

  #flushUnschedulable(): void {
    const now = this.#clock.now();
    this.#wake(this.#unschedulable, (entry) => now - entry.timestamp > UNSCHEDULABLE_REST_MS);
  }

  #wake(resting: Map<string, Entry>, isDue: (entry: Entry) => boolean): void {
    const due = [...resting.values()].filter(isDue).sort((a, b) => (precedes(a, b) ? -1 : 1));
    for (const entry of due) {
      resting.delete(entry.key);
      this.#activate(entry);
    }
    if (due.length > 0) this.#onReady();
  }

  #every(ms: number, fn: () => void): void {
    const name = String(ms);
    const arm = (): void => {
      if (this.#stopped) return;
      this.#timers.set(
        name,
        this.#clock.after(ms, () => {
          fn();
          arm();
        }),
      );
    };
    arm();
  }
}

/** How long after it became active a key rests, by the attempts made: 1, 2, 4, 8, then always 10 seconds. */
export function backoffMs(attempts: number): number {
  return Math.min(INITIAL_BACKOFF_MS * 2 ** Math.max(0, attempts - 1), MAX_BACKOFF_MS);
}

function precedes(a: Entry, b: Entry): boolean {
  return (b.priority - a.priority || a.timestamp - b.timestamp || a.serial - b.serial) < 0;
}

/** A binary heap, the entry that precedes all others on top. */
class EntryHeap {
  readonly #entries: Entry[] = [];

  push(entry: Entry): void {
    const entries = this.#entries;
    let place = entries.push(entry) - 1;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = entries[parent] as Entry;
      if (!precedes(entry, above)) break;
      entries[place] = above;
      place = parent;
    }
    entries[place] = entry;
  }

  pop(): Entry | undefined {
    const entries = this.#entries;
    const top = entries[0];
    const moved = entries.pop();
    if (moved === undefined || entries.length === 0) return top;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= entries.length) break;
      if (child + 1 < entries.length && precedes(entries[child + 1] as Entry, entries[child] as Entry)) child++;
      const below = entries[child] as Entry;
      if (!precedes(below, moved)) break;
      entries[place] = below;
      place = child;
    }
    entries[place] = moved;
    return top;
  }
}
