// Paths inside a source tree: resolved without touching a file system and never leading out of the tree.

import type { SourceTree, TreeEntry } from "../sources/tree.ts";

/** `base/../x//y` relative to `directory`, normalised; `undefined` when it would leave the tree. */
export function joinPath(directory: string, relative: string): string | undefined {
  const parts = directory === "" ? [] : directory.split("/");
  for (const part of relative.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.join("/");
}

export function parentOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf("/"), 0));
}

export function baseNameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** True when `path` is `directory` or lies under it. */
export function isWithin(directory: string, path: string): boolean {
  return directory === "" || path === directory || path.startsWith(`${directory}/`);
}

const MAX_LINKS = 40;
const decoder = new TextDecoder();

export type ResolvedPath =
  | { readonly type: "file" | "directory"; readonly path: string }
  | { readonly type: "missing" }
  | { readonly type: "outside" };

/** Finds what a path names after all symbolic links; `outside` when a link or the path itself leaves the tree. */
export class PathResolver {
  private readonly tree: SourceTree;
  private readonly directories = new Map<string, ReadonlyMap<string, TreeEntry["type"]> | undefined>();

  constructor(tree: SourceTree) {
    this.tree = tree;
  }

  resolve(path: string): ResolvedPath {
    let pending = path === "" ? [] : path.split("/");
    let current = "";
    let links = 0;
    let type: "file" | "directory" = "directory";
    while (pending.length > 0) {
      const [name = "", ...rest] = pending;
      pending = rest;
      if (type === "file") return { type: "missing" };
      const next = current === "" ? name : `${current}/${name}`;
      const entry = this.entriesOf(current)?.get(name);
      if (entry === undefined) return { type: "missing" };
      if (entry !== "symlink") {
        current = next;
        type = entry;
        continue;
      }
      links += 1;
      const target = decoder.decode(this.tree.read(next) ?? new Uint8Array());
      if (links > MAX_LINKS || target === "") return { type: "missing" };
      const joined = target.startsWith("/") ? undefined : joinPath(current, target);
      if (joined === undefined) return { type: "outside" };
      pending = joined === "" ? rest : [...joined.split("/"), ...rest];
      current = "";
    }
    return { type, path: current };
  }

  private entriesOf(directory: string): ReadonlyMap<string, TreeEntry["type"]> | undefined {
    if (!this.directories.has(directory)) {
      const entries = this.tree.list(directory);
      this.directories.set(directory, entries && new Map(entries.map((entry) => [entry.name, entry.type])));
    }
    return this.directories.get(directory);
  }
}
