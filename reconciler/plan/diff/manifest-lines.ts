// Manifests as YAML, line by line, each line with the field that it is of. People read these: keys are in the order in
// which they are written by hand, and long texts are not folded.
import { isObject } from "../../../kube/object.ts";
import { stringifyYaml } from "../../../kube/yaml.ts";
import { compareKeys } from "../../../kube/yaml-format.ts";

export interface ManifestLine {
  readonly text: string;
  /** JSON pointer of the field; the last line of a text is of the same field as its first. */
  readonly pointer: string;
}

/** Keys that come first, in this order, at the top, in `metadata` and elsewhere; others follow by name. */
const FIRST_KEYS = {
  top: ["apiVersion", "kind", "metadata", "type", "spec"],
  metadata: ["name", "generateName", "namespace", "labels", "annotations"],
  other: ["name"],
} as const;

/** The lines of an object; at most `most` of them, and how many more there would be is not known then. */
export function manifestLines(object: unknown, most = Number.POSITIVE_INFINITY): ManifestLine[] {
  const writer = new LineWriter(most);
  writer.write(object, "", 0, "");
  return writer.lines;
}

class LineWriter {
  readonly lines: ManifestLine[] = [];
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  /** `lead`: what stands on the first line before the value. */
  write(value: unknown, pointer: string, indent: number, lead: string): void {
    if (this.lines.length >= this.#most) return;
    if (Array.isArray(value)) this.#list(value, pointer, indent, lead);
    else if (isObject(value)) this.#map(value, pointer, indent, lead);
    else this.#scalar(value, pointer, indent, lead);
  }

  #list(items: readonly unknown[], pointer: string, indent: number, lead: string): void {
    if (items.length === 0) {
      this.#put(`${lead}[]`, pointer);
      return;
    }
    const isItem = lead.endsWith("- ");
    if (lead !== "" && !isItem) this.#put(lead.trimEnd(), pointer);
    items.forEach((item, index) => {
      const start = isItem && index === 0 ? lead : " ".repeat(indent);
      this.write(item, `${pointer}/${index}`, indent + 2, `${start}- `);
    });
  }

  #map(map: Readonly<Record<string, unknown>>, pointer: string, indent: number, lead: string): void {
    const keys = sortedKeys(map, pointer);
    if (keys.length === 0) {
      this.#put(`${lead}{}`, pointer);
      return;
    }
    const isItem = lead.endsWith("- ");
    if (lead !== "" && !isItem) this.#put(lead.trimEnd(), pointer);
    keys.forEach((key, index) => {
      const start = isItem && index === 0 ? lead : " ".repeat(indent);
      const child = map[key];
      const inside = `${pointer}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
      // A list stands at the column of its key.
      this.write(child, inside, Array.isArray(child) ? indent : indent + 2, `${start}${scalarText(key)}: `);
    });
  }

  #scalar(value: unknown, pointer: string, indent: number, lead: string): void {
    const text =
      typeof value === "string" && value.includes("\n") ? stringifyYaml(value).replace(/\n$/, "") : undefined;
    if (text?.startsWith("|") !== true) {
      this.#put(`${lead}${scalarText(value)}`, pointer);
      return;
    }
    const [head = "", ...rest] = text.split("\n");
    this.#put(`${lead}${head}`, pointer);
    // In a document of its own a text is indented by two.
    const margin = " ".repeat(Math.max(indent - 2, 0));
    for (const line of rest) this.#put(line === "" ? "" : `${margin}${line}`, pointer);
  }

  #put(text: string, pointer: string): void {
    if (this.lines.length < this.#most) this.lines.push({ text, pointer });
  }
}

function sortedKeys(map: Readonly<Record<string, unknown>>, pointer: string): string[] {
  const first: readonly string[] =
    pointer === "" ? FIRST_KEYS.top : pointer === "/metadata" ? FIRST_KEYS.metadata : FIRST_KEYS.other;
  const place = (key: string): number => {
    const index = first.indexOf(key);
    return index < 0 ? first.length : index;
  };
  return Object.keys(map)
    .filter((key) => map[key] !== undefined)
    .sort((a, b) => place(a) - place(b) || compareKeys(a, b));
}

/** On one line: where the printer folds, one space stood. */
function scalarText(value: unknown): string {
  if (typeof value === "string" && value.includes("\n") && stringifyYaml(value).startsWith("|"))
    return JSON.stringify(value);
  const [first = "", ...rest] = stringifyYaml(value).replace(/\n$/, "").split("\n");
  return [first, ...rest.map((line) => line.trimStart())].join(" ");
}
