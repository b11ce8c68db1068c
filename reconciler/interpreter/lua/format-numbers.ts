// Numbers as Go's `fmt` writes them, digit for digit.

import { bytesOfText, hasHighBytes, lettersOf } from "./byte-strings.ts";
import { formatShortest } from "./numbers.ts";

/** What stands between the percent sign and the verb. */
export interface Directive {
  readonly minus: boolean;
  readonly plus: boolean;
  readonly sharp: boolean;
  readonly space: boolean;
  readonly zero: boolean;
  readonly width: number | undefined;
  readonly precision: number | undefined;
}

/** The exact decimal digits of a positive double, without zeros at either end; the point is behind `point` digits. */
interface Digits {
  readonly digits: string;
  readonly point: number;
}

/** No double has more digits behind its point. */
const MAX_DECIMALS = 1_080;

/** Bytes filled up to the width, which counts letters. */
export function padded(bytes: string, { width, minus, zero }: Directive): string {
  if (width === undefined) return bytes;
  const letters = hasHighBytes(bytes) ? lettersOf(bytes).length : bytes.length;
  if (letters >= width) return bytes;
  const fill = (zero ? "0" : " ").repeat(width - letters);
  return minus ? bytes + fill : fill + bytes;
}

export function formatInteger(verb: string, directive: Directive, value: bigint): string {
  const { precision, width, sharp } = directive;
  if (verb === "c") return padded(letterOf(value), { ...directive, precision: undefined });
  if (verb === "U") return padded(unicodeOf(value, directive), { ...directive, zero: false });
  const base = { b: 2, o: 8, O: 8, x: 16, X: 16 }[verb] ?? 10;
  const negative = value < 0n;
  let digits = (negative ? -value : value).toString(base);
  if (verb === "X") digits = digits.toUpperCase();
  const sign = negative ? "-" : directive.plus ? "+" : directive.space ? " " : "";
  if (precision === 0 && value === 0n) return padded("", { ...directive, zero: false });
  if (precision !== undefined) digits = digits.padStart(precision, "0");
  else if (directive.zero && width !== undefined) digits = digits.padStart(width - sign.length, "0");
  return padded(sign + prefixOf(verb, sharp, digits) + digits, { ...directive, zero: false });
}

function prefixOf(verb: string, sharp: boolean, digits: string): string {
  if (verb === "O") return "0o";
  if (!sharp) return "";
  switch (verb) {
    case "b":
      return "0b";
    case "o":
      return digits.startsWith("0") ? "" : "0";
    case "x":
      return "0x";
    case "X":
      return "0X";
    default:
      return "";
  }
}

function letterOf(value: bigint): string {
  const code = value >= 0n && value <= 0x10ffffn ? Number(value) : 0xfffd;
  return bytesOfText(String.fromCodePoint(code >= 0xd800 && code <= 0xdfff ? 0xfffd : code));
}

function unicodeOf(value: bigint, { precision, sharp }: Directive): string {
  const code = BigInt.asUintN(64, value)
    .toString(16)
    .toUpperCase()
    .padStart(Math.max(precision ?? 4, 4), "0");
  return sharp && value >= 0x20n && value <= 0x10ffffn ? `U+${code} '${letterOf(value)}'` : `U+${code}`;
}

export function formatFloat(verb: string, directive: Directive, value: number): string {
  const negative = value < 0 || Object.is(value, -0);
  const sign = negative ? "-" : directive.plus ? "+" : directive.space ? " " : "";
  if (!Number.isFinite(value)) {
    // An infinity always shows its sign, and neither is filled up with zeros.
    const text = Number.isNaN(value) ? `${sign}NaN` : `${sign === "" ? "+" : sign}Inf`;
    return padded(text, { ...directive, zero: false });
  }
  const magnitude = Math.abs(value);
  const lower = verb.toLowerCase();
  const { precision, width, zero } = directive;
  let text: string;
  if (lower === "g") text = general(magnitude, precision);
  else if (lower === "e") text = scientific(rounded(exactDigits(magnitude), (precision ?? 6) + 1), precision ?? 6);
  else text = fixed(magnitude, precision ?? 6);
  if (verb === "E" || verb === "G") text = text.toUpperCase();
  if (zero && width !== undefined) text = text.padStart(width - sign.length, "0");
  return padded(sign + text, { ...directive, zero: false });
}

function general(value: number, precision: number | undefined): string {
  if (precision === undefined) return formatShortest(value);
  const wanted = precision === 0 ? 1 : precision;
  const number = rounded(exactDigits(value), wanted);
  const { digits, point } = number;
  const limit = wanted > digits.length && digits.length >= point ? digits.length : wanted;
  const exponent = point - 1;
  if (exponent < -4 || exponent >= limit) return scientific(number, Math.max(digits.length - 1, 0));
  return plain(number, Math.max(digits.length - point, 0));
}

function fixed(value: number, decimals: number): string {
  const exact = exactDigits(value);
  return plain(rounded(exact, exact.point + decimals), decimals);
}

function plain({ digits, point }: Digits, decimals: number): string {
  const whole = point > 0 ? digits.slice(0, point).padEnd(point, "0") : "0";
  if (decimals === 0) return whole;
  const fraction = point > 0 ? digits.slice(point) : "0".repeat(Math.min(-point, decimals)) + digits;
  return `${whole}.${fraction.slice(0, decimals).padEnd(decimals, "0")}`;
}

function scientific({ digits, point }: Digits, decimals: number): string {
  const exponent = digits === "" ? 0 : point - 1;
  const power = `e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
  const first = digits === "" ? "0" : digits[0];
  return decimals === 0 ? `${first}${power}` : `${first}.${digits.slice(1).padEnd(decimals, "0")}${power}`;
}

// Half goes to the even digit.
function rounded({ digits, point }: Digits, count: number): Digits {
  if (count >= digits.length) return { digits, point };
  if (count < 0) return { digits: "", point: 0 };
  const next = digits[count] ?? "0";
  const isTie = next === "5" && count === digits.length - 1;
  const last = count === 0 ? 0 : Number(digits[count - 1]);
  const isUp = isTie ? last % 2 === 1 : next >= "5";
  if (!isUp) return trimmed(digits.slice(0, count), point);
  const increased = (BigInt(`0${digits.slice(0, count)}`) + 1n).toString();
  // One digit more: the point moves with it.
  return trimmed(increased.padStart(count, "0"), point + Math.max(increased.length - count, 0));
}

function exactDigits(value: number): Digits {
  if (value === 0) return { digits: "", point: 0 };
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const biased = Number((bits >> 52n) & 0x7ffn);
  const mantissa = (bits & 0xfffffffffffffn) | (biased === 0 ? 0n : 1n << 52n);
  const exponent = Math.max(biased, 1) - 1075;
  if (exponent >= 0) {
    const digits = (mantissa << BigInt(exponent)).toString();
    return trimmed(digits, digits.length);
  }
  // m / 2^k is m * 5^k / 10^k.
  const digits = (mantissa * 5n ** BigInt(Math.min(-exponent, MAX_DECIMALS))).toString();
  return trimmed(digits, digits.length + exponent);
}

function trimmed(digits: string, point: number): Digits {
  const zeros = /^0*/.exec(digits)?.[0].length ?? 0;
  const significant = digits.slice(zeros).replace(/0+$/, "");
  return { digits: significant, point: significant === "" ? 0 : point - zeros };
}
