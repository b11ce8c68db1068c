// What the operators of Lua do with values of any type. No table has a metatable, since the sandbox gives no way to set one;
// strings have one, the table `string`, which scripts can write to.

import type { BinaryOperator } from "./ast.ts";
import { formatNumber, parseNumber } from "./numbers.ts";
import { power } from "./power.ts";
import type { Runtime } from "./runtime.ts";
import { firstOf, LuaFunction, type LuaResult, LuaTable, type LuaUserdata, type LuaValue } from "./values.ts";

export type TypeName = "nil" | "boolean" | "number" | "string" | "table" | "function" | "userdata";
type Arithmetic = Extract<BinaryOperator, "+" | "-" | "*" | "/" | "%" | "^">;

const EVENTS: Readonly<Record<Arithmetic, string>> = {
  "+": "add",
  "-": "sub",
  "*": "mul",
  "/": "div",
  "%": "mod",
  "^": "pow",
};
const MAX_INDEX_CHAIN = 100;
const BYTES_PER_STRING = 16;

const identities = new WeakMap<object, number>();
let lastIdentity = 0;

export function typeName(value: LuaValue): TypeName {
  switch (typeof value) {
    case "undefined":
      return "nil";
    case "object":
      return value instanceof LuaTable ? "table" : value instanceof LuaFunction ? "function" : "userdata";
    case "boolean":
    case "number":
    case "string":
      return typeof value as "boolean" | "number" | "string";
  }
}

/** The text of any value, as `tostring` gives it. */
export function textOf(value: LuaValue): string {
  switch (typeof value) {
    case "string":
      return value;
    case "number":
      return formatNumber(value);
    case "boolean":
      return value ? "true" : "false";
    case "undefined":
      return "nil";
    case "object":
      return `${typeName(value)}: 0x${identityOf(value).toString(16).padStart(12, "0")}`;
  }
}

/** The number that an operand of arithmetic or a numeric argument stands for; undefined when for none. */
export function numberOf(value: LuaValue): number | undefined {
  return typeof value === "number" ? value : typeof value === "string" ? parseNumber(value) : undefined;
}

export function arithmetic(operator: Arithmetic, left: LuaValue, right: LuaValue, runtime: Runtime, line: number) {
  if (typeof left === "number" && typeof right === "number") return compute(operator, left, right);
  const event = EVENTS[operator];
  const handler = handlerOf(left, `__${event}`, runtime) ?? handlerOf(right, `__${event}`, runtime);
  if (handler instanceof LuaFunction) return firstOf(runtime.callBack(handler, [left, right]));
  const a = numberOf(left);
  const b = numberOf(right);
  if (a === undefined || b === undefined) {
    // An operand that is a number by its text is named as one.
    const names = [a === undefined ? typeName(left) : "number", b === undefined ? typeName(right) : "number"];
    throw runtime.errorAt(line, `cannot perform ${event} operation between ${names[0]} and ${names[1]}`);
  }
  return compute(operator, a, b);
}

function compute(operator: Arithmetic, a: number, b: number): number {
  switch (operator) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
    case "/":
      return a / b;
    case "%":
      return modulo(a, b);
    case "^":
      return power(a, b);
  }
}

/** The remainder with the sign of the divisor. */
export function modulo(a: number, b: number): number {
  const rest = a % b;
  return (b > 0 && rest < 0) || (b < 0 && rest > 0) ? rest + b : rest;
}

/** Any operation on two operands. */
export function operate(operator: BinaryOperator, left: LuaValue, right: LuaValue, runtime: Runtime, line: number) {
  switch (operator) {
    case "==":
      return left === right;
    case "~=":
      return left !== right;
    case "<":
      return lessThan(left, right, runtime, line);
    case "<=":
      return lessOrEqual(left, right, runtime, line);
    case ">":
      return lessThan(right, left, runtime, line);
    case ">=":
      return lessOrEqual(right, left, runtime, line);
    default:
      return arithmetic(operator, left, right, runtime, line);
  }
}

export function negate(value: LuaValue, runtime: Runtime, line: number): LuaValue {
  if (typeof value === "number") return -value;
  const handler = handlerOf(value, "__unm", runtime);
  if (handler instanceof LuaFunction) return firstOf(runtime.callBack(handler, [value]));
  const number = numberOf(value);
  if (number === undefined) throw runtime.errorAt(line, "__unm undefined");
  return -number;
}

export function lengthOf(value: LuaValue, runtime: Runtime, line: number): number {
  if (typeof value === "string") return value.length;
  if (value instanceof LuaTable) return value.length(runtime);
  throw runtime.errorAt(line, "__len undefined");
}

