// Resource quantities (`500m`, `1.5Gi`, `1e3`) with the value, rounding and printed form of Kubernetes.
import { AppError } from "../runtime/errors.ts";

/** How a quantity is printed: `1500m`/`2G`, `1536Mi`, or `15e2`. It follows the suffix the text had. */
export type QuantityFormat = "DecimalSI" | "BinarySI" | "DecimalExponent";

/** The exact number `mantissa * 10^scale`. `mantissa` is a bigint only when it is no safe integer. Never changed in place. */
export interface Quantity {
  readonly mantissa: number | bigint;
  readonly scale: number;
  readonly format: QuantityFormat;
  /** The text it was parsed from, when Kubernetes prints that again instead of the canonical form. */
  readonly text?: string;
}

export const ZERO_QUANTITY: Quantity = { mantissa: 0, scale: 0, format: "DecimalSI" };

const DECIMAL_EXPONENTS: ReadonlyMap<string, number> = new Map([
  ["n", -9],
  ["u", -6],
  ["m", -3],
  ["", 0],
  ["k", 3],
  ["M", 6],
  ["G", 9],
  ["T", 12],
  ["P", 15],
  ["E", 18],
]);
const DECIMAL_SUFFIXES: ReadonlyMap<number, string> = new Map(
  [...DECIMAL_EXPONENTS].map(([suffix, power]) => [power, suffix]),
);
const BINARY_SUFFIXES: readonly string[] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const BINARY_EXPONENTS: ReadonlyMap<string, number> = new Map(
  BINARY_SUFFIXES.slice(1).map((suffix, index) => [suffix, 10 * (index + 1)]),
);

