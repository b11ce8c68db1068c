// YAML text for plain values in changing styles: block and flow, quotes, comments, blank lines, nested list indents.
import type { Random } from "../../../../runtime/random.ts";

/** Text that stands in the YAML as it is: a plain scalar of a certain form, an alias, a block scalar of one line. */
export class RawYaml {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type YamlValue =
  | string
  | number
  | boolean
  | null
  | RawYaml
  | readonly YamlValue[]
  | { readonly [key: string]: YamlValue | undefined };

/** How wild the text may be. */
export interface YamlStyle {
  /** Share of maps and lists written in flow style, if small. */
  readonly flow: number;
  /** Share of fields with a comment before or behind them. */
  readonly comments: number;
}

export const PLAIN_STYLE: YamlStyle = { flow: 0, comments: 0 };
const ODD_STYLES: readonly YamlStyle[] = [
  PLAIN_STYLE,
  { flow: 0.3, comments: 0 },
  { flow: 0.1, comments: 0.1 },
  { flow: 0.8, comments: 0.05 },
];

/** One of the styles, the plain one most often. */
export function randomStyle(random: Random): YamlStyle {
  return random.chance(0.4) ? PLAIN_STYLE : random.pick(ODD_STYLES);
}

/** A document of a map, ending in a newline. */
export function writeYaml(value: YamlValue, random: Random, style: YamlStyle): string {
  return new YamlWriter(random, style).document(value);
}

class YamlWriter {
  readonly #random: Random;
  readonly #style: YamlStyle;

  constructor(random: Random, style: YamlStyle) {
    this.#random = random;
    this.#style = style;
  }

  document(value: YamlValue): string {
    if (isCollection(value)) return isEmpty(value) ? `${this.#flow(value)}\n` : `${this.#block(value, 0).join("\n")}\n`;
    return `${this.#scalar(value, false)}\n`;
  }

  /** The lines of a collection, each with its indentation. */
  #block(value: Collection, indent: number): string[] {
    const pad = " ".repeat(indent);
    const lines: string[] = [];
    if (Array.isArray(value)) {
      for (const item of value as readonly YamlValue[]) {
        if (!isCollection(item) || isEmpty(item) || this.#isFlow(item)) {
          lines.push(...this.#field(`${pad}-`, item, indent));
          continue;
        }
        const inner = this.#block(item, indent + 2);
        // The first field stands beside the dash; comments before it stay above.
        const at = inner.findIndex((line) => !line.trimStart().startsWith("#"));
        lines.push(...inner.slice(0, at), `${pad}- ${inner[at]!.slice(indent + 2)}`, ...inner.slice(at + 1));
      }
      return lines;
    }
    for (const [key, item] of Object.entries(value)) {
      if (item === undefined) continue;
      if (this.#random.chance(this.#style.comments)) lines.push(`${pad}# about ${key}`);
      const start = `${pad}${this.#scalar(key, false)}:`;
      if (!isCollection(item) || isEmpty(item) || this.#isFlow(item)) {
        lines.push(...this.#field(start, item, indent));
        continue;
      }
      const nested = Array.isArray(item) && this.#random.chance(0.7) ? indent : indent + 2;
      const note = this.#random.chance(this.#style.comments) ? " # below" : "";
      lines.push(`${start}${note}`, ...this.#block(item, nested));
    }
    return lines;
  }

  #field(start: string, value: YamlValue, indent: number): string[] {
    if (isCollection(value)) return [`${start} ${this.#flow(value)}`];
    if (typeof value === "string" && value.includes("\n") && /^[^\s]/.test(value))
      return this.#literal(start, value, indent);
    const note = this.#random.chance(this.#style.comments / 2) ? " # so" : "";
    return [`${start} ${this.#scalar(value, false)}${note}`];
  }

  #literal(start: string, value: string, indent: number): string[] {
    const body = value.replace(/\n+$/, "");
    const ends = value.length - body.length;
    const chomp = ends === 0 ? "-" : ends === 1 ? "" : "+";
    const pad = " ".repeat(indent + 2);
    const lines = [...body.split("\n"), ...new Array<string>(Math.max(ends - 1, 0)).fill("")];
    return [`${start} |${chomp}`, ...lines.map((line) => (line === "" ? "" : pad + line))];
  }

  #isFlow(value: Collection): boolean {
    return this.#style.flow > 0 && JSON.stringify(value).length < 160 && this.#random.chance(this.#style.flow);
  }

  #flow(value: YamlValue): string {
    if (!isCollection(value)) return this.#scalar(value, true);
    if (Array.isArray(value)) return `[${(value as readonly YamlValue[]).map((item) => this.#flow(item)).join(", ")}]`;
    const fields = Object.entries(value).filter(([, item]) => item !== undefined);
    return `{${fields.map(([key, item]) => `${this.#scalar(key, true)}: ${this.#flow(item!)}`).join(", ")}}`;
  }

  #scalar(value: string | number | boolean | null | RawYaml, flow: boolean): string {
    if (value instanceof RawYaml) return value.text;
    if (typeof value !== "string") return String(value);
    if (isPlain(value, flow) && this.#random.chance(0.9)) return value;
    if (!/['\n\t\\]/.test(value) && /^[ -~]*$/.test(value) && this.#random.chance(0.4)) return `'${value}'`;
    return JSON.stringify(value);
  }
}

type Collection = readonly YamlValue[] | { readonly [key: string]: YamlValue | undefined };

function isCollection(value: YamlValue): value is Collection {
  return typeof value === "object" && value !== null && !(value instanceof RawYaml);
}

function isEmpty(value: Collection): boolean {
  return Array.isArray(value) ? value.length === 0 : Object.values(value).every((item) => item === undefined);
}

const WORDS = /^(?:y|n|yes|no|on|off|true|false|null|~)$/i;

/** A text that every YAML reader takes for that text when it stands without quotes. */
function isPlain(text: string, flow: boolean): boolean {
  const pattern = flow ? /^[A-Za-z/][A-Za-z0-9._/-]*$/ : /^[A-Za-z/][A-Za-z0-9._/@$()-]*(?::[A-Za-z0-9._/@-]+)*$/;
  return pattern.test(text) && !WORDS.test(text);
}
