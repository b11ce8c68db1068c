// Messages on a stream: one byte that says whether it is compressed, four bytes of length, the message.
import { GrpcError } from "./status.ts";

const HEAD_BYTES = 5;

export function frame(message: Uint8Array): Buffer {
  const framed = Buffer.alloc(HEAD_BYTES + message.length);
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, HEAD_BYTES);
  return framed;
}

/** Collects the parts of the one message of a unary call. */
export class FrameReader {
  readonly #maxBytes: number;
  #parts: Uint8Array[] = [];
  #length = 0;

  /** Messages of more than `maxBytes` are refused as soon as their head is there. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Throws `GrpcError` for what is too large or cannot be one uncompressed message. */
  add(part: Uint8Array): void {
    this.#parts.push(part);
    this.#length += part.length;
    if (this.#length < HEAD_BYTES) return;
    const head = this.#parts[0] !== undefined && this.#parts[0].length >= HEAD_BYTES ? this.#parts[0] : this.#joined();
    const announced = Buffer.from(head.buffer, head.byteOffset, head.byteLength).readUInt32BE(1);
    if (announced > this.#maxBytes)
      throw new GrpcError("RESOURCE_EXHAUSTED", `the message has ${announced} bytes, ${this.#maxBytes} is the limit`);
    if (head[0] !== 0) throw new GrpcError("UNIMPLEMENTED", "compressed messages were not agreed on");
    if (this.#length > HEAD_BYTES + announced) throw new GrpcError("INTERNAL", "there is more than one message");
  }

  /** The message when the stream has ended; undefined when there was none. Throws when it is cut short. */
  finish(): Uint8Array | undefined {
    if (this.#length === 0) return undefined;
    const joined = this.#joined();
    if (
      this.#length < HEAD_BYTES ||
      Buffer.from(joined.buffer, joined.byteOffset, joined.byteLength).readUInt32BE(1) !== this.#length - HEAD_BYTES
    )
      throw new GrpcError("INTERNAL", "the message is cut short");
    return joined.subarray(HEAD_BYTES);
  }

  #joined(): Uint8Array {
    const joined = this.#parts.length === 1 ? (this.#parts[0] as Uint8Array) : Buffer.concat(this.#parts);
    this.#parts = [joined];
    return joined;
  }
}
