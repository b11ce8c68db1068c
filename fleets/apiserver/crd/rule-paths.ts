// The `fieldPath` of a rule: which field of the object the rule's error is about.
import type { JsonSchema } from "./schema.ts";

/** The words of a path: dots, brackets, names and quoted names. Undefined for quotes without an end. */
function wordsOf(path: string): string[] {
  const words: string[] = [];
  let at = 0;
  while (at < path.length) {
    const rest = path.slice(at);
    const word = /^'(?:[^'\\]|\\.)*'|^[.[\]]|^[^.[\]]+/.exec(rest)?.[0] ?? rest;
    words.push(word);
    at += word.length;
  }
  return words;
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "'": "'",
  "\\": "\\",
};

function unquote(word: string): string | undefined {
  if (word.length < 2 || !word.startsWith("'") || !word.endsWith("'")) return undefined;
  let valid = true;
  const text = word.slice(1, -1).replace(/\\(.)/g, (_all, char: string) => {
    if (ESCAPES[char] === undefined) valid = false;
    return ESCAPES[char] ?? "";
  });
  return valid ? text : undefined;
}

/** The path as errors print it, below the place of the rule; undefined when no field of the schema is meant. */
export function resolveFieldPath(path: string, schema: JsonSchema): string | undefined {
  const words = wordsOf(path);
  let current: JsonSchema | undefined = schema;
  let text = "";
  for (let at = 0; at < words.length; ) {
    const isBracket: boolean = words[at] === "[";
    if (!isBracket && words[at] !== ".") return undefined;
    const word = words[at + 1];
    if (word === undefined) return undefined;
    const name: string | undefined = isBracket ? unquote(word) : word;
    if (name === undefined || (isBracket && words[at + 2] !== "]")) return undefined;
    at += isBracket ? 3 : 2;
    const isNamed: boolean = current.properties !== undefined;
    const additional: JsonSchema | boolean | undefined = current.additionalProperties;
    current = isNamed ? current.properties?.[name] : typeof additional === "object" ? additional : undefined;
    if (current === undefined) return undefined;
    text += isNamed ? (text === "" ? name : `.${name}`) : `[${name}]`;
  }
  return text;
}

/** A path below another: `spec` and `a.b` are `spec.a.b`. */
export function joinPaths(above: string, below: string): string {
  if (above === "") return below;
  return below.startsWith("[") ? `${above}${below}` : `${above}.${below}`;
}
