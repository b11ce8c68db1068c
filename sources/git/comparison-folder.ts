// What was fetched of one repository to compare revisions, and who still reads it.

import { rmSync } from "node:fs";
import { RepositoryCache } from "./cache.ts";
import { TreeInspector } from "./git-tree.ts";
import type { GitLimits } from "./limits.ts";
import { rewritePacks } from "./maintenance.ts";

const MAX_PACKS = 24;
/** Packs beside the largest one may take as much as that, or this. */
const MAX_LOOSE_BYTES = 64 << 20;
/** Base branches whose tips stay. */
const MAX_BRANCHES = 16;
const BRANCHES = "refs/heads/";
const HELD = "refs/flaghoist/held/";

/** A cache of which nothing goes that somebody holds. Callers serialise what changes it. */
export class ComparisonFolder {
  readonly cache: RepositoryCache;
  readonly #inspector: TreeInspector;
  readonly #holds = new Set<readonly string[]>();
  #onEmpty: (() => void) | undefined;

  readonly #maxPacks: number;

  constructor(directory: string, limits: GitLimits, maxPacks = MAX_PACKS) {
    this.#maxPacks = maxPacks;
    this.cache = new RepositoryCache(directory, limits);
    this.#inspector = new TreeInspector(this.cache.store);
  }

  get directory(): string {
    return this.cache.directory;
  }

  /** Keeps the folder and the files of the commits until the returned function is called. */
  hold(commits: readonly string[]): () => void {
    const held = [...commits];
    this.#holds.add(held);
    return () => {
      if (!this.#holds.delete(held) || this.#holds.size > 0) return;
      this.#onEmpty?.();
    };
  }

  /** Removes the folder as soon as nobody holds it; says so. */
  retire(onRemoved: () => void): void {
    this.#onEmpty ??= () => {
      this.cache.store.close();
      rmSync(this.directory, { recursive: true, force: true });
      onRemoved();
    };
    if (this.#holds.size === 0) this.#onEmpty();
  }

  /** Throws `git-too-large` and `git-unsafe-path` when the files of the commit exceed the limits. */
  inspect(commit: string): void {
    this.#inspector.inspect(this.cache.store.readCommit(commit).tree);
  }

  /** Once there is much: leaves what is held and the tips of the base branches, without their history. */
  async tidy(signal: AbortSignal): Promise<void> {
    const sizes = this.cache.store.packs().map((pack) => pack.size);
    const largest = Math.max(0, ...sizes);
    const rest = sizes.reduce((sum, size) => sum + size, 0) - largest;
    if (sizes.length <= this.#maxPacks && rest <= Math.max(MAX_LOOSE_BYTES, largest)) return;
    const branches = [...this.cache.refs()].filter(([name]) => name.startsWith(BRANCHES)).slice(-MAX_BRANCHES);
    const held = Array.from(this.#holds).flat();
    await rewritePacks(
      this.cache,
      new Map([...held.map((oid) => [`${HELD}${oid}`, oid] as const), ...branches]),
      signal,
    );
  }
}
