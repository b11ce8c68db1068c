// `string.format`, which in gopher-lua is Go's `fmt.Sprintf` over the values of Lua: with Go's verbs, Go's padding and Go's
// complaints inside the text.

import { GO_ESCAPES } from "../../../kube/go-escapes.ts";
import { bytesOfText, hasHighBytes, lettersOf, textOfBytes } from "./byte-strings.ts";
import { type Directive, formatFloat, formatInteger, padded } from "./format-numbers.ts";
import { isInt64, parseNumber, toInteger } from "./numbers.ts";
import { allocateText, textOf } from "./operators.ts";
import type { Runtime } from "./runtime.ts";
import { LuaFunction, LuaTable, type LuaValue } from "./values.ts";

/** Go takes no wider field and no longer precision. */
const MAX_SIZE = 1_000_000;
const DIRECTIVE = /%([-+# 0]*)(?:\[(\d+)\])?(\*|\d+)?(?:\.(\*|\d*))?(?:\[(\d+)\])?((?:[\xc2-\xf4][\x80-\xbf]+|.)?)/gs;

/** The format with the values in it. */
export function formatValues(format: string, values: readonly LuaValue[], runtime: Runtime): string {
  const wanted = format.split("%").length - 1 - (format.split("%%").length - 1);
  return new Formatter(values.slice(0, wanted), runtime).format(format);
}

class Formatter {
  readonly #values: readonly LuaValue[];
  readonly #runtime: Runtime;
  #next = 0;
  #reordered = false;

  constructor(values: readonly LuaValue[], runtime: Runtime) {
    this.#values = values;
    this.#runtime = runtime;
  }

  format(format: string): string {
    allocateText(format.length, this.#runtime);
    const text = format.replace(DIRECTIVE, (...match: (string | undefined)[]) => this.#replace(match.slice(1, 7)));
    if (this.#reordered || this.#next >= this.#values.length) return text;
    const extra = this.#values.slice(this.#next).map((value) => `${goType(value)}=${textOf(value)}`);
    return `${text}%!(EXTRA ${extra.join(", ")})`;
  }

  #replace([flags = "", first, width, precision, second, verb = ""]: (string | undefined)[]): string {
    this.#runtime.take(1);
    this.#point(first);
    const wide = this.#size(width, "%!(BADWIDTH)");
    const precise = this.#size(precision === "" ? "0" : precision, "%!(BADPREC)");
    this.#point(second);
    const complaints = wide.complaint + precise.complaint;
    if (verb === "") return `${complaints}%!(NOVERB)`;
    if (verb === "%") return `${complaints}%`;
    const at = this.#next++;
    if (at < 0) return `${complaints}%!${verb}(BADINDEX)`;
    if (at >= this.#values.length) return `${complaints}%!${verb}(${this.#reordered ? "BADINDEX" : "MISSING"})`;
    const directive: Directive = {
      minus: flags.includes("-"),
      plus: flags.includes("+"),
      sharp: flags.includes("#"),
      space: flags.includes(" "),
      zero: flags.includes("0") && !flags.includes("-"),
      width: wide.size,
      precision: precise.size,
    };
    allocateText(Math.max(wide.size ?? 0, precise.size ?? 0), this.#runtime);
    const text = this.#value(verb, directive, this.#values[at]);
    allocateText(text.length, this.#runtime);
    return complaints + text;
  }

  #point(index: string | undefined): void {
    if (index === undefined) return;
    this.#reordered = true;
    const number = Number(index);
    this.#next = number >= 1 && number <= this.#values.length ? number - 1 : -1;
  }

  // No value of Lua is the integer that Go wants for a `*`.
  #size(
    text: string | undefined,
    complaint: string,
  ): { readonly size: number | undefined; readonly complaint: string } {
    if (text === undefined) return { size: undefined, complaint: "" };
    if (text === "*") {
      this.#next++;
      return { size: undefined, complaint };
    }
    const size = Number(text);
    return size > MAX_SIZE ? { size: undefined, complaint } : { size, complaint: "" };
  }

  #value(verb: string, directive: Directive, value: LuaValue): string {
    if (verb === "T") return this.#text("s", directive, goType(value));
    if (verb === "p" && !(value instanceof LuaTable || value instanceof LuaFunction))
      return this.#bad(verb, directive, value);
    if (typeof value === "number") return this.#number(verb, directive, value);
    if (typeof value === "string") return this.#string(verb, directive, value);
    if (typeof value === "boolean" && (verb === "t" || verb === "v")) return padded(String(value), directive);
    if ("vsxXq".includes(verb)) return this.#text(verb, directive, textOf(value));
    if (verb === "p") return this.#text("s", directive, textOf(value).replace(/^\w+: /, ""));
    if (typeof value === "boolean") return this.#bad(verb, directive, value);
    // Go goes on into the memory of the value.
    return value === undefined ? "&{}" : `&{${textOf(value)}}`;
  }

  #number(verb: string, directive: Directive, value: number): string {
    switch (verb) {
      case "q":
      case "s":
        return this.#text(verb, directive, textOf(value));
      case "i":
        return formatInteger("d", directive, BigInt(toInteger(value)));
      case "b":
      case "c":
      case "d":
      case "o":
      case "x":
      case "X":
      case "U":
        return formatInteger(verb, directive, BigInt(toInteger(value)));
      case "e":
      case "E":
      case "f":
      case "F":
      case "g":
      case "G":
        return formatFloat(verb, directive, value);
    }
    if (isInt64(value)) {
      if (verb === "v" || verb === "O") return formatInteger(verb, directive, BigInt(value));
      return `%!${verb}(int64=${formatInteger("v", directive, BigInt(value))})`;
    }
    if (verb === "v") return formatFloat("g", directive, value);
    return `%!${verb}(float64=${formatFloat("g", directive, value)})`;
  }

  #string(verb: string, directive: Directive, value: string): string {
    if (verb === "d" || verb === "i") {
      // As gopher-lua: a text that spells no number counts as 0, one that does stays as it is.
      if (parseNumber(value) === undefined) return this.#number("d", directive, 0);
      return this.#text("s", directive, value);
    }
    if ("vsxXq".includes(verb)) return this.#text(verb, directive, value);
    return `%!${verb}(string=${this.#text("s", directive, value)})`;
  }

  #text(verb: string, directive: Directive, value: string): string {
    const { precision } = directive;
    const bytes = precision === undefined || verb === "x" || verb === "X" ? value : firstLetters(value, precision);
    switch (verb) {
      case "q":
        return padded(quoted(bytes, directive), directive);
      case "x":
      case "X":
        return padded(hexadecimal(bytes.slice(0, precision), verb, directive), directive);
      default:
        return padded(bytes, directive);
    }
  }

  #bad(verb: string, directive: Directive, value: LuaValue): string {
    return `%!${verb}(${goType(value)}=${this.#value("v", directive, value)})`;
  }
}

