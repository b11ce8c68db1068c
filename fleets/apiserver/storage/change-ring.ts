// The last changes of a store, oldest first: what watches replay and older lists are rebuilt from.
import type { StoredObject } from "./stored-object.ts";

export type ChangeType = "ADDED" | "MODIFIED" | "DELETED";

/** One committed write. */
export interface Change {
  readonly type: ChangeType;
  readonly revision: number;
  /** The new state; for DELETED the last state with the revision of the deletion. */
  readonly object: StoredObject;
  /** The state before; undefined for ADDED. */
  readonly previous: StoredObject | undefined;
  readonly timeMs: number;
  /** What watches show of it, by representation, so that they share the bytes. Theirs to fill; kept for a while. */
  shown: Map<string, unknown> | undefined;
}

const KEEP_MS = 75_000;
const MOST_FACTOR = 2;
/** Changes that keep what watches show of them: by then nearly every watch has sent it. */
const SHOWN_KEPT = 256;

/** A queue of changes that forgets the oldest beyond `capacity`, but holds five minutes of them up to ten times that. */
export class ChangeRing {
  readonly #capacity: number;
  #items: Change[] = [];
  #head = 0;
  /** Changes up to and including this revision are forgotten. */
  forgotten: number;

  constructor(capacity: number, forgotten: number) {
    this.#capacity = capacity;
    this.forgotten = forgotten;
  }

  push(change: Change): void {
    this.#items.push(change);
    const aged = this.#items[this.#items.length - 1 - SHOWN_KEPT];
    if (aged !== undefined) aged.shown = undefined;
    let length = this.#items.length - this.#head;
    while (length > this.#capacity) {
      const oldest = this.#items[this.#head]!;
      if (length <= this.#capacity * MOST_FACTOR && change.timeMs - oldest.timeMs < KEEP_MS) break;
      this.#forgetOldest();
      length -= 1;
    }
  }

  /** Forgets everything up to `revision`. */
  forget(revision: number): void {
    while (this.#head < this.#items.length && this.#items[this.#head]!.revision <= revision) this.#forgetOldest();
    this.forgotten = Math.max(this.forgotten, revision);
  }

  #forgetOldest(): void {
    this.forgotten = this.#items[this.#head]!.revision;
    this.#head += 1;
    if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
  }

  /** Changes after `revision`, oldest first. */
  *after(revision: number): Iterable<Change> {
    let low = this.#head;
    let high = this.#items.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#items[middle]!.revision <= revision) low = middle + 1;
      else high = middle;
    }
    // By index and up to today's end: listeners may add while this runs.
    const found = this.#items.slice(low);
    yield* found;
  }
}
