import { posix } from "node:path";

export interface FetchFolderOptions {
  /** Commits of ours whose parents we lack. */
  readonly shallow: readonly string[];
  /** A commit that we have. */
  readonly have: string | undefined;
  /** Makes the index of the pack; throws when it must not be read. */
  readonly index: (pack: Buffer) => Promise<Buffer>;
}

export interface ReceivedPack {
  readonly pack: Buffer;
  readonly index: Buffer;
}

const ROOT = "/repository";
/** Where a pack says how many objects it has. */
const COUNT_AT = 8;
/** The library insists on a place for references, though fetching by a commit's name writes none. */
const CONFIG = '[remote "origin"]\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n';

/**
 * The repository as isomorphic-git sees it during one fetch: files in memory. The library writes without care for crashes
 * and reads packs without bounds, so nothing reaches the cache, and no pack the library's reader, before it was checked.
 */
export class FetchFolder {
  readonly path = ROOT;
  readonly #files = new Map<string, Buffer>();
  readonly #makeIndex: (pack: Buffer) => Promise<Buffer>;
  #received: Promise<ReceivedPack> | undefined;
  #count = 0;

  constructor(options: FetchFolderOptions) {
    this.#makeIndex = options.index;
    this.#files.set(`${ROOT}/config`, Buffer.from(CONFIG));
    const { shallow, have } = options;
    if (shallow.length > 0) this.#files.set(`${ROOT}/shallow`, Buffer.from(shallow.map((oid) => `${oid}\n`).join("")));
    // The library only looks whether there is such an object.
    if (have !== undefined) this.#files.set(`${ROOT}/objects/${have.slice(0, 2)}/${have.slice(2)}`, Buffer.alloc(0));
  }

  /** What came; `undefined` when nothing did. */
  async received(): Promise<ReceivedPack | undefined> {
    const received = await this.#received;
    received?.pack.writeUInt32BE(this.#count, COUNT_AT);
    return received;
  }

  /** Commits whose parents are lacking after the fetch. */
  shallow(): string[] {
    const text = this.#files.get(`${ROOT}/shallow`)?.toString("latin1") ?? "";
    return text.split("\n").filter((line) => /^[0-9a-f]{40}$/.test(line));
  }

  /** In the form that isomorphic-git asks of a file system. */
  readonly promises = {
    readFile: async (path: string, options?: { encoding?: BufferEncoding } | BufferEncoding) => {
      const bytes = this.#files.get(posix.normalize(path));
      if (bytes === undefined) throw absent(path);
      const encoding = typeof options === "string" ? options : options?.encoding;
      return encoding === undefined ? bytes : bytes.toString(encoding);
    },
    writeFile: async (path: string, content: string | Uint8Array) => {
      const bytes = typeof content === "string" ? Buffer.from(content) : asBuffer(content);
      if (path.endsWith(".pack")) {
        // The library tries a failed write again.
        this.#received ??= this.#receive(bytes);
        await this.#received;
        // It would make an index as well, slowly and without bounds: it is left with a pack of no objects.
        bytes.writeUInt32BE(0, COUNT_AT);
      } else if (!path.endsWith(".idx")) this.#files.set(posix.normalize(path), bytes);
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

  async #receive(pack: Buffer): Promise<ReceivedPack> {
    const index = await this.#makeIndex(pack);
    this.#count = pack.readUInt32BE(COUNT_AT);
    return { pack, index };
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function absent(path: string): Error {
  return Object.assign(new Error(`there is no ${path}`), { code: "ENOENT" });
}
