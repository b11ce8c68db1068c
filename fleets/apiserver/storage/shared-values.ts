/** Values by the text that they were made from, so that equal ones are one. Forgets its oldest beyond a size. */
export class SharedValues<T> {
  readonly #entries = new Map<string, T>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  find(text: string): T | undefined {
    return this.#entries.get(text);
  }

  get(text: string, make: () => T): T {
    const known = this.#entries.get(text);
    if (known !== undefined) return known;
    // Oldest out: what is still written comes back with its next write.
    if (this.#entries.size >= this.#most) this.#entries.delete(this.#entries.keys().next().value ?? "");
    const made = make();
    this.#entries.set(text, made);
    return made;
  }
}
