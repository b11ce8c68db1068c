// Tables as gopher-lua has them, with all that shows: an array part that grows with holes, a length that is the last place
// that is not nil, and an order of keys in which a key that comes back takes its old place.

/** Integer keys below this live in the array, however sparse it gets. */
const ARRAY_LIMIT = 67_108_864;
const BYTES_PER_PLACE = 16;
const BYTES_PER_KEY = 64;
const BYTES_PER_HASH = 240;

/** What pays for the work and the memory of tables; throws when there is no more. */
export interface Budget {
  take(steps: number): void;
  allocate(bytes: number): void;
}

/** Content that is made when it is asked for. Never changes. */
export interface TableSource<V> {
  /** The value of a key; nil where there is none. */
  get(key: string): V | undefined;
  /** The keys that have a value, in order. */
  keys(): Iterable<string>;
  /** The values of the array; undefined for sources with keys. */
  list(): (V | undefined)[] | undefined;
}

/** Keys are values like others; texts and numbers always are. */
type Key<V> = V | string | number | undefined;

/** A table over values of type `V`; nil is undefined. */
export class Table<V> {
  #array: (V | undefined)[] = [];
  /** Whether the array was ever asked for a place, which gopher-lua's traversal tells from an empty one. */
  #hasArray = false;
  /** The values by key, nil for keys that were removed, and beside a source for those that replace what it has. */
  #hash: Map<Key<V>, V | undefined> | undefined;
  /** The keys of the hash in the order of their first value; complete only without a source. */
  #keys: Key<V>[] = [];
  #source: TableSource<V> | undefined;
  /** Where the last `next` ended, so that a traversal does not search. */
  #cursor = 0;

  constructor(source?: TableSource<V>) {
    this.#source = source;
  }

  /** What the table still takes from its source; undefined when it never had one or has copied it. */
  get source(): TableSource<V> | undefined {
    return this.#source;
  }

  /** What was written over the source, or read from it as a table; nil for what was removed. */
  get changes(): ReadonlyMap<Key<V>, V | undefined> | undefined {
    return this.#hash;
  }

