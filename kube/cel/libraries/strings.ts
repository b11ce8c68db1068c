// Functions of texts beyond the language's own.
import { GO_ESCAPES } from "../../go-escapes.ts";
import { type FunctionDeclaration, global, member } from "../declarations.ts";
import { codePoints } from "../source.ts";
import { DYN, INT, listOf, STRING } from "../types.ts";
import { ArrayList, type CelList, fail } from "../values.ts";
import { formatText } from "./string-format.ts";

/** Positions count code points; only texts with characters beyond the basic plane need the detour. */
function isSimple(text: string): boolean {
  return codePoints(text) === text.length;
}

function charAt(text: string, index: bigint): string {
  const chars = isSimple(text) ? text : Array.from(text);
  if (index < 0n || index > BigInt(chars.length)) return fail(`index out of range: ${index}`);
  return chars[Number(index)] ?? "";
}

function slice(text: string, start: bigint, end?: bigint): string {
  const length = BigInt(codePoints(text));
  if (end !== undefined && start > end) return fail(`invalid substring range. start: ${start}, end: ${end}`);
  for (const index of [start, end ?? start]) {
    if (index < 0n || index > length) return fail(`index out of range: ${index}`);
  }
  const to = Number(end ?? length);
  return isSimple(text) ? text.slice(Number(start), to) : Array.from(text).slice(Number(start), to).join("");
}

function unitOf(text: string, codePoint: number): number {
  return isSimple(text) ? codePoint : Array.from(text).slice(0, codePoint).join("").length;
}

function indexOf(text: string, part: string, offset = 0n): bigint {
  if (part === "") return offset;
  if (offset < 0n) return fail(`index out of range: ${offset}`);
  if (offset >= BigInt(codePoints(text))) return -1n;
  const unit = text.indexOf(part, unitOf(text, Number(offset)));
  return unit < 0 ? -1n : BigInt(codePoints(text.slice(0, unit)));
}

function lastIndexOf(text: string, part: string): bigint {
  if (part === "") return BigInt(codePoints(text));
  const unit = text.lastIndexOf(part);
  return unit < 0 ? -1n : BigInt(codePoints(text.slice(0, unit)));
}

function lastIndexOfBefore(text: string, part: string, offset: bigint): bigint {
  if (part === "") return offset;
  if (offset < 0n) return fail(`index out of range: ${offset}`);
  if (offset >= BigInt(codePoints(text))) return -1n;
  const unit = text.lastIndexOf(part, unitOf(text, Number(offset)));
  return unit < 0 ? -1n : BigInt(codePoints(text.slice(0, unit)));
}

function replace(text: string, old: string, by: string, count = -1n): string {
  if (old === by || count === 0n) return text;
  if (count < 0n) return old === "" ? interleave(text, by, Number.POSITIVE_INFINITY) : text.replaceAll(old, () => by);
  if (old === "") return interleave(text, by, Number(count));
  const parts = text.split(old);
  const limit = Number(count);
  if (parts.length - 1 <= limit) return parts.join(by);
  return [...parts.slice(0, limit), parts.slice(limit).join(old)].join(by);
}

/** `by` before each of the first characters, and at the end when all had their turn. */
function interleave(text: string, by: string, count: number): string {
  const chars = Array.from(text);
  const head = chars.slice(0, count).map((char) => by + char);
  const rest = chars.slice(count);
  return head.join("") + (head.length < count ? by : "") + rest.join("");
}

function split(text: string, separator: string, limit = -1n): CelList {
  if (limit === 0n) return new ArrayList([]);
  const parts = separator === "" ? Array.from(text) : text.split(separator);
  const max = Number(limit);
  if (max < 0 || parts.length <= max) return new ArrayList(parts);
  return new ArrayList([...parts.slice(0, max - 1), parts.slice(max - 1).join(separator)]);
}

function join(list: CelList, separator = ""): string {
  const parts: string[] = [];
  for (const item of list) {
    if (typeof item !== "string") return fail(`join: invalid input: ${String(item)}`);
    parts.push(item);
  }
  return parts.join(separator);
}

function quote(text: string): string {
  return `"${Array.from(text.toWellFormed(), (char) => GO_ESCAPES[char] ?? char).join("")}"`;
}

/** Space as Go knows it: Unicode's White_Space, which leaves out the byte order mark. */
const SPACE = "[\\t\\n\\v\\f\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";
const LEADING = new RegExp(`^${SPACE}+`);
const SPACE_CHAR = new RegExp(SPACE);

/** Without the space around. */
export function trimSpace(text: string): string {
  let end = text.length;
  while (end > 0 && SPACE_CHAR.test(text[end - 1]!)) end -= 1;
  return text.slice(0, end).replace(LEADING, "");
}

export const STRINGS: readonly FunctionDeclaration[] = [
  member("charAt", "string_char_at_int", [STRING, INT], STRING, charAt),
  member("indexOf", "string_index_of_string", [STRING, STRING], INT, indexOf),
  member("indexOf", "string_index_of_string_int", [STRING, STRING, INT], INT, indexOf),
  member("lastIndexOf", "string_last_index_of_string", [STRING, STRING], INT, lastIndexOf),
  member("lastIndexOf", "string_last_index_of_string_int", [STRING, STRING, INT], INT, lastIndexOfBefore),
  member("lowerAscii", "string_lower_ascii", [STRING], STRING, (text: string) =>
    text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()),
  ),
  member("replace", "string_replace_string_string", [STRING, STRING, STRING], STRING, replace),
  member("replace", "string_replace_string_string_int", [STRING, STRING, STRING, INT], STRING, replace),
  member("split", "string_split_string", [STRING, STRING], listOf(STRING), split),
  member("split", "string_split_string_int", [STRING, STRING, INT], listOf(STRING), split),
  member("substring", "string_substring_int", [STRING, INT], STRING, slice),
  member("substring", "string_substring_int_int", [STRING, INT, INT], STRING, slice),
  member("trim", "string_trim", [STRING], STRING, trimSpace),
  member("upperAscii", "string_upper_ascii", [STRING], STRING, (text: string) =>
    text.replace(/[a-z]+/g, (letters) => letters.toUpperCase()),
  ),
  member("format", "string_format", [STRING, listOf(DYN)], STRING, formatText),
  global("strings.quote", "strings_quote", [STRING], STRING, quote),
  member("join", "list_join", [listOf(STRING)], STRING, join),
  member("join", "list_join_string", [listOf(STRING), STRING], STRING, join),
];
