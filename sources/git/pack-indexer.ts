// Reads a received pack from beginning to end, checks every object and makes the index. Deltas against objects that
// are not in the pack (a "thin" pack) get their bases appended, so that a pack always stands alone.

import { createHash } from "node:crypto";
import { closeSync, createReadStream, ftruncateSync, openSync, writeSync } from "node:fs";
import { crc32, deflateSync } from "node:zlib";
import { yieldToLoop } from "../../runtime/parallel.ts";
import { gitCorrupt, gitTooLarge } from "../errors.ts";
import { FileWindow } from "./file-window.ts";
import { formatBytes, type GitLimits, MAX_DELTA_DEPTH } from "./limits.ts";
import { LruCache } from "./lru.ts";
import { type GitObject, type ObjectType, objectName } from "./objects.ts";
import {
  applyDelta,
  compressedBound,
  deltaResultSize,
  inflateEntry,
  MAX_HEADER_BYTES,
  readEntryHeader,
  writeEntryHeader,
} from "./pack-entry.ts";
import { type IndexedObject, writePackIndex } from "./pack-index.ts";

const BLOCK = 1 << 20;
const SLICE_MS = 12;
/** Bytes of deltas and of bases kept between the two passes, so that they are rarely inflated twice. */
const KEPT_BYTES = 48 << 20;
/** Bytes of unfinished bases while following one chain of deltas. */
const MAX_CHAIN_BYTES = 512 << 20;

export interface IndexingOptions {
  readonly limits: GitLimits;
  readonly signal: AbortSignal;
  /** An object that the repository already has; `undefined` when it has not. */
  readonly findObject: (oid: string) => GitObject | undefined;
}

export interface IndexedPack {
  readonly index: Buffer;
  /** Checksum of the pack in its final form. */
  readonly checksum: Buffer;
  readonly objects: number;
}

interface Entry {
  readonly offset: number;
  readonly type: ObjectType | "ofs-delta" | "ref-delta";
  readonly size: number;
  readonly dataOffset: number;
  readonly crc32: number;
  oid: string;
}

/**
 * Checks and indexes the pack at `path`, whose own checksum the caller has verified. Gives the event loop a turn every
 * few milliseconds. Throws `git-corrupt` and `git-too-large`; the file is then worthless.
 */
export async function indexPack(path: string, options: IndexingOptions): Promise<IndexedPack> {
  const indexer = new PackIndexer(path, options);
  try {
    return await indexer.run();
  } finally {
    indexer.close();
  }
}

class PackIndexer {
  readonly #path: string;
  readonly #options: IndexingOptions;
  readonly #window: FileWindow;
  readonly #entries: Entry[] = [];
  readonly #byOffset = new Map<number, Entry>();
  /** Deltas by the place of their base, and by the name of their base. */
  readonly #childrenAt = new Map<number, Entry[]>();
  readonly #childrenOf = new Map<string, Entry[]>();
  readonly #kept = new LruCache<number, Buffer>(KEPT_BYTES);
  #inflated = 0;
  #sliceStart = performance.now();

  constructor(path: string, options: IndexingOptions) {
    this.#path = path;
    this.#options = options;
    this.#window = new FileWindow(path, BLOCK);
  }

  close(): void {
    this.#window.close();
  }

  async run(): Promise<IndexedPack> {
    const header = this.#window.read(0, 12);
    if (this.#window.size < 32 || header.toString("latin1", 0, 4) !== "PACK") throw gitCorrupt("what came is no pack");
    if (header.readUInt32BE(4) !== 2) throw gitCorrupt(`the pack has version ${header.readUInt32BE(4)}, not 2`);
    const count = header.readUInt32BE(8);
    if (count > this.#options.limits.maxObjects) {
      throw gitTooLarge(`a pack of ${count} objects`, `${this.#options.limits.maxObjects} objects`);
    }
    await this.#scan(count);
    await this.#resolve();
    const added = await this.#addMissingBases();
    const end = this.#window.size - 20;
    const checksum = added.length === 0 ? this.#window.read(end, 20) : await this.#rewrite(count, added);
    const objects: IndexedObject[] = [...this.#entries, ...added].map((entry) => {
      if (entry.oid === "") throw gitCorrupt("the pack holds a delta whose base is nowhere");
      return { oid: Buffer.from(entry.oid, "hex"), crc32: entry.crc32, offset: entry.offset };
    });
    return {
      index: writePackIndex(objects, Buffer.from(checksum)),
      checksum: Buffer.from(checksum),
      objects: objects.length,
    };
  }

