import type { SourceTree, TreeEntry } from "../sources/tree.ts";
import { type IgnoreRule, isIgnored, parseIgnoreFile } from "./ignore.ts";

/** A tree without what `patterns`, in the form of a .gitignore file, leave out. The tree itself when they name nothing. */
export function withoutIgnored(tree: SourceTree, patterns: string | undefined): SourceTree {
  const rules = parseIgnoreFile(patterns ?? "", "");
  return rules.length === 0 ? tree : new IgnoringTree(tree, rules);
}

class IgnoringTree implements SourceTree {
  readonly #tree: SourceTree;
  readonly #rules: readonly IgnoreRule[];

  constructor(tree: SourceTree, rules: readonly IgnoreRule[]) {
    this.#tree = tree;
    this.#rules = rules;
  }

  get revision(): string {
    return this.#tree.revision;
  }

  list(path: string): readonly TreeEntry[] | undefined {
    if (this.#isHidden(path, true)) return undefined;
    const below = path === "" ? "" : `${path}/`;
    return this.#tree
      .list(path)
      ?.filter((entry) => !isIgnored(this.#rules, below + entry.name, entry.type === "directory"));
  }

  read(path: string): Uint8Array | undefined {
    return this.#isHidden(path, false) ? undefined : this.#tree.read(path);
  }

  blobId(path: string): string | undefined {
    return this.#isHidden(path, false) ? undefined : this.#tree.blobId?.(path);
  }

  /** As git has it: nothing below an ignored directory comes back. */
  #isHidden(path: string, isDirectory: boolean): boolean {
    if (path === "") return false;
    const segments = path.split("/");
    return segments.some((_, i) => {
      const last = i === segments.length - 1;
      return isIgnored(this.#rules, segments.slice(0, i + 1).join("/"), last ? isDirectory : true);
    });
  }
}
