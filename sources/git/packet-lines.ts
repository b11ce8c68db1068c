// Git's framing: four hexadecimal digits of length, then the bytes; 0000, 0001 and 0002 are markers.

import { gitCorrupt } from "../errors.ts";

export type Packet =
  | { readonly type: "data"; readonly bytes: Buffer }
  | { readonly type: "flush" | "delimiter" | "end-of-response" }
  | { readonly type: "closed" };

export function packetLine(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from((bytes.length + 4).toString(16).padStart(4, "0")), bytes]);
}

export const FLUSH = Buffer.from("0000");
export const DELIMITER = Buffer.from("0001");

/** Reads packets from a stream of chunks. A stream that ends inside a packet is `git-corrupt`. */
export class PacketReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #pending: Buffer = Buffer.alloc(0);

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  async next(): Promise<Packet> {
    if (!(await this.#fill(4))) {
      if (this.#pending.length > 0) throw gitCorrupt("the answer of the Git server ends inside a packet");
      return { type: "closed" };
    }
    const header = this.#pending.toString("latin1", 0, 4);
    if (!/^[0-9a-fA-F]{4}$/.test(header))
      throw gitCorrupt("the answer of the Git server is not in Git's packet format");
    const length = Number.parseInt(header, 16);
    if (length < 4) {
      this.#pending = this.#pending.subarray(4);
      if (length === 3) throw gitCorrupt("the answer of the Git server has a packet of length 3");
      return { type: length === 0 ? "flush" : length === 1 ? "delimiter" : "end-of-response" };
    }
    if (!(await this.#fill(length))) throw gitCorrupt("the answer of the Git server ends inside a packet");
    const bytes = this.#pending.subarray(4, length);
    this.#pending = this.#pending.subarray(length);
    return { type: "data", bytes };
  }

  /** The next packet as text without its line feed; `undefined` at a marker or the end. */
  async line(): Promise<string | undefined> {
    const packet = await this.next();
    return packet.type === "data" ? packetText(packet.bytes) : undefined;
  }

  async #fill(length: number): Promise<boolean> {
    if (this.#pending.length >= length) return true;
    const parts: Uint8Array[] = [this.#pending];
    let have = this.#pending.length;
    while (have < length) {
      const { value, done } = await this.#chunks.next();
      if (done === true) {
        this.#pending = Buffer.concat(parts);
        return false;
      }
      parts.push(value);
      have += value.length;
    }
    this.#pending = Buffer.concat(parts);
    return true;
  }
}

export function packetText(bytes: Buffer): string {
  const text = bytes.toString("utf8");
  return text.endsWith("\n") ? text.slice(0, -1) : text;
}
