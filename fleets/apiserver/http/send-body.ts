// Writes bodies of answers without holding up others.
import type { Http2ServerResponse } from "node:http2";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createGzip } from "node:zlib";
import type { ByteSource } from "../../../kube/client/transport.ts";

const CHUNK_BYTES = 1_048_576;
/** How long one turn of the event loop writes. */
const TURN_MS = 8;

/** Large bodies go in parts, so that other streams of the connection and of the process get their turn. */
export async function sendBytes(response: Http2ServerResponse, body: Uint8Array, signal: AbortSignal): Promise<void> {
  let at = 0;
  for (; body.byteLength - at > CHUNK_BYTES; at += CHUNK_BYTES) {
    if (signal.aborted) return;
    if (!response.write(body.subarray(at, at + CHUNK_BYTES))) await drained(response, signal);
  }
  response.end(body.subarray(at));
}

/**
 * Sends the parts of a body as they come, as fast as the client reads them. When `until` aborts the answer ends after
 * the part that came last.
 */
export async function sendStream(
  response: Http2ServerResponse,
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
  until?: AbortSignal,
): Promise<void> {
  for await (const chunk of until === undefined ? body : partsUntil(body, until)) {
    if (signal.aborted) return;
    if (!response.write(chunk)) await drained(response, signal);
  }
  response.end();
}

async function* partsUntil(body: AsyncIterable<Uint8Array>, until: AbortSignal): AsyncIterable<Uint8Array> {
  const parts = body[Symbol.asyncIterator]();
  let stop: () => void = () => undefined;
  const ended = new Promise<undefined>((resolve) => {
    stop = () => resolve(undefined);
    if (until.aborted) stop();
    else until.addEventListener("abort", stop, { once: true });
  });
  try {
    for (;;) {
      const next = await Promise.race([parts.next(), ended]);
      if (next === undefined || next.done === true) return;
      yield next.value;
    }
  } finally {
    // The signal outlives every answer.
    until.removeEventListener("abort", stop);
    void parts.return?.().catch(() => undefined);
  }
}

/** Sends what a source has, as fast as the client reads; resolves when all is sent, or nobody reads any more. */
export function sendSource(response: Http2ServerResponse, source: ByteSource, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => new SourceWriter(response, source, signal, resolve, reject).start());
}

/** As `sendSource`, compressed. */
export async function sendPacked(
  response: Http2ServerResponse,
  source: ByteSource,
  signal: AbortSignal,
): Promise<void> {
  try {
    await pipeline(Readable.from(partsOf(source)), createGzip({ level: constants.Z_BEST_SPEED }), response, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    source.close();
  }
}

async function* partsOf(source: ByteSource): AsyncGenerator<Uint8Array, void, void> {
  for (;;) {
    const part = source.read();
    if (part === undefined) return;
    if (part.length > 0) yield part;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

class SourceWriter {
  readonly #response: Http2ServerResponse;
  readonly #source: ByteSource;
  readonly #signal: AbortSignal;
  readonly #resolve: () => void;
  readonly #reject: (error: unknown) => void;
  readonly #onAbort = (): void => this.#finish();
  readonly #onDrain = (): void => {
    this.#isFull = false;
    this.#schedule();
  };
  #isFull = false;
  #isScheduled = false;
  #isDone = false;

  constructor(
    response: Http2ServerResponse,
    source: ByteSource,
    signal: AbortSignal,
    resolve: () => void,
    reject: (error: unknown) => void,
  ) {
    this.#response = response;
    this.#source = source;
    this.#signal = signal;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  start(): void {
    if (this.#signal.aborted) {
      this.#finish();
      return;
    }
    this.#signal.addEventListener("abort", this.#onAbort, { once: true });
    this.#response.on("drain", this.#onDrain);
    this.#source.onReady(() => this.#schedule());
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isDone || this.#isScheduled) return;
    // A full connection waits for its reader, unless the reader is to be sent away.
    if (this.#isFull && this.#source.state !== "cut") return;
    this.#isScheduled = true;
    turns.add(this);
  }

  /** Writes one part. */
  write(): void {
    this.#isScheduled = false;
    if (this.#isDone) return;
    try {
      const part = this.#source.read();
      if (part === undefined) {
        const { state } = this.#source;
        if (state === "open") return;
        if (state === "ended") this.#response.end();
        else this.#response.destroy();
        this.#finish();
        return;
      }
      this.#isFull = part.length > 0 && !this.#response.write(part);
      this.#schedule();
    } catch (error) {
      this.#finish(error);
    }
  }

  #finish(error?: unknown): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#signal.removeEventListener("abort", this.#onAbort);
    this.#response.off("drain", this.#onDrain);
    this.#source.close();
    if (error === undefined) this.#resolve();
    else this.#reject(error);
  }
}

/** All writers of the process take turns, so that neither a large list nor a change that many watch holds up the rest. */
class Turns {
  #waiting: SourceWriter[] = [];
  #next = 0;
  #isScheduled = false;

  add(writer: SourceWriter): void {
    this.#waiting.push(writer);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#take());
  }

  #take(): void {
    this.#isScheduled = false;
    const end = performance.now() + TURN_MS;
    while (this.#next < this.#waiting.length) {
      this.#waiting[this.#next++]!.write();
      if ((this.#next & 7) === 0 && performance.now() > end) break;
    }
    if (this.#next >= this.#waiting.length) this.#waiting = [];
    else this.#waiting = this.#waiting.slice(this.#next);
    this.#next = 0;
    if (this.#waiting.length === 0 || this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#take());
  }
}

const turns = new Turns();

/** Waits until more can be written, or the reader is gone. */
function drained(response: Http2ServerResponse, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      response.off("drain", go);
      signal.removeEventListener("abort", go);
      resolve();
    };
    response.on("drain", go);
    signal.addEventListener("abort", go, { once: true });
  });
}
