// How numbers are written and keys are ordered in the YAML of Kubernetes' tools.

const MAX_UINT64 = 18446744073709551615n;
const MIN_INT64 = -9223372036854775808n;

/** A number as YAML text: integers of up to 64 bits in full, everything else in the shortest exact form. */
export function formatYamlNumber(value: number | bigint): string {
  if (typeof value === "number" && Number.isSafeInteger(value)) return String(value === 0 ? 0 : value);
  if (typeof value === "number" && !Number.isFinite(value)) throw new TypeError(`${value} cannot be written`);
  const text = typeof value === "bigint" ? String(value) : formatJsonNumber(value);
  if (/^-?[0-9]+$/.test(text)) {
    const integer = BigInt(text);
    if (integer >= MIN_INT64 && integer <= MAX_UINT64) return text;
  }
  return formatShortestFloat(Number(text));
}

/** A number as Go writes it in JSON: decimal between 1e-6 and 1e21, with an exponent outside. */
export function formatJsonNumber(value: number): string {
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  const size = Math.abs(value);
  const { sign, digits, exponent } = decompose(value);
  if (size < 1e-6 || size >= 1e21) return withExponent(sign, digits, exponent, 1);
  return withPoint(sign, digits, exponent);
}

/** Orders map keys: letters after all else, runs of digits by their number. */
export function compareKeys(a: string, b: string): number {
  if (a === b) return 0;
  const shorter = Math.min(a.length, b.length);
  let at = 0;
  while (at < shorter && a.charCodeAt(at) === b.charCodeAt(at)) at += 1;
  if (at === shorter) return a.length - b.length;
  if (a.charCodeAt(at) < 128 && b.charCodeAt(at) < 128) return compareAt(a, b, charCodeOf, at, a.length, b.length);
  const left = Array.from(a);
  const right = Array.from(b);
  return compareCodes(left, right, codePointOf, left.length, right.length);
}

function charCodeOf(text: string, index: number): number {
  return text.charCodeAt(index);
}

function codePointOf(text: readonly string[], index: number): number {
  return text[index]?.codePointAt(0) ?? 0;
}

function compareCodes<T>(a: T, b: T, codeAt: (t: T, index: number) => number, na: number, nb: number): number {
  const shorter = Math.min(na, nb);
  for (let i = 0; i < shorter; i++) {
    const ca = codeAt(a, i);
    const cb = codeAt(b, i);
    if (ca !== cb) return compareAt(a, b, codeAt, i, na, nb);
  }
  return na - nb;
}

/** Compares at the first place where they differ. */
function compareAt<T>(a: T, b: T, codeAt: (t: T, index: number) => number, at: number, na: number, nb: number): number {
  const ca = codeAt(a, at);
  const cb = codeAt(b, at);
  const la = isLetter(ca);
  const lb = isLetter(cb);
  if (la && lb) return ca - cb;
  if (la || lb) return lb ? -1 : 1;
  return compareRuns(a, b, codeAt, at, na, nb) || ca - cb;
}

function compareRuns<T>(
  a: T,
  b: T,
  codeAt: (t: T, index: number) => number,
  start: number,
  na: number,
  nb: number,
): number {
  let left = 0;
  let right = 0;
  if (codeAt(a, start) === 48 || codeAt(b, start) === 48) {
    // Zeros that continue a number count, leading zeros do not.
    for (let j = start - 1; j >= 0 && isDigit(codeAt(a, j)); j--) {
      if (codeAt(a, j) !== 48) {
        left = 1;
        right = 1;
        break;
      }
    }
  }
  let i = start;
  for (; i < na && isDigit(codeAt(a, i)); i++) left = left * 10 + codeAt(a, i) - 48;
  let j = start;
  for (; j < nb && isDigit(codeAt(b, j)); j++) right = right * 10 + codeAt(b, j) - 48;
  return left === right ? i - j : left - right;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function isLetter(code: number): boolean {
  if (code < 128) return (code >= 97 && code <= 122) || (code >= 65 && code <= 90);
  return /\p{L}/u.test(String.fromCodePoint(code));
}

/** True when every character is below U+0080. */
export function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return false;
  return true;
}

function decompose(value: number): { sign: string; digits: string; exponent: number } {
  const [mantissa = "", power = "0"] = Math.abs(value).toExponential().split("e");
  return { sign: value < 0 ? "-" : "", digits: mantissa.replace(".", ""), exponent: Number(power) };
}

function withExponent(sign: string, digits: string, exponent: number, least: number): string {
  const fraction = digits.length > 1 ? `.${digits.slice(1)}` : "";
  const power = String(Math.abs(exponent)).padStart(least, "0");
  return `${sign}${digits.charAt(0)}${fraction}e${exponent < 0 ? "-" : "+"}${power}`;
}

function withPoint(sign: string, digits: string, exponent: number): string {
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${digits}`;
  if (digits.length <= exponent + 1) return sign + digits.padEnd(exponent + 1, "0");
  return `${sign}${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`;
}

// As Go's %g with the fewest digits: an exponent from the seventh digit before the point, or the fifth after it.
function formatShortestFloat(value: number): string {
  const { sign, digits, exponent } = decompose(value);
  return exponent < -4 || exponent >= 6 ? withExponent(sign, digits, exponent, 2) : withPoint(sign, digits, exponent);
}
