// The ValueAddTransformer: writes one value into chosen fields, whole or as part of a path.

import { parseYamlDocuments } from "../../../kube/yaml.ts";
import { RenderError, renderError, wrapYamlError } from "../../errors.ts";
import { baseNameOf } from "../../paths.ts";
import { decodeField } from "../kustomization/decode-field.ts";
import { formatFieldPath } from "../kustomization/field-positions.ts";
import { firstDocument } from "../kustomization/first-document.ts";
import type { Selector } from "../kustomization/kustomization.ts";
import { VALUE_TARGETS_FILE } from "../kustomization/plugin-fields.ts";
import type { Loader } from "../loading/loader.ts";
import type { Transform } from "../patches/patches.ts";
import { typedByText } from "../references/field-path.ts";
import {
  isListNode,
  isMapNode,
  isNullNode,
  kindOf,
  type Node,
  NULL,
  Scalar,
  setField,
  textOf,
} from "../resources/node.ts";
import type { Resource } from "../resources/resource.ts";
import { selectResources } from "../resources/select.ts";
import { splitFieldPath } from "./field-walk.ts";
import { writeNamespace } from "./metadata.ts";

export interface ValueTarget {
  /** Absent: all objects. */
  readonly selector?: Selector;
  /** Steps with slashes; `[key=value]`, an index and `-` pick elements of lists. */
  readonly fieldPath?: string;
  /** Where in the path that the field holds the value goes, from 1; 0 replaces the field. */
  readonly filePathPosition?: number;
}

export interface ValueAddConfig {
  /** Default: the name of the kustomization's folder. */
  readonly value?: string;
  readonly targets?: readonly ValueTarget[];
  /** A file with more targets. */
  readonly targetFilePath?: string;
}

/** Checks the targets; what comes back writes to them, and throws `render-node-kind` where a path does not fit. */
export function prepareValueAdd(config: ValueAddConfig, loader: Loader): Transform {
  const value = config.value?.trim() || baseNameOf(loader.root);
  const targets = [...(config.targets ?? []), ...targetsOfFile(config.targetFilePath, loader)];
  const fault = (what: string, field: string): Error => renderError("render-plugin", what, { field: [field] });
  if (value === "") throw fault("the folder has no name here; give the ValueAddTransformer a value", "value");
  if (targets.length === 0) throw fault("the ValueAddTransformer has no targets", "targets");
  for (const { fieldPath, filePathPosition = 0 } of targets) {
    if (!fieldPath) throw fault("a target has no fieldPath", "targets");
    if (filePathPosition < 0) throw fault("filePathPosition cannot be negative", "targets");
  }
  return (map) => {
    for (const [index, target] of targets.entries()) {
      const salt = JSON.stringify([index, target, value]);
      const chosen = target.selector === undefined ? map.resources : selectResources(map.resources, target.selector);
      for (const resource of [...chosen]) map.edit(resource, (own) => writeTo(own, target, value), salt);
    }
  };
}

function writeTo(resource: Resource, { fieldPath = "", filePathPosition = 0 }: ValueTarget, value: string): void {
  if (fieldPath === "metadata/namespace") {
    writeNamespace(resource, { namespace: value, specs: [], unsetOnly: false, subjects: "default-only" });
  } else addValue(resource, fieldPath, value, filePathPosition);
}

function targetsOfFile(entry: string | undefined, loader: Loader): readonly ValueTarget[] {
  if (!entry) return [];
  const { path: file, text } = loader.loadText(entry);
  try {
    const raw = parseYamlDocuments(firstDocument(text), { file })[0]?.value ?? null;
    // decodeField answers the shape that VALUE_TARGETS_FILE spells out.
    const read = decodeField(raw, VALUE_TARGETS_FILE, "lenient") as ValueAddConfig | undefined;
    return read?.targets ?? [];
  } catch (error) {
    if (!(error instanceof RenderError)) throw wrapYamlError(error, "render-plugin", file);
    const path = Array.isArray(error.place.field) ? formatFieldPath(error.place.field) : undefined;
    throw renderError("render-plugin", error.what, { file, path });
  }
}

