// Asks members now and then what our manifests would change there, which finds what no watch tells: changes missed by a
// watch, and webhooks that began to answer otherwise. The copies of a cluster take turns, evenly over the interval.
import type { Fleet } from "../../../fleets/fleet.ts";
import { sleep } from "../../../runtime/clock.ts";
import type { Logger } from "../../../runtime/logger.ts";
import { Random } from "../../../runtime/random.ts";
import type { Controller, ControllerContext } from "../context.ts";

/** Copies that are due within this time are looked at together. */
const SHORTEST_TURN_MS = 250;

export interface Turn {
  readonly waitMs: number;
  /** How many copies are looked at then. */
  readonly count: number;
}

/**
 * When the next copies of a cluster are due: all of them within the interval, none closer together than a turn, and each
 * turn up to half earlier or later, so that clusters do not ask in step. `chance` is at least 0 and below 1.
 */
export function nextTurn(intervalMs: number, copies: number, chance: number): Turn {
  const gapMs = intervalMs / Math.max(1, copies);
  const count = Math.max(1, Math.ceil(SHORTEST_TURN_MS / gapMs));
  return { waitMs: Math.round(gapMs * count * (0.5 + chance)), count };
}

export interface DriftChecksOptions {
  readonly context: ControllerContext;
  readonly fleet: Fleet;
  /** Names of the Works that a cluster has. */
  readonly worksOf: (cluster: string) => Iterable<string>;
  /** Has a Work looked at. */
  readonly look: (cluster: string, work: string) => void;
}

export class DriftChecks implements Controller {
  readonly #options: DriftChecksOptions;
  readonly #logger: Logger;
  readonly #abort = new AbortController();
  readonly #due = new Set<string>();
  readonly #running = new Map<string, Promise<void>>();

  constructor(options: DriftChecksOptions) {
    this.#options = options;
    this.#logger = options.context.logger;
    if (options.context.profile.driftCheckIntervalMs <= 0) return;
    options.fleet.onConnect(({ name }) => {
      if (!this.#running.has(name)) this.#running.set(name, this.#run(name));
    });
  }

  /** Whether the copies of a Work are to be asked for; true once for each time that they are due. */
  take(cluster: string, work: string): boolean {
    return this.#due.delete(`${cluster}/${work}`);
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await Promise.all(this.#running.values());
  }

  async #run(cluster: string): Promise<void> {
    const { context, fleet, look } = this.#options;
    const { signal } = this.#abort;
    const random = new Random(seedOf(cluster));
    let waiting: string[] = [];
    let size = 0;
    try {
      while (!signal.aborted && fleet.get(cluster) !== undefined) {
        if (waiting.length === 0) {
          waiting = [...this.#options.worksOf(cluster)];
          size = waiting.length;
        }
        const { waitMs, count } = nextTurn(context.profile.driftCheckIntervalMs, size, random.next());
        await sleep(context.clock, waitMs, signal);
        for (const work of waiting.splice(0, count)) {
          this.#due.add(`${cluster}/${work}`);
          look(cluster, work);
        }
      }
    } catch (error) {
      if (!signal.aborted) this.#logger.error("checks for drift ended", { cluster, error: String(error) });
    } finally {
      this.#running.delete(cluster);
      for (const key of this.#due) if (key.startsWith(`${cluster}/`)) this.#due.delete(key);
    }
  }
}

function seedOf(text: string): number {
  let seed = 2_166_136_261;
  for (const character of text) seed = Math.imul(seed ^ (character.codePointAt(0) ?? 0), 16_777_619);
  return seed >>> 0;
}
