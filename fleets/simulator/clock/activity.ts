// When loops that a clock cannot ask are done: seen by what they say and hear.
import type { ApiRequest, ApiResponse, Transport, TransportEvent } from "../../../kube/client/transport.ts";
import type { Clock, Timer } from "../../../runtime/clock.ts";
import type { Participant } from "./virtual-clock.ts";

/**
 * Turns of the event loop without a sign after which nobody has anything to do. Between a sign and the next one lie two
 * or three: a queue starts in the turn after its key came, and a store tells of a write at the end of the turn.
 */
const QUIET_TURNS = 6;

/**
 * Keeps a clock at its instant while loops are at work that speak through the transports and wait on the clock given out
 * here. A request that nobody answers (a cluster that hangs) holds nothing up: only signs count, not waiting.
 */
export class Activity implements Participant {
  #signs = 0;
  /** How many signs had been seen when it was quiet last. */
  #quietAfter = 0;
  readonly #awaited = new Set<Promise<unknown>>();

  get isBusy(): boolean {
    return this.#signs !== this.#quietAfter || this.#awaited.size > 0;
  }

  async whenIdle(): Promise<void> {
    while (this.isBusy) {
      if (this.#awaited.size > 0) {
        await Promise.race(this.#awaited);
        continue;
      }
      const signs = this.#signs;
      let turns = 0;
      while (turns < QUIET_TURNS && this.#signs === signs) {
        await new Promise((resolve) => setImmediate(resolve));
        turns++;
      }
      if (this.#signs === signs && this.#awaited.size === 0) this.#quietAfter = signs;
    }
  }

  /** A sign that somebody is at work. */
  sign(): void {
    this.#signs++;
  }

  /** Time waits for the end of this work, however long it takes: for what threads, files and other programs do. */
  async awaits<T>(work: Promise<T>): Promise<T> {
    // What became of it is told to the caller alone.
    const end = work.then(
      () => {},
      () => {},
    );
    this.#awaited.add(end);
    try {
      return await work;
    } finally {
      this.#awaited.delete(end);
      this.sign();
    }
  }

  /** The same transport, heard by the clock. */
  heard(transport: Transport): Transport {
    return async (request: ApiRequest): Promise<ApiResponse> => {
      this.sign();
      try {
        const answer = await transport(request);
        const { events } = answer;
        if (events === undefined) return answer;
        // An answer may make its body only for those who read it.
        return Object.create(answer, { events: { value: this.#heardEvents(events) } }) as ApiResponse;
      } finally {
        this.sign();
      }
    };
  }

  /** The same time; whoever it wakes is at work. */
  clock(inner: Clock): Clock {
    return {
      now: () => inner.now(),
      after: (ms: number, fn: () => void): Timer =>
        inner.after(ms, () => {
          this.sign();
          fn();
        }),
    };
  }

  async *#heardEvents(events: AsyncIterable<TransportEvent>): AsyncGenerator<TransportEvent, void, void> {
    try {
      for await (const event of events) {
        this.sign();
        yield event;
      }
    } finally {
      this.sign();
    }
  }
}
