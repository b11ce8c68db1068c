// The functions that are global in Karmada's sandbox.

import {
  checkAny,
  checkCount,
  checkFunction,
  checkInteger,
  checkTable,
  optionalInteger,
  optionalString,
  wrongType,
} from "./arguments.ts";
import { ipairsIterator, pairsIterator } from "./iterators.ts";
import { parseFloatingPoint, parseInteger } from "./numbers.ts";
import { allocateText, callable, textOf, typeName } from "./operators.ts";
import { LuaThrow, type NativeFunction, type Runtime } from "./runtime.ts";
import {
  firstOf,
  isTruthy,
  LuaFunction,
  type LuaResult,
  type LuaValue,
  LuaValues,
  listOf,
  NO_VALUES,
  resultOf,
} from "./values.ts";

/** What the sandbox forbids. The functions are there, and raise. */
const FORBIDDEN = [
  ...["collectgarbage", "dofile", "getfenv", "getmetatable", "load", "loadfile", "loadstring", "rawequal"],
  ...["rawget", "rawset", "setfenv", "setmetatable", "module", "newproxy"],
];

export const BASE_FUNCTIONS: Readonly<Record<string, NativeFunction>> = {
  ...Object.fromEntries(FORBIDDEN.map((name) => [name, forbidden(name)])),
  _printregs: () => NO_VALUES,
  assert: (args, runtime) => {
    if (!isTruthy(args[0])) throw runtime.error(optionalString(args, 2, "assertion failed!", runtime));
    return resultOf(args);
  },
  error: raise,
  ipairs: (args, runtime) => new LuaValues([ipairsIterator, checkTable(args, 1, runtime), 0]),
  next: (args, runtime) => {
    const found = checkTable(args, 1, runtime).next(args[1], runtime);
    return found === undefined ? undefined : new LuaValues(found);
  },
  pairs: (args, runtime) => new LuaValues([pairsIterator, checkTable(args, 1, runtime), undefined]),
  pcall: protectedCall,
  print: (args, runtime) => {
    const line = args.map(textOf).join("\t");
    allocateText(line.length, runtime);
    runtime.limits.print?.(line);
    return NO_VALUES;
  },
  select,
  tonumber: toNumber,
  tostring: (args, runtime) => textOf(checkAny(args, 1, runtime)),
  type: (args, runtime) => typeName(checkAny(args, 1, runtime)),
  unpack: (args, runtime) => {
    const table = checkTable(args, 1, runtime);
    const from = optionalInteger(args, 2, 1, runtime);
    const to = optionalInteger(args, 3, table.length(runtime), runtime);
    if (to < from) return NO_VALUES;
    checkCount(to - from + 1, runtime);
    return resultOf(Array.from({ length: to - from + 1 }, (_, offset) => table.at(from + offset)));
  },
  xpcall: (args, runtime) => {
    const callee = checkFunction(args, 1, runtime);
    const handler = checkFunction(args, 2, runtime);
    return runtime.protect(
      () => succeeded(runtime.callBack(callee, [])),
      (value) =>
        runtime.protect(
          () => new LuaValues([false, firstOf(runtime.callBack(handler, [value]))]),
          (second) => new LuaValues([false, second]),
        ),
      true,
    );
  },
};

function forbidden(name: string): NativeFunction {
  return (_args, runtime) => {
    // Karmada defines these in Lua, each in a text of one line: the place in the message is there.
    throw new LuaThrow(
      `<string>:1: call function ${name} is not supported in karmada customized resourceinterpreter.`,
      runtime.line,
    );
  };
}

function raise(args: LuaValue[], runtime: Runtime): never {
  const value = checkAny(args, 1, runtime);
  const level = optionalInteger(args, 2, 1, runtime);
  if (typeof value !== "string" || level <= 0) throw new LuaThrow(value, runtime.line);
  // As gopher-lua: levels 1 and 2 are both the function that calls `error`.
  let { frame } = runtime;
  for (let above = 2; above < level && frame !== undefined; above++) frame = frame.caller;
  throw runtime.errorAt(frame?.site.line, value);
}

function protectedCall(args: LuaValue[], runtime: Runtime): LuaResult {
  const callee = checkAny(args, 1, runtime);
  const rest = args.slice(1);
  if (!(callee instanceof LuaFunction) && !hasCallHandler(callee, runtime)) {
    return new LuaValues([false, `attempt to call a ${typeName(callee)} value`]);
  }
  return runtime.protect(
    () => succeeded(runtime.callBack(callable(callee, rest, runtime, runtime.line ?? 0), rest)),
    (value) => new LuaValues([false, value]),
  );
}

function hasCallHandler(value: LuaValue, runtime: Runtime): boolean {
  return typeof value === "string" && runtime.strings.getText("__call") instanceof LuaFunction;
}

function succeeded(result: LuaResult): LuaResult {
  return new LuaValues([true, ...listOf(result)]);
}

function select(args: LuaValue[], runtime: Runtime): LuaResult {
  const [which] = args;
  if (which === "#") return args.length - 1;
  if (typeof which === "string") throw runtime.argumentError(1, `invalid string '${which}'`);
  if (typeof which !== "number") throw wrongType(args, 1, "number or string", runtime);
  let index = checkInteger(args, 1, runtime);
  if (index < 0) index += args.length;
  if (index < 1) throw runtime.argumentError(1, "index out of range");
  return resultOf(args.slice(index));
}

function toNumber(args: LuaValue[], runtime: Runtime): LuaValue {
  const base = optionalInteger(args, 2, 10, runtime);
  const value = checkAny(args, 1, runtime);
  if (typeof value === "number") return value;
  if (typeof value !== "string") return undefined;
  const text = value.replace(/^[ \n\t]+|[ \n\t]+$/g, "");
  if (text.includes(".")) return parseFloatingPoint(text);
  if (args[1] === undefined && /^0x/i.test(text)) return parseInteger(text.slice(2), 16);
  return parseInteger(text, base);
}
