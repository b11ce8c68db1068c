// Where in its file a field of an object is written.
import { parsePointer } from "../../../kube/json-patch.ts";
import { parseYamlNodes, type YamlNodeDocument } from "../../../kube/yaml.ts";
import type { YamlNode } from "../../../kube/yaml-node.ts";
import { TextPositions } from "../../../kube/yaml-position.ts";
import type { SourceTree } from "../../../sources/tree.ts";

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
