import { posix } from "node:path";
import { deflateSync } from "node:zlib";
import type { GitObject } from "./objects.ts";

export interface FetchFolderOptions {
  /** Commits of ours whose parents we lack. */
  readonly shallow: readonly string[];
  /** A commit that we have. */
  readonly have: string | undefined;
  /** Called with the pack before anything reads it; throws when it must not be read. */
  readonly check: (pack: Buffer) => Promise<void>;
  /** Objects that the pack may build upon, up to so many bytes; none without it. */
  readonly lend?: { readonly find: (oid: string) => GitObject | undefined; readonly maxBytes: number } | undefined;
}

const ROOT = "/repository";
/** The library insists on a place for references, though fetching by a commit's name writes none. */
const LOOSE = /^\/repository\/objects\/([0-9a-f]{2})\/([0-9a-f]{38})$/;
const CONFIG = '[remote "origin"]\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n';

/**
 * The repository as isomorphic-git sees it during one fetch: files in memory. The library writes without care for crashes
 * and reads packs without bounds, so nothing reaches the cache, and no pack the library's reader, before it was checked.
 */
export class FetchFolder {
  readonly path = ROOT;
  readonly #files = new Map<string, Buffer>();
  readonly #check: (pack: Buffer) => Promise<void>;
  readonly #lend: FetchFolderOptions["lend"];
  #lentBytes = 0;
  #checked: Promise<void> | undefined;

  constructor(options: FetchFolderOptions) {
    this.#check = options.check;
    this.#lend = options.lend;
    this.#files.set(`${ROOT}/config`, Buffer.from(CONFIG));
    const { shallow, have } = options;
    if (shallow.length > 0) this.#files.set(`${ROOT}/shallow`, Buffer.from(shallow.map((oid) => `${oid}\n`).join("")));
    // The library only looks whether there is such an object.
    if (have !== undefined) this.#files.set(`${ROOT}/objects/${have.slice(0, 2)}/${have.slice(2)}`, Buffer.alloc(0));
  }

  /** What came; `undefined` when nothing did. */
  get pack(): Buffer | undefined {
    return this.#find(".pack");
  }

  get index(): Buffer | undefined {
    return this.#find(".idx");
  }

  /** Commits whose parents are lacking after the fetch. */
  shallow(): string[] {
    const text = this.#files.get(`${ROOT}/shallow`)?.toString("latin1") ?? "";
    return text.split("\n").filter((line) => /^[0-9a-f]{40}$/.test(line));
  }

  /** In the form that isomorphic-git asks of a file system. */
  readonly promises = {
    readFile: async (path: string, options?: { encoding?: BufferEncoding } | BufferEncoding) => {
      const bytes = this.#lent(posix.normalize(path)) ?? this.#files.get(posix.normalize(path));
      if (bytes === undefined) throw absent(path);
      const encoding = typeof options === "string" ? options : options?.encoding;
      return encoding === undefined ? bytes : bytes.toString(encoding);
    },
    writeFile: async (path: string, content: string | Uint8Array) => {
      const bytes = typeof content === "string" ? Buffer.from(content) : asBuffer(content);
      if (path.endsWith(".pack")) {
        // The library tries a failed write again.
        this.#checked ??= this.#check(bytes);
        await this.#checked;
      }
      this.#files.set(posix.normalize(path), bytes);
    },
    unlink: async (path: string) => {
      this.#files.delete(posix.normalize(path));
    },
    stat: async (path: string) => {
      if (!this.#files.has(posix.normalize(path))) throw absent(path);
      return { isFile: () => true, isDirectory: () => false, isSymbolicLink: () => false };
    },
    lstat: (path: string) => this.promises.stat(path),
    readdir: async (path: string) => {
      const folder = `${posix.normalize(path)}/`;
      return [...this.#files.keys()].filter((name) => name.startsWith(folder)).map((name) => name.slice(folder.length));
    },
    mkdir: async () => {},
    rmdir: async () => {},
    readlink: async (path: string) => Promise.reject(absent(path)),
    symlink: async (path: string) => Promise.reject(absent(path)),
  };

  /** An object of the cache, as Git keeps one in a file of its own. */
  #lent(path: string): Buffer | undefined {
    const name = this.#lend === undefined ? null : LOOSE.exec(path);
    const object = name === null ? undefined : this.#lend?.find(`${name[1]}${name[2]}`);
    if (object === undefined) return undefined;
    this.#lentBytes += object.content.length;
    // Each of many deltas may build upon the same large object.
    if (this.#lentBytes > (this.#lend?.maxBytes ?? 0)) throw absent(path);
    const header = Buffer.from(`${object.type} ${object.content.length}\0`, "latin1");
    return deflateSync(Buffer.concat([header, object.content]), { level: 0 });
  }

  #find(extension: string): Buffer | undefined {
    for (const [name, bytes] of this.#files) if (name.endsWith(extension)) return bytes;
    return undefined;
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function absent(path: string): Error {
  return Object.assign(new Error(`there is no ${path}`), { code: "ENOENT" });
}
