// `"%s is %d".format([...])`.
import { formatDouble, toText } from "../conversions.ts";
import { plainNumber } from "../times.ts";
import {
  CelDuration,
  CelList,
  CelMap,
  CelTimestamp,
  CelTypeValue,
  CelUint,
  fail,
  typeNameOf,
  type Value,
} from "../values.ts";

/** A clause of a format: its letter and the digits after the point. */
export interface FormatClause {
  readonly verb: string;
  readonly precision: number | undefined;
}

export type FormatPart = string | FormatClause;

/** A format that cannot be read; `message` is what the reference says. */
export class FormatProblem {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

const VERBS = "sdfebxXo";
const DEFAULT_PRECISION = 6;

/**
 * The texts and clauses of a format, up to the first problem. `count` is how many values there are: more clauses than
 * that are a problem, found where they stand.
 */
export function* formatParts(format: string, count: number): Generator<FormatPart> {
  let used = 0;
  let at = 0;
  while (at < format.length) {
    const percent = format.indexOf("%", at);
    if (percent < 0) {
      yield format.slice(at);
      return;
    }
    if (percent > at) yield format.slice(at, percent);
    if (format[percent + 1] === "%") {
      yield "%";
      at = percent + 2;
      continue;
    }
    if (used >= count) throw new FormatProblem(`index ${used} out of range`);
    used += 1;
    if (percent + 1 >= format.length) throw new FormatProblem("unexpected end of string");
    const match = /^(?:\.([0-9]*))?/.exec(format.slice(percent + 1))!;
    const end = percent + 1 + match[0].length;
    const wrap = (why: string) => new FormatProblem(`could not parse formatting clause: ${why}`);
    if (match[1] !== undefined) {
      if (end >= format.length) throw wrap("error while parsing precision: could not find end of precision specifier");
      if (match[1] === "") {
        const why = 'error while converting precision to integer: strconv.Atoi: parsing "": invalid syntax';
        throw wrap(`error while parsing precision: ${why}`);
      }
    }
    const verb = format[end]!;
    if (!VERBS.includes(verb)) throw wrap(`unrecognized formatting clause "${verb}"`);
    yield { verb, precision: match[1] === undefined ? undefined : Number(match[1]) };
    at = end + 1;
  }
}

/** The types that a clause takes, and what is said of others. */
export const CLAUSE_RULES: Readonly<Record<string, { readonly types: readonly string[]; readonly problem: string }>> = {
  s: {
    types: [
      "string",
      "bool",
      "bytes",
      "int",
      "uint",
      "double",
      "map",
      "list",
      "type",
      "google.protobuf.Duration",
      "google.protobuf.Timestamp",
      "null_type",
    ],
    problem:
      "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps",
  },
  d: { types: ["int", "uint"], problem: "decimal clause can only be used on integers" },
  f: { types: ["double", "string"], problem: "fixed-point clause can only be used on doubles" },
  e: { types: ["double", "string"], problem: "scientific clause can only be used on doubles" },
  b: { types: ["int", "uint", "bool"], problem: "only integers and bools can be formatted as binary" },
  x: {
    types: ["int", "uint", "string", "bytes"],
    problem: "only integers, byte buffers, and strings can be formatted as hex",
  },
  o: { types: ["int", "uint"], problem: "octal clause can only be used on integers" },
};

/** The text with its clauses replaced by the values. */
export function formatText(format: string, values: CelList): string {
  let out = "";
  let index = 0;
  try {
    for (const part of formatParts(format, values.size)) {
      out += typeof part === "string" ? part : formatClause(part, values.at(index++));
    }
  } catch (error) {
    if (error instanceof FormatProblem) return fail(error.message);
    throw error;
  }
  return out;
}

function formatClause(clause: FormatClause, value: Value): string {
  const { verb } = clause;
  const rule = CLAUSE_RULES[verb.toLowerCase()]!;
  const type = typeNameOf(value);
  const wrong = (): never => fail(`error during formatting: ${rule.problem}, was given ${type}`);
  if (!rule.types.includes(type)) return wrong();
  switch (verb) {
    case "s":
      return formatValue(value);
    case "d":
      return toText(value);
    case "f":
    case "e": {
      const number = typeof value === "string" ? specialNumber(value) : (value as number);
      if (number === undefined) return wrong();
      const digits = clause.precision ?? DEFAULT_PRECISION;
      return verb === "f" ? fixed(number, digits) : scientific(number, digits);
    }
    case "b":
      return typeof value === "boolean" ? String(Number(value)) : integerOf(value).toString(2);
    case "o":
      return integerOf(value).toString(8);
    default: {
      const hex =
        typeof value === "string" || value instanceof Uint8Array
          ? Buffer.from(value as string).toString("hex")
          : integerOf(value).toString(16);
      return verb === "X" ? hex.toUpperCase() : hex;
    }
  }
}

function integerOf(value: Value): bigint {
  return value instanceof CelUint ? value.value : (value as bigint);
}

function specialNumber(text: string): number | undefined {
  if (text === "NaN") return Number.NaN;
  if (text === "Infinity") return Number.POSITIVE_INFINITY;
  return text === "-Infinity" ? Number.NEGATIVE_INFINITY : undefined;
}

function notFinite(value: number): string | undefined {
  if (Number.isNaN(value)) return "NaN";
  return Number.isFinite(value) ? undefined : value > 0 ? "∞" : "-∞";
}

/** As English prints numbers: thousands in groups. */
function fixed(value: number, digits: number): string {
  const special = notFinite(value);
  if (special !== undefined) return special;
  const [whole = "", fraction] = exactDigits(value, digits).split(".");
  const grouped = whole.replace(/(\d)(?=(?:\d{3})+$)/g, "$1,");
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

/** `toFixed` up to a hundred digits, also for large numbers. */
function exactDigits(value: number, digits: number): string {
  const text = Math.abs(value) < 1e21 ? value.toFixed(Math.min(digits, 100)) : plainNumber(value);
  return digits > 0 && !text.includes(".") ? `${text}.${"0".repeat(digits)}` : text;
}

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

function scientific(value: number, digits: number): string {
  const special = notFinite(value);
  if (special !== undefined) return special;
  const [mantissa = "", exponent = "0"] = value.toExponential(Math.min(digits, 100)).split("e");
  const power = Number(exponent);
  const raised = Array.from(String(Math.abs(power)).padStart(2, "0"), (digit) => SUPERSCRIPTS[Number(digit)]).join("");
  return `${mantissa}×10${power < 0 ? "⁻" : ""}${raised}`;
}

function formatValue(value: Value): string {
  if (value instanceof CelList) return formatList(value);
  if (value instanceof CelMap) return formatMap(value);
  return value === null ? "null" : toText(value);
}

function formatList(list: CelList): string {
  return `[${Array.from(list, formatMember).join(", ")}]`;
}

function formatMap(map: CelMap): string {
  const entries = map.keys().map((key) => {
    const isKey =
      typeof key === "string" || typeof key === "boolean" || typeof key === "bigint" || key instanceof CelUint;
    if (!isKey) return fail(`error during formatting: no formatting function for map key of type ${typeNameOf(key)}`);
    return [formatMember(key), formatMember(map.find(key)!)] as const;
  });
  entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `{${entries.map(([key, value]) => `${key}:${value}`).join(", ")}}`;
}

/** Inside lists and maps values are printed as literals. */
function formatMember(value: Value): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number") {
    return Number.isFinite(value) ? exactDigits(value, DEFAULT_PRECISION) : JSON.stringify(formatDouble(value));
  }
  if (value instanceof Uint8Array) return `b${JSON.stringify(toText(value))}`;
  if (value instanceof CelTimestamp) return `timestamp(${JSON.stringify(toText(value))})`;
  if (value instanceof CelDuration) return `duration(${JSON.stringify(toText(value))})`;
  const printable =
    value === null ||
    typeof value !== "object" ||
    value instanceof CelList ||
    value instanceof CelMap ||
    value instanceof CelUint ||
    value instanceof CelTypeValue;
  return printable
    ? formatValue(value)
    : fail(`error during formatting: no formatting function for ${typeNameOf(value)}`);
}
