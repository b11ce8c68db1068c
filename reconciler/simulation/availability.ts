// How many replicas of each workload serve, moment by moment, and what that comes to after a loss.

/** Serving replicas by cluster. Clusters with none may be absent. */
export type Serving = Readonly<Record<string, number>>;

/** What one workload went through in one loss. Times are milliseconds since the loss, or since its end. */
export interface Survival {
  /** Replicas that are wanted. */
  readonly desired: number;
  /** Where they served before. */
  readonly before: Serving;
  /** Replicas that still served in the moment of the loss. */
  readonly keptAtOnce: number;
  /** The fewest that served while it lasted. */
  readonly lowest: number;
  /** When as many as wanted served again, and went on to; undefined: not while it lasted. */
  readonly fullAfterMs: number | undefined;
  /** How long none served. */
  readonly downMs: number;
  /** Where they served in the end of the loss. */
  readonly during: Serving;
  /** The fewest that served after its end. */
  readonly lowestAfter: number;
  /** How long after its end they served as before, cluster by cluster; undefined: not by the end of the simulation. */
  readonly homeAfterMs: number | undefined;
  /** Where they served at the end of the simulation. */
  readonly after: Serving;
}

interface Moment {
  readonly atMs: number;
  readonly serving: Serving;
  readonly total: number;
}

/** Keeps what was seen of one workload; moments in which nothing changed cost nothing. */
export class AvailabilityRecord {
  readonly #moments: Moment[] = [];

  /** To be called in the order of time. */
  note(atMs: number, serving: Serving): void {
    const last = this.#moments.at(-1);
    if (last !== undefined && isSame(last.serving, serving)) return;
    const moment = { atMs, serving, total: sum(serving) };
    // What an instant comes to is what counts of it.
    if (last?.atMs === atMs) this.#moments[this.#moments.length - 1] = moment;
    else this.#moments.push(moment);
  }

  /** What happened, for a loss that began and ended at these times, watched until `untilMs`. */
  survival(
    desired: number,
    span: { readonly lostAtMs: number; readonly backAtMs: number; readonly untilMs: number },
  ): Survival {
    const { lostAtMs, backAtMs, untilMs } = span;
    const before = this.#servingBefore(lostAtMs);
    // What happens at the instant of the return belongs to the return.
    const lost = this.#between(lostAtMs, backAtMs).filter(({ atMs }) => atMs < backAtMs);
    const back = this.#between(backAtMs, untilMs);
    const during = lost.at(-1)?.serving ?? {};
    const full = sinceWhen(lost, ({ total }) => total >= desired);
    const home = sinceWhen(back, ({ serving }) => isSame(serving, before));
    return {
      desired,
      before,
      keptAtOnce: lost[0]?.total ?? 0,
      lowest: Math.min(...lost.map(({ total }) => total)),
      fullAfterMs: full === undefined ? undefined : Math.max(0, full - lostAtMs),
      downMs: lost.reduce((down, { total }, index) => {
        if (total > 0) return down;
        return down + (lost[index + 1]?.atMs ?? backAtMs) - (lost[index] as Moment).atMs;
      }, 0),
      during,
      lowestAfter: Math.min(...back.map(({ total }) => total)),
      homeAfterMs: home === undefined ? undefined : Math.max(0, home - backAtMs),
      after: back.at(-1)?.serving ?? during,
    };
  }

  #servingBefore(atMs: number): Serving {
    return this.#moments.findLast((moment) => moment.atMs < atMs)?.serving ?? {};
  }

  /** The moments of a span, of which the first is how it was when the span began. */
  #between(fromMs: number, toMs: number): readonly Moment[] {
    const first = this.#moments.findLast((moment) => moment.atMs <= fromMs);
    const within = this.#moments.filter((moment) => moment.atMs > fromMs && moment.atMs <= toMs);
    const begin = first === undefined ? { atMs: fromMs, serving: {}, total: 0 } : { ...first, atMs: fromMs };
    return [begin, ...within];
  }
}

/** Since when the condition has held without a break until the end; undefined when it does not hold at the end. */
function sinceWhen(moments: readonly Moment[], holds: (moment: Moment) => boolean): number | undefined {
  const lastBreak = moments.findLastIndex((moment) => !holds(moment));
  return moments[lastBreak + 1]?.atMs;
}

function sum(serving: Serving): number {
  return Object.values(serving).reduce((total, replicas) => total + replicas, 0);
}

function isSame(a: Serving, b: Serving): boolean {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => (a[name] ?? 0) === (b[name] ?? 0));
}
