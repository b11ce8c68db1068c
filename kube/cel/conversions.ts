// Conversions between types: `int("4")`, `string(1.5)`.
import { duration, int, timestamp, uint } from "./arithmetic.ts";
import { formatDuration, formatTimestamp, parseGoDuration, parseTimestamp } from "./times.ts";
import { CelDuration, CelTimestamp, CelTypeValue, CelUint, fail, typeNameOf, type Value } from "./values.ts";

const TWO_63 = 2 ** 63;
const TWO_64 = 2 ** 64;

function refuse(value: Value, to: string): never {
  return fail(`type conversion error from '${typeNameOf(value)}' to '${to}'`);
}

export function toInt(value: Value): bigint {
  if (typeof value === "bigint") return value;
  if (typeof value === "number") {
    return value > -TWO_63 && value < TWO_63 ? BigInt(Math.trunc(value)) : fail("integer overflow");
  }
  if (typeof value === "string") {
    const fits = /^[+-]?[0-9]+$/.test(value) && value.length < 100;
    const parsed = fits ? BigInt(value.replace(/^\+/, "")) : undefined;
    return parsed !== undefined && BigInt.asIntN(64, parsed) === parsed ? parsed : refuse(value, "int");
  }
  if (value instanceof CelUint) return int(value.value);
  if (value instanceof CelDuration) return value.nanos;
  if (value instanceof CelTimestamp) return floorSeconds(value);
  return refuse(value, "int");
}

function floorSeconds(value: CelTimestamp): bigint {
  const seconds = value.nanos / 1_000_000_000n;
  return value.nanos % 1_000_000_000n < 0n ? seconds - 1n : seconds;
}

export function toUint(value: Value): CelUint {
  if (value instanceof CelUint) return value;
  if (typeof value === "bigint") return uint(value);
  if (typeof value === "number") {
    return value >= 0 && value < TWO_64 ? new CelUint(BigInt(Math.trunc(value))) : fail("unsigned integer overflow");
  }
  if (typeof value !== "string" || !/^[0-9]+$/.test(value) || value.length > 99) return refuse(value, "uint");
  const parsed = BigInt(value);
  return BigInt.asUintN(64, parsed) === parsed ? new CelUint(parsed) : refuse(value, "uint");
}

export function toDouble(value: Value): number {
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  if (value instanceof CelUint) return Number(value.value);
  if (typeof value === "string") {
    if (/^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/.test(value)) {
      const parsed = Number(value);
      if (Number.isFinite(parsed)) return parsed;
    }
    const special = /^([+-]?)(inf(?:inity)?|nan)$/i.exec(value);
    if (special?.[2]?.toLowerCase() === "nan" && special[1] === "") return Number.NaN;
    if (special?.[2]?.toLowerCase().startsWith("inf") === true) return special[1] === "-" ? -Infinity : Infinity;
  }
  return refuse(value, "double");
}

export function toBool(value: Value): boolean {
  if (typeof value === "boolean") return value;
  if (typeof value === "string") {
    if (["1", "t", "T", "true", "TRUE", "True"].includes(value)) return true;
    if (["0", "f", "F", "false", "FALSE", "False"].includes(value)) return false;
  }
  return refuse(value, "bool");
}

const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function toText(value: Value): string {
  switch (typeof value) {
    case "string":
      return value;
    case "bigint":
    case "boolean":
      return String(value);
    case "number":
      return formatDouble(value);
  }
  if (value instanceof CelUint) return String(value.value);
  if (value instanceof CelDuration) return formatDuration(value);
  if (value instanceof CelTimestamp) return formatTimestamp(value);
  if (value instanceof CelTypeValue) return value.name;
  if (!(value instanceof Uint8Array)) return refuse(value, "string");
  try {
    return DECODER.decode(value);
  } catch {
    return fail("invalid UTF-8 in bytes, cannot convert to string");
  }
}

/** As Go's `%g`: the shortest digits, with an exponent from a million on and below 1e-4. */
export function formatDouble(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  const [mantissa = "", exponentText = "0"] = value.toExponential().split("e");
  const exponent = Number(exponentText);
  if (exponent < -4 || exponent >= 6) {
    const digits = String(Math.abs(exponent)).padStart(2, "0");
    return `${mantissa}e${exponent < 0 ? "-" : "+"}${digits}`;
  }
  return String(value);
}

export function toBytes(value: Value): Uint8Array {
  if (typeof value === "string") return Buffer.from(value);
  return value instanceof Uint8Array ? value : refuse(value, "bytes");
}

export function toDuration(value: Value): CelDuration {
  if (value instanceof CelDuration) return value;
  const nanos = typeof value === "string" ? parseGoDuration(value) : undefined;
  return nanos === undefined ? refuse(value, "google.protobuf.Duration") : duration(nanos);
}

export function toTimestamp(value: Value): CelTimestamp {
  if (value instanceof CelTimestamp) return value;
  if (typeof value === "bigint") return timestamp(value * 1_000_000_000n);
  const parsed = typeof value === "string" ? parseTimestamp(value) : undefined;
  return parsed ?? refuse(value, "google.protobuf.Timestamp");
}
