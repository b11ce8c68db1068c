// A pack with its index: objects by name, deltas resolved.

import { readFileSync } from "node:fs";
import { gitCorrupt, gitTooLarge } from "../errors.ts";
import { FileWindow } from "./file-window.ts";
import { formatBytes, MAX_DELTA_DEPTH } from "./limits.ts";
import type { LruCache } from "./lru.ts";
import type { GitObject } from "./objects.ts";
import {
  applyDelta,
  deltaResultSize,
  type EntryHeader,
  inflateEntry,
  MAX_HEADER_BYTES,
  readEntryHeader,
} from "./pack-entry.ts";
import { PackIndex } from "./pack-index.ts";

const BLOCK = 64 << 10;

/** What reading needs from around the pack. */
export interface PackContext {
  /** Recently read objects, by `Pack.id` and offset. */
  readonly cache: LruCache<number, GitObject>;
  readonly maxObjectBytes: number;
  /** Reads a base that lies outside this pack. */
  readonly readObject: (oid: string) => GitObject;
}

let packs = 0;

/** Packs with an open file, the longest open first: hundreds of repositories must not use up the process's files. */
const open = new Set<Pack>();
const MAX_OPEN = 128;

export class Pack {
  /** Path without extension. */
  readonly path: string;
  readonly index: PackIndex;
  readonly #id = packs++;
  #window: FileWindow | undefined;

  /** Throws `git-corrupt` when index and pack are not whole or do not belong together. */
  constructor(path: string) {
    this.path = path;
    this.index = new PackIndex(readFileSync(`${path}.idx`));
    const window = this.#open();
    const trailer = window.size < 32 ? Buffer.alloc(0) : window.read(window.size - 20, 20);
    if (!trailer.equals(this.index.packChecksum)) {
      this.close();
      throw gitCorrupt(`the pack ${path}.pack is not whole`);
    }
  }

  get size(): number {
    return this.#open().size;
  }

  has(oid: Buffer): boolean {
    return this.index.find(oid) >= 0;
  }

  /** `undefined` when the object is not in this pack. */
  read(oid: Buffer, context: PackContext): GitObject | undefined {
    const offset = this.index.find(oid);
    return offset < 0 ? undefined : this.#readAt(offset, context);
  }

  /** One entry as it is stored: its header and its compressed bytes. */
  entryAt(offset: number): { readonly header: EntryHeader; readonly compressed: Buffer } {
    const end = this.index.nextOffset(offset) ?? this.size - 20;
    const bytes = this.#open().read(offset, end - offset);
    const header = readEntryHeader(bytes);
    return { header, compressed: bytes.subarray(header.length) };
  }

  close(): void {
    this.#window?.close();
    this.#window = undefined;
    open.delete(this);
  }

  #readAt(start: number, context: PackContext): GitObject {
    const deltas: { readonly offset: number; readonly delta: Buffer }[] = [];
    let offset = start;
    let object: GitObject | undefined;
    while (object === undefined) {
      object = context.cache.get(this.#key(offset));
      if (object !== undefined) break;
      if (deltas.length > MAX_DELTA_DEPTH) throw gitCorrupt("a chain of deltas does not end");
      const header = readEntryHeader(this.#open().read(offset, MAX_HEADER_BYTES));
      if (header.size > context.maxObjectBytes) throw tooLarge(context.maxObjectBytes);
      const end = this.index.nextOffset(offset) ?? this.#open().size - 20;
      const bytes = this.#open()
        .read(offset, end - offset)
        .subarray(header.length);
      const { content } = inflateEntry(bytes, header.size);
      if (header.type === "ofs-delta") {
        deltas.push({ offset, delta: content });
        if (header.distance <= 0 || header.distance > offset) throw gitCorrupt("a delta names a base outside its pack");
        offset -= header.distance;
      } else if (header.type === "ref-delta") {
        deltas.push({ offset, delta: content });
        const inside = this.index.find(Buffer.from(header.base, "hex"));
        if (inside >= 0) offset = inside;
        else object = context.readObject(header.base);
      } else {
        object = { type: header.type, content };
        context.cache.set(this.#key(offset), object, content.length + 200);
      }
    }
    for (const { offset: at, delta } of deltas.reverse()) {
      if (deltaResultSize(delta) > context.maxObjectBytes) throw tooLarge(context.maxObjectBytes);
      object = { type: object.type, content: applyDelta(object.content, delta) };
      context.cache.set(this.#key(at), object, object.content.length + 200);
    }
    return object;
  }

  #key(offset: number): number {
    return this.#id * 2 ** 38 + offset;
  }

  #open(): FileWindow {
    if (this.#window === undefined) {
      this.#window = new FileWindow(`${this.path}.pack`, BLOCK);
      open.add(this);
      const [oldest] = open;
      if (open.size > MAX_OPEN) oldest?.close();
    }
    return this.#window;
  }
}

function tooLarge(maxObjectBytes: number): Error {
  return gitTooLarge("an object of the repository", formatBytes(maxObjectBytes));
}
