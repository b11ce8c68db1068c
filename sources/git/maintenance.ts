// Keeps a cache small: every fetch adds a pack, and history that nobody looks at stays in them.

import { createHash } from "node:crypto";
import { rmSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { crc32, deflateSync } from "node:zlib";
import { yieldToLoop } from "../../runtime/parallel.ts";
import { PREVIOUS, type RepositoryCache } from "./cache.ts";
import type { ObjectStore } from "./object-store.ts";
import type { Pack } from "./pack.ts";
import { writeDistance, writeEntryHeader } from "./pack-entry.ts";
import { type IndexedObject, writePackIndex } from "./pack-index.ts";

const MAX_PACKS = 24;
const MAX_REFS = 400;
const SLICE_MS = 12;
const BUFFER_BYTES = 1 << 20;

/**
 * With many packs: writes one pack of the commits that references name, with their files and without their history,
 * and removes the others. A process that dies meanwhile leaves the old packs, or both. Costs nothing with few packs.
 */
export async function compactPacks(cache: RepositoryCache, signal: AbortSignal, maxPacks = MAX_PACKS): Promise<void> {
  if (cache.store.packs().length > maxPacks) await rewritePacks(cache, trimRefs(cache.refs()), signal);
}

/** As `compactPacks`, whatever there is, for these references: the cache has no others afterwards. */
export async function rewritePacks(
  cache: RepositoryCache,
  refs: ReadonlyMap<string, string>,
  signal: AbortSignal,
): Promise<void> {
  const tips = new Set([...refs.values()].filter((oid) => cache.store.has(oid)));
  const packs = [...cache.store.packs()];
  const temporary = cache.temporaryPath("pack");
  try {
    const writer = new PackCopier(cache.store, temporary, signal);
    const { index, checksum } = await writer.write(tips, packs);
    // In this order a crash leaves references that name commits that are here, and history that ends where it says.
    cache.writeRefs(refs);
    cache.writeShallow([...tips].filter((oid) => cache.store.readCommit(oid).parents.length > 0));
    const installed = cache.install(temporary, index, checksum);
    cache.removePacks(packs.map((pack) => pack.path).filter((other) => other !== installed));
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Leaves the references that were fetched last. */
function trimRefs(refs: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const names = [...refs.keys()].filter((name) => !name.startsWith(PREVIOUS)).slice(-MAX_REFS);
  const kept = new Set(names.flatMap((name) => [`${PREVIOUS}${name}`, name]));
  return new Map([...refs].filter(([name]) => kept.has(name)));
}

class PackCopier {
  readonly #store: ObjectStore;
  readonly #path: string;
  readonly #signal: AbortSignal;
  readonly #objects: IndexedObject[] = [];
  readonly #offsets = new Map<string, number>();
  readonly #sum = createHash("sha1");
  #buffered: Buffer[] = [];
  #bufferedBytes = 0;
  #offset = 0;
  #sliceStart = performance.now();

  constructor(store: ObjectStore, path: string, signal: AbortSignal) {
    this.#store = store;
    this.#path = path;
    this.#signal = signal;
  }

  async write(tips: ReadonlySet<string>, packs: readonly Pack[]): Promise<{ index: Buffer; checksum: Buffer }> {
    const wanted = await this.#reachable(tips);
    const file = await open(this.#path, "wx", 0o600);
    try {
      const header = Buffer.from("PACK\0\0\0\x02\0\0\0\0", "latin1");
      header.writeUInt32BE(wanted.size, 8);
      await this.#append(file, header);
      for (const pack of packs) await this.#copyFrom(pack, wanted, file);
      if (this.#objects.length !== wanted.size) throw new Error("objects outside packs cannot be compacted");
      await this.#flush(file);
      const checksum = this.#sum.digest();
      await file.write(checksum);
      await file.sync();
      return { index: writePackIndex(this.#objects, checksum), checksum };
    } finally {
      await file.close();
    }
  }

  async #reachable(tips: ReadonlySet<string>): Promise<Set<string>> {
    const wanted = new Set<string>(tips);
    const trees = [...tips].map((oid) => this.#store.readCommit(oid).tree);
    for (let tree = trees.pop(); tree !== undefined; tree = trees.pop()) {
      if (wanted.has(tree)) continue;
      wanted.add(tree);
      await this.#pause();
      for (const record of this.#store.readTree(tree)) {
        if (record.kind === "directory") trees.push(record.oid);
        else if (record.kind !== "submodule") wanted.add(record.oid);
      }
    }
    return wanted;
  }

  /** Entries move as they are, in their order, so that the base of a delta is written before it. */
  async #copyFrom(pack: Pack, wanted: ReadonlySet<string>, file: FileHandle): Promise<void> {
    const all = [...pack.index.objects()].sort((a, b) => a.offset - b.offset);
    const names = new Map(all.map(({ oid, offset }) => [offset, oid]));
    for (const { oid, offset } of all) {
      if (!wanted.has(oid) || this.#offsets.has(oid)) continue;
      await this.#pause();
      const { header, compressed } = pack.entryAt(offset);
      const { type } = header;
      const base =
        type === "ofs-delta" ? names.get(offset - header.distance) : type === "ref-delta" ? header.base : undefined;
      const baseOffset = base === undefined ? undefined : this.#offsets.get(base);
      let bytes: Buffer;
      if (type !== "ofs-delta" && type !== "ref-delta") {
        bytes = Buffer.concat([writeEntryHeader(type, header.size), compressed]);
      } else if (baseOffset !== undefined) {
        const distance = writeDistance(this.#offset - baseOffset);
        bytes = Buffer.concat([writeEntryHeader("ofs-delta", header.size), distance, compressed]);
      } else {
        const object = this.#store.read(oid);
        bytes = Buffer.concat([writeEntryHeader(object.type, object.content.length), deflateSync(object.content)]);
      }
      this.#offsets.set(oid, this.#offset);
      this.#objects.push({ oid: Buffer.from(oid, "hex"), crc32: crc32(bytes), offset: this.#offset });
      await this.#append(file, bytes);
    }
  }

  async #append(file: FileHandle, bytes: Buffer): Promise<void> {
    this.#sum.update(bytes);
    this.#buffered.push(bytes);
    this.#bufferedBytes += bytes.length;
    this.#offset += bytes.length;
    if (this.#bufferedBytes > BUFFER_BYTES) await this.#flush(file);
  }

  async #flush(file: FileHandle): Promise<void> {
    await file.write(Buffer.concat(this.#buffered));
    this.#buffered = [];
    this.#bufferedBytes = 0;
  }

  async #pause(): Promise<void> {
    if (performance.now() - this.#sliceStart < SLICE_MS) return;
    await yieldToLoop();
    this.#signal.throwIfAborted();
    this.#sliceStart = performance.now();
  }
}
