// Remembering what was computed from a piece of plain data.

/**
 * A cache keyed by the content of immutable JSON data. The same object is found without looking at its content, so the
 * objects given must never be changed in place.
 */
export class ContentCache<K extends object, V> {
  readonly #limit: () => number;
  #byIdentity = new WeakMap<K, V>();
  #byContent = new Map<string, V>();

  /** Forgets everything once it holds `limit()` different contents. */
  constructor(limit: () => number) {
    this.#limit = limit;
  }

  get(key: K, make: (key: K) => V): V {
    const known = this.#byIdentity.get(key);
    if (known !== undefined) return known;
    const content = JSON.stringify(key);
    let value = this.#byContent.get(content);
    if (value === undefined) {
      if (this.#byContent.size >= this.#limit()) this.clear();
      value = make(key);
      this.#byContent.set(content, value);
    }
    this.#byIdentity.set(key, value);
    return value;
  }

  clear(): void {
    this.#byIdentity = new WeakMap();
    this.#byContent = new Map();
  }
}
