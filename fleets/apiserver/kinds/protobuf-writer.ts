// Writes protobuf messages.

/** Collects the fields of one message. Every method answers the writer itself. */
export class ProtobufWriter {
  readonly #chunks: Uint8Array[] = [];

  #tag(number: number, wireType: number): void {
    this.#chunks.push(varint(number * 8 + wireType));
  }

  bytes(number: number, bytes: Uint8Array): this {
    this.#tag(number, 2);
    this.#chunks.push(varint(bytes.length), bytes);
    return this;
  }

  text(number: number, text: string): this {
    return this.bytes(number, Buffer.from(text, "utf8"));
  }

  /** A non-negative integer or a boolean. */
  integer(number: number, value: number): this {
    this.#tag(number, 0);
    this.#chunks.push(varint(value));
    return this;
  }

  double(number: number, value: number): this {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(value);
    this.#tag(number, 1);
    this.#chunks.push(bytes);
    return this;
  }

  message(number: number, fill: (inner: ProtobufWriter) => void): this {
    const inner = new ProtobufWriter();
    fill(inner);
    return this.bytes(number, inner.finish());
  }

  finish(): Uint8Array {
    return Buffer.concat(this.#chunks);
  }
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}
