// Hundreds of scalars in every style of YAML, in block and flow collections, under tags, anchors, comments and lists.
import type { Random } from "../../../../runtime/random.ts";
import type { Area, GeneratedKustomization } from "../area.ts";
import { block, doubleQuoted, LOADED_WORDS, nastyText, plain, quoted, singleQuoted } from "../support/yaml-texts.ts";

export const yaml: Area = { name: "yaml", generate };

function generate(random: Random): GeneratedKustomization {
  const documents = Array.from({ length: 1 + random.below(4) }, (_, index) => document(`o${index}`, random));
  const separators = ["---\n", "--- # c\n", "---  \n", "---\n# c\n---\n"];
  let text = documents.reduce((all, next) => all + random.pick(separators) + next);
  if (random.chance(0.1)) text = `${random.pick(["---\n", "# top\n\n", "\n", "%YAML 1.1\n---\n", "\ufeff"])}${text}`;
  if (random.chance(0.1)) text = text.replaceAll("\n", "\r\n");
  if (random.chance(0.1)) text = text.replace(/(?:\r?\n)+$/, "");
  const kustomization = random.pick([
    "resources: [r.yaml]\n",
    "resources: [r.yaml]\nnamePrefix: p-\n",
    "resources: [r.yaml]\ncommonAnnotations: {added: x}\n",
    "resources: [r.yaml]\nnamespace: ns\n",
  ]);
  return { path: ".", files: { "kustomization.yaml": kustomization, "r.yaml": text } };
}

function document(name: string, random: Random): string {
  const writer = new Writer(random);
  const metadata = `metadata:\n  name: ${name}\n${random.chance(0.5) ? writer.texts("annotations") : ""}${random.chance(0.3) ? writer.texts("labels") : ""}`;
  const body = random.chance(0.3)
    ? `data:\n${writer.entries("  ", 30, 0)}`
    : `spec:\n${writer.entries(" ".repeat(1 + random.below(4)), 12, 3)}`;
  return `apiVersion: v1\nkind: ${random.pick(["ConfigMap", "Thing"])}\n${metadata}${body}`;
}

/** Writes values; what starts on a line of its own is indented deeper than what holds it. */
class Writer {
  private readonly random: Random;
  private readonly anchors: string[] = [];
  /** Anchors of maps that another map may merge. */
  private readonly maps: string[] = [];
  private counter = 0;

  constructor(random: Random) {
    this.random = random;
  }

  /** Labels or annotations. */
  texts(field: string): string {
    const lines = Array.from({ length: 1 + this.random.below(6) }, (_, i) => `    a${i}: ${this.flat("    ")}\n`);
    return `  ${field}:\n${lines.join("")}`;
  }

  entries(indent: string, most: number, depth: number): string {
    const { random } = this;
    let text = "";
    if (this.maps.length > 0 && random.chance(0.1)) {
      const sources = [
        `*${random.pick(this.maps)} `,
        `[*${random.pick(this.maps)} , {k0: merged}, *${random.pick(this.maps)} ]`,
      ];
      text += `${indent}<<: ${random.pick(sources)}\n`;
    }
    for (let left = 1 + random.below(most); left > 0; left--) {
      text += this.gap(indent) + indent + this.key(indent) + this.value(indent, depth);
    }
    return text;
  }

  private gap(indent: string): string {
    // As for comments in general: none right after a block that keeps its line feeds, where the tool miscounts them.
    return this.random.chance(0.05) ? this.random.pick(["\n", `${indent}# c\n`, "  \n"]) : "";
  }

  private key(indent: string): string {
    const { random } = this;
    const name = `k${this.counter++}`;
    if (random.chance(0.8)) return `${name}:`;
    // No letter right after the number: among such keys kustomize's order has circles (k1w, k6, k12).
    const odd =
      name +
      random.pick(["", " x", ".y", "/z", "_é", "-", ":", "#", "🦑", " ", "\u00a0", "'", '"', `_${"w".repeat(140)}`]);
    switch (random.below(3)) {
      case 0:
        return `? ${quoted(odd)}\n${indent}:`;
      case 1:
        return `'${odd.replaceAll("'", "''")}':`;
      default:
        return `"${odd.replaceAll('"', '\\"')}" :`;
    }
  }

