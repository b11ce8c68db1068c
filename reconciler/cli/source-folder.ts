// The files that `plan` compares: a folder as it is on disk, or of two commits; or two folders.
import { statSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { AppError } from "../../runtime/errors.ts";
import { differingFiles } from "../../sources/differing-files.ts";
import { DirectoryTree } from "../../sources/directory.ts";
import { openWorkingCopy } from "../../sources/git/working-copy.ts";
import type { SourceTree } from "../../sources/tree.ts";
import { sourceRoot } from "./source-root.ts";

export interface SourceFolder {
  /** Root of the checkout; without one the current folder, or the folder itself when that is elsewhere. */
  readonly root: string;
  /** The folder within the root; empty for the root. */
  readonly path: string;
  /** The folder within the base; the same unless two folders are compared. */
  readonly basePath: string;
  /** Whether the base is another folder, and no revision of this one. */
  readonly isPair: boolean;
  readonly head: SourceTree;
  /** Undefined: what the control plane has is the base. */
  readonly base: SourceTree | undefined;
  /** Files that differ between the two; undefined without a base. */
  changedPaths(): readonly string[] | undefined;
  /** Addresses that the checkout is fetched from; none outside of one. */
  readonly remotes: readonly string[];
  /** For messages: `the working directory`, `3f9c2ab`. */
  readonly headName: string;
  readonly baseName: string | undefined;
  /** The commit of the head; undefined for files on disk. */
  readonly commit: string | undefined;
  close(): void;
}

/**
 * Opens `path`. `range` is `A..B` (from A to B), `A...B` (from where B parted from A), or `A` alone: from where HEAD
 * parted from A to the files on disk. Throws `plan-path-missing`, and what the working copy throws.
 */
export function openSourceFolder(cwd: string, path: string, range: string | undefined): SourceFolder {
  const folder = resolve(cwd, path);
  if (range === undefined) {
    if (!isFolder(folder)) throw missing(folder);
    const { root, path: within } = placeOf(cwd, folder);
    return {
      root,
      path: within,
      basePath: within,
      isPair: false,
      head: new DirectoryTree(root),
      base: undefined,
      changedPaths: () => undefined,
      remotes: remotesAt(root),
      headName: "the working directory",
      baseName: undefined,
      commit: undefined,
      close: () => {},
    };
  }
  const copy = openWorkingCopy(existing(folder));
  try {
    const { base, head } = copy.resolveRange(range);
    const onDisk = !range.includes("..");
    if (onDisk && !isFolder(folder)) throw missing(folder);
    const before = copy.tree(base);
    const after = onDisk ? new DirectoryTree(copy.root) : copy.tree(head);
    return {
      root: copy.root,
      path: relative(copy.root, folder),
      basePath: relative(copy.root, folder),
      isPair: false,
      head: after,
      base: before,
      changedPaths: () => (onDisk ? differingFiles(before, after) : copy.changedPaths(base, head)),
      remotes: copy.remotes(),
      headName: onDisk ? "the working directory" : head.oid.slice(0, 7),
      baseName: base.oid.slice(0, 7),
      commit: onDisk ? undefined : head.oid,
      close: () => copy.close(),
    };
  } catch (error) {
    copy.close();
    throw error;
  }
}

/** Opens `after` as it is on disk, with `before` as its base. Throws `plan-path-missing`. */
export function openFolderPair(cwd: string, before: string, after: string): SourceFolder {
  const [old, fresh] = [before, after].map((path) => {
    const folder = resolve(cwd, path);
    if (!isFolder(folder)) throw missing(folder);
    return placeOf(cwd, folder);
  }) as [FolderPlace, FolderPlace];
  const [base, head] = [new DirectoryTree(old.root), new DirectoryTree(fresh.root)];
  return {
    root: fresh.root,
    path: fresh.path,
    basePath: old.path,
    isPair: true,
    head,
    base,
    changedPaths: () => (old.path === fresh.path ? differingFiles(base, head) : undefined),
    remotes: remotesAt(fresh.root),
    headName: nameOf(after),
    baseName: nameOf(before),
    commit: undefined,
    close: () => {},
  };
}

function nameOf(path: string): string {
  return path === "." || path === "./" ? "the working directory" : path;
}

interface FolderPlace {
  readonly root: string;
  readonly path: string;
}

function placeOf(cwd: string, folder: string): FolderPlace {
  const root = sourceRoot(folder) ?? (isWithin(cwd, folder) ? cwd : folder);
  return { root, path: relative(root, folder) };
}

/** None where there is no checkout. */
function remotesAt(root: string): readonly string[] {
  if (sourceRoot(root) === undefined) return [];
  const copy = openWorkingCopy(root);
  try {
    return copy.remotes();
  } finally {
    copy.close();
  }
}

function missing(folder: string): AppError {
  return new AppError("plan-path-missing", `${folder} is no folder`, { recovery: "stall" });
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

// A folder that only one of the commits has need not be on disk.
function existing(folder: string): string {
  let path = folder;
  while (!isFolder(path) && dirname(path) !== path) path = dirname(path);
  return path;
}

function isWithin(outer: string, inner: string): boolean {
  const path = relative(outer, inner);
  return path !== ".." && !path.startsWith("../");
}
