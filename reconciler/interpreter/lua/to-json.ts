// Lua tables as JSON data, with the rules and the refusals of the encoder that Karmada uses.

import { bytesOfText, textOfBytes } from "./byte-strings.ts";
import { isJsonSource } from "./from-json.ts";
import { typeName } from "./operators.ts";
import { LuaLimitThrow, LuaThrow, type Runtime } from "./runtime.ts";
import { LuaTable, type LuaValue } from "./values.ts";

/** Deeper data is refused, as is text of JSON that nests more. */
const MAX_DEPTH = 500;

/**
 * The JSON data of a result. Nil is null, and a number that stands alone may be NaN or infinite, so that the caller can say
 * what it wants of it. A table is an array when its first key is a number or when it has none, else an object; parts of the
 * arguments that the script left alone may be the same objects as in the arguments. Throws a `LuaThrow` for what JSON
 * cannot say: functions, keys of several types, gaps in an array, and tables that are met a second time.
 */
export function jsonFromLua(value: LuaValue, runtime: Runtime): unknown {
  if (value instanceof LuaTable) return new Encoder(runtime).table(value, 0);
  if (typeof value === "object") throw cannotEncode(`${typeName(value)} to JSON`);
  return value === undefined ? null : typeof value === "string" ? textOfBytes(value) : value;
}

function cannotEncode(what: string): LuaThrow {
  return new LuaThrow(`encode lua result to json failed: cannot encode ${what}`, undefined);
}

class Encoder {
  readonly #runtime: Runtime;
  readonly #met = new Set<LuaTable>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  table(table: LuaTable, depth: number): unknown {
    if (this.#met.has(table)) throw cannotEncode("recursively nested tables to JSON");
    this.#met.add(table);
    this.#enter(depth);
    const { source } = table;
    if (isJsonSource(source)) return this.#overSource(table, source.json, depth);
    const { array } = table;
    const first = array.findIndex((item) => item !== undefined);
    if (first >= 0) return this.#array(table, array, depth);
    const keys = table.keys.filter((key) => table.get(key) !== undefined);
    if (keys.length === 0) return [];
    if (typeof keys[0] === "number") throw cannotEncode("sparse array");
    const object: Record<string, unknown> = {};
    for (const key of keys) {
      if (typeof key !== "string") throw cannotEncode("mixed or invalid key types");
      set(object, textOfBytes(key), this.#value(table.getText(key), depth));
    }
    return object;
  }

  #array(table: LuaTable, array: readonly LuaValue[], depth: number): unknown[] {
    const list: LuaValue[] = [];
    let hasGap = false;
    for (const item of array) {
      if (item === undefined) hasGap = true;
      else if (hasGap) throw cannotEncode("sparse array");
      else list.push(item);
    }
    const other = table.keys.find((key) => table.get(key) !== undefined);
    if (other !== undefined) {
      throw cannotEncode(typeof other === "number" ? "sparse array" : "mixed or invalid key types");
    }
    return list.map((item) => this.#value(item, depth));
  }

  // An argument that was at most read, or written with names: copied as JSON, with what was written.
  #overSource(table: LuaTable, json: object, depth: number): unknown {
    const { changes } = table;
    if (changes === undefined || Array.isArray(json)) return this.#untouched(json, depth);
    const object: Record<string, unknown> = {};
    for (const [key, item] of Object.entries(json)) {
      if (item === undefined || item === null || changes.has(bytesOfText(key))) continue;
      set(object, key, this.#untouched(item, depth + 1));
    }
    for (const [key, item] of changes) {
      if (item === undefined) continue;
      if (typeof key !== "string") throw cannotEncode("mixed or invalid key types");
      set(object, textOfBytes(key), this.#value(item, depth));
    }
    return Object.keys(object).length === 0 ? [] : object;
  }

  /** JSON data that went through Lua unseen: the same object where it comes out the same. */
  #untouched(json: unknown, depth: number): unknown {
    if (typeof json === "bigint") return Number(json);
    if (typeof json !== "object" || json === null) return Object.is(json, -0) ? 0 : json;
    this.#enter(depth);
    return Array.isArray(json) ? this.#untouchedList(json, depth) : this.#untouchedFields(json, depth);
  }

  #untouchedList(json: readonly unknown[], depth: number): unknown {
    let copy: unknown[] | undefined;
    for (let index = 0; index < json.length; index++) {
      const item = json[index];
      const isNull = item === undefined || item === null;
      const same = isNull ? undefined : this.#untouched(item, depth + 1);
      if (copy === undefined && (isNull || same !== item)) copy = json.slice(0, index);
      if (copy !== undefined && !isNull) copy.push(same);
    }
    return copy ?? json;
  }

  #untouchedFields(json: object, depth: number): unknown {
    let changed: Map<string, unknown> | undefined;
    let isEmpty = true;
    for (const [key, item] of Object.entries(json)) {
      if (item === undefined || item === null) {
        changed ??= new Map();
        changed.set(key, undefined);
        continue;
      }
      isEmpty = false;
      const same = this.#untouched(item, depth + 1);
      if (same !== item) {
        changed ??= new Map();
        changed.set(key, same);
      }
    }
    if (isEmpty) return [];
    if (changed === undefined) return json;
    const copy: Record<string, unknown> = {};
    for (const [key, item] of Object.entries(json)) {
      const value = changed.has(key) ? changed.get(key) : item;
      if (value !== undefined) set(copy, key, value);
    }
    return copy;
  }

  #value(value: LuaValue, depth: number): unknown {
    if (value instanceof LuaTable) return this.table(value, depth + 1);
    switch (typeof value) {
      case "number":
        if (!Number.isFinite(value))
          throw cannotEncode(`${Number.isNaN(value) ? "NaN" : "an infinite number"} to JSON`);
        return value + 0;
      case "string":
        return textOfBytes(value);
      case "object":
        throw cannotEncode(`${typeName(value)} to JSON`);
      default:
        return value;
    }
  }

  #enter(depth: number): void {
    if (depth > MAX_DEPTH) throw new LuaLimitThrow("depth", undefined);
    this.#runtime.take(1);
  }
}

// `__proto__` is a field like any other here, but not to an assignment.
function set(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key === "__proto__")
    Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true });
  else object[key] = value;
}
