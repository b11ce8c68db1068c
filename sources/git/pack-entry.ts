// One entry of a pack: its header, its compressed bytes, and deltas.

import { inflateSync } from "node:zlib";
import { gitCorrupt } from "../errors.ts";
import type { ObjectType } from "./objects.ts";

export interface EntryHeader {
  readonly type: ObjectType | "ofs-delta" | "ref-delta";
  /** Bytes after inflating; of a delta, of the delta itself. */
  readonly size: number;
  /** Bytes of the header; the compressed bytes follow. */
  readonly length: number;
  /** For `ofs-delta`: how far before this entry the base begins. */
  readonly distance: number;
  /** For `ref-delta`: the name of the base. */
  readonly base: string;
}

const TYPES: readonly (EntryHeader["type"] | undefined)[] = [
  undefined,
  "commit",
  "tree",
  "blob",
  "tag",
  undefined,
  "ofs-delta",
  "ref-delta",
];

/** The longest header there can be: size, then the name of a base. */
export const MAX_HEADER_BYTES = 32;

export function readEntryHeader(bytes: Uint8Array): EntryHeader {
  let at = 0;
  function next(): number {
    const byte = bytes[at++];
    if (byte === undefined) throw gitCorrupt("the pack ends inside an entry");
    return byte;
  }
  let byte = next();
  const type = TYPES[(byte >> 4) & 7];
  if (type === undefined) throw gitCorrupt("the pack holds an entry of an unknown type");
  let size = byte & 15;
  for (let scale = 16; byte & 0x80; scale *= 128) {
    byte = next();
    size += (byte & 0x7f) * scale;
    if (size > Number.MAX_SAFE_INTEGER) throw gitCorrupt("the pack names an impossible size");
  }
  let distance = 0;
  let base = "";
  if (type === "ofs-delta") {
    byte = next();
    distance = byte & 0x7f;
    while (byte & 0x80) {
      byte = next();
      distance = (distance + 1) * 128 + (byte & 0x7f);
      if (distance > Number.MAX_SAFE_INTEGER) throw gitCorrupt("the pack names an impossible distance");
    }
  } else if (type === "ref-delta") {
    if (at + 20 > bytes.length) throw gitCorrupt("the pack ends inside an entry");
    base = Buffer.from(bytes.buffer, bytes.byteOffset + at, 20).toString("hex");
    at += 20;
  }
  return { type, size, length: at, distance, base };
}

const CODES = { commit: 1, tree: 2, blob: 3, tag: 4, "ofs-delta": 6 } as const;

/** The header of an entry; that of a delta is followed by its distance. */
export function writeEntryHeader(type: ObjectType | "ofs-delta", size: number): Buffer {
  const bytes = [(CODES[type] << 4) | (size & 15)];
  for (let rest = Math.floor(size / 16); rest > 0; rest = Math.floor(rest / 128)) {
    bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) | 0x80;
    bytes.push(rest & 0x7f);
  }
  return Buffer.from(bytes);
}

/** How far back the base of a delta begins. */
export function writeDistance(distance: number): Buffer {
  const bytes = [distance & 0x7f];
  for (let rest = Math.floor(distance / 128); rest > 0; rest = Math.floor(rest / 128)) {
    rest--;
    bytes.unshift(0x80 | (rest & 0x7f));
  }
  return Buffer.from(bytes);
}

export interface Inflated {
  readonly content: Buffer;
  /** Compressed bytes that were used. */
  readonly used: number;
}

/** Inflates the stream at the start of `bytes` to exactly `size` bytes; what follows the stream is left alone. */
export function inflateEntry(bytes: Uint8Array, size: number): Inflated {
  try {
    // The bound makes a stream that inflates to more than it claims fail at once.
    const result: unknown = inflateSync(bytes, {
      info: true,
      maxOutputLength: Math.max(size, 1),
      chunkSize: Math.min(Math.max(size + 1, 64), 1 << 20),
    });
    // The typings know only the form without `info`.
    const { buffer, engine } = result as { buffer: Buffer; engine: { bytesWritten: number } };
    if (buffer.length !== size) throw gitCorrupt("an object of the pack has another size than it claims");
    return { content: buffer, used: engine.bytesWritten };
  } catch (error) {
    if (error instanceof Error && error.name === "AppError") throw error;
    throw gitCorrupt("an object of the pack cannot be inflated", error);
  }
}

/** Bytes that compressing `size` bytes can take at most, even with the worst of usual encoders. */
export function compressedBound(size: number): number {
  return Math.ceil(size * 1.15) + 128;
}

/** The size that a delta's result has, without making it. */
export function deltaResultSize(delta: Uint8Array): number {
  const { at } = readDeltaSize(delta, 0);
  return readDeltaSize(delta, at).size;
}

function readDeltaSize(delta: Uint8Array, start: number): { readonly size: number; readonly at: number } {
  let size = 0;
  let at = start;
  for (let scale = 1; ; scale *= 128) {
    const byte = delta[at++];
    if (byte === undefined || scale > 2 ** 49) throw gitCorrupt("a delta of the pack is malformed");
    size += (byte & 0x7f) * scale;
    if ((byte & 0x80) === 0) return { size, at };
  }
}

/** Throws `git-corrupt` for a delta that does not fit its base. The caller has bounded the result's size. */
export function applyDelta(base: Buffer, delta: Buffer): Buffer {
  const source = readDeltaSize(delta, 0);
  const target = readDeltaSize(delta, source.at);
  if (source.size !== base.length) throw gitCorrupt("a delta of the pack does not fit its base");
  const result = Buffer.allocUnsafe(target.size);
  let at = target.at;
  let written = 0;
  while (at < delta.length) {
    const op = delta[at++] ?? 0;
    let length = op;
    if (op & 0x80) {
      let offset = 0;
      length = 0;
      for (let bit = 0; bit < 4; bit++) if (op & (1 << bit)) offset += (delta[at++] ?? 0) * 2 ** (8 * bit);
      for (let bit = 0; bit < 3; bit++) if (op & (16 << bit)) length += (delta[at++] ?? 0) * 2 ** (8 * bit);
      if (length === 0) length = 0x10000;
      if (offset + length > base.length || written + length > target.size) break;
      base.copy(result, written, offset, offset + length);
    } else {
      if (op === 0 || at + length > delta.length || written + length > target.size) break;
      delta.copy(result, written, at, at + length);
      at += length;
    }
    written += length;
  }
  if (written !== target.size || at !== delta.length) throw gitCorrupt("a delta of the pack is malformed");
  return result;
}
