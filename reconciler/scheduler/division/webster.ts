// Webster's (Sainte-Laguë) division of seats, the one arithmetic behind every divided placement.

/** The parties of a division, as parallel arrays. */
export interface Parties {
  readonly weights: Float64Array;
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
  for (let i = 0; i < count; i++) weightSum += Math.max(0, weights[i] as number);
  if (total <= 0 || weightSum <= 0) return seats;
  if (count === 1) return seats.fill(total);

  let left = total - giveCertainSeats(total, weightSum, weights, seats);
  if (left === 0) return seats;
  const order = new SeatOrder(weights, ranks, seats, ranksDescend);
  // A heap pays only where there are many parties.
  if (count <= 16) {
    for (; left > 0; left--) order.seatFirst();
    return seats;
  }
  const heap = new SeatHeap(order, count);
  for (; left > 0; left--) heap.seatTop();
  return seats;
}

/**
 * As `allocateSeats`, with each party having at least its `floors`, which together must not exceed `total`. The others
 * share what is left as they would without those that have their floor.
 */
export function allocateSeatsAbove(
  total: number,
  parties: Parties,
  floors: Int32Array,
  ranksDescend: () => boolean,
): Int32Array {
  const pinned = new Uint8Array(floors.length);
  // Who is given its floor takes seats from the others, who may then need theirs.
  for (;;) {
    const free = Array.from(floors.keys()).filter((i) => pinned[i] === 0);
    const left = floors.reduce((sum, floor, i) => (pinned[i] === 1 ? sum - floor : sum), total);
    const weights = Float64Array.from(free, (i) => parties.weights[i] as number);
    const ranks = free.map((i) => parties.ranks[i] as number);
    const own = allocateSeats(left, { weights, ranks }, ranksDescend);
    const low = free.filter((i, place) => (own[place] as number) < (floors[i] as number));
    if (low.length === 0) {
      const seats = floors.slice();
      for (const [place, i] of free.entries()) seats[i] = own[place] as number;
      return seats;
    }
    for (const i of low) pinned[i] = 1;
  }
}

/**
 * Gives out the seats that lie above a threshold so low that they are sure to be among the `total` highest, and
 * answers how many. What remains is at most about half as many seats as there are parties.
 */
function giveCertainSeats(total: number, weightSum: number, weights: Float64Array, seats: Int32Array): number {
  const count = weights.length;
  if (2 * total <= count) return 0;
  const threshold = weightSum / (2 * total - count);
  let given = 0;
  for (let i = 0; i < count; i++) {
    const weight = weights[i] as number;
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

/** Who is to be seated before whom, as seats are given out. */
class SeatOrder {
  readonly #weights: Float64Array;
  readonly #ranks: ArrayLike<number>;
  readonly #seats: Int32Array;
  readonly #ranksDescend: () => boolean;
  readonly #quotients: Float64Array;
  #descending: boolean | undefined;

  constructor(weights: Float64Array, ranks: ArrayLike<number>, seats: Int32Array, ranksDescend: () => boolean) {
    this.#weights = weights;
    this.#ranks = ranks;
    this.#seats = seats;
    this.#ranksDescend = ranksDescend;
    this.#quotients = new Float64Array(seats.length);
    for (let i = 0; i < seats.length; i++) {
      this.#quotients[i] = (weights[i] as number) / (2 * (seats[i] as number) + 1);
    }
  }

  seat(party: number): void {
    const seats = (this.#seats[party] as number) + 1;
    this.#seats[party] = seats;
    this.#quotients[party] = (this.#weights[party] as number) / (2 * seats + 1);
  }

  /** Seats the first of all, by looking at each. Parties without weight come last, and some party has weight. */
  seatFirst(): void {
    let first = 0;
    for (let i = 1; i < this.#seats.length; i++) if (this.precedes(i, first)) first = i;
    this.seat(first);
  }

  precedes(a: number, b: number): boolean {
    const difference = (this.#quotients[a] as number) - (this.#quotients[b] as number);
    if (difference !== 0) return difference > 0;
    const seats = (this.#seats[a] as number) - (this.#seats[b] as number);
    if (seats !== 0) return seats < 0;
    this.#descending ??= this.#ranksDescend();
    return (this.#ranks[a] as number) < (this.#ranks[b] as number) !== this.#descending;
  }
}

/** A binary heap of parties, the next to be seated on top. */
class SeatHeap {
  readonly #order: SeatOrder;
  readonly #heap: Int32Array;

  constructor(order: SeatOrder, count: number) {
    this.#order = order;
    this.#heap = new Int32Array(count);
    for (let i = 0; i < count; i++) this.#heap[i] = i;
    for (let i = (count >> 1) - 1; i >= 0; i--) this.#sink(i);
  }

  seatTop(): void {
    this.#order.seat(this.#heap[0] as number);
    this.#sink(0);
  }

  #sink(start: number): void {
    const heap = this.#heap;
    const moved = heap[start] as number;
    let place = start;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && this.#order.precedes(heap[child + 1] as number, heap[child] as number)) child++;
      if (!this.#order.precedes(heap[child] as number, moved)) break;
      heap[place] = heap[child] as number;
      place = child;
    }
    heap[place] = moved;
  }
}

export interface Share {
  readonly name: string;
  readonly weight: number;
}

/** Divides `total` over named shares; see `allocateSeats`. The result is in the order of `shares`, zeros included. */
export function divideByWeight(total: number, shares: readonly Share[], namesDescend = false): Map<string, number> {
  const sorted = shares.map((share) => share.name).sort(compareNames);
  const ranks = shares.map((share) => sorted.indexOf(share.name));
  const weights = Float64Array.from(shares, (share) => share.weight);
  const seats = allocateSeats(total, { weights, ranks }, () => namesDescend);
  return new Map(shares.map((share, index) => [share.name, seats[index] as number]));
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
