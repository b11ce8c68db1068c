// Who waits for what: keys of work that cannot be done before something exists.

export class Awaited {
  readonly #byCause = new Map<string, Set<string>>();
  readonly #causes = new Map<string, readonly string[]>();

  /** From now on `key` waits for these, and for nothing that it waited for before. */
  set(key: string, causes: readonly string[]): void {
    this.forget(key);
    if (causes.length === 0) return;
    this.#causes.set(key, causes);
    for (const cause of causes) {
      const keys = this.#byCause.get(cause);
      if (keys === undefined) this.#byCause.set(cause, new Set([key]));
      else keys.add(key);
    }
  }

  forget(key: string): void {
    for (const cause of this.#causes.get(key) ?? []) {
      const keys = this.#byCause.get(cause);
      keys?.delete(key);
      if (keys?.size === 0) this.#byCause.delete(cause);
    }
    this.#causes.delete(key);
  }

  /** Who waits for it. They go on waiting until they are told otherwise. */
  waitingFor(cause: string): string[] {
    return [...(this.#byCause.get(cause) ?? [])];
  }
}
