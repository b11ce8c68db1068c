// What a watch has still to send. Filled by the store, emptied by whoever reads the stream.

/** A queue with one reader, who waits when it is empty, or is called when something comes. */
export class EventQueue<T> implements AsyncIterableIterator<T> {
  #items: T[] = [];
  #waiting: ((result: IteratorResult<T>) => void) | undefined;
  #ended = false;
  #onReady: (() => void) | undefined;
  readonly #onClose: () => void;

  /** `onClose` is called once, when the reader stops or the stream has ended. */
  constructor(onClose: () => void) {
    this.#onClose = onClose;
  }

  get length(): number {
    return this.#items.length;
  }

  /** No more items come; there may be some left. */
  get isEnded(): boolean {
    return this.#ended;
  }

  /** Has `fn` called at every item, and at the end. */
  onReady(fn: () => void): void {
    this.#onReady = fn;
  }

  push(item: T): void {
    if (this.#ended) return;
    if (this.#waiting !== undefined) {
      const resolve = this.#waiting;
      this.#waiting = undefined;
      resolve({ value: item, done: false });
      return;
    }
    this.#items.push(item);
    this.#onReady?.();
  }

  /** No more items come; the reader still gets what is queued. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#onClose();
    this.#waiting?.({ value: undefined, done: true });
    this.#waiting = undefined;
    this.#onReady?.();
  }

  /** Takes everything that is queued at once; undefined when nothing is. */
  takeAll(): T[] | undefined {
    if (this.#items.length === 0) return undefined;
    const items = this.#items;
    this.#items = [];
    return items;
  }

  next(): Promise<IteratorResult<T>> {
    if (this.#items.length > 0) return Promise.resolve({ value: this.#items.shift()!, done: false });
    if (this.#ended) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  return(): Promise<IteratorResult<T>> {
    this.#items = [];
    this.end();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
