// One turn of the event loop, for loops that would take too long of it.

const TURN_MS = 10;

let turnMs = TURN_MS;

/**
 * Lets turns have no end in this process: for runs that are to be had again, where the order of things must not hang on the
 * machine's speed. Whoever does so has no watches of others to keep waiting.
 */
export function endlessTurns(): void {
  turnMs = Number.POSITIVE_INFINITY;
}

/**
 * Ask `isOver` now and then in a long loop, and await `next` when it is, so that others get their turn. Loops that run side
 * by side may share one: then they share the turn, too.
 */
export class Turn {
  #end = performance.now() + turnMs;
  #next: Promise<void> | undefined;

  get isOver(): boolean {
    return performance.now() > this.#end;
  }

  next(): Promise<void> {
    this.#next ??= new Promise((resolve) => {
      setImmediate(() => {
        this.#next = undefined;
        this.begin();
        resolve();
      });
    });
    return this.#next;
  }

  /** To be called at the beginning of a turn by loops that are told of one instead of awaiting `next`. */
  begin(): void {
    this.#end = performance.now() + turnMs;
  }
}