function addValue(resource: Resource, fieldPath: string, value: string, position: number): void {
  const parts = splitFieldPath(fieldPath)
    .map((part) => part.trim())
    .filter((part) => part !== "");
  const fault = (node: Node, wanted: string): Error => {
    const what = `${resource.describe()}: ${fieldPath} leads to a ${kindOf(node)} where ${wanted} is expected`;
    return renderError("render-node-kind", what, { path: fieldPath, object: resource.describe() });
  };
  let node: Node = resource.node;
  let replace = (_value: Node): void => {};
  for (const [depth, part] of parts.entries()) {
    const found = step(node, part, parts[depth + 1], fault);
    // As kustomize: an element that is not there, or a field of a null, ends the search in silence.
    if (found === undefined) return;
    [node, replace] = found;
  }
  if (!(node instanceof Scalar)) throw fault(node, "text");
  const old = node.text === "null" && isNullNode(node) ? "null" : (textOf(node) ?? "");
  const text = position > 0 ? insertPart(old, position - 1, value) : value;
  replace(typedByText(text).inPlaceOf(node));
}

type Found = [node: Node, replace: (value: Node) => void];

function step(
  node: Node,
  part: string,
  next: string | undefined,
  fault: (node: Node, wanted: string) => Error,
): Found | undefined {
  if (part === "*") throw renderError("render-plugin", "a fieldPath of a ValueAddTransformer cannot hold a wildcard");
  const filter = /^\[(.*)\]$/s.exec(part)?.[1];
  const isIndex = /^[+-]?[0-9]{1,15}$/.test(part);
  if (!isIndex && part !== "-" && filter === undefined) {
    if (isNullNode(node)) return undefined;
    if (!isMapNode(node)) throw fault(node, "a map");
    let field = node.get(part);
    if (field === undefined) {
      field = made(next);
      setField(node, part, field);
    }
    return [field, (value) => node.set(part, value)];
  }
  if (isNullNode(node)) return undefined;
  if (!isListNode(node)) throw fault(node, "a list");
  const at = filter === undefined ? indexIn(node, part) : elementIn(node, filter);
  const element = node[at];
  if (element === undefined) return undefined;
  return [
    element,
    (value) => {
      node[at] = value;
    },
  ];
}

function made(next: string | undefined): Node {
  if (next === undefined) return new Scalar(NULL.tag, "");
  return /^\[.*\]$/s.test(next) || /^[0-9]+$/.test(next) ? [] : new Map();
}

function indexIn(list: readonly Node[], part: string): number {
  if (part === "-") return list.length - 1;
  if (part.startsWith("-")) throw renderError("render-plugin", `the index ${part} is negative`);
  return Number(part);
}

/** The place of the element that `key=value` picks, which is made when there is none. */
function elementIn(list: Node[], filter: string): number {
  const equals = filter.indexOf("=");
  if (equals < 0) throw renderError("render-plugin", `[${filter}] is no [key=value]`);
  const key = filter.slice(0, equals);
  const wanted = filter.slice(equals + 1);
  const found = list.findIndex((item) => {
    const value = key === "" ? item : isMapNode(item) ? item.get(key) : undefined;
    return value instanceof Scalar && value.text === wanted;
  });
  if (found >= 0) return found;
  return list.push(key === "" ? typedByText(wanted) : new Map([[key, typedByText(wanted)]])) - 1;
}

// A leading slash stays in front; positions beyond the end append.
function insertPart(path: string, position: number, part: string): string {
  const parts = path === "" ? [] : path === "/" ? [""] : path.replace(/\/+$/, "").split("/");
  const isAbsolute = parts[0] === "" && position < parts.length;
  parts.splice(Math.min(position, parts.length) + (isAbsolute ? 1 : 0), 0, part);
  return parts[0] === "" ? `/${cleanPath(parts.slice(1))}` : cleanPath(parts);
}

function cleanPath(parts: readonly string[]): string {
  const clean: string[] = [];
  for (const part of parts.join("/").split("/")) {
    if (part === "" || part === ".") continue;
    if (part === ".." && clean.length > 0 && clean.at(-1) !== "..") clean.pop();
    else clean.push(part);
  }
  return clean.join("/");
}
