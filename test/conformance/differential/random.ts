// Chance with a seed, so that a case can be made again.

/** Draws from one seed. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A number from 0 up to and without 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(options: readonly T[]): T {
    // Callers give at least one option.
    return options[this.below(options.length)]!;
  }

  /** Some of the options, in random order, at least `least`. */
  some<T>(options: readonly T[], least = 0): T[] {
    const order = options.map((option) => ({ option, at: this.next() })).toSorted((a, b) => a.at - b.at);
    return order.slice(0, least + this.below(options.length - least + 1)).map(({ option }) => option);
  }
}
