// One commit's files, read from the object store without a checkout.

import { gitLfsPointer, gitTooLarge, gitUnsafePath } from "../errors.ts";
import type { SourceTree, TreeEntry } from "../tree.ts";
import { ObjectStore } from "./object-store.ts";
import type { TreeRecord } from "./objects.ts";

const LFS_START = "version https://git-lfs.github.com/spec/";
const LFS_MAX_BYTES = 1024;

/** Something in a tree that a reader should know of but that does not stop anything. */
export interface TreeWarning {
  readonly kind: "submodule" | "lfs" | "skipped";
  readonly path: string;
  /** A sentence that begins with the path. */
  readonly message: string;
}

/** Where a tree is to be found: plain data that can be sent to a worker and opened there. */
export interface TreeLocation {
  readonly objectsDirectory: string;
  readonly treeId: string;
  readonly revision: string;
}

/** The tree at a location that another thread or process of this machine gave. */
export function openTree(location: TreeLocation, store = new ObjectStore(location.objectsDirectory)): GitTree {
  return new GitTree(store, location.treeId, location.revision);
}

/**
 * A directory of a repository as a `SourceTree`. Submodules and folders named `.git` are left out. Reading a file that is
 * only a pointer of Git LFS throws `git-lfs-pointer`; an object that the store lacks throws `git-object-missing`.
 */
export class GitTree implements SourceTree {
  readonly revision: string;
  /** Git's name of the whole tree: equal for equal files. */
  readonly treeId: string;
  readonly #store: ObjectStore;
  readonly #directories = new Map<string, Directory | undefined>();

  constructor(store: ObjectStore, treeId: string, revision: string) {
    this.#store = store;
    this.treeId = treeId;
    this.revision = revision;
  }

  get location(): TreeLocation {
    return { objectsDirectory: this.#store.directory, treeId: this.treeId, revision: this.revision };
  }

  list(path: string): readonly TreeEntry[] | undefined {
    const directory = this.#directory(path);
    if (directory === undefined) return undefined;
    directory.entries ??= visible(directory.records);
    return directory.entries;
  }

  read(path: string): Uint8Array | undefined {
    const record = this.#record(path);
    if (record === undefined || record.kind === "directory" || record.kind === "submodule") return undefined;
    const content = this.#store.readBlob(record.oid);
    if (content.length <= LFS_MAX_BYTES && content.toString("latin1", 0, LFS_START.length) === LFS_START) {
      throw gitLfsPointer(path);
    }
    return content;
  }

  blobId(path: string): string | undefined {
    const record = this.#record(path);
    return record?.kind === "file" || record?.kind === "symlink" ? record.oid : undefined;
  }

  #record(path: string): TreeRecord | undefined {
    const slash = path.lastIndexOf("/");
    const directory = this.#directory(slash < 0 ? "" : path.slice(0, slash));
    const name = path.slice(slash + 1);
    const record = directory?.byName.get(name);
    return record === undefined || isSkipped(record) ? undefined : record;
  }

  #directory(path: string): Directory | undefined {
    if (this.#directories.has(path)) return this.#directories.get(path);
    const oid = path === "" ? this.treeId : this.#directoryId(path);
    const directory = oid === undefined ? undefined : this.#load(oid, path);
    // Only what exists is remembered, so that guesses of names do not grow the map.
    if (directory !== undefined) this.#directories.set(path, directory);
    return directory;
  }

  #directoryId(path: string): string | undefined {
    const record = this.#record(path);
    return record?.kind === "directory" ? record.oid : undefined;
  }

  #load(oid: string, path: string): Directory {
    const records = this.#store.readTree(oid);
    const byName = new Map<string, TreeRecord>();
    for (const record of records) {
      checkName(record.name, path);
      byName.set(record.name, record);
    }
    return { records, byName, entries: undefined };
  }
}

interface Directory {
  readonly records: readonly TreeRecord[];
  readonly byName: ReadonlyMap<string, TreeRecord>;
  entries: readonly TreeEntry[] | undefined;
}

