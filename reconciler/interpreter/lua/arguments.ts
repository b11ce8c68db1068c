// Arguments of library functions, checked as gopher-lua checks them. Positions count from 1.

import { toInteger } from "./numbers.ts";
import { isText, numberOf, textOf, typeName } from "./operators.ts";
import type { Runtime } from "./runtime.ts";
import { LuaFunction, LuaTable, type LuaValue } from "./values.ts";

const MAX_VALUES = 5_000;

type Arguments = readonly LuaValue[];

/** Throws for an argument that was not given at all; nil is one. */
export function checkAny(args: Arguments, position: number, runtime: Runtime): LuaValue {
  if (position > args.length) throw runtime.argumentError(position, "value expected");
  return args[position - 1];
}

export function checkTable(args: Arguments, position: number, runtime: Runtime): LuaTable {
  const value = args[position - 1];
  if (!(value instanceof LuaTable)) throw wrongType(args, position, "table", runtime);
  return value;
}

export function checkFunction(args: Arguments, position: number, runtime: Runtime): LuaFunction {
  const value = args[position - 1];
  if (!(value instanceof LuaFunction)) throw wrongType(args, position, "function", runtime);
  return value;
}

/** A string, or a number as its text. */
export function checkString(args: Arguments, position: number, runtime: Runtime): string {
  const value = args[position - 1];
  if (!isText(value)) throw wrongType(args, position, "string", runtime);
  return textOf(value);
}

/** A number, or a string that spells one. */
export function checkNumber(args: Arguments, position: number, runtime: Runtime): number {
  const number = numberOf(args[position - 1]);
  if (number === undefined) throw wrongType(args, position, "number", runtime);
  return number;
}

/** A number without its fraction; strings do not count here. */
export function checkInteger(args: Arguments, position: number, runtime: Runtime): number {
  const value = args[position - 1];
  if (typeof value !== "number") throw wrongType(args, position, "number", runtime);
  return toInteger(value);
}

export function optionalInteger(args: Arguments, position: number, otherwise: number, runtime: Runtime): number {
  return args[position - 1] === undefined ? otherwise : checkInteger(args, position, runtime);
}

/** A string; numbers do not count here. */
export function optionalString(args: Arguments, position: number, otherwise: string, runtime: Runtime): string {
  const value = args[position - 1];
  if (value === undefined) return otherwise;
  if (typeof value !== "string") throw wrongType(args, position, "string", runtime);
  return value;
}

export function wrongType(args: Arguments, position: number, wanted: string, runtime: Runtime) {
  return runtime.argumentError(position, `${wanted} expected, got ${typeName(args[position - 1])}`);
}

/** Refuses more values than gopher-lua has registers for. */
export function checkCount(values: number, runtime: Runtime): void {
  if (values > MAX_VALUES) throw runtime.error("registry overflow");
  runtime.take(values >> 2);
}
