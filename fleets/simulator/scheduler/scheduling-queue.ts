// Pods without a node: those to be tried now, by priority, and those that wait for something to change.
import type { PodFacts } from "./pod-facts.ts";
import type { Plugin } from "./rejection.ts";

/** As long as this a Pod waits at most until it is tried again although nothing seems to help it. */
const LONGEST_WAIT_MS = 5 * 60_000;

/** A Pod that waits for a node. */
export interface Pending {
  pod: PodFacts;
  /** What has rejected it; undefined: whatever changes may help. */
  plugins: ReadonlySet<Plugin> | undefined;
  /** When it was last tried. */
  sinceMs: number;
  /** When it is tried again at the latest. */
  dueMs: number;
  told: Told | undefined;
}

/**
 * What was last told of a Pod. As client-go's newer recorder: what is told of the same state of an object is one Event,
 * which is written when it is told first and when it becomes a series, and only counted from then on.
 */
export interface Told {
  readonly resourceVersion: string | undefined;
  readonly message: string;
  isAgain: boolean;
}

/** The Pods without a node: those to be tried next, and those that wait until something may help them. */
export class SchedulingQueue {
  readonly #pending = new Map<string, Pending>();
  /** By priority, first come first served. */
  readonly #active = new Map<number, Set<string>>();
  readonly #waiting = new Map<Plugin | "*", Set<string>>();
  /** Nobody who waits is due before. */
  #nextDueMs = Number.POSITIVE_INFINITY;

  get hasActive(): boolean {
    return this.#active.size > 0;
  }

  get(uid: string): Pending | undefined {
    return this.#pending.get(uid);
  }

  /** Adds a Pod that is to be tried, or takes note of its new state. `changed`: something that may help it. */
  put(pod: PodFacts, changed: boolean): void {
    const known = this.#pending.get(pod.uid);
    if (known === undefined) {
      const pending = { pod, plugins: undefined, sinceMs: 0, dueMs: Number.POSITIVE_INFINITY, told: undefined };
      this.#pending.set(pod.uid, pending);
      this.#activate(pending);
      return;
    }
    const wasActive = this.#active.get(known.pod.spec.priority)?.has(pod.uid) === true;
    if (wasActive && known.pod.spec.priority !== pod.spec.priority) this.#deactivate(known);
    known.pod = pod;
    if (changed || wasActive) this.#activate(known);
  }

  remove(uid: string): void {
    const pending = this.#pending.get(uid);
    if (pending === undefined) return;
    this.#deactivate(pending);
    this.#stopWaiting(pending);
    this.#pending.delete(uid);
  }

  /** The Pod to be tried first. It stays known; `wait` or `remove` says what became of it. */
  pop(): Pending | undefined {
    if (this.#active.size === 0) return undefined;
    const highest = Math.max(...this.#active.keys());
    for (const uid of this.#active.get(highest) ?? []) {
      const pending = this.#pending.get(uid);
      if (pending === undefined) continue;
      this.#deactivate(pending);
      return pending;
    }
    return undefined;
  }

  /** Lets a Pod wait until something changes that concerns what has rejected it, or until `dueMs`. */
  wait(pending: Pending, plugins: ReadonlySet<Plugin> | undefined, nowMs: number, dueMs?: number): void {
    this.#stopWaiting(pending);
    pending.plugins = plugins;
    pending.sinceMs = nowMs;
    pending.dueMs = dueMs ?? nowMs + LONGEST_WAIT_MS;
    this.#nextDueMs = Math.min(this.#nextDueMs, pending.dueMs);
    for (const plugin of keysOf(pending)) {
      const uids = this.#waiting.get(plugin) ?? new Set<string>();
      this.#waiting.set(plugin, uids);
      uids.add(pending.pod.uid);
    }
  }

  /** Wakes Pods that a plugin has rejected and that `helps` says may be helped now. */
  wake(plugin: Plugin, helps: (pod: PodFacts) => boolean): void {
    for (const uid of [...(this.#waiting.get(plugin) ?? [])]) {
      const pending = this.#pending.get(uid);
      if (pending !== undefined && helps(pending.pod)) this.#activate(pending);
    }
  }

  /** Wakes Pods that anything may help. */
  wakeUndecided(): void {
    for (const uid of [...(this.#waiting.get("*") ?? [])]) this.activate(uid);
  }

  activate(uid: string): void {
    const pending = this.#pending.get(uid);
    if (pending !== undefined) this.#activate(pending);
  }

  /** Wakes Pods that have waited long enough; answers in how many milliseconds the next one may have. */
  wakeDue(nowMs: number): number | undefined {
    // Looking through all of them is only worth it when one may be due.
    if (nowMs >= this.#nextDueMs) {
      this.#nextDueMs = Number.POSITIVE_INFINITY;
      for (const uids of [...this.#waiting.values()]) {
        for (const uid of [...uids]) {
          const pending = this.#pending.get(uid);
          if (pending === undefined) continue;
          if (pending.dueMs > nowMs) {
            this.#nextDueMs = Math.min(this.#nextDueMs, pending.dueMs);
            continue;
          }
          // What stays the same is told again after that long.
          pending.told = undefined;
          this.#activate(pending);
        }
      }
    }
    return this.#waiting.size === 0 ? undefined : this.#nextDueMs - nowMs;
  }

  #activate(pending: Pending): void {
    this.#stopWaiting(pending);
    const { priority } = pending.pod.spec;
    const uids = this.#active.get(priority) ?? new Set<string>();
    this.#active.set(priority, uids);
    uids.add(pending.pod.uid);
  }

  #deactivate({ pod }: Pending): void {
    const uids = this.#active.get(pod.spec.priority);
    uids?.delete(pod.uid);
    if (uids?.size === 0) this.#active.delete(pod.spec.priority);
  }

  #stopWaiting(pending: Pending): void {
    for (const plugin of keysOf(pending)) {
      const uids = this.#waiting.get(plugin);
      uids?.delete(pending.pod.uid);
      if (uids?.size === 0) this.#waiting.delete(plugin);
    }
  }
}

function keysOf({ plugins }: Pending): Iterable<Plugin | "*"> {
  return plugins === undefined || plugins.size === 0 ? ["*"] : plugins;
}
