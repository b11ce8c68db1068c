// Numbers and their texts as gopher-lua has them, which leans on Go's `strconv` where Lua leans on C.

const BLANKS = /^[ \t\n]+|[ \t\n]+$/g;
const DECIMAL_INTEGER = /^[+-]?(?:0|[1-9](?:_?[0-9])*)$/;
const BASED_INTEGER =
  /^([+-]?)0(?:([xX])_?([0-9a-fA-F](?:_?[0-9a-fA-F])*)|([bB])_?([01](?:_?[01])*)|[oO]?_?([0-7](?:_?[0-7])*))$/;
const DECIMAL = /^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/;
const HEXADECIMAL_FLOAT = /^([+-]?)0[xX]_?([0-9a-fA-F]*(?:_[0-9a-fA-F]+)*)\.?([0-9a-fA-F]*)[pP]([+-]?[0-9]+)$/;
const WORD = /^([+-]?)inf(?:inity)?$|^nan$/i;
const INT64_LIMIT = 2 ** 63;

/** The number that `text` spells where Lua wants a number; undefined when it spells none. */
export function parseNumber(text: string): number | undefined {
  const trimmed = text.replace(BLANKS, "");
  if (DECIMAL_INTEGER.test(trimmed)) return Number(trimmed.replaceAll("_", ""));
  const based = BASED_INTEGER.exec(trimmed);
  if (based !== null) {
    const value = basedInteger(based);
    if (value !== undefined) return value;
  }
  return parseFloatingPoint(trimmed);
}

/** The value of a number in the text of a script. One that cannot be read is not a number. */
export function parseLiteral(text: string): number {
  return parseNumber(text) ?? Number.NaN;
}

/** As Go's `ParseFloat`: undefined for what it does not read, and for numbers too large. */
export function parseFloatingPoint(text: string): number | undefined {
  if (DECIMAL.test(text)) {
    const value = Number(text);
    return Number.isFinite(value) ? value : undefined;
  }
  const word = WORD.exec(text);
  if (word !== null) return /^nan$/i.test(text) ? Number.NaN : infinity(word[1]);
  const hexadecimal = HEXADECIMAL_FLOAT.exec(text);
  if (hexadecimal === null) return undefined;
  const [, sign, whole = "", fraction = "", power] = hexadecimal;
  const digits = whole.replaceAll("_", "") + fraction;
  if (digits === "") return undefined;
  const value = Number.parseInt(digits, 16) * 2 ** (Number(power) - 4 * fraction.length);
  if (!Number.isFinite(value)) return undefined;
  return sign === "-" ? -value : value;
}

/** As Go's `ParseInt` for a base from 2 to 36, or 0 for the base that the text names; undefined for what it refuses. */
export function parseInteger(text: string, base: number): number | undefined {
  if (base === 0) {
    if (DECIMAL_INTEGER.test(text)) return withinInt64(BigInt(text.replace("+", "").replaceAll("_", "")));
    const based = BASED_INTEGER.exec(text);
    return based === null ? undefined : basedInteger(based);
  }
  const match = /^([+-]?)([0-9a-z]+)$/i.exec(text);
  if (match === null || base < 2 || base > 36) return undefined;
  let value = 0n;
  for (const char of match[2] ?? "") {
    const digit = Number.parseInt(char, 36);
    if (digit >= base) return undefined;
    value = value * BigInt(base) + BigInt(digit);
    if (value > 1n << 64n) return undefined;
  }
  return withinInt64(match[1] === "-" ? -value : value);
}

/** The text of a number: integers with all their digits, others with the fewest that mean the same number. */
export function formatNumber(value: number): string {
  if (Number.isSafeInteger(value)) return String(value);
  if (isInt64(value)) return BigInt(value).toString();
  return formatShortest(value);
}

/** Whether a number has no fraction and fits 64 bits: whether gopher-lua takes it for an integer. */
export function isInt64(value: number): boolean {
  return Number.isInteger(value) && value >= -INT64_LIMIT && value < INT64_LIMIT;
}

/** The integer that Go's conversion gives: without the fraction, and the smallest one for all that does not fit. */
export function toInteger(value: number): number {
  if (value >= -INT64_LIMIT && value < INT64_LIMIT) return Math.trunc(value) + 0;
  return -INT64_LIMIT;
}

/** Go's `%v` of a double. */
export function formatShortest(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  if (Object.is(value, -0)) return "-0";
  const [mantissa = "0", power = "0"] = value.toExponential().split("e");
  const exponent = Number(power);
  // In this range JavaScript writes no exponent either.
  if (exponent >= -4 && exponent < 6) return String(value);
  return `${mantissa}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
}

function infinity(sign: string | undefined): number {
  return sign === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

function basedInteger(match: RegExpExecArray): number | undefined {
  const [, sign, hex, hexDigits, binary, binaryDigits, octalDigits] = match;
  const prefix = hex !== undefined ? "0x" : binary !== undefined ? "0b" : "0o";
  const digits = (hexDigits ?? binaryDigits ?? octalDigits ?? "").replaceAll("_", "");
  const value = BigInt(prefix + digits);
  return withinInt64(sign === "-" ? -value : value);
}

function withinInt64(value: bigint): number | undefined {
  return BigInt.asIntN(64, value) === value ? Number(value) : undefined;
}
