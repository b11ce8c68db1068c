import { checkInteger, checkNumber } from "./arguments.ts";
import { modulo } from "./operators.ts";
import { fractionAndExponent, power, scaleByTwo } from "./power.ts";
import { LuaThrow, type NativeFunction, type Runtime } from "./runtime.ts";
import { type LuaResult, type LuaValue, LuaValues, NO_VALUES } from "./values.ts";

export const MATH_CONSTANTS: Readonly<Record<string, number>> = {
  pi: Math.PI,
  // As gopher-lua: the largest double, where Lua has infinity.
  huge: Number.MAX_VALUE,
};

export const MATH_FUNCTIONS: Readonly<Record<string, NativeFunction>> = {
  abs: ofOne(Math.abs),
  acos: ofOne(Math.acos),
  asin: ofOne(Math.asin),
  atan: ofOne(Math.atan),
  atan2: ofTwo(Math.atan2),
  ceil: ofOne(Math.ceil),
  cos: ofOne(Math.cos),
  cosh: ofOne(Math.cosh),
  deg: ofOne((x) => (x * 180) / Math.PI),
  exp: ofOne(Math.exp),
  floor: ofOne(Math.floor),
  fmod: ofTwo((x, y) => x % y),
  frexp: (args, runtime) => new LuaValues(fractionAndExponent(checkNumber(args, 1, runtime))),
  ldexp: (args, runtime) => scaleByTwo(checkNumber(args, 1, runtime), checkInteger(args, 2, runtime)),
  log: ofOne(Math.log),
  log10: ofOne(Math.log10),
  max: extreme((candidate, best) => candidate > best),
  min: extreme((candidate, best) => candidate < best),
  mod: ofTwo(modulo),
  modf: (args, runtime) => {
    const number = checkNumber(args, 1, runtime);
    const whole = Math.trunc(number);
    return new LuaValues([whole, Number.isFinite(number) ? number - whole : Number.NaN]);
  },
  pow: ofTwo(power),
  rad: ofOne((x) => (x * Math.PI) / 180),
  random,
  randomseed: (args, runtime) => {
    runtime.seed = checkInteger(args, 1, runtime);
    return NO_VALUES;
  },
  sin: ofOne(Math.sin),
  sinh: ofOne(Math.sinh),
  sqrt: ofOne(Math.sqrt),
  tan: ofOne(Math.tan),
  tanh: ofOne(Math.tanh),
};

function ofOne(compute: (x: number) => number): NativeFunction {
  return (args, runtime) => compute(checkNumber(args, 1, runtime));
}

function ofTwo(compute: (x: number, y: number) => number): NativeFunction {
  return (args, runtime) => compute(checkNumber(args, 1, runtime), checkNumber(args, 2, runtime));
}

function extreme(isBetter: (candidate: number, best: number) => boolean): NativeFunction {
  return (args, runtime) => {
    if (args.length === 0) throw runtime.error("wrong number of arguments");
    let best = checkNumber(args, 1, runtime);
    for (let position = 2; position <= args.length; position++) {
      const candidate = checkNumber(args, position, runtime);
      if (isBetter(candidate, best)) best = candidate;
    }
    return best;
  };
}

// The same numbers in every call: what a script decides must not change between two looks at the same objects.
function random(args: LuaValue[], runtime: Runtime): LuaResult {
  if (args.length === 0) return nextRandom(runtime);
  const from = args.length === 1 ? 1 : checkInteger(args, 1, runtime);
  const to = checkInteger(args, args.length === 1 ? 1 : 2, runtime);
  // Go panics here, which gives an error without a place.
  if (to < from) throw new LuaThrow("invalid argument to Intn", runtime.line, true);
  return from + Math.floor(nextRandom(runtime) * (to - from + 1));
}

// A generator by Tommy Ettinger ("mulberry32"), in the public domain.
function nextRandom(runtime: Runtime): number {
  runtime.seed = (runtime.seed + 0x6d2b79f5) | 0;
  let mixed = Math.imul(runtime.seed ^ (runtime.seed >>> 15), 1 | runtime.seed);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
}