const NANO = -9;
const MAX_INT64 = 9223372036854775807n;
const QUANTITY_TEXT = /^([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)$/;
const INTEGER_TEXT = /^[+-]?[0-9]+$/;
const QUANTITY_PATTERN = "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

function quantityInvalid(message: string, text: string): AppError {
  return new AppError("quantity-invalid", message, { recovery: "stall", details: { text } });
}

interface Suffix {
  readonly base: 2 | 10;
  readonly exponent: number;
  readonly format: QuantityFormat;
}

function interpretSuffix(suffix: string): Suffix | undefined {
  const decimal = DECIMAL_EXPONENTS.get(suffix);
  if (decimal !== undefined) return { base: 10, exponent: decimal, format: "DecimalSI" };
  const binary = BINARY_EXPONENTS.get(suffix);
  if (binary !== undefined) return { base: 2, exponent: binary, format: "BinarySI" };
  const power = suffix.slice(1);
  if ((suffix.startsWith("e") || suffix.startsWith("E")) && INTEGER_TEXT.test(power)) {
    return { base: 10, exponent: Number(power), format: "DecimalExponent" };
  }
  return undefined;
}

/**
 * Reads a quantity. Non-zero values below a nano are rounded away from zero to it, binary values are capped at 2^63-1.
 * Throws `quantity-invalid` with the message of the Kubernetes API.
 */
export function parseQuantity(text: string): Quantity {
  if (text === "0") return ZERO_QUANTITY;
  const match = text === "" ? null : QUANTITY_TEXT.exec(text);
  if (match === null) throw quantityInvalid(`quantities must match the regular expression ${QUANTITY_PATTERN}`, text);
  const negative = match[1] === "-";
  const whole = (match[2] ?? "").replace(/^0+/, "") || "0";
  const fraction = match[3] ?? "";
  const suffix = interpretSuffix(match[4] ?? "");
  if (suffix === undefined) {
    throw quantityInvalid("unable to parse quantity's suffix", text);
  }
  if (Math.abs(suffix.exponent) > 10_000) {
    throw quantityInvalid("unable to parse numeric part of quantity", text);
  }
  const small = parseSmall(text, negative, whole, fraction, suffix);
  if (small !== undefined) return small;
  // As the reference: a suffix without digits is zero where small numbers would do, and an error elsewhere.
  if ((match[2] ?? "") === "" && fraction === "") {
    throw quantityInvalid("unable to parse numeric part of quantity", text);
  }
  return parseLarge(negative, whole, fraction, suffix);
}

/** Numbers whose digits fit a machine integer; only these may keep their own text. */
function parseSmall(
  text: string,
  negative: boolean,
  whole: string,
  fraction: string,
  suffix: Suffix,
): Quantity | undefined {
  const digits = whole + fraction;
  if (suffix.base === 2) {
    if (fraction !== "" || 14 - whole.length - Math.trunc(suffix.exponent * 0.3) < 0) return undefined;
    const value = Number(digits);
    const product = value * 2 ** suffix.exponent;
    const mantissa = Number.isSafeInteger(product) ? product : BigInt(value) << BigInt(suffix.exponent);
    const keepsText = value % 8 !== 0;
    return quantity(negative ? negate(mantissa) : mantissa, 0, suffix.format, keepsText ? text : undefined);
  }
  const scale = suffix.exponent - fraction.length;
  if (digits.length > 18 || scale < NANO) return undefined;
  const value = digits.length <= 15 ? Number(digits) : reduce(BigInt(digits));
  const keepsText = scale % 3 === 0 && !digits.endsWith("000") && !digits.startsWith("0");
  return quantity(negative ? negate(value) : value, scale, suffix.format, keepsText ? text : undefined);
}

function parseLarge(negative: boolean, whole: string, fraction: string, suffix: Suffix): Quantity {
  let mantissa = BigInt(whole + fraction);
  let scale = -fraction.length;
  let format = suffix.format;
  if (suffix.base === 10) scale += suffix.exponent;
  else mantissa <<= BigInt(suffix.exponent);
  if (scale < NANO) {
    mantissa = divideAwayFromZero(mantissa, pow10(NANO - scale));
    scale = NANO;
  }
  if (format === "BinarySI") {
    const one = pow10(-scale);
    if (mantissa > MAX_INT64 * one) {
      mantissa = MAX_INT64;
      scale = 0;
    } else if (mantissa > 0n && mantissa < one) {
      format = "DecimalSI";
    }
  }
  return quantity(reduce(negative ? -mantissa : mantissa), scale, format, undefined);
}

/** As `parseQuantity`, but undefined for text that is no quantity. */
export function tryParseQuantity(text: string): Quantity | undefined {
  try {
    return parseQuantity(text);
  } catch (error) {
    if (error instanceof AppError && error.code === "quantity-invalid") return undefined;
    throw error;
  }
}

/** A quantity from a JSON value: text is trimmed, a number is read as its decimal text. */
export function quantityFromJson(value: string | number | bigint): Quantity {
  return parseQuantity(String(value).trim());
}

/** The quantity `value * 10^scale`. `value` must be an integer. */
export function quantityOf(value: number | bigint, format: QuantityFormat = "DecimalSI", scale = 0): Quantity {
  return quantity(typeof value === "number" ? value : reduce(value), scale, format, undefined);
}

function quantity(
  mantissa: number | bigint,
  scale: number,
  format: QuantityFormat,
  text: string | undefined,
): Quantity {
  return text === undefined ? { mantissa, scale, format } : { mantissa, scale, format, text };
}

/** The text Kubernetes stores and prints: `1000m` is `1`, `1024Mi` is `1Gi`, `0.5` is `500m`. */
export function formatQuantity(value: Quantity): string {
  if (value.text !== undefined) return value.text;
  if (isZeroQuantity(value)) return "0";
  if (value.format === "BinarySI") {
    const integer = exactInteger(value);
    // Small and fractional numbers would lose precision in powers of 1024.
    if (integer !== undefined && (integer >= 1024n || integer <= -1024n)) return formatBinary(integer);
  }
  return formatDecimal(value, value.format === "DecimalExponent");
}

function formatBinary(integer: bigint): string {
  let rest = integer;
  let power = 0;
  while (rest % 1024n === 0n && power < BINARY_SUFFIXES.length - 1) {
    rest /= 1024n;
    power++;
  }
  return `${rest}${BINARY_SUFFIXES[power] ?? ""}`;
}

function formatDecimal(value: Quantity, exponential: boolean): string {
  let mantissa = value.mantissa;
  let scale = value.scale;
  if (typeof mantissa === "number") {
    while (mantissa % 10 === 0) {
      mantissa /= 10;
      scale++;
    }
  } else {
    while (mantissa % 10n === 0n) {
      mantissa /= 10n;
      scale++;
    }
  }
  const excess = ((scale % 3) + 3) % 3;
  const digits = `${mantissa}${"0".repeat(excess)}`;
  const power = scale - excess;
  const suffix = exponential ? undefined : DECIMAL_SUFFIXES.get(power);
  if (suffix !== undefined) return digits + suffix;
  return power === 0 ? digits : `${digits}e${power}`;
}

/** The canonical text of a quantity's text. Throws `quantity-invalid`. */
export function canonicalQuantity(text: string): string {
  return formatQuantity(parseQuantity(text));
}

export function isZeroQuantity(value: Quantity): boolean {
  return value.mantissa === 0 || value.mantissa === 0n;
}

/** -1, 0 or 1. */
export function quantitySign(value: Quantity): -1 | 0 | 1 {
  return value.mantissa > 0 ? 1 : value.mantissa < 0 ? -1 : 0;
}

/** -1, 0 or 1 by value; the format does not matter: `1` equals `1000m`. */
export function compareQuantities(a: Quantity, b: Quantity): -1 | 0 | 1 {
  if (a.scale === b.scale) return order(a.mantissa, b.mantissa);
  const [left, right] = align(a, b);
  return order(left, right);
}

function order(a: number | bigint, b: number | bigint): -1 | 0 | 1 {
  return a < b ? -1 : a > b ? 1 : 0;
}

export function equalQuantities(a: Quantity, b: Quantity): boolean {
  return compareQuantities(a, b) === 0;
}

/** The sum, in the format of `a`, or of `b` when `a` is zero. */
export function addQuantities(a: Quantity, b: Quantity): Quantity {
  const format = isZeroQuantity(a) ? b.format : a.format;
  const [left, right, scale] = align(a, b);
  return quantity(sum(left, right), scale, format, undefined);
}

/** The difference, in the format of `a`, or of `b` when `a` is zero. */
export function subtractQuantities(a: Quantity, b: Quantity): Quantity {
  return addQuantities(a, negateQuantity(b));
}

export function negateQuantity(value: Quantity): Quantity {
  return quantity(negate(value.mantissa), value.scale, value.format, undefined);
}

/** The product with an integer. */
export function multiplyQuantity(value: Quantity, factor: number | bigint): Quantity {
  const product = Number(value.mantissa) * Number(factor);
  const exact = Number.isSafeInteger(product) ? product : reduce(BigInt(value.mantissa) * BigInt(factor));
  return quantity(exact, value.scale, value.format, undefined);
}

/** Rounded to a multiple of `10^scale`, away from zero, as defaulting rounds resources up to a milli (`scale` -3). */
export function roundQuantityUp(value: Quantity, scale: number): Quantity {
  if (value.scale >= scale) return value;
  return quantity(reduce(scaled(value, scale)), scale, value.format, undefined);
}

/** The value in whole units, rounded away from zero: `1500m` is 2. */
export function quantityValue(value: Quantity): bigint {
  return scaled(value, 0);
}

/** The value in thousandths, rounded away from zero: `1` is 1000. */
export function quantityMilliValue(value: Quantity): bigint {
  return scaled(value, -3);
}

/** `quantityValue` as a number: exact up to 2^53, the nearest double beyond. */
export function quantityNumber(value: Quantity): number {
  return scaledNumber(value, 0);
}

/** `quantityMilliValue` as a number: exact up to 2^53, the nearest double beyond. */
export function quantityMilliNumber(value: Quantity): number {
  return scaledNumber(value, -3);
}

/** The value as the nearest double, fractions included. */
export function quantityFloat(value: Quantity): number {
  return Number(`${value.mantissa}e${value.scale}`);
}

function scaledNumber(value: Quantity, scale: number): number {
  const shift = value.scale - scale;
  if (typeof value.mantissa === "number") {
    if (shift === 0) return value.mantissa;
    if (shift > 0 && shift <= 15) {
      const product = value.mantissa * 10 ** shift;
      if (Number.isSafeInteger(product)) return product;
    } else if (shift < 0 && shift >= -15) {
      const divisor = 10 ** -shift;
      const rest = value.mantissa % divisor;
      // Adding zero turns -0 into 0.
      return (value.mantissa - rest) / divisor + Math.sign(rest) + 0;
    }
  }
  return Number(scaled(value, scale));
}

function scaled(value: Quantity, scale: number): bigint {
  const mantissa = BigInt(value.mantissa);
  const shift = value.scale - scale;
  return shift >= 0 ? mantissa * pow10(shift) : divideAwayFromZero(mantissa, pow10(-shift));
}

function exactInteger(value: Quantity): bigint | undefined {
  const mantissa = BigInt(value.mantissa);
  if (value.scale >= 0) return mantissa * pow10(value.scale);
  const divisor = pow10(-value.scale);
  return mantissa % divisor === 0n ? mantissa / divisor : undefined;
}

/** Both mantissas at the smaller of the two scales. */
function align(a: Quantity, b: Quantity): [number | bigint, number | bigint, number] {
  if (a.scale === b.scale) return [a.mantissa, b.mantissa, a.scale];
  if (a.scale > b.scale) return [shiftUp(a.mantissa, a.scale - b.scale), b.mantissa, b.scale];
  return [a.mantissa, shiftUp(b.mantissa, b.scale - a.scale), a.scale];
}

function shiftUp(mantissa: number | bigint, digits: number): number | bigint {
  if (typeof mantissa === "number" && digits <= 15) {
    const product = mantissa * 10 ** digits;
    if (Number.isSafeInteger(product)) return product;
  }
  return BigInt(mantissa) * pow10(digits);
}

function sum(a: number | bigint, b: number | bigint): number | bigint {
  if (typeof a === "number" && typeof b === "number") {
    const total = a + b;
    if (Number.isSafeInteger(total)) return total;
  }
  return reduce(BigInt(a) + BigInt(b));
}

function negate(value: number | bigint): number | bigint {
  return value === 0 ? 0 : -value;
}

function reduce(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function pow10(digits: number): bigint {
  return 10n ** BigInt(digits);
}

function divideAwayFromZero(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  if (value % divisor === 0n) return quotient;
  return value > 0n ? quotient + 1n : quotient - 1n;
}
