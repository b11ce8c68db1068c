// Messages between two processes that need not trust each other: a header in JSON, and bytes that nobody reads on the way.
import { isObject } from "../../../kube/object.ts";

export type Header = Readonly<Record<string, unknown>>;

export interface Frame {
  readonly header: Header;
  readonly payload: Uint8Array;
}

/** Longest header. Names and paths are in it, and nothing else. */
export const MOST_HEADER_BYTES = 64 * 1024;

const PREFIX_BYTES = 8;
const NOTHING = new Uint8Array();

/** Parts that are sent one after the other. */
export function encodeFrame(header: Header, payload: Uint8Array = NOTHING): readonly Uint8Array[] {
  const head = Buffer.from(JSON.stringify(header));
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(head.length, 0);
  prefix.writeUInt32BE(payload.length, 4);
  return payload.length === 0 ? [prefix, head] : [prefix, head, payload];
}

/** What the other side sent is no frame, or a larger one than it may be: nothing that follows can be read. */
export class FrameError extends Error {
  readonly isTooLarge: boolean;

  constructor(message: string, isTooLarge: boolean) {
    super(message);
    this.name = "FrameError";
    this.isTooLarge = isTooLarge;
  }
}

/** Puts frames together from chunks that may split anywhere. Holds no more than one frame and one chunk. */
export class FrameReader {
  readonly #mostPayload: number;
  #chunks: Uint8Array[] = [];
  #held = 0;
  /** Of the frame that is coming: lengths of header and payload. */
  #lengths: readonly [number, number] | undefined;

  constructor(mostPayloadBytes: number) {
    this.#mostPayload = mostPayloadBytes;
  }

  /** The frames that are complete with this chunk. Throws `FrameError`. */
  push(chunk: Uint8Array): Frame[] {
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    const frames: Frame[] = [];
    for (;;) {
      this.#lengths ??= this.#readLengths();
      if (this.#lengths === undefined) return frames;
      const [header, payload] = this.#lengths;
      if (this.#held < header + payload) return frames;
      this.#lengths = undefined;
      frames.push({ header: parseHeader(this.#take(header)), payload: this.#take(payload) });
    }
  }

  #readLengths(): readonly [number, number] | undefined {
    if (this.#held < PREFIX_BYTES) return undefined;
    const prefix = Buffer.from(this.#take(PREFIX_BYTES));
    const header = prefix.readUInt32BE(0);
    const payload = prefix.readUInt32BE(4);
    if (header > MOST_HEADER_BYTES) throw new FrameError(`a header of ${header} bytes`, true);
    if (payload > this.#mostPayload) throw new FrameError(`a message of ${payload} bytes`, true);
    return [header, payload];
  }

  #take(length: number): Uint8Array {
    const whole = this.#chunks.length === 1 ? (this.#chunks[0] ?? NOTHING) : Buffer.concat(this.#chunks);
    const rest = whole.subarray(length);
    this.#chunks = rest.length === 0 ? [] : [rest];
    this.#held = rest.length;
    return whole.subarray(0, length);
  }
}

function parseHeader(bytes: Uint8Array): Header {
  let header: unknown;
  try {
    header = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    header = undefined;
  }
  if (!isObject(header)) throw new FrameError("a header that is no JSON object", false);
  return header;
}
