// Webster's (Sainte-Laguë) division of seats, the one arithmetic behind every divided placement.

/** The parties of a division, as parallel arrays. */
export interface Parties {
  readonly weights: ArrayLike<number>;
  /** Place of each party in the ascending order of names; decides between equals. */
  readonly ranks: ArrayLike<number>;
}

/**
 * Gives each party its seats, parallel to `parties`.
 *
 * The sum of the result is exactly `total`, unless no weight is positive: then nobody gets any. Seats go one by one to
 * the highest `weight / (2 * seats + 1)`; equals go to fewer seats, then to the lower rank, or to the higher rank when
 * `ranksDescend` answers true (it is asked only if there is such a tie).
 */
export function allocateSeats(total: number, parties: Parties, ranksDescend: () => boolean): Int32Array {
  const { weights, ranks } = parties;
  const count = weights.length;
  const seats = new Int32Array(count);
  let weightSum = 0;
  for (let i = 0; i < count; i++) weightSum += Math.max(0, at(weights, i));
  if (total <= 0 || weightSum <= 0) return seats;

  let left = total - giveCertainSeats(total, weightSum, weights, seats);
  const heap = new SeatHeap(weights, ranks, seats, ranksDescend);
  while (left > 0) {
    heap.seatTop();
    left--;
  }
  return seats;
}

/**
 * Gives out the seats that lie above a threshold so low that they are sure to be among the `total` highest, and
 * answers how many. What remains is at most about half as many seats as there are parties.
 */
function giveCertainSeats(total: number, weightSum: number, weights: ArrayLike<number>, seats: Int32Array): number {
  const count = weights.length;
  if (2 * total <= count) return 0;
  const threshold = weightSum / (2 * total - count);
  let given = 0;
  for (let i = 0; i < count; i++) {
    const weight = at(weights, i);
    if (weight <= 0) continue;
    let own = Math.floor((weight / threshold + 1) / 2);
    // The quotients must be compared exactly as one by one, so the estimate is corrected to the same doubles.
    while (own > 0 && weight / (2 * own - 1) <= threshold) own--;
    while (weight / (2 * own + 1) > threshold) own++;
    seats[i] = own;
    given += own;
  }
  if (given <= total) return given;
  seats.fill(0);
  return 0;
}

/** A binary heap of parties, the next to be seated on top. */
class SeatHeap {
  readonly #weights: ArrayLike<number>;
  readonly #ranks: ArrayLike<number>;
  readonly #seats: Int32Array;
  readonly #ranksDescend: () => boolean;
  readonly #priorities: Float64Array;
  readonly #heap: Int32Array;
  readonly #size: number;
  #descending: boolean | undefined;

  constructor(weights: ArrayLike<number>, ranks: ArrayLike<number>, seats: Int32Array, ranksDescend: () => boolean) {
    this.#weights = weights;
    this.#ranks = ranks;
    this.#seats = seats;
    this.#ranksDescend = ranksDescend;
    this.#priorities = new Float64Array(seats.length);
    this.#heap = new Int32Array(seats.length);
    let size = 0;
    for (let i = 0; i < seats.length; i++) {
      const weight = at(weights, i);
      if (weight <= 0) continue;
      this.#priorities[i] = weight / (2 * at(seats, i) + 1);
      this.#heap[size++] = i;
    }
    this.#size = size;
    for (let i = (size >> 1) - 1; i >= 0; i--) this.#sink(i);
  }

  seatTop(): void {
    const party = at(this.#heap, 0);
    const seats = at(this.#seats, party) + 1;
    this.#seats[party] = seats;
    this.#priorities[party] = at(this.#weights, party) / (2 * seats + 1);
    this.#sink(0);
  }

  #sink(start: number): void {
    const heap = this.#heap;
    const moved = at(heap, start);
    let place = start;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= this.#size) break;
      if (child + 1 < this.#size && this.#precedes(at(heap, child + 1), at(heap, child))) child++;
      if (!this.#precedes(at(heap, child), moved)) break;
      heap[place] = at(heap, child);
      place = child;
    }
    heap[place] = moved;
  }

  #precedes(a: number, b: number): boolean {
    const difference = at(this.#priorities, a) - at(this.#priorities, b);
    if (difference !== 0) return difference > 0;
    const seats = at(this.#seats, a) - at(this.#seats, b);
    if (seats !== 0) return seats < 0;
    this.#descending ??= this.#ranksDescend();
    return at(this.#ranks, a) < at(this.#ranks, b) !== this.#descending;
  }
}

/** Every caller's index is below the length. */
function at(list: ArrayLike<number>, index: number): number {
  return list[index] as number;
}

export interface Share {
  readonly name: string;
  readonly weight: number;
}

/** Divides `total` over named shares; see `allocateSeats`. The result is in the order of `shares`, zeros included. */
export function divideByWeight(total: number, shares: readonly Share[], namesDescend = false): Map<string, number> {
  const sorted = shares.map((share) => share.name).sort(compareNames);
  const ranks = shares.map((share) => sorted.indexOf(share.name));
  const weights = shares.map((share) => share.weight);
  const seats = allocateSeats(total, { weights, ranks }, () => namesDescend);
  return new Map(shares.map((share, index) => [share.name, at(seats, index)]));
}

/** The order of names everywhere in the scheduler: by code unit, which for names of clusters is by byte. */
export function compareNames(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** One step of a division, for people: who was seated, at what quotient, and who came closest. */
export interface SeatStep {
  readonly seat: number;
  readonly name: string;
  readonly quotient: number;
  readonly over?: { readonly name: string; readonly quotient: number };
}

/** The first `limit` steps of the division that `allocateSeats` makes. For explanations only: it takes every step. */
export function traceSeats(
  total: number,
  shares: readonly Share[],
  namesDescend: boolean,
  limit: number,
): readonly SeatStep[] {
  const parties = shares.filter((share) => share.weight > 0).map((share) => ({ ...share, seats: 0 }));
  const steps: SeatStep[] = [];
  for (let seat = 1; seat <= Math.min(total, limit); seat++) {
    const ranked = parties
      .map((party) => ({ party, quotient: party.weight / (2 * party.seats + 1) }))
      .sort(
        (a, b) =>
          b.quotient - a.quotient ||
          a.party.seats - b.party.seats ||
          compareNames(a.party.name, b.party.name) * (namesDescend ? -1 : 1),
      );
    const [first, second] = ranked;
    if (first === undefined) break;
    first.party.seats++;
    steps.push({
      seat,
      name: first.party.name,
      quotient: first.quotient,
      ...(second === undefined ? {} : { over: { name: second.party.name, quotient: second.quotient } }),
    });
  }
  return steps;
}
