// Values of expressions. int is a bigint, double a number; what JavaScript lacks has a class here.

export type Value = null | boolean | bigint | number | string | Uint8Array | CelValue;

/**
 * Why an evaluation failed. Not an `Error`: failures inside `&&`, `||` and loops are everyday values there, and taking
 * a stack for each would cost more than the rest of the evaluation.
 */
export class EvaluationFailure {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

export function fail(message: string): never {
  throw new EvaluationFailure(message);
}

export function noSuchOverload(): never {
  return fail("no such overload");
}

/** Values with a class of their own. */
export abstract class CelValue {
  /** The name of the type at run time. */
  abstract readonly typeName: string;

  /** Whether another value of the same type is equal. Lists and maps are compared elsewhere. */
  equals(other: CelValue): boolean {
    return this === other;
  }
}

export class CelUint extends CelValue {
  readonly typeName = "uint";
  readonly value: bigint;

  constructor(value: bigint) {
    super();
    this.value = value;
  }

  override equals(other: CelValue): boolean {
    return other instanceof CelUint && other.value === this.value;
  }
}

export class CelDuration extends CelValue {
  readonly typeName = "google.protobuf.Duration";
  readonly nanos: bigint;

  constructor(nanos: bigint) {
    super();
    this.nanos = nanos;
  }

  override equals(other: CelValue): boolean {
    return other instanceof CelDuration && other.nanos === this.nanos;
  }
}

export class CelTimestamp extends CelValue {
  readonly typeName = "google.protobuf.Timestamp";
  /** Nanoseconds since 1970. */
  readonly nanos: bigint;
  /** The zone it was written in, in minutes east; shown again when it is printed. */
  readonly offsetMinutes: number;

  constructor(nanos: bigint, offsetMinutes = 0) {
    super();
    this.nanos = nanos;
    this.offsetMinutes = offsetMinutes;
  }

  override equals(other: CelValue): boolean {
    return other instanceof CelTimestamp && other.nanos === this.nanos;
  }
}

/** A type as a value: `type(1)`, `int`. */
export class CelTypeValue extends CelValue {
  readonly typeName = "type";
  readonly name: string;

  constructor(name: string) {
    super();
    this.name = name;
  }

  override equals(other: CelValue): boolean {
    return other instanceof CelTypeValue && other.name === this.name;
  }
}

export class CelOptional extends CelValue {
  readonly typeName = "optional_type";
  readonly #value: Value | undefined;

  constructor(value: Value | undefined) {
    super();
    this.#value = value;
  }

  get isPresent(): boolean {
    return this.#value !== undefined;
  }

  get value(): Value {
    return this.#value === undefined ? fail("optional.none() dereference") : this.#value;
  }
}

export const NONE = new CelOptional(undefined);

export abstract class CelList extends CelValue {
  readonly typeName = "list";
  abstract readonly size: number;
  /** The item at an index that exists. */
  abstract at(index: number): Value;

  *[Symbol.iterator](): Iterator<Value> {
    for (let index = 0; index < this.size; index++) yield this.at(index);
  }

  /** Both lists one after the other; lists with keys may merge instead. */
  plus(other: CelList): CelList {
    return new JoinedList(this, other);
  }

  /** The order does not count. */
  get isSet(): boolean {
    return false;
  }
}

export class ArrayList extends CelList {
  readonly items: readonly Value[];

  constructor(items: readonly Value[]) {
    super();
    this.items = items;
  }

  get size(): number {
    return this.items.length;
  }

  at(index: number): Value {
    return this.items[index]!;
  }
}

export const EMPTY_LIST = new ArrayList([]);

/** `a + b` without copying: loops that append would be quadratic otherwise. */
class JoinedList extends CelList {
  readonly size: number;
  #parts: readonly [CelList, CelList] | undefined;
  #items: Value[] | undefined;

  constructor(left: CelList, right: CelList) {
    super();
    this.size = left.size + right.size;
    this.#parts = [left, right];
  }

  at(index: number): Value {
    this.#items ??= this.#flatten();
    return this.#items[index]!;
  }

