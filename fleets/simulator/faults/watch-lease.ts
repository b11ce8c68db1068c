// A watch that may be stalled, ended or cut from outside, in each of the forms in which it is read.
import type { ApiResponse, ByteSource, TransportEvent } from "../../../kube/client/transport.ts";

type State = "open" | "stalled" | "ended" | "cut";

/** Told to a watch that is to list again. */
const EXPIRED: TransportEvent = {
  type: "ERROR",
  object: {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message: "The resourceVersion for the provided watch is too old.",
    reason: "Expired",
    code: 410,
  },
};

/** The hold on one open watch. */
export class WatchLease {
  readonly #abort = new AbortController();
  readonly #failure: () => Error;
  #state: State = "open";
  #expired = false;
  #listeners: (() => void)[] = [];
  #onDone: (() => void)[] = [];
  #onOpen: (() => void)[] = [];

  /** `failure` makes what readers of a cut watch are told. */
  constructor(failure: () => Error) {
    this.#failure = failure;
  }

  /** Aborts when the watch is over, for whoever serves it. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Holds back what comes, until resumed. */
  stall(isStalled: boolean): void {
    if (this.#isOver) return;
    this.#state = isStalled ? "stalled" : "open";
    if (!isStalled) for (const fn of this.#onOpen.splice(0)) fn();
    this.#tell();
  }

  /** Calls `fn` once when what was stalled goes on. */
  onOpen(fn: () => void): void {
    this.#onOpen.push(fn);
  }

  cut(): void {
    this.#finish("cut");
  }

  /** Ends the watch as the server would, or with 410. */
  end(ending: "end" | "expired"): void {
    this.#expired = ending === "expired";
    this.#finish("ended");
  }

  /** Nobody reads any more. */
  done(): void {
    const callbacks = this.#onDone;
    this.#onDone = [];
    for (const fn of callbacks) fn();
  }

  onDone(fn: () => void): void {
    this.#onDone.push(fn);
  }

  /** The answer of a watch, under this lease. */
  hold(answer: ApiResponse): ApiResponse {
    const { events, source, body, ...rest } = answer;
    const frame = `${JSON.stringify(EXPIRED)}\n`;
    return {
      ...rest,
      body: body instanceof Uint8Array ? body : this.#held(body, Buffer.from(frame)),
      ...(source === undefined ? {} : { source: this.#heldSource(source, Buffer.from(frame)) }),
      ...(events === undefined ? {} : { events: this.#held(events, EXPIRED) }),
    };
  }

  get #isOver(): boolean {
    return this.#state === "ended" || this.#state === "cut";
  }

  #finish(state: State): void {
    if (this.#isOver) return;
    this.#state = state;
    this.#abort.abort(this.#failure());
    this.#tell();
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  #resumed(): Promise<void> {
    return new Promise((resolve) => {
      const listener = (): void => {
        if (this.#state === "stalled") return;
        this.#listeners = this.#listeners.filter((each) => each !== listener);
        resolve();
      };
      this.#listeners.push(listener);
    });
  }

  async *#held<T>(items: AsyncIterable<T>, expired: T): AsyncGenerator<T, void, void> {
    try {
      for await (const item of items) {
        if (this.#state === "stalled") await this.#resumed();
        if (this.#isOver) break;
        yield item;
      }
      // What ends behind a wall is not heard of.
      if (this.#state === "stalled") await this.#resumed();
      // A cut connection is an error to the reader, not the clean end of a watch.
      if (this.#state === "cut") throw this.#failure();
      if (this.#expired) yield expired;
    } finally {
      this.done();
    }
  }

  #heldSource(source: ByteSource, expired: Buffer): ByteSource {
    let last = expired as Buffer | undefined;
    const lease = this;
    return {
      read() {
        if (lease.#state === "open") return source.read();
        if (lease.#state !== "ended" || !lease.#expired) return undefined;
        const frame = last;
        last = undefined;
        return frame;
      },
      get state() {
        if (lease.#state === "cut") return "cut" as const;
        if (lease.#state === "ended") return lease.#expired && last !== undefined ? "open" : "ended";
        return lease.#state === "stalled" ? "open" : source.state;
      },
      onReady(fn) {
        source.onReady(fn);
        lease.#listeners.push(fn);
      },
      close() {
        source.close();
        lease.done();
      },
    };
  }
}