function goType(value: LuaValue): string {
  switch (typeof value) {
    case "undefined":
      return "*lua.LNilType";
    case "boolean":
      return "lua.LBool";
    case "number":
      return "lua.LNumber";
    case "string":
      return "lua.LString";
    case "object":
      return value instanceof LuaTable
        ? "*lua.LTable"
        : value instanceof LuaFunction
          ? "*lua.LFunction"
          : "*lua.LUserData";
  }
}

// Precision counts letters, not bytes.
function firstLetters(bytes: string, count: number): string {
  if (!hasHighBytes(bytes)) return bytes.slice(0, count);
  return lettersOf(bytes).slice(0, count).join("");
}

const UNPRINTABLE = /^[\p{C}\p{Zl}\p{Zp}]$|^(?! )\p{Zs}$/u;

// In double quotes as Go does; with `#` in backquotes where they suffice, with `+` all in ASCII.
function quoted(bytes: string, { sharp, plus }: Directive): string {
  if (sharp && !/[`\x7f]|[^\P{C}\t]/u.test(textOfBytes(bytes))) return `\`${bytes}\``;
  const letters = lettersOf(bytes).map((letterBytes) => {
    const letter = textOfBytes(letterBytes);
    if (letter === "\ufffd" && letterBytes.length === 1) {
      return `\\x${letterBytes.charCodeAt(0).toString(16)}`;
    }
    const short = GO_ESCAPES[letter];
    if (short !== undefined) return short;
    const code = letter.codePointAt(0) ?? 0;
    if (code < 0x80) return UNPRINTABLE.test(letter) ? `\\x${code.toString(16).padStart(2, "0")}` : letter;
    if (!plus && !UNPRINTABLE.test(letter)) return bytesOfText(letter);
    return code > 0xffff ? `\\U${code.toString(16).padStart(8, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
  });
  return `"${letters.join("")}"`;
}

function hexadecimal(bytes: string, verb: "x" | "X", { sharp, space }: Directive): string {
  const pairs = Array.from(bytes, (byte) => byte.charCodeAt(0).toString(16).padStart(2, "0"));
  const prefix = sharp ? "0x" : "";
  const text = pairs.length === 0 ? "" : space ? pairs.map((pair) => prefix + pair).join(" ") : prefix + pairs.join("");
  return verb === "X" ? text.toUpperCase() : text;
}
