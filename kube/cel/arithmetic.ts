// Operators on numbers, texts, lists and times. Values of types without the operator fail with "no such overload".
import { CelDuration, CelList, CelTimestamp, CelUint, fail, noSuchOverload, type Value } from "./values.ts";

const MIN_INT = -(2n ** 63n);
const MAX_INT = 2n ** 63n - 1n;
const MAX_UINT = 2n ** 64n - 1n;
/** Seconds of 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z. */
const MIN_SECONDS = -62135596800n;
const MAX_SECONDS = 253402300799n;
const NANOS = 1_000_000_000n;

export function int(value: bigint): bigint {
  return value >= MIN_INT && value <= MAX_INT ? value : fail("integer overflow");
}

export function uint(value: bigint): CelUint {
  return value >= 0n && value <= MAX_UINT ? new CelUint(value) : fail("unsigned integer overflow");
}

export function duration(nanos: bigint): CelDuration {
  return nanos >= MIN_INT && nanos <= MAX_INT ? new CelDuration(nanos) : fail("integer overflow");
}

export function timestamp(nanos: bigint, offsetMinutes = 0): CelTimestamp {
  const seconds = floorDivide(nanos, NANOS);
  if (seconds < MIN_SECONDS || seconds > MAX_SECONDS) return fail("timestamp overflow");
  return new CelTimestamp(nanos, offsetMinutes);
}

export function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value % by < 0n ? quotient - 1n : quotient;
}

export function add(a: Value, b: Value): Value {
  if (typeof a === "bigint") return typeof b === "bigint" ? int(a + b) : noSuchOverload();
  if (typeof a === "string") return typeof b === "string" ? a + b : noSuchOverload();
  if (typeof a === "number") return typeof b === "number" ? a + b : noSuchOverload();
  if (a instanceof CelList) return b instanceof CelList ? a.plus(b) : noSuchOverload();
  if (a instanceof Uint8Array) return b instanceof Uint8Array ? Buffer.concat([a, b]) : noSuchOverload();
  if (a instanceof CelUint) return b instanceof CelUint ? uint(a.value + b.value) : noSuchOverload();
  if (a instanceof CelDuration) {
    if (b instanceof CelDuration) return duration(a.nanos + b.nanos);
    return b instanceof CelTimestamp ? timestamp(b.nanos + a.nanos, b.offsetMinutes) : noSuchOverload();
  }
  if (a instanceof CelTimestamp && b instanceof CelDuration) return timestamp(a.nanos + b.nanos, a.offsetMinutes);
  return noSuchOverload();
}

export function subtract(a: Value, b: Value): Value {
  if (typeof a === "bigint") return typeof b === "bigint" ? int(a - b) : noSuchOverload();
  if (typeof a === "number") return typeof b === "number" ? a - b : noSuchOverload();
  if (a instanceof CelUint) return b instanceof CelUint ? uint(a.value - b.value) : noSuchOverload();
  if (a instanceof CelDuration) return b instanceof CelDuration ? duration(a.nanos - b.nanos) : noSuchOverload();
  if (a instanceof CelTimestamp) {
    if (b instanceof CelTimestamp) return duration(a.nanos - b.nanos);
    if (b instanceof CelDuration) return timestamp(a.nanos - b.nanos, a.offsetMinutes);
  }
  return noSuchOverload();
}

export function multiply(a: Value, b: Value): Value {
  if (typeof a === "bigint") return typeof b === "bigint" ? int(a * b) : noSuchOverload();
  if (typeof a === "number") return typeof b === "number" ? a * b : noSuchOverload();
  return a instanceof CelUint && b instanceof CelUint ? uint(a.value * b.value) : noSuchOverload();
}

export function divide(a: Value, b: Value): Value {
  if (typeof a === "bigint") {
    if (typeof b !== "bigint") return noSuchOverload();
    return b === 0n ? fail("division by zero") : int(a / b);
  }
  if (typeof a === "number") return typeof b === "number" ? a / b : noSuchOverload();
  if (!(a instanceof CelUint && b instanceof CelUint)) return noSuchOverload();
  return b.value === 0n ? fail("division by zero") : uint(a.value / b.value);
}

export function modulo(a: Value, b: Value): Value {
  if (typeof a === "bigint") {
    if (typeof b !== "bigint") return noSuchOverload();
    if (b === 0n) return fail("modulus by zero");
    // As the reference: the smallest number has no remainder by -1 in 64 bits.
    return a === MIN_INT && b === -1n ? fail("integer overflow") : a % b;
  }
  if (!(a instanceof CelUint && b instanceof CelUint)) return noSuchOverload();
  return b.value === 0n ? fail("modulus by zero") : uint(a.value % b.value);
}

export function negate(value: Value): Value {
  if (typeof value === "bigint") return int(-value);
  return typeof value === "number" ? -value : noSuchOverload();
}