  /** The rest of the line after a key or dash, and what lines it takes below. */
  private value(indent: string, depth: number): string {
    const { random } = this;
    const roll = random.below(10);
    if (depth > 0 && roll < 2)
      return `${this.comment()}\n${this.entries(`${indent}${" ".repeat(1 + random.below(4))}`, 4, depth - 1)}`;
    if (depth > 0 && roll < 4) return this.list(indent, depth);
    if (depth > 0 && roll === 4 && random.chance(0.3)) {
      const anchor = `m${this.maps.length}`;
      const text = ` &${anchor} {k0: ${this.flat(indent)}, k1: ${this.flat(indent)}}\n`;
      this.maps.push(anchor);
      return text;
    }
    if (roll === 4) return ` ${this.flow(indent, 3)}${this.comment()}\n`;
    if (roll === 5 && random.chance(0.3)) return `${this.comment()}\n`;
    return ` ${this.scalar(indent)}`;
  }

  private list(indent: string, depth: number): string {
    const { random } = this;
    const inner = indent + " ".repeat(random.below(4));
    let text = "\n";
    for (let left = 1 + random.below(4); left > 0; left--) {
      const blanks = " ".repeat(1 + random.below(3));
      if (random.chance(0.3)) {
        const column = `${inner} ${blanks}`;
        text += `${inner}-${blanks}${this.key(column)}${this.value(column, depth - 1)}`;
        if (random.chance(0.5)) text += this.entries(column, 2, depth - 1);
      } else {
        text += `${this.gap(inner)}${inner}-${this.value(inner, depth - 1)}`;
      }
    }
    return text;
  }

  private flow(indent: string, depth: number): string {
    const { random } = this;
    if (depth === 0 || random.chance(0.5)) return random.chance(0.08) ? "~" : this.flat(indent);
    const lineBreak = random.chance(0.15) ? `\n${indent}   ` : "";
    const comma = `,${lineBreak === "" ? " " : lineBreak}`;
    if (random.chance(0.5)) {
      const items = random.list(4, () => this.flow(indent, depth - 1));
      return `[${lineBreak}${items.join(comma)}${items.length > 0 && random.chance(0.1) ? "," : ""}${lineBreak}]`;
    }
    const entry = (): string => {
      const name = `f${this.counter++}`;
      if (random.chance(0.1)) return random.pick([name, `${name}: `, `"${name}":`]);
      return `${random.chance(0.2) ? `"${name}":` : `${name}: `}${this.flow(indent, depth - 1)}`;
    };
    return `{${lineBreak}${random.list(4, entry).join(comma)}${lineBreak}}`;
  }

  private comment(): string {
    return this.random.chance(0.05) ? ` # ${this.random.pick(["c", "x: y", "_é", "- a"])}` : "";
  }

  private scalar(indent: string): string {
    const { random } = this;
    if (random.chance(0.6)) return `${this.flat(indent)}${this.comment()}\n`;
    const written = block(nastyText(random).replace(/[ \t]+(?=\n|$)/g, ""), random, indent);
    return written === undefined ? `${this.flat(indent)}\n` : `${written}\n`;
  }

  /** A scalar that may stand in a flow collection. */
  private flat(indent: string): string {
    const { random, anchors } = this;
    if (anchors.length > 0 && random.chance(0.03)) return `*${random.pick(anchors)} `;
    const tagged = random.chance(0.05);
    if (tagged) {
      const tag = random.pick(["!!str", "!", "!x", "!<tag:yaml.org,2002:str>", "!y!z"]);
      if (tag !== "!y!z") return `${tag} ${this.quoted(indent)}`;
      return random.pick([
        "!!int 7",
        "!!int '0x1f'",
        "!!float 1",
        "!!bool 'true'",
        "!!null ~",
        "!!binary aGk=",
        "!!timestamp 2020-01-02",
      ]);
    }
    if (random.chance(0.04)) {
      const anchor = `a${anchors.length}`;
      const text = `&${anchor} ${this.quoted(indent)}`;
      anchors.push(anchor);
      return text;
    }
    return this.quoted(indent);
  }

  private quoted(indent: string): string {
    const { random } = this;
    const text = random.chance(0.4) ? random.pick(LOADED_WORDS) : nastyText(random);
    const written = random.pick([plain, plain, singleQuoted, doubleQuoted])(text, random, indent);
    return written ?? doubleQuoted(text, random, indent);
  }
}
