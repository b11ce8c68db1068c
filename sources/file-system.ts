// This machine's files as one tree, for `render`: what a folder on disk may refer to lies anywhere beside it.

import { lstatSync, readdirSync, readlinkSync } from "node:fs";
import { parse, relative, resolve } from "node:path";
import { messageOf } from "../runtime/errors.ts";
import { readRegularFile } from "./directory.ts";
import { directoryUnreadable } from "./errors.ts";
import type { SourceTree, TreeEntry } from "./tree.ts";

/**
 * All files of this machine from its root on, as they are on disk; devices, sockets and pipes are left out. What was looked at once is not looked at again, so that one render
 * sees one state. Only for who may read these files anyway: nothing keeps a kustomization inside its repository here.
 */
export class FileSystemTree implements SourceTree {
  static #opened = 0;
  /** Nobody can tell when the files of a machine change, so that no two of these trees are known to be equal. */
  readonly revision = `disk:${++FileSystemTree.#opened}`;
  /** As node:path has it: `/`. */
  readonly #root: string;
  readonly #types = new Map<string, TreeEntry["type"] | undefined>();
  readonly #lists = new Map<string, readonly TreeEntry[] | undefined>();
  readonly #contents = new Map<string, Buffer | undefined>();

  /** The file system (on some systems: the drive) that holds `path`. */
  constructor(path: string) {
    this.#root = parse(resolve(path)).root;
  }

  /** The path in the tree of an absolute path. */
  pathOf(absolute: string): string {
    return relative(this.#root, absolute).replaceAll("\\", "/");
  }

  /** The absolute path of a path in the tree. */
  absolute(path: string): string {
    return resolve(this.#root, path);
  }

  /** Whether `path` has been found to exist. */
  hasSeen(path: string): boolean {
    return this.#types.get(path) !== undefined;
  }

  typeOf(path: string): TreeEntry["type"] | undefined {
    if (!this.#types.has(path)) this.#types.set(path, this.#readType(path));
    return this.#types.get(path);
  }

  list(path: string): readonly TreeEntry[] | undefined {
    if (!this.#lists.has(path)) this.#lists.set(path, this.#readList(path));
    return this.#lists.get(path);
  }

  read(path: string): Uint8Array | undefined {
    if (!this.#contents.has(path)) this.#contents.set(path, this.#readContent(path));
    return this.#contents.get(path);
  }

  #readType(path: string): TreeEntry["type"] | undefined {
    try {
      return typeOfEntry(lstatSync(this.absolute(path)));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOENT" || code === "ENOTDIR" || code === "ENAMETOOLONG") return undefined;
      throw directoryUnreadable(this.absolute(path), messageOf(error), error);
    }
  }

  #readList(path: string): readonly TreeEntry[] | undefined {
    if (this.typeOf(path) !== "directory") return undefined;
    try {
      return readdirSync(this.absolute(path), { withFileTypes: true })
        .flatMap((entry): TreeEntry[] => {
          const type = typeOfEntry(entry);
          return type === undefined ? [] : [{ name: entry.name, type }];
        })
        .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
    } catch (error) {
      throw directoryUnreadable(this.absolute(path), messageOf(error), error);
    }
  }

  #readContent(path: string): Buffer | undefined {
    const type = this.typeOf(path);
    if (type === undefined || type === "directory") return undefined;
    const file = this.absolute(path);
    try {
      return type === "symlink" ? Buffer.from(readlinkSync(file)) : readRegularFile(file, file);
    } catch (error) {
      if (error instanceof Error && error.name === "AppError") throw error;
      throw directoryUnreadable(file, messageOf(error), error);
    }
  }
}

function typeOfEntry(entry: {
  isSymbolicLink(): boolean;
  isDirectory(): boolean;
  isFile(): boolean;
}): TreeEntry["type"] | undefined {
  if (entry.isSymbolicLink()) return "symlink";
  if (entry.isDirectory()) return "directory";
  return entry.isFile() ? "file" : undefined;
}
