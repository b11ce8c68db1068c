// JSON as values of expressions, converted where it is looked at.
import { escapeName } from "./escaping.ts";
import { CelList, CelMap, fail, type Value } from "./values.ts";

/** Makes a value of a piece of JSON. Fails for JSON that is not what the schema says. */
export type View = (json: unknown) => Value;

/** JSON without a schema: whole numbers are int, others double. */
export function viewOfAny(json: unknown): Value {
  switch (typeof json) {
    case "string":
    case "boolean":
      return json;
    case "number":
      return Number.isInteger(json) ? BigInt(json) : json;
    case "bigint":
      return json;
  }
  if (Array.isArray(json)) return new JsonList(json, viewOfAny, "atomic", []);
  if (typeof json === "object" && json !== null)
    return new JsonMap(json as Readonly<Record<string, unknown>>, viewOfAny);
  return null;
}

/** A list of JSON whose items have one schema. */
export class JsonList extends CelList {
  readonly json: readonly unknown[];
  readonly #view: View;
  readonly #kind: "atomic" | "set" | "map";
  readonly #keys: readonly string[];

  constructor(json: readonly unknown[], view: View, kind: "atomic" | "set" | "map", keys: readonly string[]) {
    super();
    this.json = json;
    this.#view = view;
    this.#kind = kind;
    this.#keys = keys;
  }

  get size(): number {
    return this.json.length;
  }

  at(index: number): Value {
    return this.#view(this.json[index]);
  }

  override get isSet(): boolean {
    return this.#kind === "set";
  }

  /** Lists with keys merge: items of the other list replace those with their key. Sets take what they lack. */
  override plus(other: CelList): CelList {
    if (this.#kind === "atomic") return super.plus(other);
    const merged = [...this.json];
    const positions = new Map(merged.map((item, index) => [this.#keyOf(item), index]));
    for (const item of other instanceof JsonList ? other.json : Array.from(other, toJson)) {
      const key = this.#keyOf(item);
      const position = positions.get(key);
      if (position === undefined) positions.set(key, merged.push(item) - 1);
      else if (this.#kind === "map") merged[position] = item;
    }
    return new JsonList(merged, this.#view, this.#kind, this.#keys);
  }

  #keyOf(item: unknown): string {
    if (this.#kind === "set" || typeof item !== "object" || item === null) return JSON.stringify(item);
    return JSON.stringify(this.#keys.map((key) => (item as Readonly<Record<string, unknown>>)[key] ?? null));
  }
}

/** An object of JSON with any keys, whose values have one schema. */
export class JsonMap extends CelMap {
  readonly json: Readonly<Record<string, unknown>>;
  readonly #view: View;
  #keys: readonly string[] | undefined;

  constructor(json: Readonly<Record<string, unknown>>, view: View) {
    super();
    this.json = json;
    this.#view = view;
  }

  get size(): number {
    return this.keys().length;
  }

  find(key: Value): Value | undefined {
    if (typeof key !== "string" || !Object.hasOwn(this.json, key)) return undefined;
    const json = this.json[key];
    return json === undefined ? undefined : this.#view(json);
  }

  keys(): readonly string[] {
    this.#keys ??= Object.keys(this.json).filter((key) => this.json[key] !== undefined);
    return this.#keys;
  }
}

/** The fields that an object may have, by the names that expressions spell. */
export type FieldViews = ReadonlyMap<string, { readonly name: string; readonly view: View }>;

/** An object of a schema: fields that it does not name are not there. */
export class JsonObjectValue extends CelMap {
  readonly json: Readonly<Record<string, unknown>>;
  readonly #fields: FieldViews;

  constructor(json: Readonly<Record<string, unknown>>, fields: FieldViews) {
    super();
    this.json = json;
    this.#fields = fields;
  }

  /** As the reference: counts the fields that the schema does not name, too. */
  get size(): number {
    return Object.keys(this.json).length;
  }

  find(key: Value): Value | undefined {
    const field = typeof key === "string" ? this.#fields.get(key) : undefined;
    if (field === undefined || !Object.hasOwn(this.json, field.name)) return undefined;
    const json = this.json[field.name];
    // A null is as good as an absent field.
    return json === undefined || json === null ? undefined : field.view(json);
  }

  keys(): readonly Value[] {
    const keys: string[] = [];
    for (const name of Object.keys(this.json)) {
      const escaped = escapeName(name);
      if (escaped !== undefined && this.#fields.has(escaped)) keys.push(escaped);
    }
    return keys;
  }
}

/** The value as JSON again; undefined for values that JSON has not. Integers beyond 2^53 stay bigint. */
export function toJson(value: Value): unknown {
  switch (typeof value) {
    case "bigint":
      return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
        ? Number(value)
        : value;
    case "string":
    case "number":
    case "boolean":
      return value;
  }
  if (value === null) return null;
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (value instanceof CelList) return Array.from(value, toJson);
  if (!(value instanceof CelMap)) return fail(`a value of type ${value.typeName} has no JSON form`);
  if (value instanceof JsonMap || value instanceof JsonObjectValue) return value.json;
  const out: Record<string, unknown> = {};
  for (const key of value.keys()) {
    const name = typeof key === "object" && key !== null ? undefined : String(key);
    if (name === undefined) return fail("keys of maps must be texts, numbers or booleans");
    Object.defineProperty(out, name, {
      value: toJson(value.find(key)!),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return out;
}
