// JSON data as Lua tables. A script mostly looks at a few fields of a large object, so that nothing is copied before it is
// asked for, and an object never wholly unless it is traversed.

import { bytesOfText, textOfBytes } from "./byte-strings.ts";
import type { TableSource } from "./table.ts";
import { LuaTable, type LuaValue } from "./values.ts";

/** The Lua value of JSON data, which is only read. Null is nil; integers too long for a double lose digits. */
export function luaFromJson(json: unknown): LuaValue {
  switch (typeof json) {
    case "string":
      return bytesOfText(json);
    case "number":
    case "boolean":
      return json;
    case "bigint":
      return Number(json);
    case "object":
      if (json === null) return undefined;
      // Everything else that is an object has keys.
      return new LuaTable(
        Array.isArray(json) ? new ListSource(json) : new FieldsSource(json as Readonly<Record<string, unknown>>),
      );
    default:
      return undefined;
  }
}

/** The JSON object or array behind a table that comes from outside. */
export interface JsonSource extends TableSource<LuaValue> {
  readonly json: object;
}

export function isJsonSource(source: TableSource<LuaValue> | undefined): source is JsonSource {
  return source instanceof FieldsSource || source instanceof ListSource;
}

class FieldsSource implements JsonSource {
  readonly json: Readonly<Record<string, unknown>>;

  constructor(json: Readonly<Record<string, unknown>>) {
    this.json = json;
  }

  get(key: string): LuaValue {
    const name = textOfBytes(key);
    const value = this.json[name];
    // What every JavaScript object inherits is none of its fields.
    if (typeof value === "function" || (name === "__proto__" && !Object.hasOwn(this.json, name))) return undefined;
    return luaFromJson(value);
  }

  keys(): Iterable<string> {
    const keys: string[] = [];
    for (const key of Object.keys(this.json)) {
      const value = this.json[key];
      if (value !== undefined && value !== null) keys.push(bytesOfText(key));
    }
    return keys;
  }

  list(): undefined {
    return undefined;
  }
}

class ListSource implements JsonSource {
  readonly json: readonly unknown[];

  constructor(json: readonly unknown[]) {
    this.json = json;
  }

  get(): undefined {
    return undefined;
  }

  keys(): Iterable<string> {
    return [];
  }

  // As Karmada: nulls are left out, what follows moves up.
  list(): LuaValue[] {
    const list: LuaValue[] = [];
    for (const item of this.json) if (item !== undefined && item !== null) list.push(luaFromJson(item));
    return list;
  }
}
