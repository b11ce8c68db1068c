// Where in its file a field of an object is written.
import { parsePointer } from "../../../kube/json-patch.ts";
import { parseYamlNodes, type YamlNodeDocument } from "../../../kube/yaml.ts";
import type { YamlNode } from "../../../kube/yaml-node.ts";
import { TextPositions } from "../../../kube/yaml-position.ts";
import type { SourceTree } from "../../../sources/tree.ts";
import { isAtOrBelow, joinPath } from "../field-path.ts";

interface ReadFile {
  readonly documents: readonly YamlNodeDocument[];
  readonly positions: TextPositions;
}

/** Of the files of one tree; each is read when it is first asked for. */
export class FieldLines {
  readonly #tree: SourceTree;
  readonly #files = new Map<string, ReadFile | undefined>();

  constructor(tree: SourceTree) {
    this.#tree = tree;
  }

  /** The line of a field of the object that begins at this line of a file; undefined when it is not found there. */
  lineOf(file: string, objectLine: number, pointer: string): number | undefined {
    const read = this.#read(file);
    const document = read?.documents.findLast(({ line }) => line <= objectLine);
    const offset = document === undefined ? undefined : offsetOf(document.node, parsePointer(pointer));
    return offset === undefined ? undefined : read?.positions.at(offset).line;
  }

  /**
   * As `lineOf`, of a field as people read its path (`spec.containers[web].image`, or `[0]`); that of what is around it where the file does
   * not have the field. Undefined when it has nothing of it.
   */
  lineOfPath(file: string, objectLine: number, path: string): number | undefined {
    const read = this.#read(file);
    const document = read?.documents.findLast(({ line }) => line <= objectLine);
    const offset = document === undefined ? undefined : nearestOffset(document.node, path);
    return offset === undefined ? undefined : read?.positions.at(offset).line;
  }

  #read(file: string): ReadFile | undefined {
    if (this.#files.has(file)) return this.#files.get(file);
    let read: ReadFile | undefined;
    try {
      const bytes = this.#tree.read(file);
      const text = bytes === undefined ? undefined : new TextDecoder().decode(bytes);
      if (text !== undefined) read = { documents: parseYamlNodes(text), positions: new TextPositions(text) };
    } catch {
      // What cannot be read here was rendered from something else: a template, a file elsewhere.
    }
    this.#files.set(file, read);
    return read;
  }
}

function offsetOf(root: YamlNode, keys: readonly string[]): number | undefined {
  let node = root;
  let offset = root.offset;
  for (const key of keys) {
    if (node.kind === "map") {
      const entry = node.entries.find((one) => one.key.text === key);
      if (entry === undefined) return undefined;
      node = entry.value;
      offset = entry.key.offset;
    } else {
      const item: YamlNode | undefined = node.kind === "sequence" ? node.items[Number(key)] : undefined;
      if (item === undefined) return undefined;
      node = item;
      offset = item.offset;
    }
  }
  return offset;
}

/** Of the innermost node that the path leads to or through. */
function nearestOffset(root: YamlNode, path: string): number | undefined {
  let found: number | undefined;
  let [node, at] = [root, ""];
  for (;;) {
    const next: readonly [string, YamlNode, number] | undefined = childrenOf(node, at).find(([child]) =>
      isAtOrBelow(path, child),
    );
    if (next === undefined) return found;
    [at, node, found] = next;
    if (at === path) return found;
  }
}

/** What is in a node: each with its path, and where it begins. */
function childrenOf(node: YamlNode, at: string): (readonly [string, YamlNode, number])[] {
  if (node.kind === "map")
    return node.entries.map(({ key, value }) => [joinPath(at, key.text), value, key.offset] as const);
  if (node.kind !== "sequence") return [];
  return node.items.flatMap((item, index) => {
    const name = item.kind === "map" ? item.entries.find(({ key }) => key.text === "name")?.value : undefined;
    const names = name?.kind === "scalar" ? [name.text, String(index)] : [String(index)];
    return names.map((each) => [`${at}[${each}]`, item, item.offset] as const);
  });
}
