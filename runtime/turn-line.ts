// A line of steps that share the turns of the event loop.
import { Turn } from "./turn.ts";

/**
 * Where many steps wait for the same thing, they would all go on in the same turn of the event loop. Those that `enter` this
 * line first go on one after the other, and what does not fit into a turn has the next one.
 */
export class TurnLine {
  readonly #turn = new Turn();
  readonly #waiting: (() => void)[] = [];
  #isMoving = false;
  #isFresh = false;

  /** Resolves when it is the caller's turn to compute for a moment. */
  async enter(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
      if (!this.#isMoving) void this.#move();
    });
  }

  async #move(): Promise<void> {
    this.#isMoving = true;
    if (!this.#isFresh) this.#begin();
    let first = 0;
    for (; first < this.#waiting.length; first++) {
      if (this.#turn.isOver) {
        this.#waiting.splice(0, first);
        first = 0;
        await new Promise((resolve) => setImmediate(resolve));
        this.#begin();
      }
      this.#waiting[first]?.();
      // Whoever was let in computes until it waits for something, before the next one is.
      await undefined;
      await undefined;
    }
    this.#waiting.length = 0;
    this.#isMoving = false;
  }

  /** A turn of the line lasts as long as one of the event loop. */
  #begin(): void {
    this.#turn.begin();
    this.#isFresh = true;
    setImmediate(() => {
      this.#isFresh = false;
    });
  }
}
