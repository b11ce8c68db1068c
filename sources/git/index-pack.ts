// Makes the index of a pack while it is checked. isomorphic-git could, but inflates every object again, asks a thread for
// each name, and stops the event loop for as long as it writes.

import { crc32 } from "node:zlib";
import { yieldToLoop } from "../../runtime/parallel.ts";
import { gitCorrupt, gitTooLarge } from "../errors.ts";
import { formatBytes, MAX_DELTA_DEPTH } from "./limits.ts";
import { LruCache } from "./lru.ts";
import { type GitObject, objectName } from "./objects.ts";
import { type CheckedEntry, checkPack, type PackLimits } from "./pack-check.ts";
import {
  applyDelta,
  compressedBound,
  deltaResultSize,
  type EntryHeader,
  inflateEntry,
  MAX_HEADER_BYTES,
  readEntryHeader,
} from "./pack-entry.ts";
import { type IndexedObject, writePackIndex } from "./pack-index.ts";

/** What deltas lately built upon. */
const KEPT_BYTES = 64 << 20;
/** Work beyond reading each object once, as where many deltas build upon an object that is not kept. */
const MAX_WORK = 4;
const SLICE_MS = 12;

/** An object that the pack may build upon and that is not in it. */
export type FindObject = (oid: string) => GitObject | undefined;

/**
 * The bytes of the index. Throws what `checkPack` throws, and `git-corrupt` when a delta leans on nothing or does not fit.
 * Gives the event loop a turn every few milliseconds.
 */
export async function indexPack(
  pack: Buffer,
  limits: PackLimits,
  signal: AbortSignal,
  find: FindObject = () => undefined,
): Promise<Buffer> {
  const names = new ObjectNames(pack, limits, find);
  await checkPack(pack, limits, signal, (entry) => names.add(entry));
  let sliceStart = performance.now();
  while (names.resolveOne()) {
    if (performance.now() - sliceStart < SLICE_MS) continue;
    await yieldToLoop();
    signal.throwIfAborted();
    sliceStart = performance.now();
  }
  return writePackIndex(names.objects(), pack.subarray(pack.length - 20));
}

interface Place {
  readonly offset: number;
  readonly end: number;
}

class ObjectNames {
  readonly #pack: Buffer;
  readonly #limits: PackLimits;
  readonly #find: FindObject;
  readonly #kept = new LruCache<number, GitObject>(KEPT_BYTES);
  /** Of any size: Git writes versions of a file one after the other. */
  #last: { readonly offset: number; readonly object: GitObject } | undefined;
  readonly #objects: IndexedObject[] = [];
  readonly #offsets = new Map<string, number>();
  /** Where the entries begin whose names are known. */
  readonly #named = new Set<number>();
  /** Deltas whose base comes later in the pack, by its name or where it begins. */
  readonly #waiting = new Map<string | number, Place[]>();
  readonly #ready: Place[] = [];
  #work = 0;

  constructor(pack: Buffer, limits: PackLimits, find: FindObject) {
    this.#pack = pack;
    this.#limits = limits;
    this.#find = find;
  }

  add({ offset, end, header, content }: CheckedEntry): void {
    const { type } = header;
    if (type !== "ofs-delta" && type !== "ref-delta") {
      this.#take({ offset, end }, { type, content });
      return;
    }
    const base = type === "ofs-delta" ? offset - header.distance : header.base;
    const object = this.#resolved(base);
    if (object !== undefined) this.#take({ offset, end }, this.#apply(object, content));
    else this.#wait(base, { offset, end });
  }

  /** Names one of the deltas that waited and can be named by now; `false` when there is none. */
  resolveOne(): boolean {
    const next = this.#ready.pop();
    if (next === undefined) return false;
    this.#take(next, this.#read(next.offset));
    return true;
  }

  /** Throws `git-corrupt` when a delta still waits. */
  objects(): readonly IndexedObject[] {
    if (this.#waiting.size > 0) throw gitCorrupt("the pack holds a delta whose base is nowhere");
    return this.#objects;
  }

  #take(place: Place, object: GitObject): void {
    const { offset, end } = place;
    const oid = objectName(object.type, object.content);
    this.#objects.push({ oid: Buffer.from(oid, "hex"), crc32: crc32(this.#pack.subarray(offset, end)), offset });
    this.#keep(offset, object);
    if (!this.#offsets.has(oid)) this.#offsets.set(oid, offset);
    this.#named.add(offset);
    if (this.#waiting.size === 0) return;
    for (const base of [oid, offset]) {
      for (const waiting of this.#waiting.get(base) ?? []) this.#ready.push(waiting);
      this.#waiting.delete(base);
    }
  }

  #wait(base: string | number, place: Place): void {
    const others = this.#waiting.get(base);
    if (others === undefined) this.#waiting.set(base, [place]);
    else others.push(place);
  }

  /** The object that a delta names as its base, if it is known by now. */
  #resolved(base: string | number): GitObject | undefined {
    const offset = typeof base === "number" ? base : this.#offsets.get(base);
    if (offset !== undefined) return this.#named.has(offset) ? this.#read(offset) : undefined;
    const object = typeof base === "string" ? this.#find(base) : undefined;
    if (object !== undefined) this.#account(object.content.length);
    return object;
  }

  /** An entry whose bases are all known. */
  #read(start: number): GitObject {
    const deltas: { readonly offset: number; readonly content: Buffer }[] = [];
    let offset = start;
    let object = this.#recall(offset);
    while (object === undefined) {
      if (deltas.length > MAX_DELTA_DEPTH) throw gitCorrupt("a chain of deltas is longer than Git makes them");
      const { header, content } = this.#inflate(offset);
      const { type } = header;
      if (type !== "ofs-delta" && type !== "ref-delta") {
        object = { type, content };
        break;
      }
      deltas.push({ offset, content });
      const base = type === "ofs-delta" ? offset - header.distance : this.#offsets.get(header.base);
      object = base === undefined ? this.#resolved(header.base) : this.#recall(base);
      if (base !== undefined) offset = base;
      else if (object === undefined) throw gitCorrupt("the pack holds a delta whose base is nowhere");
    }
    for (const { offset: at, content } of deltas.reverse()) {
      object = this.#apply(object, content);
      this.#keep(at, object);
    }
    return object;
  }

  #keep(offset: number, object: GitObject): void {
    this.#last = { offset, object };
    this.#kept.set(offset, object, object.content.length + 200);
  }

  #recall(offset: number): GitObject | undefined {
    return this.#last?.offset === offset ? this.#last.object : this.#kept.get(offset);
  }

  #inflate(offset: number): { readonly header: EntryHeader; readonly content: Buffer } {
    const end = this.#pack.length - 20;
    const header = readEntryHeader(this.#pack.subarray(offset, Math.min(offset + MAX_HEADER_BYTES, end)));
    this.#account(header.size);
    const start = offset + header.length;
    const bytes = this.#pack.subarray(start, Math.min(start + compressedBound(header.size), end));
    return { header, content: inflateEntry(bytes, header.size).content };
  }

  #apply(base: GitObject, delta: Buffer): GitObject {
    this.#account(deltaResultSize(delta));
    return { type: base.type, content: applyDelta(base.content, delta) };
  }

  #account(bytes: number): void {
    this.#work += bytes;
    const most = MAX_WORK * this.#limits.maxInflatedBytes;
    if (this.#work > most) throw gitTooLarge("what the deltas of a fetch build upon", formatBytes(most));
  }
}
