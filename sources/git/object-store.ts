// The objects of one repository on disk: packs, loose files, and the stores it borrows from.

import { readdirSync, readFileSync, statSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { inflateSync } from "node:zlib";
import { gitCorrupt, gitObjectMissing, gitTooLarge } from "../errors.ts";
import { DEFAULT_LIMITS, formatBytes, type GitLimits } from "./limits.ts";
import { LruCache } from "./lru.ts";
import {
  type CommitDetails,
  type GitObject,
  type ObjectType,
  parseCommit,
  parseTag,
  parseTree,
  type TreeRecord,
} from "./objects.ts";
import { Pack, type PackContext } from "./pack.ts";

const TREE_CACHE_ENTRIES = 50_000;
const MAX_ALTERNATES = 5;
const MAX_TAG_DEPTH = 10;

/**
 * Lately read objects of all stores, so that memory does not grow with the number of repositories. Keys name a pack of
 * one store: no repository ever gets an object that came from another.
 */
const recent = new LruCache<number, GitObject>(48 << 20);

/** Reads objects by name. Synchronous; what was read lately is kept. Notices packs that appear later. */
export class ObjectStore {
  readonly limits: GitLimits;
  /** The repository's `objects` folder. */
  readonly directory: string;
  readonly #directories: readonly string[];
  #packs: Pack[] | undefined;
  readonly #context: PackContext;
  readonly #trees = new LruCache<string, readonly TreeRecord[]>(TREE_CACHE_ENTRIES);

  /** `alternates`: whether stores that this one borrows from are read too. */
  constructor(directory: string, limits: GitLimits = DEFAULT_LIMITS, { alternates = true } = {}) {
    this.directory = directory;
    this.limits = limits;
    this.#directories = alternates ? withAlternates(directory) : [directory];
    this.#context = {
      cache: recent,
      maxObjectBytes: limits.maxObjectBytes,
      readObject: (oid) => this.read(oid),
    };
  }

  /** Throws `git-object-missing`. The content must not be changed. */
  read(oid: string): GitObject {
    const object = this.find(oid);
    if (object === undefined) throw gitObjectMissing(oid);
    return object;
  }

  /** As `read`, or `undefined` when there is no such object. */
  find(oid: string): GitObject | undefined {
    const name = Buffer.from(oid, "hex");
    if (name.length !== 20) return undefined;
    try {
      return this.#findIn(name, oid);
    } catch (error) {
      // Another process repacked: the list names a pack that is gone, and what was in it is elsewhere.
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
      if (!this.#refresh()) throw gitCorrupt("a pack that has an index is not there", error);
      return this.#findIn(name, oid);
    }
  }

  has(oid: string): boolean {
    const name = Buffer.from(oid, "hex");
    if (name.length !== 20) return false;
    return (
      this.#loadPacks().some((pack) => pack.has(name)) ||
      this.#directories.some((directory) => loosePath(directory, oid) !== undefined) ||
      (this.#refresh() && this.#loadPacks().some((pack) => pack.has(name)))
    );
  }

  readCommit(oid: string): CommitDetails {
    return parseCommit(oid, this.#readTyped(oid, "commit").content);
  }

  /** The entries in Git's order. */
  readTree(oid: string): readonly TreeRecord[] {
    const known = this.#trees.get(oid);
    if (known !== undefined) return known;
    const records = parseTree(oid, this.#readTyped(oid, "tree").content);
    this.#trees.set(oid, records, records.length + 1);
    return records;
  }

  readBlob(oid: string): Buffer {
    return this.#readTyped(oid, "blob").content;
  }

  /** The commit behind a name of a commit or of a tag of tags of one. */
  peelToCommit(oid: string): string {
    let at = oid;
    for (let depth = 0; depth < MAX_TAG_DEPTH; depth++) {
      const object = this.read(at);
      if (object.type === "commit") return at;
      if (object.type !== "tag") break;
      at = parseTag(at, object.content).object;
    }
    throw gitCorrupt(`the object ${oid} stands for no commit`);
  }

  /** Full names that begin with the hexadecimal prefix, at most ten. */
  expand(prefix: string): string[] {
    const found = new Set(this.#loadPacks().flatMap((pack) => pack.index.matching(prefix, 10)));
    for (const directory of this.#directories) {
      for (const name of listNames(join(directory, prefix.slice(0, 2)))) {
        const oid = prefix.slice(0, 2) + name;
        if (oid.length === 40 && oid.startsWith(prefix)) found.add(oid);
      }
    }
    return [...found].slice(0, 10);
  }

  packs(): readonly Pack[] {
    return this.#loadPacks();
  }

  /** Closes the files and forgets which there are. Reading looks again. */
  close(): void {
    for (const pack of this.#packs ?? []) pack.close();
    this.#packs = undefined;
  }

  #readTyped(oid: string, type: ObjectType): GitObject {
    const object = this.read(oid);
    if (object.type !== type) throw gitCorrupt(`the object ${oid} is a ${object.type}, not a ${type}`);
    return object;
  }

  #findIn(name: Buffer, oid: string): GitObject | undefined {
    return this.#findPacked(name) ?? this.#findLoose(oid) ?? (this.#refresh() ? this.#findPacked(name) : undefined);
  }

  #findPacked(name: Buffer): GitObject | undefined {
    const packs = this.#loadPacks();
    for (const [i, pack] of packs.entries()) {
      const object = pack.read(name, this.#context);
      if (object === undefined) continue;
      // The next object is most likely in the same pack.
      if (i > 0 && this.#packs === packs) {
        packs.splice(i, 1);
        packs.unshift(pack);
      }
      return object;
    }
    return undefined;
  }

  #findLoose(oid: string): GitObject | undefined {
    for (const directory of this.#directories) {
      const path = loosePath(directory, oid);
      if (path !== undefined) return this.#readLoose(path, oid);
    }
    return undefined;
  }

  #readLoose(path: string, oid: string): GitObject {
    const max = this.limits.maxObjectBytes;
    let bytes: Buffer;
    try {
      bytes = inflateSync(readFileSync(path), { maxOutputLength: max + 64 });
    } catch (error) {
      if (error instanceof RangeError) throw gitTooLarge(`the object ${oid}`, formatBytes(max));
      throw gitCorrupt(`the object ${oid} cannot be inflated`, error);
    }
    const nul = bytes.indexOf(0);
    const header = /^(commit|tree|blob|tag) (\d+)$/.exec(bytes.toString("latin1", 0, Math.max(nul, 0)));
    const content = bytes.subarray(nul + 1);
    if (header === null || Number(header[2]) !== content.length) throw gitCorrupt(`the object ${oid} is malformed`);
    // The expression admits these four words only.
    return { type: header[1] as ObjectType, content };
  }

  #loadPacks(): Pack[] {
    this.#packs ??= this.#directories.flatMap((directory) =>
      packPaths(directory).flatMap((path) => {
        try {
          return [new Pack(path)];
        } catch {
          // A pack that another process is just removing, or one that was never finished, holds nothing for us.
          return [];
        }
      }),
    );
    return this.#packs;
  }

  /** Whether packs appeared or went since the list was read. */
  #refresh(): boolean {
    const now = this.#directories.flatMap(packPaths);
    const known = new Set(this.#packs?.map((pack) => pack.path));
    if (now.length === known.size && now.every((path) => known.has(path))) return false;
    this.close();
    return true;
  }
}

function packPaths(directory: string): string[] {
  return listNames(join(directory, "pack"))
    .filter((name) => /^pack-[0-9a-f]+\.idx$/.test(name))
    .map((name) => join(directory, "pack", name.slice(0, -4)));
}

function loosePath(directory: string, oid: string): string | undefined {
  const path = join(directory, oid.slice(0, 2), oid.slice(2));
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true ? path : undefined;
}

function withAlternates(directory: string): string[] {
  const all = [directory];
  for (let i = 0; i < all.length && all.length <= MAX_ALTERNATES; i++) {
    const base = all[i] ?? directory;
    let text: string;
    try {
      text = readFileSync(join(base, "info", "alternates"), "utf8");
    } catch {
      continue;
    }
    for (const line of text.split("\n")) {
      if (line === "" || line.startsWith("#")) continue;
      const other = isAbsolute(line) ? line : resolve(base, line);
      if (!all.includes(other)) all.push(other);
    }
  }
  return all;
}

function listNames(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