/** Joins from the right, as `..` binds. */
export function concat(operands: LuaValue[], runtime: Runtime, line: number): LuaValue {
  let right = operands.pop();
  let pending: string[] | undefined;
  let length = 0;
  while (operands.length > 0) {
    const left = operands.pop();
    if (isText(left) && (pending !== undefined || isText(right))) {
      if (pending === undefined) {
        const last = textOf(right);
        pending = [last];
        length = last.length;
      }
      const text = textOf(left);
      pending.push(text);
      length += text.length;
      continue;
    }
    if (pending !== undefined) right = joined(pending, length, runtime);
    pending = undefined;
    const handler = handlerOf(left, "__concat", runtime) ?? handlerOf(right, "__concat", runtime);
    if (!(handler instanceof LuaFunction)) {
      const names = `${typeName(left)} and ${typeName(right)}`;
      throw runtime.errorAt(line, `cannot perform concat operation between ${names}`);
    }
    right = firstOf(runtime.callBack(handler, [left, right]));
  }
  return pending === undefined ? right : joined(pending, length, runtime);
}

function joined(reversed: string[], length: number, runtime: Runtime): string {
  allocateText(length, runtime);
  let text = "";
  for (let index = reversed.length - 1; index >= 0; index--) text += reversed[index];
  return text;
}

/** Counts a string before it is made. */
export function allocateText(length: number, runtime: Runtime): void {
  runtime.allocate(length + BYTES_PER_STRING);
  if (length > 256) runtime.take(length >> 8);
}

export function isText(value: LuaValue): value is string | number {
  return typeof value === "string" || typeof value === "number";
}

export function lessThan(left: LuaValue, right: LuaValue, runtime: Runtime, line: number | undefined): boolean {
  if (typeof left === "number" && typeof right === "number") return left < right;
  if (typeof left === "string" && typeof right === "string") return left < right;
  throw incomparable(left, right, runtime, line);
}

export function lessOrEqual(left: LuaValue, right: LuaValue, runtime: Runtime, line: number): boolean {
  if (typeof left === "number" && typeof right === "number") return left <= right;
  if (typeof left === "string" && typeof right === "string") return left <= right;
  throw incomparable(left, right, runtime, line);
}

function incomparable(left: LuaValue, right: LuaValue, runtime: Runtime, line: number | undefined) {
  return runtime.errorAt(line, `attempt to compare ${typeName(left)} with ${typeName(right)}`);
}

/** `object[key]`. */
export function index(object: LuaValue, key: LuaValue, runtime: Runtime, line: number): LuaValue {
  let current = object;
  for (let turn = 0; turn < MAX_INDEX_CHAIN; turn++) {
    if (current instanceof LuaTable) return current.get(key);
    const handler = handlerOf(current, "__index", runtime);
    if (handler === undefined) throw notIndexable(current, key, runtime, line);
    if (handler instanceof LuaFunction) return firstOf(runtime.callBack(handler, [current, key]));
    current = handler;
  }
  throw runtime.errorAt(line, "too many recursions in gettable");
}

/** `object[key] = value`. */
export function setIndex(object: LuaValue, key: LuaValue, value: LuaValue, runtime: Runtime, line: number): void {
  let current = object;
  for (let turn = 0; turn < MAX_INDEX_CHAIN; turn++) {
    if (current instanceof LuaTable) {
      if (key === undefined) throw runtime.errorAt(line, "table index is nil");
      if (Number.isNaN(key)) throw runtime.errorAt(line, "table index is NaN");
      current.set(key, value, runtime);
      return;
    }
    const handler = handlerOf(current, "__newindex", runtime);
    if (handler === undefined) throw notIndexable(current, key, runtime, line);
    if (handler instanceof LuaFunction) {
      runtime.callBack(handler, [current, key, value]);
      return;
    }
    current = handler;
  }
  throw runtime.errorAt(line, "too many recursions in settable");
}

function notIndexable(object: LuaValue, key: LuaValue, runtime: Runtime, line: number) {
  return runtime.errorAt(line, `attempt to index a non-table object(${typeName(object)}) with key '${textOf(key)}'`);
}

/** Calls a value that may be no function: a string calls what the table `string` has under `__call`. */
export function callValue(callee: LuaValue, args: LuaValue[], runtime: Runtime, line: number): LuaResult {
  if (callee instanceof LuaFunction) return runtime.call(callee, args);
  return runtime.call(callable(callee, args, runtime, line), args);
}

/** The function that a call of `callee` runs; puts the callee before the arguments where it is a parameter. */
export function callable(callee: LuaValue, args: LuaValue[], runtime: Runtime, line: number): LuaFunction {
  if (callee instanceof LuaFunction) return callee;
  const handler = handlerOf(callee, "__call", runtime);
  if (!(handler instanceof LuaFunction)) throw runtime.errorAt(line, "attempt to call a non-function object");
  args.unshift(callee);
  return handler;
}

function handlerOf(value: LuaValue, event: string, runtime: Runtime): LuaValue {
  return typeof value === "string" ? runtime.strings.getText(event) : undefined;
}

function identityOf(value: LuaTable | LuaFunction | LuaUserdata): number {
  const known = identities.get(value);
  if (known !== undefined) return known;
  // Looks like an address, is a number in order of asking.
  lastIdentity += 32;
  identities.set(value, 0xc000000000 + lastIdentity);
  return 0xc000000000 + lastIdentity;
}
