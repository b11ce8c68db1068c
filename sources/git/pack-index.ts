// The index of a pack, version 2: sorted object names and where each begins in the pack.

import { createHash, hash } from "node:crypto";
import { gitCorrupt } from "../errors.ts";

const MAGIC = 0xff744f63;
const NAMES = 8 + 256 * 4;

export interface IndexedObject {
  readonly oid: Buffer;
  readonly crc32: number;
  readonly offset: number;
}

/** An index in memory. Looking up a name is a binary search over the file's own bytes. */
export class PackIndex {
  readonly count: number;
  /** Checksum of the pack it belongs to. */
  readonly packChecksum: Buffer;
  readonly #bytes: Buffer;
  #offsets: Float64Array | undefined;

  /** Throws `git-corrupt` when the bytes are no whole index of version 2. */
  constructor(bytes: Buffer) {
    const valid = bytes.length >= NAMES + 40 && bytes.readUInt32BE(0) === MAGIC && bytes.readUInt32BE(4) === 2;
    const count = valid ? bytes.readUInt32BE(NAMES - 4) : 0;
    if (!valid || bytes.length < NAMES + count * 28 + 40) throw gitCorrupt("an index of a pack is malformed");
    this.#bytes = bytes;
    this.count = count;
    this.packChecksum = bytes.subarray(bytes.length - 40, bytes.length - 20);
  }

  /** Whether the index itself is whole, by its checksum. */
  isIntact(): boolean {
    const end = this.#bytes.length - 20;
    return createHash("sha1").update(this.#bytes.subarray(0, end)).digest().equals(this.#bytes.subarray(end));
  }

  /** Where the object begins in the pack; -1 when it is not in there. */
  find(oid: Buffer): number {
    const first = oid[0] ?? 0;
    let low = first === 0 ? 0 : this.#bytes.readUInt32BE(8 + (first - 1) * 4);
    let high = Math.min(this.#bytes.readUInt32BE(8 + first * 4), this.count);
    while (low < high) {
      const middle = (low + high) >>> 1;
      const at = NAMES + middle * 20;
      const order = this.#bytes.compare(oid, 0, 20, at, at + 20);
      if (order === 0) return this.#offset(middle);
      // Buffer.compare(target) says how this buffer sorts against the target.
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return -1;
  }

  /** Where the entry after the one at `offset` begins; `undefined` for the last. */
  nextOffset(offset: number): number | undefined {
    this.#offsets ??= Float64Array.from({ length: this.count }, (_, i) => this.#offset(i)).sort();
    const offsets = this.#offsets;
    let low = 0;
    let high = offsets.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((offsets[middle] ?? 0) <= offset) low = middle + 1;
      else high = middle;
    }
    return offsets[low];
  }

  /** Every object, in the order of names. */
  *objects(): Generator<{ readonly oid: string; readonly offset: number }> {
    for (let i = 0; i < this.count; i++) {
      const at = NAMES + i * 20;
      yield { oid: this.#bytes.toString("hex", at, at + 20), offset: this.#offset(i) };
    }
  }

  /** Names that start with the hexadecimal prefix, at most `limit`. */
  matching(prefix: string, limit: number): string[] {
    const found: string[] = [];
    for (const { oid } of this.objects()) {
      if (oid.startsWith(prefix)) found.push(oid);
      if (found.length >= limit || oid.slice(0, prefix.length) > prefix) break;
    }
    return found;
  }

  #offset(i: number): number {
    const at = NAMES + this.count * 24 + i * 4;
    const small = this.#bytes.readUInt32BE(at);
    if (small < 0x8000_0000) return small;
    const large = NAMES + this.count * 28 + (small - 0x8000_0000) * 8;
    if (large + 8 > this.#bytes.length - 40) throw gitCorrupt("an index of a pack is malformed");
    return Number(this.#bytes.readBigUInt64BE(large));
  }
}

/** The bytes of an index. Of objects with the same name the first stays. */
export function writePackIndex(objects: readonly IndexedObject[], packChecksum: Buffer): Buffer {
  const sorted = objects
    .toSorted((a, b) => a.oid.compare(b.oid) || a.offset - b.offset)
    .filter((object, i, all) => i === 0 || all[i - 1]?.oid.equals(object.oid) !== true);
  const large = sorted.filter((object) => object.offset >= 0x8000_0000);
  const count = sorted.length;
  const bytes = Buffer.alloc(NAMES + count * 28 + large.length * 8 + 40);
  bytes.writeUInt32BE(MAGIC, 0);
  bytes.writeUInt32BE(2, 4);
  let largeAt = 0;
  sorted.forEach((object, i) => {
    object.oid.copy(bytes, NAMES + i * 20);
    bytes.writeUInt32BE(object.crc32, NAMES + count * 20 + i * 4);
    let offset = object.offset;
    if (offset >= 0x8000_0000) {
      bytes.writeBigUInt64BE(BigInt(offset), NAMES + count * 28 + largeAt * 8);
      offset = 0x8000_0000 + largeAt++;
    }
    bytes.writeUInt32BE(offset, NAMES + count * 24 + i * 4);
  });
  let through = 0;
  for (let first = 0; first < 256; first++) {
    while (through < count && (sorted[through]?.oid[0] ?? 0) <= first) through++;
    bytes.writeUInt32BE(through, 8 + first * 4);
  }
  packChecksum.copy(bytes, bytes.length - 40);
  hash("sha1", bytes.subarray(0, bytes.length - 20), "buffer").copy(bytes, bytes.length - 20);
  return bytes;
}
