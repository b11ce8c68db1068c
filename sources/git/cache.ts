// The folder that keeps what was fetched of one repository: a bare Git repository in Git's own format. Everything
// appears by renaming a finished file, so that a process that dies at any point leaves a usable cache.

import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { GitLimits } from "./limits.ts";
import { ObjectStore } from "./object-store.ts";

const TEMPORARY = /^tmp-(\d+)-/;
/** A name of another process that happens to have our old number must not keep a file for ever. */
const STALE_MS = 3_600_000;

/** Where the commit that a reference had before is kept. */
export const PREVIOUS = "refs/flaghoist/previous/";

/** The cache of one repository. Callers serialise what changes it. */
export class RepositoryCache {
  readonly directory: string;
  readonly store: ObjectStore;

  /** Makes the folder if needed and removes what an earlier process left unfinished. */
  constructor(directory: string, limits: GitLimits) {
    this.directory = directory;
    mkdirSync(join(directory, "objects", "pack"), { recursive: true });
    mkdirSync(join(directory, "refs"), { recursive: true });
    if (!existsSync(join(directory, "config"))) {
      // `git` itself must be able to work here: it fetches for ssh, and people look inside.
      this.#replace("config", "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n");
    }
    if (!existsSync(join(directory, "HEAD"))) this.#replace("HEAD", "ref: refs/heads/main\n");
    this.sweep();
    this.store = new ObjectStore(join(directory, "objects"), limits);
  }

  /** Removes temporary files whose process is gone, and packs that never got their index or lost their other half. */
  sweep(): void {
    for (const folder of [this.directory, this.#packFolder]) {
      for (const name of readdirSync(folder)) {
        const path = join(folder, name);
        const pid = TEMPORARY.exec(name)?.[1];
        if (pid !== undefined ? isStale(Number(pid), path) : isHalf(path))
          rmSync(path, { force: true, recursive: true });
      }
    }
  }

  /** Names and commits of what was fetched. */
  refs(): Map<string, string> {
    const refs = new Map<string, string>();
    for (const line of this.#lines("packed-refs")) {
      const match = /^([0-9a-f]{40}) (\S+)$/.exec(line);
      if (match !== null) refs.set(match[2] ?? "", match[1] ?? "");
    }
    return refs;
  }

  /** Records what was fetched for a reference. The commit before it stays known, as work on it may not be done. */
  setRef(name: string, commit: string): void {
    const refs = this.refs();
    const before = refs.get(name);
    if (before === commit) return;
    const kept = `${PREVIOUS}${name}`;
    // Moved to the end: the order says what was fetched last.
    for (const old of [name, kept]) refs.delete(old);
    if (before !== undefined) refs.set(kept, before);
    refs.set(name, commit);
    this.writeRefs(refs);
  }

  writeRefs(refs: ReadonlyMap<string, string>): void {
    this.#replace("packed-refs", `# pack-refs with:\n${[...refs].map(([name, oid]) => `${oid} ${name}\n`).join("")}`);
  }

  /** Commits whose parents are not here. */
  shallow(): string[] {
    return this.#lines("shallow").filter((line) => /^[0-9a-f]{40}$/.test(line));
  }

  writeShallow(oids: readonly string[]): void {
    if (oids.length === 0) rmSync(join(this.directory, "shallow"), { force: true });
    else this.#replace("shallow", oids.map((oid) => `${oid}\n`).join(""));
  }

  /** Installs a checked pack. */
  async receivePack(pack: Buffer, index: Buffer): Promise<void> {
    const temporary = this.temporaryPath("pack");
    try {
      await writeFile(temporary, pack, { flag: "wx", mode: 0o600, flush: true });
      this.install(temporary, index, pack.subarray(pack.length - 20));
    } finally {
      rmSync(temporary, { force: true });
    }
  }

  /** Puts a finished pack and its index in place. */
  install(packPath: string, index: Buffer, checksum: Buffer): string {
    const path = join(this.#packFolder, `pack-${checksum.toString("hex")}`);
    const indexPath = this.temporaryPath("idx");
    writeFileSync(indexPath, index, { flush: true });
    // The index comes last: a pack without one is not there.
    renameSync(packPath, `${path}.pack`);
    renameSync(indexPath, `${path}.idx`);
    this.store.close();
    return path;
  }

  /** Removes packs by their paths without extension; the index goes first. */
  removePacks(paths: readonly string[]): void {
    this.store.close();
    for (const path of paths) {
      rmSync(`${path}.idx`, { force: true });
      rmSync(`${path}.pack`, { force: true });
      rmSync(`${path}.rev`, { force: true });
    }
  }

  temporaryPath(extension: string): string {
    return join(this.#packFolder, `tmp-${process.pid}-${randomUUID()}.${extension}`);
  }

  /** Forgets everything: the next fetch starts anew. */
  reset(): void {
    this.store.close();
    rmSync(join(this.directory, "packed-refs"), { force: true });
    rmSync(join(this.directory, "shallow"), { force: true });
    rmSync(join(this.directory, "objects"), { force: true, recursive: true });
    mkdirSync(this.#packFolder, { recursive: true });
  }

  get #packFolder(): string {
    return join(this.directory, "objects", "pack");
  }

  #lines(name: string): string[] {
    try {
      return readFileSync(join(this.directory, name), "utf8").split("\n");
    } catch {
      return [];
    }
  }

  #replace(name: string, text: string): void {
    const temporary = join(this.directory, `tmp-${process.pid}-${randomUUID()}`);
    writeFileSync(temporary, text, { flush: true });
    renameSync(temporary, join(this.directory, name));
  }
}

function isStale(pid: number, path: string): boolean {
  const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0);
  if (age > STALE_MS) return true;
  // Ours, and not of this run, or it would be younger than the process.
  if (pid === process.pid) return age > performance.now();
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "ESRCH";
  }
}

function isHalf(path: string): boolean {
  const other = path.endsWith(".pack")
    ? `${path.slice(0, -5)}.idx`
    : path.endsWith(".idx")
      ? `${path.slice(0, -4)}.pack`
      : "";
  if (other === "" || existsSync(other)) return false;
  // Another process may be between its two renames.
  return Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) > 10_000;
}
