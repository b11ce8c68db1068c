// What is known of scripts that did not end in the time they have in place: asked again with the same objects they need a
// thread, and those that never end are left alone for a while.
import { AppError } from "../../../runtime/errors.ts";

/** After a call was stopped, the same call fails at once for so long: nothing it looks at has changed. */
const SAME_CALL_PAUSE_MS = 30_000;
/** So many calls in a row that were stopped say that the script is at fault, and not one object. */
const STOPS_IN_A_ROW = 3;
/** Then all its calls fail at once for so long. */
const SCRIPT_PAUSE_MS = 30_000;
/** So many calls in a row that took too long in place say that the next ones will, too. */
const OVERRUNS_IN_A_ROW = 3;
/** Then all its calls go to a thread at once for so long. */
const THREAD_FIRST_MS = 60_000;
/** Calls that are remembered for one script; the oldest are forgotten first. */
const MOST_CALLS = 1_000;

interface Slow {
  /** Calls that took too long in place, and why they were stopped in a thread where they were. */
  readonly calls: Map<string, { readonly failure: AppError; readonly until: number } | undefined>;
  overrunsInARow: number;
  threadFirstUntil: number;
  stopsInARow: number;
  pause: { readonly failure: AppError; readonly until: number } | undefined;
}

/** Times are milliseconds of one clock. */
export class SlowScripts {
  readonly #now: () => number;
  readonly #bySource = new Map<string, Slow>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** True when no call of the script ever took too long. */
  isQuick(source: string): boolean {
    return !this.#bySource.has(source);
  }

  /** Whether this call took too long in place before, or is likely to. */
  needsThread(source: string, call: string): boolean {
    const slow = this.#bySource.get(source);
    return slow !== undefined && (slow.calls.has(call) || this.#now() < slow.threadFirstUntil);
  }

  /** Why the call fails without being tried. */
  refusal(source: string, call: string): AppError | undefined {
    const slow = this.#bySource.get(source);
    if (slow === undefined) return undefined;
    const now = this.#now();
    const reason = [slow.pause, slow.calls.get(call)].find((each) => each !== undefined && now < each.until);
    return reason?.failure;
  }

  /** The call took too long in place. */
  noteOverrun(source: string, call: string): void {
    const slow = this.#bySource.get(source) ?? {
      calls: new Map(),
      overrunsInARow: 0,
      threadFirstUntil: 0,
      stopsInARow: 0,
      pause: undefined,
    };
    this.#bySource.set(source, slow);
    slow.overrunsInARow++;
    if (slow.overrunsInARow >= OVERRUNS_IN_A_ROW) slow.threadFirstUntil = this.#now() + THREAD_FIRST_MS;
    if (slow.calls.size >= MOST_CALLS) {
      const [oldest] = slow.calls.keys();
      if (oldest !== undefined) slow.calls.delete(oldest);
    }
    slow.calls.set(call, undefined);
  }

  /** A call ended by itself, well or not. */
  noteEnd(source: string, where: "in place" | "in a thread"): void {
    const slow = this.#bySource.get(source);
    if (slow === undefined) return;
    slow.stopsInARow = 0;
    if (where === "in place") slow.overrunsInARow = 0;
  }

  /** The call was stopped in its thread. Answers with the reason for which the script's other calls fail from now on. */
  noteStop(source: string, call: string, failure: AppError): AppError | undefined {
    const slow = this.#bySource.get(source);
    if (slow === undefined) return undefined;
    const now = this.#now();
    slow.calls.set(call, { failure, until: now + SAME_CALL_PAUSE_MS });
    slow.stopsInARow++;
    if (slow.stopsInARow < STOPS_IN_A_ROW) return undefined;
    slow.pause = { failure: paused(failure), until: now + SCRIPT_PAUSE_MS };
    return slow.pause.failure;
  }

  /** Forgets the scripts that are not among `sources`. */
  keepOnly(sources: ReadonlySet<string>): void {
    for (const source of this.#bySource.keys()) if (!sources.has(source)) this.#bySource.delete(source);
  }
}

function paused(cause: AppError): AppError {
  const words = `${cause.message}, ${STOPS_IN_A_ROW} times in a row; it is tried again in ${SCRIPT_PAUSE_MS / 1_000} s`;
  return new AppError(cause.code, words, { recovery: "retry", details: cause.details, cause });
}
