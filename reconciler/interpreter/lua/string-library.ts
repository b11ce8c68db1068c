// The library `string` of Karmada's sandbox. What can blow a string up is there and raises; the rest refuses inputs over
// 1,000,000 bytes.

import { checkCount, checkInteger, checkString, optionalInteger } from "./arguments.ts";
import { bytesOfText, hasHighBytes, textOfBytes } from "./byte-strings.ts";
import { formatValues } from "./format.ts";
import { allocateText } from "./operators.ts";
import { findPattern, findPatterns, type PatternMatch } from "./pattern-matcher.ts";
import { LibraryFunction, type NativeFunction, type Runtime } from "./runtime.ts";
import { isTruthy, type LuaResult, LuaUserdata, type LuaValue, LuaValues, NO_VALUES, resultOf } from "./values.ts";

const MAX_INPUT = 1_000_000;

export const STRING_FUNCTIONS: Readonly<Record<string, NativeFunction>> = {
  byte: stringByte,
  char: (args, runtime) => {
    allocateText(args.length, runtime);
    let text = "";
    for (let position = 1; position <= args.length; position++) {
      text += String.fromCharCode(((checkInteger(args, position, runtime) % 256) + 256) % 256);
    }
    return text;
  },
  dump: unsupported("dump"),
  find: stringFind,
  format: (args, runtime) => formatValues(input(args, 1, runtime), args.slice(1), runtime),
  gfind: stringGmatch,
  gmatch: stringGmatch,
  gsub: unsupported("gsub"),
  len: (args, runtime) => checkString(args, 1, runtime).length,
  lower: (args, runtime) => mapCase(made(input(args, 1, runtime), runtime), lowerCase),
  match: stringMatch,
  rep: unsupported("rep"),
  reverse: (args, runtime) => {
    const text = made(input(args, 1, runtime), runtime);
    let reversed = "";
    for (let at = text.length - 1; at >= 0; at--) reversed += text[at];
    runtime.take(text.length >> 4);
    return reversed;
  },
  sub: (args, runtime) => {
    const text = input(args, 1, runtime);
    const start = startIndex(text, checkInteger(args, 2, runtime));
    let end = optionalInteger(args, 3, -1, runtime);
    if (end < 0) end += text.length + 1;
    end = Math.min(Math.max(end, 0), text.length);
    if (start >= text.length || end < start) return "";
    allocateText(end - start, runtime);
    return text.slice(start, end);
  },
  upper: (args, runtime) => mapCase(made(input(args, 1, runtime), runtime), upperCase),
};

function unsupported(name: string): NativeFunction {
  return (_args, runtime) => {
    throw runtime.error(
      `The Lua function string.${name} is not supported by Karmada. If you believe this function is essential for your use case, please submit an issue to let us know why you need it.`,
    );
  };
}

/** A string argument no longer than the sandbox allows. */
function input(args: readonly LuaValue[], position: number, runtime: Runtime): string {
  const text = checkString(args, position, runtime);
  if (text.length > MAX_INPUT) {
    throw runtime.error(
      `string length ${text.length} exceeds the maximum allowed input string length ${MAX_INPUT} in Karmada lua string lib, please check your lua script.`,
    );
  }
  return text;
}

function made(text: string, runtime: Runtime): string {
  allocateText(text.length, runtime);
  return text;
}

// The index from 0 of a first position; 0 counts as 1, and negative positions from the end.
function startIndex(text: string, position: number): number {
  let index = position === 0 ? 0 : position - 1;
  if (index < 0) index += text.length + 1;
  return Math.max(index, 0);
}

function stringByte(args: LuaValue[], runtime: Runtime): LuaResult {
  const text = input(args, 1, runtime);
  let start = optionalInteger(args, 2, 1, runtime) - 1;
  let end = optionalInteger(args, 3, -1, runtime);
  if (start < 0) start += text.length + 1;
  if (end < 0) end += text.length + 1;
  if (args.length === 2) return start < 0 || start >= text.length ? NO_VALUES : text.charCodeAt(start);
  start = Math.max(start, 0);
  end = Math.min(end, text.length);
  if (end <= start) return NO_VALUES;
  checkCount(end - start, runtime);
  return resultOf(Array.from({ length: end - start }, (_, offset) => text.charCodeAt(start + offset)));
}

function stringFind(args: LuaValue[], runtime: Runtime): LuaResult {
  const text = input(args, 1, runtime);
  const pattern = input(args, 2, runtime);
  if (pattern === "") return new LuaValues([1, 0]);
  const from = startIndex(text, optionalInteger(args, 3, 1, runtime));
  if (args.length === 4 && isTruthy(args[3])) {
    if (from > text.length) throw runtime.error(`start ${from} is behind the end of the string`);
    runtime.take(text.length >> 6);
    const at = text.indexOf(pattern, from);
    return at < 0 ? undefined : new LuaValues([at + 1, at + pattern.length]);
  }
  const match = findPattern(text, pattern, from, runtime);
  return match === undefined ? undefined : new LuaValues([match.start + 1, match.end, ...match.captures]);
}

function stringMatch(args: LuaValue[], runtime: Runtime): LuaResult {
  const text = input(args, 1, runtime);
  const pattern = input(args, 2, runtime);
  let from = optionalInteger(args, 3, 1, runtime);
  if (from < 0) from += text.length + 1;
  const match = findPattern(text, pattern, Math.max(from - 1, 0), runtime);
  // As gopher-lua: without a match there is no value, not nil.
  return match === undefined ? NO_VALUES : capturesOf(text, match);
}

function capturesOf(text: string, { start, end, captures }: PatternMatch): LuaResult {
  return captures.length === 0 ? text.slice(start, end) : resultOf(captures);
}

interface Matches {
  readonly text: string;
  readonly matches: readonly PatternMatch[];
  next: number;
}

function stringGmatch(args: LuaValue[], runtime: Runtime): LuaResult {
  const text = input(args, 1, runtime);
  const matches = findPatterns(text, input(args, 2, runtime), 0, -1, runtime);
  return new LuaValues([nextMatch, new LuaUserdata({ text, matches, next: 0 } satisfies Matches)]);
}

const nextMatch = new LibraryFunction((args, runtime) => {
  const [state] = args;
  if (!(state instanceof LuaUserdata)) throw runtime.argumentError(1, "userdata expected");
  // The only userdata there are.
  const found = state.content as Matches;
  const match = found.matches[found.next++];
  return match === undefined ? NO_VALUES : capturesOf(found.text, match);
});

// Letters beyond ASCII have cases too, as in Go: a letter whose other case is no single letter keeps its own.
function mapCase(bytes: string, map: (text: string) => string): string {
  if (!hasHighBytes(bytes)) return map(bytes);
  return bytesOfText(Array.from(textOfBytes(bytes), (letter) => mapLetter(letter, map)).join(""));
}

function mapLetter(letter: string, map: (text: string) => string): string {
  if (letter === "\u0130" && map === lowerCase) return "i";
  const mapped = map(letter);
  return [...mapped].length === 1 ? mapped : letter;
}

function lowerCase(text: string): string {
  return text.toLowerCase();
}

function upperCase(text: string): string {
  return text.toUpperCase();
}
