// Variables in the values of override policies: `${cluster.region}`. A policy has to ask for them
// (`spec.flaghoist.variables`), so that Karmada's policies mean what they always did.
import { nearest } from "./nearest.ts";

/** `${cluster.labels['tier']:-web}`. */
export interface OverrideVariable {
  readonly source: "name" | "region" | "provider" | "zone" | "labels" | "annotations";
  /** Key of a label or annotation. */
  readonly key: string | undefined;
  /** Taken where the cluster has nothing there. */
  readonly fallback: string | undefined;
  /** As it is written. */
  readonly text: string;
}

export type TemplatePart = string | OverrideVariable;

const SIMPLE = ["name", "region", "provider", "zone"] as const;
const MAPS = ["labels", "annotations"] as const;
const KNOWN = [...SIMPLE, ...MAPS];

/** Whether a text would mean something else with variables than without. */
export function hasVariables(text: string): boolean {
  return text.includes("${");
}

/**
 * A text in its parts; `$${` stands for `${`. The answer is a text instead of parts when the text cannot be read: it says
 * why.
 */
export function parseVariables(text: string): readonly TemplatePart[] | string {
  const parts: TemplatePart[] = [];
  let literal = "";
  for (let at = 0; at < text.length; ) {
    if (text.startsWith("$${", at)) {
      literal += "${";
      at += 3;
    } else if (text.startsWith("${", at)) {
      const end = endOf(text, at + 2);
      if (end === undefined) return `${text.slice(at, at + 20)} has no closing brace; write $\${ for a plain one`;
      const variable = parseVariable(text.slice(at, end + 1));
      if (typeof variable === "string") return variable;
      if (literal !== "") parts.push(literal);
      literal = "";
      parts.push(variable);
      at = end + 1;
    } else literal += text[at++];
  }
  if (literal !== "") parts.push(literal);
  return parts;
}

/** The closing brace, which does not stand in the quotes of a key. */
function endOf(text: string, start: number): number | undefined {
  const quoted = /^cluster\.\w+\[(?:'[^']*'|"[^"]*")\]/.exec(text.slice(start))?.[0].length ?? 0;
  const end = text.indexOf("}", start + quoted);
  return end < 0 ? undefined : end;
}

function parseVariable(text: string): OverrideVariable | string {
  const inner = text.slice(2, -1);
  const match = /^cluster\.(\w+)(?:\.([\w-]+)|\['([^']*)'\]|\["([^"]*)"\])?(?::-([\s\S]*))?$/.exec(inner);
  if (match === null) return unreadable(text, inner);
  const [, source = "", dotted, single, double, fallback] = match;
  const key = dotted ?? single ?? double;
  if (isOne(source, SIMPLE)) {
    if (key === undefined) return { source, key, fallback, text };
    return `${text}: cluster.${source} is a text and has no parts; write \${cluster.${source}}`;
  }
  if (isOne(source, MAPS)) {
    if (key) return { source, key, fallback, text };
    return `${text}: name one of the ${source}, as in \${cluster.${source}['example.com/tier']}`;
  }
  return `there is no variable ${text}${meant(source)}; there are ${knownWords()}`;
}

function unreadable(text: string, inner: string): string {
  if (!/^cluster\b/.test(inner))
    return `there is no variable ${text}; there are ${knownWords()}; write $${text} for the text itself`;
  return `${text} cannot be read; write \${cluster.region}, \${cluster.labels['example.com/tier']} or \${cluster.labels.tier:-web}`;
}

function meant(source: string): string {
  const near = nearest(source, KNOWN);
  return near === undefined ? "" : `, did you mean cluster.${near}`;
}

function knownWords(): string {
  return KNOWN.map((name) => `cluster.${name}`).join(", ");
}

function isOne<T extends string>(text: string, list: readonly T[]): text is T {
  return (list as readonly string[]).includes(text);
}

/** Every text in a value, however deep. */
export function* textsIn(value: unknown): Generator<string> {
  if (typeof value === "string") yield value;
  else if (Array.isArray(value)) for (const item of value) yield* textsIn(item);
  else if (typeof value === "object" && value !== null) for (const inner of Object.values(value)) yield* textsIn(inner);
}
