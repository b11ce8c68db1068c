// How long a decision may search for the best choice of groups.

/**
 * How much the searches of one decision may look at, in classes of clusters and constraints; all of it takes some
 * 20 ms. The first search may use it up; those that only look for something better get little each.
 */
export class SearchBudget {
  #left: number;
  #allowance = 0;
  #wasShort = false;

  constructor(looks = 300_000) {
    this.#left = looks;
  }

  /** Begins a search of so many looks at most. */
  begin(looks = Number.POSITIVE_INFINITY): void {
    this.#allowance = looks;
  }

  /** Answers false when nothing is left. */
  spend(looks: number): boolean {
    this.#left -= looks;
    this.#allowance -= looks;
    if (this.isSpent) this.#wasShort = true;
    return !this.isSpent;
  }

  /** Whether the present search must end. */
  get isSpent(): boolean {
    return this.#left <= 0 || this.#allowance <= 0;
  }

  /** Whether any search was ended early. */
  get wasShort(): boolean {
    return this.#wasShort;
  }
}

/** Looks of a search for something better. */
export const FEW_LOOKS = 20_000;
