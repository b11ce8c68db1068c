// Which files of two trees differ, where the one is a commit and the other lies on disk.
import { createHash } from "node:crypto";
import type { SourceTree, TreeEntry } from "./tree.ts";

/** Folders of a checkout that are none of its files. */
const NOT_FILES: ReadonlySet<string> = new Set([".git"]);

/**
 * Paths of files that are in one tree only, or with other bytes, in order. `committed` knows Git's names of its files, so
 * that only those on disk are read.
 */
export function differingFiles(committed: SourceTree, onDisk: SourceTree): string[] {
  const paths: string[] = [];
  compare("");
  return paths.sort();

  function compare(folder: string): void {
    const before = entriesOf(committed, folder);
    const after = entriesOf(onDisk, folder);
    for (const name of new Set([...before.keys(), ...after.keys()])) {
      if (NOT_FILES.has(name)) continue;
      const path = folder === "" ? name : `${folder}/${name}`;
      const types = [before.get(name)?.type, after.get(name)?.type];
      if (types.includes("directory")) compare(path);
      const [old, fresh] = types.map((type) => (type === "directory" ? undefined : type));
      if (old !== fresh || (old !== undefined && isOtherFile(path))) paths.push(path);
    }
  }

  function isOtherFile(path: string): boolean {
    const bytes = onDisk.read(path);
    if (bytes === undefined) return true;
    const id = committed.blobId?.(path);
    if (id === undefined || id.length !== 40)
      return Buffer.compare(bytes, committed.read(path) ?? Buffer.alloc(0)) !== 0;
    return createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex") !== id;
  }
}

function entriesOf(tree: SourceTree, folder: string): ReadonlyMap<string, TreeEntry> {
  return new Map((tree.list(folder) ?? []).map((entry) => [entry.name, entry]));
}
