// What the text of a plain scalar means, under the two readings that Kubernetes tools use.
//
// `kubectl` and the API server read YAML 1.1 booleans (`yes`, `on`, `y`) but no sexagesimal numbers and no dates;
// kustomize reads files with the YAML 1.2 core and dates. Integers are exact up to 64 bits in both.

export type ScalarValue = string | number | bigint | boolean | null;

export type CoreTag = "!!str" | "!!int" | "!!float" | "!!bool" | "!!null" | "!!timestamp" | "!!merge";

const MAX_UINT64 = 18446744073709551615n;
const MIN_INT64 = -9223372036854775808n;

const NULLS = new Set(["", "~", "null", "Null", "NULL"]);
const TRUE_1_2 = new Set(["true", "True", "TRUE"]);
const FALSE_1_2 = new Set(["false", "False", "FALSE"]);
const TRUE_1_1 = new Set(["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"]);
const FALSE_1_1 = new Set(["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"]);
const SPECIAL_FLOATS = new Map<string, number>([
  [".nan", Number.NaN],
  [".NaN", Number.NaN],
  [".NAN", Number.NaN],
  [".inf", Number.POSITIVE_INFINITY],
  [".Inf", Number.POSITIVE_INFINITY],
  [".INF", Number.POSITIVE_INFINITY],
  ["+.inf", Number.POSITIVE_INFINITY],
  ["+.Inf", Number.POSITIVE_INFINITY],
  ["+.INF", Number.POSITIVE_INFINITY],
  ["-.inf", Number.NEGATIVE_INFINITY],
  ["-.Inf", Number.NEGATIVE_INFINITY],
  ["-.INF", Number.NEGATIVE_INFINITY],
]);

