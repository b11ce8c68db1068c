import { KUSTOMIZATION_FILES } from "../../../renderers/kustomize/kustomization/kustomization.ts";
import { joinPath } from "../../../renderers/paths.ts";
import type { SourceTree, TreeEntry } from "../../../sources/tree.ts";

/** A tree in which one directory has another kustomization file, in place of the one there or where there is none. */
export class KustomizationTree implements SourceTree {
  readonly revision: string;
  /** Where the given kustomization stands in the tree. */
  readonly file: string;
  readonly #tree: SourceTree;
  readonly #directory: string;
  readonly #content: Uint8Array;
  /** Paths of the other kustomization files that the directory may have. */
  readonly #hidden: ReadonlySet<string>;

  /** `directory` is a path of the tree without links on it. */
  constructor(tree: SourceTree, directory: string, content: Uint8Array) {
    this.#tree = tree;
    this.#directory = directory;
    this.#content = content;
    this.revision = `${tree.revision}+kustomization`;
    const [file = "", ...others] = KUSTOMIZATION_FILES.map((name) => joinPath(directory, name) ?? name);
    this.file = file;
    this.#hidden = new Set(others);
  }

  typeOf(path: string): TreeEntry["type"] | undefined {
    if (path === this.file) return "file";
    if (path === "") return "directory";
    if (this.#tree.typeOf !== undefined) return this.#hidden.has(path) ? undefined : this.#tree.typeOf(path);
    const slash = path.lastIndexOf("/");
    return this.list(path.slice(0, Math.max(slash, 0)))?.find(({ name }) => name === path.slice(slash + 1))?.type;
  }

  list(path: string): readonly TreeEntry[] | undefined {
    const entries = this.#tree.list(path);
    if (entries === undefined || path !== this.#directory) return entries;
    const others = entries.filter(({ name }) => KUSTOMIZATION_FILES.every((other) => other !== name));
    const given: TreeEntry = { name: this.file.slice(this.file.lastIndexOf("/") + 1), type: "file" };
    return [...others, given].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  read(path: string): Uint8Array | undefined {
    if (path === this.file) return this.#content;
    return this.#hidden.has(path) ? undefined : this.#tree.read(path);
  }
}
