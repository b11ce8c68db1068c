// Which folders of a repository may render otherwise after a change: by the files that changed, and what kustomizations
// name outside of their own folder.
import { KUSTOMIZATION_FILES } from "../../renderers/kustomize/kustomization/kustomization.ts";
import type { SourceTree } from "../../sources/tree.ts";

const KUSTOMIZATION_NAMES: ReadonlySet<string> = new Set(KUSTOMIZATION_FILES);

/** Paths that a word of a kustomization may mean: `../base`, `apps/web`, `settings=../shared/settings.env`. */
const WORD = /[^\s"'`,;:=[\]{}()<>|&#!*]+/g;

/** Escapes in a quoted text that stand for a dot, or join its lines. */
const HIDDEN_PATH = /\\(x2e|u002e|U0000002e|$)/im;

/** How much of a kustomization is looked at; one that is longer counts as naming everything. */
const MOST_CHARACTERS = 1024 * 1024;

/**
 * Tells of folders whether their rendering can depend on one of the changed files. It may say yes too often, for a
 * word in a patch that looks like a path; never no in vain. Kustomizations are read once, however many name them.
 */
export class AffectedFolders {
  readonly #tree: SourceTree;
  readonly #changed: readonly string[];
  readonly #answers = new Map<string, boolean>();

  /** `changed`: files that differ between the tree and another, by their paths. */
  constructor(tree: SourceTree, changed: readonly string[]) {
    this.#tree = tree;
    this.#changed = [...changed].sort();
  }

  isAffected(folder: string): boolean {
    const known = this.#answers.get(folder);
    if (known !== undefined) return known;
    // Folders that name one another in a circle are taken to be affected: nothing of them is known before the other is.
    this.#answers.set(folder, true);
    const answer = this.#hasChangeBelow(folder) || this.#namesAffected(folder);
    this.#answers.set(folder, answer);
    return answer;
  }

  #hasChangeBelow(folder: string): boolean {
    if (this.#changed.length === 0) return false;
    if (folder === "") return true;
    if (this.#changed[lowerBound(this.#changed, folder)] === folder) return true;
    const below = this.#changed[lowerBound(this.#changed, `${folder}/`)];
    return below?.startsWith(`${folder}/`) === true;
  }

  #namesAffected(folder: string): boolean {
    const entries = this.#tree.list(folder);
    if (entries === undefined) return false;
    for (const { name, type } of entries) {
      const path = folder === "" ? name : `${folder}/${name}`;
      // Where a link leads is not looked up.
      if (type === "symlink") return true;
      if (type === "directory" && this.isAffected(path)) return true;
      if (type === "file" && KUSTOMIZATION_NAMES.has(name) && this.#textNamesAffected(folder, path)) return true;
    }
    return false;
  }

  #textNamesAffected(folder: string, file: string): boolean {
    const bytes = this.#tree.read(file);
    if (bytes === undefined) return false;
    if (bytes.length > MOST_CHARACTERS) return true;
    const text = Buffer.from(bytes).toString("utf8");
    if (HIDDEN_PATH.test(text)) return true;
    // What lies below the folder was looked at already.
    if (!text.includes("..")) return false;
    for (const [word] of text.matchAll(WORD)) {
      if (!word.includes("..")) continue;
      const path = resolvePath(folder, word);
      if (path === undefined) continue;
      if (this.#hasChangeBelow(path) || this.isAffected(path)) return true;
    }
    return false;
  }
}

/** Undefined for what leads out of the tree. */
function resolvePath(folder: string, word: string): string | undefined {
  const parts = folder === "" ? [] : folder.split("/");
  for (const part of word.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.join("/");
}

/** The place of the first text that is not less. */
function lowerBound(sorted: readonly string[], text: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? "") < text) low = middle + 1;
    else high = middle;
  }
  return low;
}