const SMALL_INTEGER = /^(?:0|-?[1-9][0-9]{0,14})$/;
const INTEGER = /^([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))$/;
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
// Unlike in numbers that begin with a digit, an underscore counts only between digits here.
const DOT_FLOAT = /^\.[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+(?:_[0-9]+)*)?$/;
const SEXAGESIMAL = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;
const DATE = /^([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})$/;
const DATE_TIME =
  /^([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:([Tt])([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:[.,]([0-9]+))?(Z|[-+][0-9]{2}:[0-9]{2})| ([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:[.,]([0-9]+))?)$/;

/** The value of an untagged plain scalar as the API server and kubectl read it; a date stays text. */
export function readKubernetesScalar(text: string): ScalarValue {
  switch (hintOf(text)) {
    case "text":
      return text;
    case "word":
      if (NULLS.has(text)) return null;
      if (TRUE_1_1.has(text)) return true;
      if (FALSE_1_1.has(text)) return false;
      return text;
    case "dot":
      return SPECIAL_FLOATS.get(text) ?? readDotFloat(text) ?? text;
    case "number":
      return SPECIAL_FLOATS.get(text) ?? readNumber(text) ?? text;
  }
}

/** The tag and value of an untagged plain scalar under the YAML 1.2 core with dates, as kustomize reads resources. */
export function readCoreScalar(text: string): { readonly tag: CoreTag; readonly value: ScalarValue } {
  if (text === "<<") return { tag: "!!merge", value: text };
  const hint = hintOf(text);
  if (hint === "text") return { tag: "!!str", value: text };
  if (hint === "word") {
    if (NULLS.has(text)) return { tag: "!!null", value: null };
    if (TRUE_1_2.has(text)) return { tag: "!!bool", value: true };
    if (FALSE_1_2.has(text)) return { tag: "!!bool", value: false };
    return { tag: "!!str", value: text };
  }
  const special = SPECIAL_FLOATS.get(text);
  if (special !== undefined) return { tag: "!!float", value: special };
  if (hint === "dot") {
    const value = readDotFloat(text);
    return value === undefined ? { tag: "!!str", value: text } : { tag: "!!float", value };
  }
  const time = readTimestamp(text);
  if (time !== undefined) return { tag: "!!timestamp", value: time };
  const integer = readInteger(text.replaceAll("_", ""));
  if (integer !== undefined) return { tag: "!!int", value: integer };
  const float = readFloat(text.replaceAll("_", ""));
  if (float !== undefined) return { tag: "!!float", value: float };
  const signed = readSignAfterPrefix(text, SIGN_AFTER_PREFIX);
  return signed === undefined ? { tag: "!!str", value: text } : { tag: "!!int", value: signed };
}

/** True when `text`, written without quotes, would be read as something other than this text by any YAML 1.1 tool. */
export function looksLikeAnotherType(text: string): boolean {
  switch (hintOf(text)) {
    case "text":
      return false;
    case "word":
      return NULLS.has(text) || TRUE_1_1.has(text) || FALSE_1_1.has(text);
    case "dot":
      return SPECIAL_FLOATS.has(text) || readDotFloat(text) !== undefined;
    case "number":
      return (
        SPECIAL_FLOATS.has(text) ||
        readNumber(text) !== undefined ||
        readTimestamp(text) !== undefined ||
        SEXAGESIMAL.test(text)
      );
  }
}

/** A decimal, hexadecimal, octal or binary integer of at most 64 bits; beyond 2^53 as bigint. */
export function readInteger(text: string): number | bigint | undefined {
  if (SMALL_INTEGER.test(text)) return Number(text);
  const match = INTEGER.exec(text);
  if (match === null) return undefined;
  const [, sign, hex, binary, octal, decimal] = match;
  const size =
    hex !== undefined
      ? BigInt(`0x${hex}`)
      : binary !== undefined
        ? BigInt(`0b${binary}`)
        : octal !== undefined
          ? BigInt(`0o${octal}`)
          : BigInt(decimal ?? "0");
  const value = sign === "-" ? -size : size;
  // A sign rules out the unsigned reading, so +9223372036854775808 is no integer although it fits 64 bits.
  if (value < MIN_INT64 || value > (sign === "" ? MAX_UINT64 : 9223372036854775807n)) return undefined;
  return value >= -9007199254740991n && value <= 9007199254740991n ? Number(value) : value;
}

/** A finite decimal floating-point number. */
export function readFloat(text: string): number | undefined {
  if (!FLOAT.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** A date, or date and time, in its RFC 3339 form; `undefined` when the text is neither. A missing zone is UTC. */
export function readTimestamp(text: string): string | undefined {
  const date = DATE.exec(text);
  if (date !== null) {
    return isDay(date[1]!, date[2]!, date[3]!) ? `${isoDate(date[1]!, date[2]!, date[3]!)}T00:00:00Z` : undefined;
  }
  const match = DATE_TIME.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, t] = match;
  if (!isDay(year!, month!, day!)) return undefined;
  const [hour, minute, second, fraction] = t === undefined ? match.slice(10, 14) : match.slice(5, 9);
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  const zone = match[9];
  if (zone !== undefined && zone !== "Z" && (Number(zone.slice(1, 3)) > 24 || Number(zone.slice(4)) > 59)) {
    return undefined;
  }
  const digits = (fraction ?? "").slice(0, 9).replace(/0+$/, "");
  const clock = `${pad2(hour!)}:${pad2(minute!)}:${pad2(second!)}${digits === "" ? "" : `.${digits}`}`;
  const suffix = zone === undefined || /^[-+]00:00$/.test(zone) ? "Z" : zone;
  return `${isoDate(year!, month!, day!)}T${clock}${suffix}`;
}

type Hint = "text" | "word" | "dot" | "number";

// The first character decides what a scalar can be at all, which spares most text every further test.
function hintOf(text: string): Hint {
  if (text === "") return "word";
  const code = text.charCodeAt(0);
  if ((code >= 48 && code <= 57) || code === 43 || code === 45) return "number";
  if (code === 46) return "dot";
  return "yYnNtTfFoO~".includes(text.charAt(0)) && text.length <= 5 ? "word" : "text";
}

function readDotFloat(text: string): number | undefined {
  if (!DOT_FLOAT.test(text)) return undefined;
  const value = Number(text.replaceAll("_", ""));
  return Number.isFinite(value) ? value : undefined;
}

function readNumber(text: string): number | bigint | undefined {
  const plain = text.includes("_") ? text.replaceAll("_", "") : text;
  return readInteger(plain) ?? readFloat(plain) ?? readSignAfterPrefix(plain, SIGN_AFTER_BINARY_PREFIX);
}

// As go-yaml: `0b-1` is minus one, and for version 3 `0o-7` is minus seven.
const SIGN_AFTER_PREFIX = /^(0[bo])([-+])([0-7]+)$/;
const SIGN_AFTER_BINARY_PREFIX = /^(0b)([-+])([01]+)$/;

function readSignAfterPrefix(text: string, form: RegExp): number | bigint | undefined {
  const match = text.startsWith("0") ? form.exec(text.replaceAll("_", "")) : null;
  return match === null ? undefined : readInteger(`${match[2]}${match[1]}${match[3]}`);
}

function isDay(year: string, month: string, day: string): boolean {
  const m = Number(month);
  if (m < 1 || m > 12) return false;
  const d = Number(day);
  return d >= 1 && d <= new Date(Date.UTC(2000 + (Number(year) % 400), m, 0)).getUTCDate();
}

function isoDate(year: string, month: string, day: string): string {
  return `${year}-${pad2(month)}-${pad2(day)}`;
}

function pad2(text: string): string {
  return text.padStart(2, "0");
}
