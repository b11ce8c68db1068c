// The order in which bindings are scheduled, and when those that failed come back.

import type { Clock, Timer } from "../../runtime/clock.ts";
import type { Requeue } from "./decide-scheduling.ts";

const FLUSH_BACKOFF_EVERY_MS = 1_000;
const FLUSH_UNSCHEDULABLE_EVERY_MS = 30_000;
/** How long an unschedulable binding rests at most. */
const UNSCHEDULABLE_REST_MS = 300_000;
/** Keys that wake in one turn of the event loop. */
const MAX_WAKING = 5_000;

interface Entry {
  readonly key: string;
  priority: number;
  /** When it last became active. */
  timestamp: number;
  attempts: number;
  /** Order among those of equal priority and time. */
  serial: number;
}

export interface QueueOptions {
  /** Called whenever `pop` may have something to give. */
  readonly onReady?: () => void;
  /**
   * Whether priorities count; as Karmada's gate PriorityBasedScheduling. Without them keys come in the order in which they
   * were pushed, and all that fail rest alike: for 5 ms, twice as long each time up to 1000 s.
   */
  readonly byPriority?: boolean;
}

/** How many keys are where. */
export interface PendingKeys {
  readonly active: number;
  readonly backoff: number;
  readonly unschedulable: number;
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
  readonly #byPriority: boolean;
  readonly #timers = new Map<string, Timer>();
  #serial = 0;
  #stopped = false;

  constructor(clock: Clock, options: QueueOptions = {}) {
    this.#clock = clock;
    this.#onReady = options.onReady ?? (() => {});
    this.#byPriority = options.byPriority ?? true;
  }

  /** Keys that can be popped now. */
  get size(): number {
    return this.#ready.size;
  }

  get pending(): PendingKeys {
    return { active: this.#ready.size, backoff: this.#backoff.size, unschedulable: this.#unschedulable.size };
  }

  /** Makes a key ready; false when it was already, or is to be once it is done. */
  push(key: string, priority = 0): boolean {
    if (this.#ready.has(key) || this.#pushedAgain.has(key)) return false;
    if (this.#inProgress.has(key)) {
      this.#pushedAgain.set(key, priority);
      return true;
    }
    this.#backoff.delete(key);
    this.#unschedulable.delete(key);
    this.#activate({ key, priority, timestamp: 0, attempts: 0, serial: 0 });
    this.#onReady();
    return true;
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
    this.#rest(entry, outcome);
  }

  /** What `done` does, for an attempt that was made without popping the key. Nothing for keys that are ready or in progress. */
  attempted(key: string, priority: number, outcome: Requeue): void {
    if (this.#ready.has(key) || this.#inProgress.has(key)) return;
    const before = this.#backoff.get(key) ?? this.#unschedulable.get(key);
    this.#backoff.delete(key);
    this.#unschedulable.delete(key);
    const attempts = (before?.attempts ?? 0) + 1;
    this.#rest({ key, priority, timestamp: this.#clock.now(), attempts, serial: this.#serial++ }, outcome);
  }

  /** Keys that rest until something may have changed. */
  unschedulable(): Iterable<string> {
    return this.#unschedulable.keys();
  }

  /** Says that something changed for an unschedulable key: it is ready as soon as the rest after its last failure is over. */
  wake(key: string): void {
    const entry = this.#unschedulable.get(key);
    if (entry === undefined) return;
    this.#unschedulable.delete(key);
    this.#rest(entry, "backoff");
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
    if (!this.#byPriority) entry.priority = 0;
    entry.timestamp = this.#clock.now();
    entry.serial = this.#serial++;
    this.#ready.set(entry.key, entry);
    this.#heap.push(entry);
  }

  #rest(entry: Entry, outcome: Requeue): void {
    if (outcome === "done") return;
    const { key } = entry;
    if (!this.#byPriority) {
      this.#backoff.set(key, entry);
      this.#arm(`key ${key}`, plainBackoffMs(entry.attempts), () =>
        this.#wake(this.#backoff, (each) => each === entry),
      );
      return;
    }
    if (outcome === "backoff") {
      this.#backoff.set(key, entry);
      this.#flushEvery(FLUSH_BACKOFF_EVERY_MS, this.#backoff, (each, now) => {
        return each.timestamp + backoffMs(each.attempts) <= now;
      });
    } else {
      this.#unschedulable.set(key, entry);
      this.#flushEvery(FLUSH_UNSCHEDULABLE_EVERY_MS, this.#unschedulable, (each, now) => {
        return now - each.timestamp > UNSCHEDULABLE_REST_MS;
      });
    }
  }

  /** Wakes what is due at each multiple of `ms` of the clock, as long as anything rests. */
  #flushEvery(ms: number, resting: Map<string, Entry>, isDue: (entry: Entry, now: number) => boolean): void {
    const name = String(ms);
    const flush = (): void => {
      const now = this.#clock.now();
      if (this.#wake(resting, (entry) => isDue(entry, now))) this.#flushEvery(ms, resting, isDue);
      else this.#arm(name, 1, flush);
    };
    if (resting.size > 0 && !this.#timers.has(name)) this.#arm(name, ms - (this.#clock.now() % ms), flush);
  }

  /** Makes ready what is due, those that waited longest first; false when there is more of it than one turn takes. */
  #wake(resting: Map<string, Entry>, isDue: (entry: Entry) => boolean): boolean {
    const due: Entry[] = [];
    for (const entry of resting.values()) {
      if (due.length === MAX_WAKING) break;
      if (isDue(entry)) due.push(entry);
    }
    for (const entry of due.sort((a, b) => (precedes(a, b) ? -1 : 1))) {
      resting.delete(entry.key);
      this.#activate(entry);
    }
    if (due.length > 0) this.#onReady();
    return due.length < MAX_WAKING;
  }

  #arm(name: string, ms: number, fn: () => void): void {
    this.#timers.get(name)?.cancel();
    this.#timers.delete(name);
    if (this.#stopped) return;
    const timer = this.#clock.after(ms, () => {
      this.#timers.delete(name);
      fn();
    });
    this.#timers.set(name, timer);
  }
}

/** How long after it became active a key rests, by the attempts made: 1, 2, 4, 8, then always 10 seconds. */
export function backoffMs(attempts: number): number {
  return Math.min(1_000 * 2 ** Math.max(0, attempts - 1), 10_000);
}

/** How long a key rests after its last attempt where priorities do not count. Source: client-go's item rate limiter. */
function plainBackoffMs(attempts: number): number {
  return Math.min(5 * 2 ** Math.max(0, attempts - 1), 1_000_000);
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
