// Names of anchors, tags and directives.

import { isUtf8 } from "node:buffer";
import { END, isBlank, isBlankOrEnd, isBreakOrEnd, isWordCharacter } from "./yaml-characters.ts";
import type { YamlCursor, YamlMark } from "./yaml-cursor.ts";

export interface TagText {
  /** `!`, `!!` or `!name!`; empty for a tag that is written in full. */
  readonly handle: string;
  readonly suffix: string;
}

/** The name after `&` or `*`. */
export function scanName(cursor: YamlCursor, start: YamlMark): string {
  cursor.offset += 1;
  const name = takeWord(cursor);
  const next = cursor.peek();
  if (name === "" || !(isBlankOrEnd(next) || "?:,]}%@`".includes(String.fromCharCode(next))))
    throw cursor.fail("did not find expected alphabetic or numeric character", start);
  return name;
}

export function scanTag(cursor: YamlCursor, start: YamlMark): TagText {
  const tag = cursor.peek(1) === 0x3c ? scanVerbatimTag(cursor, start) : scanShortTag(cursor, start);
  if (!isBlankOrEnd(cursor.peek())) throw cursor.fail("did not find expected whitespace or line break", start);
  return tag;
}

function scanVerbatimTag(cursor: YamlCursor, start: YamlMark): TagText {
  cursor.offset += 2;
  const suffix = scanUri(cursor, start, false);
  if (cursor.peek() !== 0x3e) throw cursor.fail("did not find the expected '>'", start);
  cursor.offset += 1;
  return { handle: "", suffix };
}

function scanShortTag(cursor: YamlCursor, start: YamlMark): TagText {
  const handle = scanHandle(cursor, start, false);
  if (handle.length > 1 && handle.endsWith("!")) return { handle, suffix: scanUri(cursor, start, false) };
  // What looked like the beginning of a handle belongs to the suffix of `!`.
  const suffix = handle.slice(1) + scanUri(cursor, start, true);
  return suffix === "" ? { handle: "", suffix: "!" } : { handle: "!", suffix };
}

export interface DirectiveText {
  readonly kind: "version-directive" | "tag-directive";
  /** The version as text, or the handle. */
  readonly text: string;
  /** The prefix that a handle stands for. */
  readonly suffix: string;
}

/** A line that begins with `%`, and its end. */
export function scanDirective(cursor: YamlCursor, start: YamlMark): DirectiveText {
  cursor.offset += 1;
  const name = takeWord(cursor);
  if (name === "") throw cursor.fail("could not find expected directive name", start);
  if (!isBlankOrEnd(cursor.peek())) throw cursor.fail("found unexpected non-alphabetical character", start);
  if (name !== "YAML" && name !== "TAG") throw cursor.fail("found unknown directive name", start);
  const directive: DirectiveText =
    name === "YAML"
      ? { kind: "version-directive", text: scanVersionDirective(cursor, start), suffix: "" }
      : scanTagDirective(cursor, start);
  while (isBlank(cursor.peek())) cursor.offset += 1;
  if (cursor.peek() === 0x23) cursor.skipLine();
  if (!isBreakOrEnd(cursor.peek())) throw cursor.fail("did not find expected comment or line break", start);
  if (cursor.peek() !== END) cursor.takeBreak();
  return directive;
}

function scanVersionDirective(cursor: YamlCursor, start: YamlMark): string {
  while (isBlank(cursor.peek())) cursor.offset += 1;
  const major = takeNumber(cursor, start);
  if (cursor.peek() !== 0x2e) throw cursor.fail("did not find expected digit or '.' character", start);
  cursor.offset += 1;
  return `${major}.${takeNumber(cursor, start)}`;
}

function scanTagDirective(cursor: YamlCursor, start: YamlMark): DirectiveText {
  while (isBlank(cursor.peek())) cursor.offset += 1;
  const handle = scanHandle(cursor, start, true);
  if (!isBlank(cursor.peek())) throw cursor.fail("did not find expected whitespace", start);
  while (isBlank(cursor.peek())) cursor.offset += 1;
  const suffix = scanUri(cursor, start, false);
  if (!isBlankOrEnd(cursor.peek())) throw cursor.fail("did not find expected whitespace or line break", start);
  return { kind: "tag-directive", text: handle, suffix };
}

function takeNumber(cursor: YamlCursor, start: YamlMark): number {
  const digits = /^[0-9]{0,3}/.exec(cursor.text.slice(cursor.offset, cursor.offset + 3))?.[0] ?? "";
  if (digits.length > 2) throw cursor.fail("found extremely long version number", start);
  if (digits === "") throw cursor.fail("did not find expected version number", start);
  cursor.offset += digits.length;
  return Number(digits);
}

function scanHandle(cursor: YamlCursor, start: YamlMark, inDirective: boolean): string {
  if (cursor.peek() !== 0x21) throw cursor.fail("did not find expected '!'", start);
  cursor.offset += 1;
  const handle = `!${takeWord(cursor)}`;
  if (cursor.peek() === 0x21) {
    cursor.offset += 1;
    return `${handle}!`;
  }
  if (inDirective && handle !== "!") throw cursor.fail("did not find expected '!'", start);
  return handle;
}

const URI_PUNCTUATION = ";/?:@&=+$,.!~*'()[]%";

function scanUri(cursor: YamlCursor, start: YamlMark, mayBeEmpty: boolean): string {
  let uri = "";
  let escaped: number[] = [];
  const flush = (): void => {
    const bytes = Buffer.from(escaped);
    if (!isUtf8(bytes)) throw cursor.fail("found an incorrect leading UTF-8 octet", start);
    uri += bytes.toString("utf8");
    escaped = [];
  };
  const from = cursor.offset;
  for (let code = cursor.peek(); ; code = cursor.peek()) {
    const char = code < 0 ? "" : String.fromCharCode(code);
    if (char === "" || !(isWordCharacter(code) || URI_PUNCTUATION.includes(char))) break;
    if (char !== "%") {
      flush();
      uri += char;
      cursor.offset += 1;
      continue;
    }
    const hex = /^%([0-9a-fA-F]{2})/.exec(cursor.text.slice(cursor.offset, cursor.offset + 3))?.[1];
    if (hex === undefined) throw cursor.fail("did not find URI escaped octet", start);
    escaped.push(Number.parseInt(hex, 16));
    cursor.offset += 3;
  }
  flush();
  if (cursor.offset === from && !mayBeEmpty) throw cursor.fail("did not find expected tag URI", start);
  return uri;
}

function takeWord(cursor: YamlCursor): string {
  const from = cursor.offset;
  while (isWordCharacter(cursor.peek())) cursor.offset += 1;
  return cursor.text.slice(from, cursor.offset);
}
