// A source tree in memory, for tests and for renders away from the source.

import type { SourceTree, TreeEntry } from "../sources/tree.ts";

/** Files by path; a value `{ link }` is a symbolic link. */
export type TreeFiles = Readonly<Record<string, string | Uint8Array | { readonly link: string }>>;

export class MemoryTree implements SourceTree {
  readonly revision: string;
  private readonly files = new Map<string, Uint8Array>();
  private readonly folders = new Map<string, Map<string, TreeEntry["type"]>>([["", new Map()]]);

  constructor(files: TreeFiles, revision = "memory") {
    this.revision = revision;
    const encoder = new TextEncoder();
    for (const [path, content] of Object.entries(files)) {
      const isLink = typeof content === "object" && "link" in content;
      const bytes = isLink
        ? encoder.encode(content.link)
        : typeof content === "string"
          ? encoder.encode(content)
          : content;
      this.files.set(path, bytes);
      this.enter(path, isLink ? "symlink" : "file");
    }
  }

  list(path: string): readonly TreeEntry[] | undefined {
    const entries = this.folders.get(path);
    if (entries === undefined) return undefined;
    return [...entries].map(([name, type]) => ({ name, type })).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  read(path: string): Uint8Array | undefined {
    return this.files.get(path);
  }

  private enter(path: string, type: TreeEntry["type"]): void {
    const slash = path.lastIndexOf("/");
    const parent = path.slice(0, Math.max(slash, 0));
    if (!this.folders.has(parent)) {
      this.folders.set(parent, new Map());
      this.enter(parent, "directory");
    }
    this.folders.get(parent)!.set(path.slice(slash + 1), type);
  }
}