  /** Chains of joined lists are as long as the loops that made them: no recursion. */
  #flatten(): Value[] {
    const chunks: CelList[] = [];
    const pending: CelList[] = [this];
    for (let list = pending.pop(); list !== undefined; list = pending.pop()) {
      const parts = list instanceof JoinedList ? list.#parts : undefined;
      if (parts === undefined) chunks.push(list);
      else pending.push(parts[0], parts[1]);
    }
    const items: Value[] = [];
    for (const chunk of chunks.reverse()) {
      const known = chunk instanceof JoinedList ? chunk.#items : undefined;
      if (known !== undefined) for (const item of known) items.push(item);
      else for (let index = 0; index < chunk.size; index++) items.push(chunk.at(index));
    }
    this.#parts = undefined;
    return items;
  }
}

export abstract class CelMap extends CelValue {
  readonly typeName: string = "map";
  abstract readonly size: number;
  /** The value of a key, or undefined. */
  abstract find(key: Value): Value | undefined;
  abstract keys(): readonly Value[];
}

/** Keys of the same number are the same key, whatever their type. */
function keyOf(key: Value): unknown {
  if (typeof key === "number") return Number.isInteger(key) ? BigInt(key) : key;
  return key instanceof CelUint ? key.value : key;
}

/** A map built by an expression. */
export class EntryMap extends CelMap {
  readonly #entries: ReadonlyMap<unknown, readonly [Value, Value]>;

  /** Later entries of a key win. */
  constructor(entries: Iterable<readonly [Value, Value]>) {
    super();
    this.#entries = new Map(Array.from(entries, (entry) => [keyOf(entry[0]), entry]));
  }

  get size(): number {
    return this.#entries.size;
  }

  find(key: Value): Value | undefined {
    return this.#entries.get(keyOf(key))?.[1];
  }

  keys(): readonly Value[] {
    return Array.from(this.#entries.values(), ([key]) => key);
  }
}

type RankedEntries = Map<unknown, { readonly key: Value; readonly value: Value; readonly rank: number }>;

/** A map under construction: adding to the newest state changes in place, so that loops stay linear. */
export class GrowingMap extends CelMap {
  readonly #entries: RankedEntries;
  readonly size: number;

  private constructor(entries: RankedEntries, size: number) {
    super();
    this.#entries = entries;
    this.size = size;
  }

  static from(map: CelMap): GrowingMap {
    if (map instanceof GrowingMap) return map;
    const entries: RankedEntries = new Map();
    for (const key of map.keys()) entries.set(keyOf(key), { key, value: map.find(key)!, rank: entries.size });
    return new GrowingMap(entries, entries.size);
  }

  find(key: Value): Value | undefined {
    const entry = this.#entries.get(keyOf(key));
    return entry !== undefined && entry.rank < this.size ? entry.value : undefined;
  }

  keys(): readonly Value[] {
    return Array.from(this.#entries.values())
      .slice(0, this.size)
      .map(({ key }) => key);
  }

  /** The map with one entry more; undefined when the key is there already. */
  with(key: Value, value: Value): GrowingMap | undefined {
    if (this.find(key) !== undefined) return undefined;
    const entries = this.#entries.size === this.size ? this.#entries : new Map([...this.#entries].slice(0, this.size));
    entries.set(keyOf(key), { key, value, rank: this.size });
    return new GrowingMap(entries, this.size + 1);
  }
}

/** A message literal: `JSONPatch{op: "add"}`. */
export class CelStruct extends CelMap {
  override readonly typeName: string;
  readonly fields: ReadonlyMap<string, Value>;

  constructor(typeName: string, fields: ReadonlyMap<string, Value>) {
    super();
    this.typeName = typeName;
    this.fields = fields;
  }

  get size(): number {
    return this.fields.size;
  }

  find(key: Value): Value | undefined {
    return typeof key === "string" ? this.fields.get(key) : undefined;
  }

  keys(): readonly Value[] {
    return [...this.fields.keys()];
  }
}

/** The name of a value's type. */
export function typeNameOf(value: Value): string {
  switch (typeof value) {
    case "bigint":
      return "int";
    case "number":
      return "double";
    case "string":
      return "string";
    case "boolean":
      return "bool";
  }
  if (value === null) return "null_type";
  return value instanceof Uint8Array ? "bytes" : value.typeName;
}
