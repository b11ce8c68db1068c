// Regular expressions: `matches`, `find` and `findAll`.
import { compileRegex, type Regex } from "../../regex/regex.ts";
import { RegexError } from "../../regex/syntax.ts";
import { type FunctionDeclaration, global, member } from "../declarations.ts";
import type { Frame } from "../frame.ts";
import { BOOL, INT, listOf, STRING } from "../types.ts";
import { ArrayList, type CelList, fail } from "../values.ts";

function regexOf(pattern: string, prefix = ""): Regex {
  const regex = compileRegex(pattern);
  return regex instanceof RegexError ? fail(`${prefix}${regex.message}`) : regex;
}

function matches(this: Frame, text: string, pattern: string): boolean {
  return regexOf(pattern).test(text, this);
}

function find(this: Frame, text: string, pattern: string): string {
  const match = regexOf(pattern, "Illegal regex: ").find(text, 0, this);
  return match === undefined ? "" : text.slice(match.start, match.end);
}

function findAll(this: Frame, text: string, pattern: string, limit = -1n): CelList {
  return new ArrayList(regexOf(pattern, "Illegal regex: ").findAll(text, Number(limit), this));
}

export const PATTERNS: readonly FunctionDeclaration[] = [
  global("matches", "matches", [STRING, STRING], BOOL, matches),
  member("matches", "matches_string", [STRING, STRING], BOOL, matches),
  member("find", "string_find_string", [STRING, STRING], STRING, find),
  member("findAll", "string_find_all_string", [STRING, STRING], listOf(STRING), findAll),
  member("findAll", "string_find_all_string_int", [STRING, STRING, INT], listOf(STRING), findAll),
];
