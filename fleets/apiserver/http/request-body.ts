// Bodies of requests: read whole, within bounds of size, of time, and of what all of them take together.
import type { IncomingMessage } from "node:http";
import type { Http2ServerRequest } from "node:http2";
import { requestTooLarge, tooManyRequests } from "../registry/status-error.ts";
import { timedOut } from "../request/limits.ts";

type Received = Http2ServerRequest | IncomingMessage;

/** Longest time that a body may take to arrive. */
const BODY_MS = 60_000;
/** All bodies that are being read hold at most this much; further ones are answered 429. */
const MOST_BYTES = 268_435_456;
const DISCARD_MS = 5000;

export class BodyReader {
  readonly #maxBytes: number;
  readonly #bodyMs: number;
  readonly #mostBytes: number;
  #held = 0;

  constructor(maxBytes: number, bodyMs = BODY_MS, mostBytes = MOST_BYTES) {
    this.#maxBytes = maxBytes;
    this.#bodyMs = bodyMs;
    this.#mostBytes = mostBytes;
  }

  /** The whole body; undefined for none. Throws 413, 429, and 504 for one that does not arrive. */
  async read(request: Received): Promise<Buffer | undefined> {
    if (request.method === "GET" || request.method === "HEAD") return undefined;
    if (Number(request.headers["content-length"] ?? 0) > this.#maxBytes) throw requestTooLarge(this.#maxBytes);
    let size = 0;
    let fail: (error: Error) => void = () => {};
    const late = new Promise<never>((_resolve, reject) => {
      fail = reject;
    });
    const timer = setTimeout(() => fail(timedOut()), this.#bodyMs);
    const take = (bytes: number): void => {
      size += bytes;
      this.#held += bytes;
      if (size > this.#maxBytes) throw requestTooLarge(this.#maxBytes);
      if (this.#held > this.#mostBytes) throw tooManyRequests("Too many requests, please try again later.", 1);
    };
    try {
      return await Promise.race([collect(request, take), late]);
    } finally {
      clearTimeout(timer);
      this.#held -= size;
    }
  }
}

async function collect(request: Received, take: (bytes: number) => void): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  // The request stays whole when reading ends early: its connection still carries the answer.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    // Chunks of a request without encoding are buffers.
    const bytes = chunk as Buffer;
    take(bytes.byteLength);
    chunks.push(bytes);
  }
  return chunks.length === 0 ? undefined : chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
}

/** Reads what is left of a body that was answered early, for a while: the client may not read before it has sent all. */
export function discardRest(request: Received): void {
  const timer = setTimeout(() => request.destroy(), DISCARD_MS);
  request.once("close", () => clearTimeout(timer));
  request.once("end", () => clearTimeout(timer));
  request.resume();
}
