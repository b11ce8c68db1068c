// The fetched revisions that syncs render from, by source. In memory: after a restart each source is fetched (or found
// unchanged in its cache) before anything is rendered.
import type { SourceTree } from "../../../sources/tree.ts";

export interface Artifact {
  /** As Flux writes it: `main@sha1:<commit>`. */
  readonly revision: string;
  readonly commit: string;
  readonly tree: SourceTree;
  /** First line of the commit's message. */
  readonly subject: string;
}

/** Keys are `namespace/name` of the GitRepository. */
export class ArtifactStore {
  readonly #artifacts = new Map<string, Artifact>();
  readonly #listeners: ((key: string) => void)[] = [];

  get(key: string): Artifact | undefined {
    return this.#artifacts.get(key);
  }

  put(key: string, artifact: Artifact): void {
    const changed = this.#artifacts.get(key)?.revision !== artifact.revision;
    this.#artifacts.set(key, artifact);
    if (changed) for (const listener of this.#listeners) listener(key);
  }

  delete(key: string): void {
    this.#artifacts.delete(key);
  }

  /** Told when a source has a new revision. */
  subscribe(listener: (key: string) => void): void {
    this.#listeners.push(listener);
  }
}