  get array(): readonly (V | undefined)[] {
    if (this.#source !== undefined) this.#load();
    return this.#array;
  }

  /** The keys outside the array in order, those of removed values too. */
  get keys(): readonly Key<V>[] {
    if (this.#source !== undefined) this.#load();
    return this.#keys;
  }

  get(key: Key<V>): V | undefined {
    if (typeof key === "string") return this.getText(key);
    if (this.#source !== undefined) this.#load();
    if (typeof key === "number" && isArrayKey(key)) return this.#array[key - 1];
    return this.#hash?.get(key);
  }

  getText(key: string): V | undefined {
    const hash = this.#hash;
    if (hash !== undefined) {
      const value = hash.get(key);
      if (value !== undefined) return value;
    }
    return this.#source === undefined ? undefined : this.#fetch(key, this.#source);
  }

  /** The value at a place of the array. */
  at(place: number): V | undefined {
    if (this.#source !== undefined) this.#load();
    return this.#array[place - 1];
  }

  /** `key` must be neither nil nor NaN. */
  set(key: Key<V>, value: V | undefined, budget: Budget): void {
    if (typeof key === "string") {
      this.setText(key, value, budget);
      return;
    }
    if (this.#source !== undefined) this.#load();
    if (typeof key === "number" && isArrayKey(key)) this.setPlace(key, value, budget);
    else this.#setHash(key, value, budget);
  }

  setText(key: string, value: V | undefined, budget: Budget): void {
    const source = this.#source;
    if (source !== undefined) {
      if (source.list() !== undefined) this.#load();
      else if (value === undefined && this.#hash?.has(key) !== true && source.get(key) !== undefined) {
        // Remembered as removed, or it would be found in the source again.
        this.#hash ??= new Map();
        this.#hash.set(key, undefined);
        return;
      }
    }
    this.#setHash(key, value, budget);
  }

  /** Sets an integer key, growing the array up to it. */
  setPlace(place: number, value: V | undefined, budget: Budget): void {
    if (this.#source !== undefined) this.#load();
    if (!isArrayKey(place)) {
      this.#setHash(place, value, budget);
      return;
    }
    this.#hasArray = true;
    const array = this.#array;
    const grown = place - array.length;
    if (grown > 0) {
      budget.allocate(grown * BYTES_PER_PLACE);
      if (grown > 8) budget.take(grown >> 3);
      while (array.length < place - 1) array.push(undefined);
      array.push(value);
    } else {
      array[place - 1] = value;
    }
  }

  /** The last place of the array that is not nil; 0 without one. */
  length(budget: Budget): number {
    const array = this.array;
    let last = array.length;
    while (last > 0 && array[last - 1] === undefined) last--;
    if (array.length - last > 8) budget.take((array.length - last) >> 3);
    return last;
  }

  /** Puts a value behind the last one; nil is left out. */
  append(value: V | undefined, budget: Budget): void {
    if (value === undefined) return;
    this.setPlace(this.length(budget) + 1, value, budget);
  }

  /** Makes room at a place of the array; beyond the array it sets the key. */
  insert(place: number, value: V | undefined, budget: Budget): void {
    const { length } = this.array;
    this.#hasArray = true;
    if (place > length || place <= 0) {
      this.set(place, value, budget);
      return;
    }
    budget.allocate(BYTES_PER_PLACE);
    budget.take((length - place) >> 5);
    this.#array.splice(place - 1, 0, value);
  }

  /** Takes a place out of the array, the last one for places before it; nil for places behind it. */
  remove(place: number, budget: Budget): V | undefined {
    const { length } = this.array;
    if (length === 0 || place > length) return undefined;
    if (place === length || place < 1) return this.#array.pop();
    budget.take((length - place) >> 5);
    return this.#array.splice(place - 1, 1)[0];
  }

  /** Puts other values in the same places, for sorting. */
  replaceArray(values: readonly (V | undefined)[]): void {
    for (let index = 0; index < this.#array.length; index++) this.#array[index] = values[index];
  }

  /** The key and value after `key`, from the start for nil; undefined at the end. A key that is not there counts as the first. */
  next(key: Key<V>, budget: Budget): readonly [Key<V>, V | undefined] | undefined {
    const array = this.array;
    let from = 0;
    if (key === undefined || (typeof key === "number" && Number.isInteger(key) && key > 0 && key < ARRAY_LIMIT)) {
      let index = typeof key === "number" ? key : 0;
      // Skipping holes is work as well.
      for (; index < array.length; index++) {
        if (array[index] !== undefined) return [index + 1, array[index]];
        budget.take(1);
      }
      if (index > array.length && this.#hasArray) from = this.#after(key, budget);
    } else {
      from = this.#after(key, budget);
    }
    for (let index = from; index < this.#keys.length; index++) {
      const candidate = this.#keys[index];
      const value = this.#hash?.get(candidate);
      if (value !== undefined) {
        this.#cursor = index;
        return [candidate, value];
      }
      budget.take(1);
    }
    return undefined;
  }

  #after(key: Key<V>, budget: Budget): number {
    if (this.#keys[this.#cursor] === key) return this.#cursor + 1;
    budget.take(this.#keys.length >> 4);
    return Math.max(this.#keys.indexOf(key), 0) + 1;
  }

  #setHash(key: Key<V>, value: V | undefined, budget: Budget): void {
    let hash = this.#hash;
    if (hash === undefined) {
      if (value === undefined) return;
      budget.allocate(BYTES_PER_HASH);
      hash = new Map();
      this.#hash = hash;
    }
    if (value === undefined) {
      if (hash.has(key)) hash.set(key, undefined);
      return;
    }
    const { size } = hash;
    hash.set(key, value);
    if (hash.size !== size) {
      budget.allocate(BYTES_PER_KEY);
      this.#keys.push(key);
    }
  }

  #fetch(key: string, source: TableSource<V>): V | undefined {
    if (this.#hash?.has(key) === true) return undefined;
    const value = source.get(key);
    if (typeof value === "object") {
      // The same table must come again.
      this.#hash ??= new Map();
      this.#hash.set(key, value);
    }
    return value;
  }

  #load(): void {
    const source = this.#source;
    if (source === undefined) return;
    this.#source = undefined;
    const list = source.list();
    if (list !== undefined) {
      this.#array = list;
      this.#hasArray = list.length > 0;
      return;
    }
    const over = this.#hash;
    const hash = new Map<Key<V>, V | undefined>();
    for (const key of source.keys()) hash.set(key, over?.has(key) === true ? over.get(key) : source.get(key));
    if (over !== undefined) for (const [key, value] of over) if (!hash.has(key)) hash.set(key, value);
    this.#hash = hash;
    this.#keys = [...hash.keys()];
  }
}

function isArrayKey(key: number): boolean {
  return key > 0 && key < ARRAY_LIMIT && Number.isInteger(key);
}
