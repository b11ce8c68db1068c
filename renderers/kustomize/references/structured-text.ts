// Text inside a field that is itself JSON or YAML, opened for editing and written back in its own form.

import { readYamlText, type YamlText, type YamlTextNode } from "../../../kube/yaml-text.ts";
import { goJson } from "../generators/hash.ts";
import { FlowList, FlowMap, type Node, type NodeMap, Scalar, toValue, UNTYPED } from "../resources/node.ts";

/** A text opened for editing. */
export class StructuredText {
  /** To be edited in place; undefined for a text of blanks and comments. */
  root: Node | undefined;
  readonly #text: string;
  readonly #yaml: YamlText;
  readonly #origins = new Map<Node, YamlTextNode>();

  private constructor(text: string, yaml: YamlText) {
    this.#text = text;
    this.#yaml = yaml;
    this.root = yaml.root && this.#open(yaml.root);
  }

  /** Undefined for a text that is no YAML, of which JSON is a part. */
  static open(text: string): StructuredText | undefined {
    const yaml = readYamlText(text);
    // What becomes JSON would have to follow its aliases.
    return yaml === undefined || (yaml.hasAliases && isJson(text)) ? undefined : new StructuredText(text, yaml);
  }

  /** To be called when one node takes the place of another: a scalar keeps the quotes and comments of a scalar. */
  succeed(before: Node, after: Node): void {
    const origin = this.#origins.get(before);
    if (origin !== undefined && before instanceof Scalar && after instanceof Scalar) this.#origins.set(after, origin);
  }

  /**
   * The text after the edit. As kustomize: what begins like JSON becomes JSON with sorted keys, on one line or indented
   * as it was; all else YAML with its comments. Throws when a value does not fit its type in JSON.
   */
  print(): string {
    const root = this.root ?? new Scalar("!!null", "");
    if (!isJson(this.#text)) return this.#yaml.print(this.#close(root)).trim();
    const value = toValue(textsForNothing(root));
    const isIndented = this.#text.includes("\n") && this.#text.includes("  ");
    return isIndented ? goJson(value, "  ") : goJson(value);
  }

  #open(node: YamlTextNode): Node {
    let result: Node;
    if (node.kind === "sequence") result = node.items.map((item) => this.#open(item));
    else if (node.kind === "map") {
      const map: NodeMap = new Map();
      for (const { key, value } of node.entries) map.set(key, this.#open(value));
      result = map;
    } else result = new Scalar(node.tag, node.text, node.quoted);
    this.#origins.set(result, node);
    return result;
  }

  #close(node: Node): YamlTextNode {
    const like = this.#origins.get(node);
    if (node instanceof Scalar) {
      const { text, tag, quoted, single } = node;
      return { kind: "scalar", text, tag, quoted, single, like };
    }
    if (Array.isArray(node)) {
      return {
        kind: "sequence",
        items: Array.from(node, (item) => this.#close(item)),
        flow: node instanceof FlowList,
        like,
      };
    }
    const entries = Array.from(node, ([key, value]) => ({ key, value: this.#close(value) }));
    return { kind: "map", entries, flow: node instanceof FlowMap, like };
  }
}

function isJson(text: string): boolean {
  return /^\s*[{[]/.test(text);
}

// As kustomize, which writes nothing as quotes inside brackets before it reads the text as JSON.
function textsForNothing(node: Node): Node {
  if (node instanceof Scalar)
    return (node.tag === "!!null" || node.tag === UNTYPED) && node.text === "" ? new Scalar("!!str", "") : node;
  if (Array.isArray(node)) return node.map(textsForNothing);
  return new Map([...node].map(([key, value]) => [key, textsForNothing(value)]));
}
