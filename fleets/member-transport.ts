// What requests to a member are bound to: an answer in time, and so many a second.
import { apiUnreachable } from "../kube/client/status-error.ts";
import type { ApiRequest, Transport } from "../kube/client/transport.ts";
import { type Clock, sleep } from "../runtime/clock.ts";

/** Requests a second in the long run, and at once after a time without any. */
export interface RequestRate {
  readonly perSecond: number;
  readonly burst: number;
}

export interface MemberTransportOptions {
  readonly clock: Clock;
  /** Longest wait for an answer to begin; the answer of a watch goes on for long. */
  readonly deadlineMs: number;
  /** Undefined: as many as anybody likes. */
  readonly rate: RequestRate | undefined;
  /** Ends what is under way, and refuses the rest. */
  readonly closing: AbortSignal;
}

/**
 * `transport` within bounds. A request without an answer in time ends as one to a server that cannot be reached. Questions
 * after the health of a server are not counted, so that a busy cluster does not look like a sick one.
 */
export function boundTransport(transport: Transport, options: MemberTransportOptions): Transport {
  const { clock, deadlineMs, closing } = options;
  const bucket = options.rate === undefined ? undefined : new TokenBucket(clock, options.rate);
  return async (request) => {
    const outside = request.signal === undefined ? [closing] : [request.signal, closing];
    const waitMs = bucket === undefined || isProbe(request) ? 0 : bucket.take();
    if (waitMs > 0) await sleep(clock, waitMs, AbortSignal.any(outside));
    const deadline = new AbortController();
    let timer: { cancel(): void } | undefined;
    const tooLate = new Promise<never>((_resolve, reject) => {
      timer = clock.after(deadlineMs, () => {
        const seconds = `${deadlineMs / 1_000} s`;
        const late = apiUnreachable(`${request.method} ${request.path.split("?")[0]}`, `not within ${seconds}`);
        // First the reason, then the abort: whoever is asked may fail by it at once.
        reject(late);
        deadline.abort(late);
      });
    });
    try {
      return await Promise.race([
        transport({ ...request, signal: AbortSignal.any([...outside, deadline.signal]) }),
        tooLate,
      ]);
    } finally {
      timer?.cancel();
    }
  };
}

function isProbe({ path }: ApiRequest): boolean {
  return /^\/(readyz|healthz|livez)([/?]|$)/.test(path);
}

/** Lets so many through at once, and the rest at an even pace, in order. */
class TokenBucket {
  readonly #clock: Clock;
  readonly #rate: RequestRate;
  /** When the bucket would be full, milliseconds. Each token taken puts it off. */
  #fullAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, rate: RequestRate) {
    this.#clock = clock;
    this.#rate = rate;
  }

  /** Takes one; answers how long to wait for it. */
  take(): number {
    const now = this.#clock.now();
    const everyMs = 1_000 / this.#rate.perSecond;
    // A clock that was set back must not stop everything.
    const fullAt = Math.min(Math.max(now, this.#fullAt), now + 60_000);
    this.#fullAt = fullAt + everyMs;
    return this.#fullAt - now - this.#rate.burst * everyMs;
  }
}
