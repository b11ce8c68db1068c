// What a Lua variable can hold. nil is undefined; strings are bytes (byte-strings.ts).

import { Table } from "./table.ts";

export type LuaValue = undefined | boolean | number | string | LuaTable | LuaFunction | LuaUserdata;

export class LuaTable extends Table<LuaValue> {}

/** A function, of the script or of the library (runtime.ts). */
export abstract class LuaFunction {
  abstract readonly isNative: boolean;
}

/** A value of the library that scripts can only hand around. */
export class LuaUserdata {
  readonly content: unknown;

  constructor(content: unknown) {
    this.content = content;
  }
}

/** What a call gives: nearly always one value, which then stands for itself; else a list of none or several. */
export type LuaResult = LuaValue | LuaValues;

/** A list of values that is no single one. */
export class LuaValues {
  readonly items: readonly LuaValue[];

  constructor(items: readonly LuaValue[]) {
    this.items = items;
  }
}

export const NO_VALUES = new LuaValues([]);

/** A list of values as the result of a call. */
export function resultOf(values: readonly LuaValue[]): LuaResult {
  return values.length === 1 ? values[0] : values.length === 0 ? NO_VALUES : new LuaValues(values);
}

/** The first value of a result, nil when there is none. */
export function firstOf(result: LuaResult): LuaValue {
  return result instanceof LuaValues ? result.items[0] : result;
}

/** All values of a result, not to be changed. */
export function listOf(result: LuaResult): readonly LuaValue[] {
  return result instanceof LuaValues ? result.items : [result];
}

export function isTruthy(value: LuaValue): boolean {
  return value !== undefined && value !== false;
}
