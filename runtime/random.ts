// Seeded chance.

/** A source of chance that one number determines. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** At least 0, below 1. */
  next(): number {
    // Mulberry32: every bit of the seed counts from the first number on.
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number below `bound`. */
  below(bound: number): number {
    return Math.floor(this.next() * bound);
  }

  /** True as often as the share `probability` says. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** One of the options, of which there is at least one. */
  pick<T>(options: readonly T[]): T {
    return options[this.below(options.length)]!;
  }

  /** Some of the options, in random order, at least `least`. */
  some<T>(options: readonly T[], least = 0): T[] {
    const order = options.map((option) => ({ option, at: this.next() })).toSorted((a, b) => a.at - b.at);
    return order.slice(0, least + this.below(options.length - least + 1)).map(({ option }) => option);
  }

  /** Up to `most` items. */
  list<T>(most: number, make: () => T): T[] {
    return Array.from({ length: this.below(most + 1) }, make);
  }
}
