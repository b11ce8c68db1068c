import type { SourceTree } from "../../sources/tree.ts";

/** A tree with some files otherwise. */
export class OverlaidTree implements SourceTree {
  readonly revision: string;
  readonly changes: ReadonlyMap<string, string>;
  readonly #tree: SourceTree;

  constructor(tree: SourceTree, changes: ReadonlyMap<string, string>) {
    this.#tree = tree;
    this.changes = changes;
    // Whatever is remembered by revision must not be taken for what is here.
    this.revision = `${tree.revision}+${changes.size}`;
  }

  with(file: string, text: string): OverlaidTree {
    return new OverlaidTree(this.#tree, new Map([...this.changes, [file, text]]));
  }

  text(file: string): string | undefined {
    const bytes = this.read(file);
    return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
  }

  list(path: string): ReturnType<SourceTree["list"]> {
    return this.#tree.list(path);
  }

  read(path: string): Uint8Array | undefined {
    const changed = this.changes.get(path);
    return changed === undefined ? this.#tree.read(path) : new TextEncoder().encode(changed);
  }
}
