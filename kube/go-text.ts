// Values as Go prints them, for messages whose text clients know.

import { isUtf8 } from "node:buffer";

const MAP = "map[string]interface {}";
const LIST = "[]interface {}";

/** A text in the form of `%q`: in double quotes, with Go's escapes. */
export function quoteGo(text: string): string {
  return JSON.stringify(text)
    .replace(/\\u00([0-9a-f]{2})/g, (_, code: string) => (code === "07" ? "\\a" : code === "0b" ? "\\v" : `\\x${code}`))
    .replace(UNPRINTABLE, (char) => {
      const code = char.codePointAt(0) ?? 0;
      if (code < 0x80) return `\\x${code.toString(16)}`;
      return code > 0xffff ? `\\U${code.toString(16).padStart(8, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
    });
}

const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu;

/** A value in the form of `%v`: `map[a:1 b:[x y]]`. */
export function goText(value: unknown): string {
  if (value === null || value === undefined) return "<nil>";
  if (Array.isArray(value)) return `[${value.map(goText).join(" ")}]`;
  if (!isMap(value)) return String(value);
  const parts = sortedKeys(value).map((key) => `${key}:${goText(value[key])}`);
  return `map[${parts.join(" ")}]`;
}

/** A value in the form of `%#v`: `map[string]interface {}{"a":1}`. */
export function goSyntax(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (value === null || value === undefined) return "interface {}(nil)";
  if (Array.isArray(value)) return `${LIST}{${value.map(goSyntax).join(", ")}}`;
  if (!isMap(value)) return String(value);
  const parts = sortedKeys(value).map((key) => `${JSON.stringify(key)}:${goSyntax(value[key])}`);
  return `${MAP}{${parts.join(", ")}}`;
}

/** The type of decoded JSON in the form of `%T`. */
export function goType(value: unknown): string {
  switch (typeof value) {
    case "string":
      return "string";
    case "boolean":
      return "bool";
    case "bigint":
      return "int64";
    case "number":
      return Number.isInteger(value) ? "int64" : "float64";
    default:
      if (value === null || value === undefined) return "<nil>";
      return Array.isArray(value) ? LIST : MAP;
  }
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function sortedKeys(value: Record<string, unknown>): string[] {
  return Object.keys(value).sort();
}

/** Bytes as Go writes a string in JSON: every byte that is not part of UTF-8 becomes U+FFFD. */
export function goJsonText(bytes: Uint8Array): string {
  if (isUtf8(bytes)) return Buffer.from(bytes).toString("utf8");
  let text = "";
  for (let at = 0; at < bytes.length; ) {
    const length = [1, 2, 3, 4].find((size) => at + size <= bytes.length && isUtf8(bytes.subarray(at, at + size)));
    text += length === undefined ? "\ufffd" : Buffer.from(bytes.subarray(at, at + length)).toString("utf8");
    at += length ?? 1;
  }
  return text;
}
