// One turn of the event loop, for loops that would take too long of it.

const TURN_MS = 15;

let turnMs = TURN_MS;

/**
 * Lets turns have no end in this process: for runs that are to be had again, where the order of things must not hang on the
 * machine's speed. Whoever does so has no watches of others to keep waiting.
 */
export function endlessTurns(): void {
  turnMs = Number.POSITIVE_INFINITY;
}

/** However much others have taken of a turn, so much is left to whoever begins, so that everybody gets on. Milliseconds. */
const LEAST_MS = 3;

/** When the present turn of the event loop is to be over; undefined before anybody has asked. */
let endOfLoop: number | undefined;

/** All loops of the process share the turns of the event loop, or many together would make a turn of many. */
function endOfTurn(): number {
  if (turnMs === Number.POSITIVE_INFINITY) return turnMs;
  const now = performance.now();
  if (endOfLoop === undefined) {
    endOfLoop = now + turnMs;
    setImmediate(() => {
      endOfLoop = undefined;
    });
  }
  return Math.max(endOfLoop, now + LEAST_MS);
}

/**
 * Ask `isOver` now and then in a long loop, and await `next` when it is, so that others get their turn. Loops that run side
 * by side may share one: then they begin together, too.
 */
export class Turn {
  #end = endOfTurn();
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
    this.#end = endOfTurn();
  }
}