  async #scan(count: number): Promise<void> {
    const end = this.#window.size - 20;
    let offset = 12;
    for (let i = 0; i < count; i++) {
      await this.#pause();
      const header = readEntryHeader(this.#window.read(offset, Math.min(MAX_HEADER_BYTES, end - offset)));
      this.#account(header.size);
      const length = Math.min(header.length + compressedBound(header.size), end - offset);
      const bytes = this.#window.read(offset, length);
      const { content, used } = inflateEntry(bytes.subarray(header.length), header.size);
      const entry: Entry = {
        offset,
        type: header.type,
        size: header.size,
        dataOffset: offset + header.length,
        crc32: crc32(bytes.subarray(0, header.length + used)),
        oid: "",
      };
      if (header.type === "ofs-delta") pushTo(this.#childrenAt, offset - header.distance, entry);
      else if (header.type === "ref-delta") pushTo(this.#childrenOf, header.base, entry);
      else entry.oid = objectName(header.type, content);
      this.#kept.set(offset, content, content.length + 100);
      this.#entries.push(entry);
      this.#byOffset.set(offset, entry);
      offset += header.length + used;
    }
    if (offset !== end) throw gitCorrupt("the pack holds more than it claims");
  }

  /** Names every delta whose chain begins at a whole object of this pack. */
  async #resolve(): Promise<void> {
    for (const entry of this.#entries) {
      if (entry.type === "ofs-delta" || entry.type === "ref-delta") continue;
      if (!this.#childrenAt.has(entry.offset) && !this.#childrenOf.has(entry.oid)) continue;
      await this.#follow(entry, { type: entry.type, content: this.#content(entry) });
    }
  }

  async #follow(root: Pick<Entry, "offset" | "oid">, object: GitObject): Promise<void> {
    const frames = [{ content: object.content, children: this.#takeChildren(root) }];
    let held = object.content.length;
    for (;;) {
      const frame = frames.at(-1);
      if (frame === undefined) return;
      const child = frame.children.pop();
      if (child === undefined) {
        frames.pop();
        held -= frame.content.length;
        continue;
      }
      await this.#pause();
      const delta = this.#content(child);
      this.#account(deltaResultSize(delta));
      const content = applyDelta(frame.content, delta);
      child.oid = objectName(object.type, content);
      const children = this.#takeChildren(child);
      if (children.length === 0) continue;
      frames.push({ content, children });
      held += content.length;
      if (frames.length > MAX_DELTA_DEPTH) throw gitCorrupt("a chain of deltas is longer than Git makes them");
      if (held > MAX_CHAIN_BYTES) throw gitTooLarge("a chain of deltas", formatBytes(MAX_CHAIN_BYTES));
    }
  }

  #takeChildren(entry: Pick<Entry, "offset" | "oid">): Entry[] {
    const children = [...(this.#childrenAt.get(entry.offset) ?? []), ...(this.#childrenOf.get(entry.oid) ?? [])];
    this.#childrenAt.delete(entry.offset);
    this.#childrenOf.delete(entry.oid);
    return children;
  }

  #content(entry: Entry): Buffer {
    const kept = this.#kept.get(entry.offset);
    if (kept !== undefined) return kept;
    const end = this.#window.size - 20;
    const bytes = this.#window.read(entry.dataOffset, Math.min(compressedBound(entry.size), end - entry.dataOffset));
    return inflateEntry(bytes, entry.size).content;
  }

  async #addMissingBases(): Promise<Entry[]> {
    const added: Entry[] = [];
    if (this.#childrenOf.size === 0) return added;
    const file = openSync(this.#path, "r+");
    try {
      let offset = this.#window.size - 20;
      // Following a base may name what another delta waits for, so the names are taken as they still are.
      for (const oid of [...this.#childrenOf.keys()]) {
        const base = this.#childrenOf.has(oid) ? this.#options.findObject(oid) : undefined;
        if (base === undefined) continue;
        const bytes = Buffer.concat([writeEntryHeader(base.type, base.content.length), deflateSync(base.content)]);
        writeSync(file, bytes, 0, bytes.length, offset);
        const entry: Entry = {
          offset,
          type: base.type,
          size: base.content.length,
          dataOffset: 0,
          crc32: crc32(bytes),
          oid,
        };
        added.push(entry);
        offset += bytes.length;
        await this.#follow(entry, base);
      }
      if (added.length > 0) ftruncateSync(file, offset);
    } finally {
      closeSync(file);
    }
    return added;
  }

  /** Gives the pack that grew its new count and checksum. */
  async #rewrite(count: number, added: readonly Entry[]): Promise<Buffer> {
    const total = Buffer.alloc(4);
    total.writeUInt32BE(count + added.length);
    const file = openSync(this.#path, "r+");
    try {
      writeSync(file, total, 0, 4, 8);
      const sum = createHash("sha1");
      let end = 0;
      // The old checksum is overwritten by the first added entry.
      for await (const chunk of createReadStream(this.#path)) {
        sum.update(chunk);
        end += chunk.length;
      }
      const checksum = sum.digest();
      writeSync(file, checksum, 0, checksum.length, end);
      return checksum;
    } finally {
      closeSync(file);
    }
  }

  #account(bytes: number): void {
    const { maxObjectBytes, maxInflatedBytes } = this.#options.limits;
    if (bytes > maxObjectBytes) throw gitTooLarge("an object of the repository", formatBytes(maxObjectBytes));
    this.#inflated += bytes;
    if (this.#inflated > maxInflatedBytes) throw gitTooLarge("the content of a fetch", formatBytes(maxInflatedBytes));
  }

  async #pause(): Promise<void> {
    if (performance.now() - this.#sliceStart < SLICE_MS) return;
    await yieldToLoop();
    this.#options.signal.throwIfAborted();
    this.#sliceStart = performance.now();
  }
}

function pushTo<K>(map: Map<K, Entry[]>, key: K, entry: Entry): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [entry]);
  else list.push(entry);
}
