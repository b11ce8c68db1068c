// The grammar of a single path of Kubernetes' JSONPath.
import { AppError } from "../runtime/errors.ts";

/** One step from a list of values to the next. */
export type Step =
  | { readonly kind: "field"; readonly name: string }
  | { readonly kind: "wildcard" }
  | { readonly kind: "recursive" }
  | {
      readonly kind: "slice";
      readonly start: number | undefined;
      readonly end: number | undefined;
      readonly step: number;
    }
  | { readonly kind: "index"; readonly index: number }
  | { readonly kind: "union"; readonly branches: readonly Path[] }
  | { readonly kind: "filter"; readonly left: Operand; readonly operator: string | undefined; readonly right: Operand };

/** The steps of a path, first to last. */
export type Path = readonly Step[];

/** A side of a comparison in a filter. */
export type Operand =
  | { readonly path: Path; readonly fromRoot: boolean }
  | { readonly value: string | number | boolean | null };

/** The expression is not understood. */
export function jsonPathInvalid(message: string): AppError {
  return new AppError("jsonpath-invalid", message, { recovery: "stall" });
}

/** Reads a whole path; `fromRoot` when it starts with `$`. Throws `jsonpath-invalid`. */
export function parsePath(text: string): { path: Path; fromRoot: boolean } {
  return new PathParser(text).parseWhole();
}

class PathParser {
  readonly #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parseWhole(): { path: Path; fromRoot: boolean } {
    const fromRoot = this.#peek() === "$";
    if (fromRoot || this.#peek() === "@") this.#position++;
    const steps: Step[] = [];
    while (this.#position < this.#text.length) this.#parseStep(steps);
    return { path: steps, fromRoot };
  }

  #peek(): string {
    return this.#text.charAt(this.#position);
  }

  #parseStep(steps: Step[]): void {
    const character = this.#peek();
    if (character === "[") {
      steps.push(...this.#parseBrackets());
    } else if (character === ".") {
      this.#position++;
      if (this.#peek() === ".") {
        this.#position++;
        steps.push({ kind: "recursive" });
        if (this.#position >= this.#text.length) throw jsonPathInvalid("the path ends with ..");
      }
      if (this.#peek() !== "[" && this.#position < this.#text.length) this.#parseName(steps);
    } else if (steps.length === 0) {
      this.#parseName(steps);
    } else {
      throw jsonPathInvalid(`unrecognized character in action: ${JSON.stringify(character)}`);
    }
  }

  #parseName(steps: Step[]): void {
    if (this.#peek() === "*") {
      this.#position++;
      steps.push({ kind: "wildcard" });
      return;
    }
    let name = "";
    while (this.#position < this.#text.length && !/[.[\]\s{}()'"|,!=<>*]/.test(this.#peek())) {
      // A backslash makes a dot part of the name.
      if (this.#peek() === "\\") this.#position++;
      name += this.#peek();
      this.#position++;
    }
    if (name === "") throw jsonPathInvalid(`unrecognized character in action: ${JSON.stringify(this.#peek())}`);
    steps.push({ kind: "field", name });
  }

  #parseBrackets(): Step[] {
    const end = this.#closingBracket();
    const inner = this.#text.slice(this.#position + 1, end).trim();
    this.#position = end + 1;
    if (inner === "*" || inner === "") return [{ kind: "wildcard" }];
    const filter = /^\?\((.*)\)$/s.exec(inner);
    if (filter !== null) return [parseFilter(filter[1] ?? "")];
    const parts = splitOutsideQuotes(inner, ",");
    if (parts.length > 1) {
      const branches = parts.map((part) => (/^\s*[.$@[]/.test(part) ? subPath(part) : [parseBracketItem(part.trim())]));
      return [{ kind: "union", branches }];
    }
    return [parseBracketItem(inner)];
  }

  #closingBracket(): number {
    let depth = 0;
    let quote = "";
    for (let index = this.#position; index < this.#text.length; index++) {
      const character = this.#text.charAt(index);
      if (quote !== "") {
        if (character === "\\") index++;
        else if (character === quote) quote = "";
      } else if (character === '"' || character === "'") quote = character;
      else if (character === "[") depth++;
      else if (character === "]" && --depth === 0) return index;
    }
    throw jsonPathInvalid("unterminated array");
  }
}

function subPath(text: string): Path {
  return new PathParser(text.trim()).parseWhole().path;
}

function splitOutsideQuotes(text: string, separator: string): string[] {
  const parts: string[] = [];
  let quote = "";
  let start = 0;
  for (let index = 0; index < text.length; index++) {
    const character = text.charAt(index);
    if (quote !== "") {
      if (character === "\\") index++;
      else if (character === quote) quote = "";
    } else if (character === '"' || character === "'") quote = character;
    else if (character === separator) {
      parts.push(text.slice(start, index));
      start = index + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}

function parseBracketItem(text: string): Step {
  if (/^["']/.test(text)) return { kind: "field", name: unquote(text) };
  if (/^-?\d+$/.test(text)) return { kind: "index", index: Number(text) };
  const slice = /^(-?\d*)\s*:\s*(-?\d*)(?:\s*:\s*(-?\d*))?$/.exec(text);
  if (slice === null) throw jsonPathInvalid(`invalid array index ${text}`);
  const step = slice[3] === undefined || slice[3] === "" ? 1 : Number(slice[3]);
  if (step < 1) throw jsonPathInvalid("step must be >= 0");
  return { kind: "slice", start: optionalNumber(slice[1]), end: optionalNumber(slice[2]), step };
}

function optionalNumber(text: string | undefined): number | undefined {
  return text === undefined || text === "" ? undefined : Number(text);
}

const COMPARISON = /^((?:[^!<>="']|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')+)(==|!=|<=|>=|<|>)(.+)$/s;

function parseFilter(text: string): Step {
  const match = COMPARISON.exec(text);
  if (match === null) {
    return { kind: "filter", left: parseOperand(text), operator: undefined, right: { value: null } };
  }
  const [, left = "", operator, right = ""] = match;
  return { kind: "filter", left: parseOperand(left), operator, right: parseOperand(right) };
}

function parseOperand(text: string): Operand {
  const trimmed = text.trim();
  if (/^["']/.test(trimmed)) return { value: unquote(trimmed) };
  if (trimmed === "true" || trimmed === "false") return { value: trimmed === "true" };
  if (trimmed !== "" && !Number.isNaN(Number(trimmed))) return { value: Number(trimmed) };
  return new PathParser(trimmed).parseWhole();
}

/** The text between quotes, with its escapes resolved. Throws `jsonpath-invalid`. */
export function unquote(text: string): string {
  const quote = text.charAt(0);
  if (text.length < 2 || !text.endsWith(quote)) throw jsonPathInvalid("unterminated quoted string");
  const inner = text.slice(1, -1);
  const escapes: Record<string, string> = { n: "\n", t: "\t", r: "\r" };
  return inner.replace(/\\(.)/gs, (_, character: string) => escapes[character] ?? character);
}
