// One turn of the event loop, for loops that would take too long of it.

const TURN_MS = 10;

/** Ask `isOver` now and then in a long loop, and await `next` when it is, so that others get their turn. */
export class Turn {
  #end = performance.now() + TURN_MS;

  get isOver(): boolean {
    return performance.now() > this.#end;
  }

  async next(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.begin();
  }

  /** To be called at the beginning of a turn by loops that are told of one instead of awaiting `next`. */
  begin(): void {
    this.#end = performance.now() + TURN_MS;
  }
}
