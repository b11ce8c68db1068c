// A folder of this machine as a source: for `render PATH`, `plan` and tests.

import { createHash } from "node:crypto";
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
} from "node:fs";
import { join } from "node:path";
import { messageOf } from "../runtime/errors.ts";
import { directoryUnreadable } from "./errors.ts";
import type { SourceTree, TreeEntry } from "./tree.ts";

export interface DirectoryOptions {
  /** Bytes of one file. */
  readonly maxFileBytes?: number | undefined;
  readonly maxFiles?: number | undefined;
}

const MAX_FILE_BYTES = 128 << 20;
const MAX_FILES = 250_000;

/**
 * The files below a folder as they are on disk. Folders named `.git` are left out; sockets, devices and pipes too. No
 * symbolic link is followed below the root. What was read once is not read again, so that one render sees one state.
 */
export class DirectoryTree implements SourceTree {
  /** The folder itself, with links on the way to it resolved. */
  readonly root: string;
  readonly #maxFileBytes: number;
  readonly #maxFiles: number;
  readonly #lists = new Map<string, readonly TreeEntry[] | undefined>();
  readonly #contents = new Map<string, Buffer | undefined>();
  #revision: string | undefined;

  /** Throws `directory-unreadable` when the path is no folder. */
  constructor(path: string, options: DirectoryOptions = {}) {
    this.#maxFileBytes = options.maxFileBytes ?? MAX_FILE_BYTES;
    this.#maxFiles = options.maxFiles ?? MAX_FILES;
    try {
      this.root = realpathSync(path);
    } catch (error) {
      throw directoryUnreadable(path, "it does not exist", error);
    }
    if (!lstatSync(this.root).isDirectory()) throw directoryUnreadable(path, "it is no folder");
  }

  /** `sha256:…` over all names, kinds and bytes. The first use reads every file. */
  get revision(): string {
    this.#revision ??= this.#digest();
    return this.#revision;
  }

  list(path: string): readonly TreeEntry[] | undefined {
    if (!this.#lists.has(path)) this.#lists.set(path, this.#readList(path));
    return this.#lists.get(path);
  }

  read(path: string): Uint8Array | undefined {
    if (!this.#contents.has(path)) this.#contents.set(path, this.#readContent(path));
    return this.#contents.get(path);
  }

  #entry(path: string): TreeEntry | undefined {
    const slash = path.lastIndexOf("/");
    const name = path.slice(slash + 1);
    return this.list(slash < 0 ? "" : path.slice(0, slash))?.find((entry) => entry.name === name);
  }

  #readList(path: string): readonly TreeEntry[] | undefined {
    // Every folder on the way is in the list of its parent, and as a folder: no link leads here.
    if (path !== "" && this.#entry(path)?.type !== "directory") return undefined;
    const folder = join(this.root, path);
    try {
      if (!lstatSync(folder).isDirectory()) return undefined;
      return readdirSync(folder, { withFileTypes: true })
        .flatMap((entry): TreeEntry[] => {
          if (entry.name === ".git") return [];
          if (entry.isSymbolicLink()) return [{ name: entry.name, type: "symlink" }];
          if (entry.isDirectory()) return [{ name: entry.name, type: "directory" }];
          return entry.isFile() ? [{ name: entry.name, type: "file" }] : [];
        })
        .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
    } catch (error) {
      throw directoryUnreadable(path === "" ? this.root : path, messageOf(error), error);
    }
  }

  #readContent(path: string): Buffer | undefined {
    const type = path === "" ? undefined : this.#entry(path)?.type;
    if (type === undefined || type === "directory") return undefined;
    const file = join(this.root, path);
    try {
      return type === "symlink" ? Buffer.from(readlinkSync(file)) : readRegularFile(file, path, this.#maxFileBytes);
    } catch (error) {
      if (error instanceof Error && error.name === "AppError") throw error;
      throw directoryUnreadable(path, messageOf(error), error);
    }
  }

  #digest(): string {
    const sum = createHash("sha256");
    let files = 0;
    const visit = (path: string): void => {
      for (const entry of this.list(path) ?? []) {
        const below = path === "" ? entry.name : `${path}/${entry.name}`;
        if (entry.type === "directory") {
          visit(below);
          continue;
        }
        if (++files > this.#maxFiles) throw directoryUnreadable(this.root, `it has more than ${this.#maxFiles} files`);
        const content = this.read(below) ?? new Uint8Array();
        // Lengths keep one file's end from looking like another's beginning.
        sum.update(`${entry.type}\0${below}\0${content.length}\0`).update(content);
      }
    };
    visit("");
    return `sha256:${sum.digest("hex")}`;
  }
}

/**
 * Reads a file that was seen to be a regular one; one that became a link or a pipe since then fails instead of being
 * followed or waited for. `path` is its name in errors.
 */
export function readRegularFile(file: string, path: string, maxBytes = MAX_FILE_BYTES): Buffer {
  const descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const { size } = fstatSync(descriptor);
    if (size > maxBytes) throw directoryUnreadable(path, `it has ${size} bytes, more than ${maxBytes}`);
    return readFileSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