function visible(records: readonly TreeRecord[]): readonly TreeEntry[] {
  const entries: TreeEntry[] = [];
  for (const record of records) {
    if (record.kind === "submodule" || isSkipped(record)) continue;
    entries.push({ name: record.name, type: record.kind });
  }
  return entries.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

function isSkipped(record: TreeRecord): boolean {
  return record.name.toLowerCase() === ".git";
}

function checkName(name: string, directory: string): void {
  const path = directory === "" ? name : `${directory}/${name}`;
  if (name === "" || name === "." || name === "..") throw gitUnsafePath(path, "would lead out of the repository");
  if (name.includes("/")) throw gitUnsafePath(path, "has a slash inside a name");
}

interface Inspection {
  readonly files: number;
  /** Bytes of the longest path below. */
  readonly longest: number;
  /** Paths are relative to the inspected tree. */
  readonly warnings: readonly TreeWarning[];
}

const MAX_WARNINGS = 20;
const MAX_DEPTH = 200;
const MAX_SEEN = 200_000;

/** Checks whole trees against the limits. Remembers every tree it saw, so that a new commit costs what it changed. */
export class TreeInspector {
  readonly #store: ObjectStore;
  readonly #seen = new Map<string, Inspection>();

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  /** What is worth telling about the tree, at most twenty entries. Throws `git-too-large` and `git-unsafe-path`. */
  inspect(treeId: string): readonly TreeWarning[] {
    const { files, longest, warnings } = this.#inspect(treeId, "", 0);
    const { maxFiles, maxPathBytes } = this.#store.limits;
    if (files > maxFiles) throw gitTooLarge(`a repository of ${files} files`, `${maxFiles} files`);
    if (longest > maxPathBytes) throw gitTooLarge(`a path of ${longest} bytes`, `${maxPathBytes} bytes`);
    return warnings.map((warning) => ({ ...warning, message: `${warning.path} ${warning.message}` }));
  }

  #inspect(treeId: string, path: string, depth: number): Inspection {
    const known = this.#seen.get(treeId);
    if (known !== undefined) return known;
    if (depth > MAX_DEPTH) throw gitTooLarge(`the depth of ${path.slice(0, 60)}…`, `${MAX_DEPTH} folders`);
    let files = 0;
    let longest = 0;
    const names = new Set<string>();
    const warnings: TreeWarning[] = [];
    for (const record of this.#store.readTree(treeId)) {
      checkName(record.name, path);
      const below = path === "" ? record.name : `${path}/${record.name}`;
      if (names.has(record.name)) throw gitUnsafePath(below, "occurs twice");
      names.add(record.name);
      const nested = record.kind === "directory" ? this.#inspect(record.oid, below, depth + 1) : undefined;
      files += nested?.files ?? 1;
      longest = Math.max(longest, Buffer.byteLength(record.name) + (nested === undefined ? 0 : nested.longest + 1));
      for (const warning of nested?.warnings ?? [])
        warnings.push({ ...warning, path: `${record.name}/${warning.path}` });
      const own = this.#warningOf(record);
      if (own !== undefined) warnings.push(own);
    }
    const inspection = { files, longest, warnings: warnings.slice(0, MAX_WARNINGS) };
    if (this.#seen.size > MAX_SEEN) this.#seen.clear();
    this.#seen.set(treeId, inspection);
    return inspection;
  }

  #warningOf(record: TreeRecord): TreeWarning | undefined {
    const path = record.name;
    if (record.kind === "submodule") {
      return { kind: "submodule", path, message: "is a submodule, whose files are not fetched" };
    }
    if (isSkipped(record))
      return { kind: "skipped", path, message: "has a name that only Git may use, and is left out" };
    if (record.kind === "file" && record.name === ".gitattributes" && this.#usesLfs(record.oid)) {
      return { kind: "lfs", path, message: "puts files under Git LFS, whose content is not fetched" };
    }
    return undefined;
  }

  #usesLfs(oid: string): boolean {
    return this.#store.find(oid)?.content.includes("filter=lfs") === true;
  }
}

/**
 * Paths of the files that differ between two trees, in order; those below a folder that came or went are named one by
 * one. Costs what differs: equal folders are not opened.
 */
export function changedPaths(store: ObjectStore, before: string | undefined, after: string | undefined): string[] {
  const paths: string[] = [];
  compareTrees(store, before, after, "", paths);
  return paths.sort();
}

function compareTrees(
  store: ObjectStore,
  before: string | undefined,
  after: string | undefined,
  prefix: string,
  paths: string[],
): void {
  if (before === after) return;
  const old = new Map((before === undefined ? [] : store.readTree(before)).map((record) => [record.name, record]));
  const now = new Map((after === undefined ? [] : store.readTree(after)).map((record) => [record.name, record]));
  for (const name of new Set([...old.keys(), ...now.keys()])) {
    const a = old.get(name);
    const b = now.get(name);
    if (a?.oid === b?.oid && a?.kind === b?.kind && a?.executable === b?.executable) continue;
    const path = `${prefix}${name}`;
    const folderBefore = a?.kind === "directory" ? a.oid : undefined;
    const folderAfter = b?.kind === "directory" ? b.oid : undefined;
    if (folderBefore !== undefined || folderAfter !== undefined) {
      compareTrees(store, folderBefore, folderAfter, `${path}/`, paths);
    }
    const leafBefore = a !== undefined && folderBefore === undefined;
    const leafAfter = b !== undefined && folderAfter === undefined;
    if (leafBefore || leafAfter) paths.push(path);
  }
}
