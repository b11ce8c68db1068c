// How long failed Pods are let be before they are replaced: longer each time they fail soon again.

/** As Kubernetes' daemon set controller. */
const FIRST_MS = 1_000;
const LONGEST_MS = 15 * 60_000;

interface Entry {
  readonly backoffMs: number;
  readonly since: number;
}

/** The back-off of each key; what has been quiet for twice the longest is forgotten. */
export class PodBackoff {
  readonly #entries = new Map<string, Entry>();

  /** The back-off that holds the key back now; undefined when nothing does. */
  heldBackMs(key: string, nowMs: number): number | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || nowMs - entry.since > 2 * LONGEST_MS) return undefined;
    return nowMs - entry.since < entry.backoffMs ? entry.backoffMs : undefined;
  }

  /** Holds the key back from now on, twice as long as the last time. */
  next(key: string, nowMs: number): void {
    for (const [known, { since }] of this.#entries) if (nowMs - since > 2 * LONGEST_MS) this.#entries.delete(known);
    const entry = this.#entries.get(key);
    const backoffMs = entry === undefined ? FIRST_MS : Math.min(LONGEST_MS, 2 * entry.backoffMs);
    this.#entries.set(key, { backoffMs, since: nowMs });
  }
}
