// How many requests at once, and for how long.
import type { UserInfo } from "../../../kube/client/transport.ts";
import { isDuration, parseDuration } from "../../../runtime/duration.ts";
import { badRequest, type StatusError, statusError, tooManyRequests } from "../registry/status-error.ts";
import { Query } from "./query.ts";
import type { InFlight } from "./server-metrics.ts";
import type { RequestTrace } from "./trace.ts";

/** As the reference's --max-requests-inflight, --max-mutating-requests-inflight and --request-timeout. */
export const MOST_READING = 400;
export const MOST_WRITING = 200;
export const LONGEST_MS = 60_000;
const AGAIN_S = 1;

/** Counts running requests and refuses those that are too many. Watches and their kind do not count. */
export class InFlightLimits implements InFlight {
  readonly #mostReading: number;
  readonly #mostWriting: number;
  reading = 0;
  writing = 0;

  constructor(mostReading = MOST_READING, mostWriting = MOST_WRITING) {
    this.#mostReading = mostReading;
    this.#mostWriting = mostWriting;
  }

  /** Counts a request until its trace ends; throws 429 when there are too many. */
  enter(trace: RequestTrace, user: UserInfo): void {
    if (trace.isLong) return;
    const { changes } = trace;
    const isFull = changes ? this.writing >= this.#mostWriting : this.reading >= this.#mostReading;
    // As the reference: who may do everything gets an answer always, to be able to help.
    if (isFull && !user.groups.includes("system:masters"))
      throw tooManyRequests("Too many requests, please try again later.", AGAIN_S);
    if (changes) this.writing += 1;
    else this.reading += 1;
    trace.onEnd(() => {
      if (changes) this.writing -= 1;
      else this.reading -= 1;
    });
  }
}

/**
 * Milliseconds that a request may take; undefined for no limit. A `timeout` in its query counts when it is shorter than
 * the server's own, which holds for requests that came over the network. Throws 400 for one that is no duration.
 */
export function timeLimitOf(trace: RequestTrace): number | undefined {
  if (trace.isLong) return undefined;
  const given = trace.query.includes("timeout=") ? new Query(trace.query).get("timeout") : undefined;
  const own = trace.request.peer === undefined ? undefined : LONGEST_MS;
  if (given === undefined || given === "") return own;
  if (!isDuration(given)) throw badRequest(`invalid timeout specified in the request URL - ${goDurationError(given)}`);
  const ms = parseDuration(given);
  return ms > 0 && ms < LONGEST_MS ? ms : own;
}

/** As Go's time.ParseDuration complains. */
function goDurationError(text: string): string {
  const quoted = JSON.stringify(text);
  if (/^[+-]?(?:\d+(?:\.\d*)?|\.\d+)$/.test(text)) return `time: missing unit in duration ${quoted}`;
  const unit = /^[+-]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))*(?:\d+(?:\.\d*)?|\.\d+)([^\d.]+)/.exec(
    text,
  )?.[1];
  if (unit !== undefined) return `time: unknown unit ${JSON.stringify(unit)} in duration ${quoted}`;
  return `time: invalid duration ${quoted}`;
}

/** 504 for a request that took too long. What it wrote until then stays written. */
export function timedOut(): StatusError {
  return statusError(504, "Timeout", "Timeout: request did not complete within the allotted timeout", {});
}
