/**
 * When each key of a controller is to be looked at: real controllers wait a moment after some changes, so that several
 * of them are handled together. The earliest wish counts.
 */
export class DueKeys {
  readonly #due = new Map<string, number>();

  /** Wants `key` looked at when it is `at`, milliseconds since the epoch, or before. */
  want(key: string, at: number): void {
    const known = this.#due.get(key);
    if (known === undefined || at < known) this.#due.set(key, at);
  }

  /** Whether `key` is due; its wishes are fulfilled by that. */
  take(key: string, now: number): boolean {
    const at = this.#due.get(key);
    if (at === undefined || at > now) return false;
    this.#due.delete(key);
    return true;
  }

  /** How long it is until `key` is due; undefined when nobody wants it. */
  remaining(key: string, now: number): { readonly afterMs: number } | undefined {
    const at = this.#due.get(key);
    return at === undefined ? undefined : { afterMs: Math.max(0, at - now) };
  }
}
