// The repositories that a process follows, each with its cache folder under one root.

import { createHash } from "node:crypto";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { GitCredentials } from "./credentials.ts";
import type { GitLimits } from "./limits.ts";
import { cacheDirectoryName, openRepository } from "./repository.ts";
import type { GitRepository } from "./revision.ts";

export interface PoolOptions {
  /** Folder of the cache folders. Nothing else may be in it: `sweep` removes what it does not know. */
  readonly root: string;
  readonly allowLocal?: boolean | undefined;
  readonly limits?: Partial<GitLimits> | undefined;
}

export interface RepositoryRequest {
  readonly url: string;
  readonly credentials?: GitCredentials | undefined;
  readonly timeoutMs?: number | undefined;
}

interface Opened {
  readonly repository: GitRepository;
  readonly directory: string;
  readonly identity: string;
}

/** Keeps one open repository per owner (`namespace/name`), so that connections and what is known of servers last. */
export class RepositoryPool {
  readonly #options: PoolOptions;
  readonly #opened = new Map<string, Opened>();

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** The owner's repository, opened anew when its URL, credentials or deadline are others than before. */
  open(owner: string, request: RepositoryRequest): GitRepository {
    const identity = createHash("sha256").update(JSON.stringify([request.url, request.credentials, request.timeoutMs]));
    const digest = identity.digest("hex");
    const before = this.#opened.get(owner);
    if (before?.identity === digest) return before.repository;
    const directory = join(this.#options.root, cacheDirectoryName(request.url, owner));
    const { allowLocal, limits } = this.#options;
    const repository = openRepository({ ...request, cacheDirectory: directory, allowLocal, limits });
    before?.repository.close();
    if (before !== undefined && before.directory !== directory)
      rmSync(before.directory, { recursive: true, force: true });
    this.#opened.set(owner, { repository, directory, identity: digest });
    return repository;
  }

  /** Closes the owner's repository and removes its cache. */
  forget(owner: string): void {
    const opened = this.#opened.get(owner);
    if (opened === undefined) return;
    this.#opened.delete(owner);
    opened.repository.close();
    rmSync(opened.directory, { recursive: true, force: true });
  }

  /** Removes the caches of repositories that are not among these: those of owners that went while nobody ran. */
  sweep(owners: readonly { readonly owner: string; readonly url: string }[]): void {
    const known = new Set(owners.map(({ owner, url }) => cacheDirectoryName(url, owner)));
    for (const { directory } of this.#opened.values()) known.add(directory.slice(this.#options.root.length + 1));
    for (const name of listNames(this.#options.root)) {
      if (!known.has(name)) rmSync(join(this.#options.root, name), { recursive: true, force: true });
    }
  }

  close(): void {
    for (const { repository } of this.#opened.values()) repository.close();
    this.#opened.clear();
  }
}

function listNames(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
