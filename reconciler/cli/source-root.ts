import { statSync } from "node:fs";
import { dirname, resolve } from "node:path";

/** The nearest folder at or above `path` that holds a `.git`; undefined when none does. */
export function sourceRoot(path: string): string | undefined {
  for (let folder = path; ; folder = dirname(folder)) {
    if (statSync(resolve(folder, ".git"), { throwIfNoEntry: false }) !== undefined) return folder;
    if (dirname(folder) === folder) return undefined;
  }
}
