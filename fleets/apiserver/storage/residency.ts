// Which objects keep their content in memory.
import type { StoredObject } from "./stored-object.ts";

/** What an object is taken to weigh that was never encoded, in bytes. */
const USUAL_SIZE = 2048;

/** Objects that hold something, oldest first, up to a total size. Those that were used since get a second round. */
class Shelf {
  readonly #limit: number;
  readonly #drop: (object: StoredObject) => void;
  readonly #sizes = new Map<StoredObject, number>();
  #total = 0;

  constructor(limit: number, drop: (object: StoredObject) => void) {
    this.#limit = limit;
    this.#drop = drop;
  }

  add(object: StoredObject): void {
    if (this.#sizes.has(object)) return;
    const size = object.size === 0 ? USUAL_SIZE : object.size;
    this.#sizes.set(object, size);
    this.#total += size;
    for (const [oldest, weight] of this.#sizes) {
      if (this.#total <= this.#limit) break;
      this.#sizes.delete(oldest);
      if (oldest.takeUsed()) {
        this.#sizes.set(oldest, weight);
        continue;
      }
      this.#total -= weight;
      this.#drop(oldest);
    }
  }

  remove(object: StoredObject): void {
    const size = this.#sizes.get(object);
    if (size === undefined) return;
    this.#sizes.delete(object);
    this.#total -= size;
  }
}

export interface ResidencyLimits {
  /** Total JSON size of the objects that keep their parsed form, which takes several times as much. */
  readonly parsedBytes: number;
  /** Total size of the objects that keep their bytes. */
  readonly encodedBytes: number;
}

/**
 * Bounds the memory that the objects of a store take. Objects that only memory has keep one of the two forms;
 * others may lose both and read their bytes again.
 */
export class Residency {
  readonly #parsed: Shelf;
  readonly #encoded: Shelf;

  constructor(limits: ResidencyLimits) {
    this.#parsed = new Shelf(limits.parsedBytes, (object) => object.dropParsed());
    this.#encoded = new Shelf(limits.encodedBytes, (object) => object.dropBytes());
  }

  /** The object holds its parsed form now. */
  parsed(object: StoredObject): void {
    this.#parsed.add(object);
  }

  /** The object holds its bytes now, and could read them again. */
  encoded(object: StoredObject): void {
    this.#encoded.add(object);
  }

  /** The object is no longer present. */
  forget(object: StoredObject): void {
    this.#parsed.remove(object);
    this.#encoded.remove(object);
  }
}
