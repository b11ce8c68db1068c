// When faults strike, and whether two of them may strike at once.
import { parseDuration } from "../runtime/duration.ts";
import type { Fault } from "./fleet-faults.ts";

/** When a fault strikes, in milliseconds on the clock that `startMs` is of. */
export interface Windows {
  /** The first beginning, at the earliest. */
  readonly startMs: number;
  /** From a beginning to the end, at the longest; infinite without an end, 0 for what is over at once. */
  readonly lengthMs: number;
  /** From one beginning to the next; undefined for once. */
  readonly everyMs: number | undefined;
  readonly times: number;
}

/** How many beginnings are looked at before two repetitions count as never meeting. */
const MOST_STRIKES = 5_000;

/** The windows of a fault that is given at `startMs`. */
export function windowsOf(fault: Fault, startMs: number): Windows {
  const begin = startMs + ms(fault.at);
  if (!lasts(fault)) return { startMs: begin, lengthMs: 0, everyMs: undefined, times: 1 };
  return {
    startMs: begin,
    lengthMs: (fault.for === undefined ? Number.POSITIVE_INFINITY : ms(fault.for)) + ms(fault.jitter),
    everyMs: fault.every === undefined ? undefined : ms(fault.every),
    times: fault.every === undefined ? 1 : (fault.times ?? Number.POSITIVE_INFINITY),
  };
}

/** What lasts until it ends. */
export type LastingFault = Exclude<Fault, { type: "backup" | "restore" | "revision-reset" | "upgrade" }>;

/** Whether a fault lasts until it ends. The others happen and are over. */
export function lasts(fault: Fault): fault is LastingFault {
  const { type } = fault;
  return type !== "backup" && type !== "restore" && type !== "revision-reset" && type !== "upgrade";
}

/** Whether both may strike at the same time. */
export function windowsMeet(one: Windows, other: Windows): boolean {
  const [rare, often] = (one.everyMs ?? Infinity) >= (other.everyMs ?? Infinity) ? [one, other] : [other, one];
  for (let strike = 0; strike < Math.min(rare.times, MOST_STRIKES); strike++) {
    const begin = rare.startMs + strike * (rare.everyMs ?? 0);
    if (meets(often, begin, begin + rare.lengthMs)) return true;
    const last = often.startMs + (often.times - 1) * (often.everyMs ?? 0) + often.lengthMs;
    if (begin > last) return false;
  }
  return false;
}

/** Whether the windows touch the time from `begin` to `end`, which may be one instant. */
function meets({ startMs, lengthMs, everyMs, times }: Windows, begin: number, end: number): boolean {
  // The last strike that begins before the end.
  const limit = end > begin ? end : begin + 1;
  if (startMs >= limit) return false;
  const strike = everyMs === undefined ? 0 : Math.min(times - 1, Math.ceil((limit - startMs) / everyMs) - 1);
  const from = startMs + strike * (everyMs ?? 0);
  return from + Math.max(lengthMs, 1) > begin;
}

function ms(duration: string | undefined): number {
  return duration === undefined ? 0 : parseDuration(duration);
}
