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

/** As Go: what `filepath.EvalSymlinks` follows at most. */
const MAX_LINKS = 255;
const decoder = new TextDecoder();

export type ResolvedPath =
  | { readonly type: "file" | "directory"; readonly path: string }
  | { readonly type: "missing" }
  | { readonly type: "outside" };

/** Finds what a path names after all symbolic links; `outside` when a link or the path itself leaves the tree. */
export class PathResolver {
  private readonly tree: SourceTree;
  private readonly absoluteRoot: string | undefined;
  private readonly directories = new Map<string, ReadonlyMap<string, TreeEntry["type"]> | undefined>();

  /** `absoluteRoot` is where the tree lies on this machine, for links that name their target from there. */
  constructor(tree: SourceTree, absoluteRoot?: string) {
    this.tree = tree;
    this.absoluteRoot = absoluteRoot;
  }

  /** What lies at an absolute path of this machine; `outside` also when it is not known where the tree lies. */
  resolveAbsolute(path: string): ResolvedPath {
    const inside = this.insideOf(path);
    return inside === undefined ? { type: "outside" } : this.resolve(inside);
  }

  resolve(path: string): ResolvedPath {
    // Reversed, so that the next part is at the end.
    const pending = path === "" ? [] : path.split("/").reverse();
    const current: string[] = [];
    let links = 0;
    let type: "file" | "directory" = "directory";
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      if (name === "" || name === ".") continue;
      if (type === "file") return { type: "missing" };
      // Only targets of links hold these, and they count from where the links before have led.
      if (name === "..") {
        if (current.pop() === undefined) return { type: "outside" };
        continue;
      }
      const entry =
        this.tree.typeOf === undefined
          ? this.entriesOf(current.join("/"))?.get(name)
          : this.tree.typeOf([...current, name].join("/"));
      if (entry === undefined) return { type: "missing" };
      if (entry !== "symlink") {
        current.push(name);
        type = entry;
        continue;
      }
      links += 1;
      const target = decoder.decode(this.tree.read([...current, name].join("/")) ?? new Uint8Array());
      if (links > MAX_LINKS || target === "") return { type: "missing" };
      const relative = target.startsWith("/") ? this.insideOf(target) : target;
      if (relative === undefined) return { type: "outside" };
      if (target.startsWith("/")) current.length = 0;
      pending.push(...relative.split("/").reverse());
    }
    return { type, path: current.join("/") };
  }

  private insideOf(absolute: string): string | undefined {
    const root = this.absoluteRoot;
    const path = root === undefined ? undefined : joinPath("", absolute);
    if (root === undefined || path === undefined || !isWithin(root.replace(/^\/+/, ""), path)) return undefined;
    return path.slice(root.replace(/^\/+/, "").length).replace(/^\/+/, "");
  }

  private entriesOf(directory: string): ReadonlyMap<string, TreeEntry["type"]> | undefined {
    if (!this.directories.has(directory)) {
      const entries = this.tree.list(directory);
      this.directories.set(directory, entries && new Map(entries.map((entry) => [entry.name, entry.type])));
    }
    return this.directories.get(directory);
  }
}
