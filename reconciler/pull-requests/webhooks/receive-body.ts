// Bodies of deliveries, whole, within bounds of size, of time, and of what all of them take together. Nobody has proved
// anything by then.
import type { IncomingMessage } from "node:http";
import type { Clock } from "../../../runtime/clock.ts";
import { Pace } from "./pace.ts";

export interface BodyLimits {
  readonly maxBytes: number;
  /** Longest time that a body may take to arrive. */
  readonly bodyMs: number;
  /** What all bodies that are being read may hold. */
  readonly heldBytes: number;
}

/** Answer with this status. */
export interface Refusal {
  readonly status: number;
  readonly reason: string;
}

/** Proving a body takes time by its length, and reading it more: longer ones than this are counted. */
const LONG_BYTES = 1 << 20;
const LONG_BODIES = { burst: 20, perSecond: 0.5 };

/** `undefined`: the sender is gone. */
export type ReceivedBody = Buffer | Refusal | undefined;

export class BodyReceiver {
  readonly #limits: BodyLimits;
  readonly #clock: Clock;
  readonly #longBodies: Pace;
  #held = 0;

  constructor(limits: BodyLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
    this.#longBodies = new Pace(LONG_BODIES, clock);
  }

  /** Stops reading when it is refused; what is left of the body is the caller's. The signal ends it by 503. */
  receive(request: IncomingMessage, signal: AbortSignal): Promise<ReceivedBody> {
    const { maxBytes, bodyMs, heldBytes } = this.#limits;
    const tooLong = { status: 413, reason: `the body is longer than ${maxBytes} bytes` };
    if (Number(request.headers["content-length"] ?? 0) > maxBytes) return Promise.resolve(tooLong);
    if (request.destroyed && !request.complete) return Promise.resolve(undefined);
    if (signal.aborted) return Promise.resolve(CLOSING);
    return new Promise((resolve) => {
      const chunks: Buffer[] = [];
      let size = 0;
      const settle = (result: ReceivedBody) => {
        timer.cancel();
        request.off("data", take).off("end", finish).off("close", leave).off("error", leave);
        signal.removeEventListener("abort", close);
        this.#held -= size;
        resolve(result);
      };
      const take = (chunk: Buffer) => {
        const wasLong = size > LONG_BYTES;
        size += chunk.length;
        this.#held += chunk.length;
        if (size > maxBytes) settle(tooLong);
        else if (this.#held > heldBytes) settle({ status: 503, reason: "too many bodies arrive at a time" });
        else if (!wasLong && size > LONG_BYTES && !this.#longBodies.take())
          settle({ status: 429, reason: "too many long bodies arrived" });
        else chunks.push(chunk);
      };
      const finish = () => settle(Buffer.concat(chunks, size));
      const leave = () => settle(undefined);
      const close = () => settle(CLOSING);
      const late = () => settle({ status: 408, reason: `the body did not arrive within ${bodyMs / 1000}s` });
      const timer = this.#clock.after(bodyMs, late);
      signal.addEventListener("abort", close);
      request.on("data", take).on("end", finish).on("close", leave).on("error", leave);
    });
  }
}

const CLOSING: Refusal = { status: 503, reason: "this control plane is stopping" };
