// What becomes of a text on its way into the output.
//
// As kustomize: an object is printed as YAML, read again, written as JSON, and that is read as YAML once more before the
// last printing. Each reading is exact for nearly all texts; here are those that change, and those that are refused.

import { goJsonText } from "../../../kube/go-text.ts";
import { isBlank, isBlankOrEnd, isBreak } from "../../../kube/yaml-characters.ts";
import { YamlCursor } from "../../../kube/yaml-cursor.ts";
import { scanBlock } from "../../../kube/yaml-scalar-scanner.ts";
import { readCoreScalar, readInteger, type ScalarValue } from "../../../kube/yaml-scalars.ts";
import { renderError } from "../../errors.ts";

/** The value of a text under an explicit tag; `undefined` when it is none. A tag of the file's own means text. */
export function readTagged(tag: string, text: string): ScalarValue | undefined {
  const found = readCoreScalar(text);
  switch (tag) {
    case "":
      return found.tag === "!!merge" ? text : found.value;
    case "!!null":
    case "!!bool":
    case "!!timestamp":
      return found.tag === tag ? found.value : undefined;
    case "!!int":
      // Only an untagged text is a time first.
      return found.tag === tag ? found.value : undefined;
    case "!!float": {
      if (found.tag === tag) return found.value;
      const integer = found.tag === "!!int" ? readInteger(text.replaceAll("_", "")) : undefined;
      return integer === undefined || integer > MAX_INT64 ? undefined : Number(integer);
    }
    case "!!binary": {
      const base64 = text.replace(/[\r\n]/g, "");
      return BASE64.test(base64) ? goJsonText(Buffer.from(base64, "base64")) : undefined;
    }
    default:
      return text;
  }
}

const MAX_INT64 = 9223372036854775807n;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** What a block of several lines is after it was printed in its style and read; `undefined` when that is the same. */
export function reprintBlock(text: string, style: "literal" | "folded"): string | null | undefined {
  if (text === "" || !isBlockText(text)) return undefined;
  if (text.startsWith("\t")) return null;
  if (style === "literal") return undefined;
  const again = scanBlock(new YamlCursor(printFolded(text)), -1);
  return again === text ? undefined : again;
}

/** Whether the tool prints a text as a block and not in quotes. */
function isBlockText(text: string): boolean {
  return !/ (?:[\n\u2028\u2029]|$)/.test(text) && !UNPRINTABLE.test(text);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the point
const UNPRINTABLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\ufeff\ufffe\uffff]|[\u{10000}-\u{10ffff}]/u;

function printFolded(text: string): string {
  const first = text.charCodeAt(0);
  const hint = first === 0x20 || isBreak(first) ? "2" : "";
  const end = text.length - 1;
  const endsInBreak = isBreak(text.charCodeAt(end));
  const chomping = !endsInBreak ? "-" : end === 0 || isBreak(text.charCodeAt(end - 1)) ? "+" : "";
  let body = "";
  let atStart = true;
  let isIndented = true;
  // The tool means to look at the line after a break, and looks at the first line of the text each time.
  const doubles = !isBlankOrEnd(firstContent(text));
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (isBreak(code)) {
      if (!atStart && !isIndented && code === 0x0a && doubles) body += "\n";
      body += text[at];
      atStart = true;
      continue;
    }
    if (atStart) {
      body += "  ";
      isIndented = isBlank(code);
    }
    body += text[at];
    atStart = false;
  }
  return `>${hint}${chomping}\n${body}${endsInBreak ? "" : "\n"}`;
}

function firstContent(text: string): number {
  let at = 0;
  while (at < text.length && isBreak(text.charCodeAt(at))) at += 1;
  return at < text.length ? text.charCodeAt(at) : -1;
}

/** A text as it comes back from JSON that is read as YAML: U+0085 stands there as it is, and is a line break. */
export function readJsonText(text: string): string {
  if (!UNUSUAL.test(text)) return text;
  if (UNREADABLE.test(text)) throw unrepresentable("holds a character that YAML forbids");
  if (/\u0085(?:---|\.\.\.)[ \u0085]/.test(text)) throw unrepresentable("has a line that ends a document");
  return text.replace(/ *\u0085[ \u0085]*/g, (space) => {
    const breaks = space.split("\u0085").length - 1;
    return breaks === 1 ? " " : "\n".repeat(breaks - 1);
  });
}

/** As `readJsonText` for a key, which has to be on one line and not too long. */
export function readJsonKey(key: string): string {
  if (key.length < SURELY_SHORT && !UNUSUAL.test(key)) return key;
  if (key.includes("\u0085")) throw unrepresentable("has a key with a line break");
  if (jsonLength(key) > LONGEST_JSON_KEY) throw unrepresentable("has a key of more than 1024 characters");
  return readJsonText(key);
}

// In JSON, controls below U+0020 are escaped; what else YAML forbids stands there as it is.
const UNREADABLE = /[\u007f-\u0084\u0086-\u009f\ufffe\uffff]/;
const UNUSUAL = /[\u007f-\u009f\ufffe\uffff]/;
/** An escaped character takes six. */
const SURELY_SHORT = 170;
const LONGEST_JSON_KEY = 1024;

function jsonLength(key: string): number {
  const escaped = JSON.stringify(key).replace(/[<>&\u2028\u2029]/g, "\\u0000");
  return Array.from(escaped).length;
}

/** A text that the real tool cannot print either. The text itself is not told: it may be a secret. */
export function unrepresentable(why: string): Error {
  return renderError("render-unrepresentable-value", `it ${why}`);
}
