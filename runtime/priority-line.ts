/** Keys in line: those of higher priority first, among equals the one that came first. A key is in it once. */
export class PriorityLine {
  readonly #priorities = new Map<string, number>();
  readonly #keys = new Map<number, Set<string>>();
  /** The priorities in use, ascending. */
  readonly #levels: number[] = [];

  get size(): number {
    return this.#priorities.size;
  }

  has(key: string): boolean {
    return this.#priorities.has(key);
  }

  /** Lines up a key; one that is in line already keeps its place. */
  add(key: string, priority: number): void {
    if (this.#priorities.has(key)) return;
    this.#priorities.set(key, priority);
    const keys = this.#keys.get(priority);
    if (keys !== undefined) {
      keys.add(key);
      return;
    }
    this.#keys.set(priority, new Set([key]));
    const above = this.#levels.findIndex((level) => level > priority);
    this.#levels.splice(above < 0 ? this.#levels.length : above, 0, priority);
  }

  /** Takes the first key out of the line. */
  take(): string | undefined {
    const level = this.#levels.at(-1);
    if (level === undefined) return undefined;
    // No level is without keys.
    const [key] = this.#keys.get(level) as Set<string>;
    this.delete(key as string);
    return key;
  }

  delete(key: string): void {
    const priority = this.#priorities.get(key);
    if (priority === undefined) return;
    this.#priorities.delete(key);
    const keys = this.#keys.get(priority);
    keys?.delete(key);
    if (keys?.size !== 0) return;
    this.#keys.delete(priority);
    this.#levels.splice(this.#levels.indexOf(priority), 1);
  }

  clear(): void {
    this.#priorities.clear();
    this.#keys.clear();
    this.#levels.length = 0;
  }
}
