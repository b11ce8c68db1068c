// Timers by when they fall due; those of one instant in the order of their making.

interface HeapTimer {
  readonly at: number;
  readonly order: number;
  readonly fn: () => void;
  cancelled: boolean;
}

/** A binary heap of timers. Cancelled ones stay until they come up or make half of the heap. */
export class TimerHeap {
  #items: HeapTimer[] = [];
  #order = 0;
  #cancelled = 0;

  /** Timers that will fire. */
  get size(): number {
    return this.#items.length - this.#cancelled;
  }

  add(at: number, fn: () => void): HeapTimer {
    const timer: HeapTimer = { at, order: this.#order++, fn, cancelled: false };
    this.#items.push(timer);
    this.#up(this.#items.length - 1);
    return timer;
  }

  cancel(timer: HeapTimer): void {
    if (timer.cancelled) return;
    timer.cancelled = true;
    this.#cancelled++;
    if (this.#cancelled < 64 || this.#cancelled * 2 < this.#items.length) return;
    this.#items = this.#items.filter((each) => !each.cancelled).sort((a, b) => (isBefore(a, b) ? -1 : 1));
    this.#cancelled = 0;
  }

  /** The next timer to fire; it stays. */
  peek(): HeapTimer | undefined {
    for (let first = this.#items[0]; first !== undefined; first = this.#items[0]) {
      if (!first.cancelled) return first;
      this.#take();
      this.#cancelled--;
    }
    return undefined;
  }

  /** Takes the next timer. Cancelling it afterwards has no effect. */
  take(): HeapTimer | undefined {
    const first = this.peek();
    if (first === undefined) return undefined;
    this.#take();
    first.cancelled = true;
    return first;
  }

  #take(): void {
    const last = this.#items.pop();
    if (last === undefined || this.#items.length === 0) return;
    this.#items[0] = last;
    this.#down(0);
  }

  #up(from: number): void {
    for (let index = from; index > 0; ) {
      const parent = (index - 1) >> 1;
      if (!isBefore(this.#items[index]!, this.#items[parent]!)) return;
      this.#swap(index, parent);
      index = parent;
    }
  }

  #down(from: number): void {
    for (let index = from; ; ) {
      const left = 2 * index + 1;
      const right = left + 1;
      let first = index;
      if (left < this.#items.length && isBefore(this.#items[left]!, this.#items[first]!)) first = left;
      if (right < this.#items.length && isBefore(this.#items[right]!, this.#items[first]!)) first = right;
      if (first === index) return;
      this.#swap(index, first);
      index = first;
    }
  }

  #swap(a: number, b: number): void {
    const held = this.#items[a]!;
    this.#items[a] = this.#items[b]!;
    this.#items[b] = held;
  }
}

function isBefore(a: HeapTimer, b: HeapTimer): boolean {
  return a.at === b.at ? a.order < b.order : a.at < b.at;
}
