// JSON patch (RFC 6902) over plain JSON, with the readings of the library that Kubernetes' tools share.

import { isObject } from "../../../kube/object.ts";
import { parseYaml } from "../../../kube/yaml.ts";
import { AppError } from "../../../runtime/errors.ts";
import { type RenderError, type RenderErrorCode, renderError } from "../../errors.ts";
import { goJson } from "../generators/hash.ts";
import { firstDocument } from "../kustomization/first-document.ts";
import { countCopied } from "../resources/limits.ts";

export interface Operation {
  /** Where it stands in the patch, from 0. */
  readonly index: number;
  readonly op: string;
  readonly path: string | undefined;
  readonly from: string | undefined;
  readonly value: unknown;
  /** The value with every scalar as its JSON text, which is what `test` compares; `undefined` without a value. */
  readonly written: unknown;
}

/** Deeper JSON is refused: reading it would need more stack than there is. */
const MOST_DEPTH = 1000;

/**
 * Reads the text of a patch; `undefined` when it is no list of operations. As kustomize: text that starts with a
 * bracket has to be JSON, everything else is YAML, and nothing but comments is a list without operations.
 */
export function parseOperations(text: string, file: string): Operation[] | undefined {
  if (text === "") return undefined;
  try {
    if (!text.startsWith("[")) {
      // As kustomize: what comes after the first document is not even read.
      const value = parseYaml(firstDocument(text), { file, duplicateKeys: "last-wins" });
      return readOperations(value, writtenBy);
    }
    if (depthOf(text) > MOST_DEPTH) return undefined;
    // As kustomize: numbers and escapes count as they are written.
    const written = JSON.parse(text, asWritten as Parameters<typeof JSON.parse>[1]) as unknown[];
    return readOperations(JSON.parse(text), (_, index) => {
      const operation = written[index];
      return isObject(operation) ? operation["value"] : undefined;
    });
  } catch (error) {
    if (error instanceof AppError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

// What JSON.parse passes beside a scalar: the text that it read.
function asWritten(_key: string, value: unknown, context: { readonly source?: string }): unknown {
  return typeof value === "object" && value !== null ? value : (context.source ?? goJson(value));
}

function writtenBy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(writtenBy);
  if (!isObject(value)) return goJson(value);
  const copy: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) define(copy, key, writtenBy(item));
  return copy;
}

function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let isText = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === "\\") at++;
    else if (char === '"') isText = !isText;
    else if (!isText && (char === "[" || char === "{")) deepest = Math.max(deepest, ++depth);
    else if (!isText && (char === "]" || char === "}")) depth--;
  }
  return deepest;
}

function readOperations(
  value: unknown,
  writtenOf: (value: unknown, index: number) => unknown,
): Operation[] | undefined {
  if (value === null) return [];
  if (!Array.isArray(value)) return undefined;
  const operations: Operation[] = [];
  for (const [index, item] of value.entries()) {
    if (item !== null && !isObject(item)) return undefined;
    const fields = item ?? {};
    operations.push({
      index,
      op: textOf(fields, "op") ?? "unknown",
      path: textOf(fields, "path"),
      from: textOf(fields, "from"),
      value: fields["value"] ?? null,
      written: Object.hasOwn(fields, "value") ? writtenOf(fields["value"], index) : undefined,
    });
  }
  return operations;
}

function textOf(fields: Record<string, unknown>, key: string): string | undefined {
  const value = fields[key];
  return typeof value === "string" ? value : undefined;
}

/** The keys and indices that the operations name, of paths that lead into `key`. */
export function touches(operations: readonly Operation[], ...place: readonly string[]): boolean {
  return operations.some(({ path, from }) => [path, from].some((text) => text !== undefined && meets(text, place)));
}

function meets(path: string, place: readonly string[]): boolean {
  const parts = path.split("/").slice(1);
  return parts.every((part, index) => index >= place.length || decode(part) === place[index]);
}

/**
 * Applies the operations in order to `document`, in place where possible; answers the result. Throws
 * `render-patch-operation`, and `render-wrong-kind-or-version` for an unknown operation, with its index as the field.
 */
export function applyOperations(document: unknown, operations: readonly Operation[]): unknown {
  const holder = { root: document, copied: 0 };
  for (const operation of operations) apply(holder, operation);
  return holder.root;
}

function apply(holder: { root: unknown; copied: number }, operation: Operation): void {
  switch (operation.op) {
    case "add":
      add(holder.root, operation, copy(operation.value));
      return;
    case "replace":
      replace(holder, operation);
      return;
    case "remove":
      remove(find(holder.root, operation.path, operation), operation);
      return;
    case "move": {
      const source = find(holder.root, operation.from, operation);
      const value = get(source, operation);
      remove(source, operation);
      add(holder.root, operation, value);
      return;
    }
    case "copy": {
      // As kustomize: what is not there is copied as null.
      const value = get(find(holder.root, operation.from, operation), operation) ?? null;
      holder.copied = countCopied(value, holder.copied);
      add(holder.root, operation, copy(value));
      return;
    }
    case "test":
      test(holder.root, operation);
      return;
    default:
      throw fault(operation, "there is no such operation in a JSON patch", "render-wrong-kind-or-version");
  }
}

function add(root: unknown, operation: Operation, value: unknown): void {
  const { parent, key } = find(root, operation.path, operation);
  if (Array.isArray(parent)) parent.splice(insertIndex(key, parent.length, operation), 0, value);
  else define(parent, key, value);
}

// As kustomize: replacing a key that a map does not have adds it.
function replace(holder: { root: unknown }, operation: Operation): void {
  const value = copy(operation.value);
  if (operation.path === "") {
    if (typeof value !== "object" || value === null) throw fault(operation, "an object needs a map in its place");
    holder.root = value;
    return;
  }
  const { parent, key } = find(holder.root, operation.path, operation);
  if (Array.isArray(parent)) parent[readIndex(key, parent.length, operation)] = value;
  else define(parent, key, value);
}

function remove({ parent, key }: Place, operation: Operation): void {
  if (Array.isArray(parent)) parent.splice(readIndex(key, parent.length, operation), 1);
  else if (Object.hasOwn(parent, key)) delete parent[key];
  else throw fault(operation, `there is no ${JSON.stringify(key)} to remove`);
}

function test(root: unknown, operation: Operation): void {
  const found = operation.path === "" ? root : get(find(root, operation.path, operation), operation);
  const wanted = operation.written ?? "null";
  // A test for null holds for a field that is not there.
  if (found === undefined || found === null ? wanted === "null" : isWritten(found, wanted)) return;
  throw fault(operation, "the value is another");
}

function isWritten(value: unknown, written: unknown): boolean {
  if (Array.isArray(value)) {
    return (
      Array.isArray(written) &&
      value.length === written.length &&
      value.every((item, index) => isWritten(item, written[index]))
    );
  }
  if (!isObject(value)) return goJson(value ?? null) === written;
  if (!isObject(written)) return false;
  const keys = Object.keys(value);
  return (
    keys.length === Object.keys(written).length &&
    keys.every((key) => Object.hasOwn(written, key) && isWritten(value[key], written[key]))
  );
}

interface Place {
  readonly parent: unknown[] | Record<string, unknown>;
  readonly key: string;
}

/**
 * The place that a path names. As kustomize: what stands before the first slash does not count, and the object as a
 * whole is no place.
 */
function find(root: unknown, path: string | undefined, operation: Operation): Place {
  if (path === undefined) throw fault(operation, "a path is missing");
  const [, ...parts] = path.split("/").map(decode);
  const key = parts.pop();
  if (key === undefined) throw fault(operation, `${JSON.stringify(path)} names no field`);
  let current = root;
  for (const part of parts) {
    if (Array.isArray(current)) current = current[readIndex(part, current.length, operation)];
    else current = isObject(current) && Object.hasOwn(current, part) ? current[part] : undefined;
    if (typeof current !== "object" || current === null) {
      throw fault(operation, `${path} has no parent, since ${part} is not there or is no map or list`);
    }
  }
  // Only maps and lists get here.
  return { parent: current as Place["parent"], key };
}

/** `undefined` for a key that a map does not have; a list insists on an index. */
function get({ parent, key }: Place, operation: Operation): unknown {
  if (Array.isArray(parent)) return parent[readIndex(key, parent.length, operation)];
  return Object.hasOwn(parent, key) ? parent[key] : undefined;
}

function decode(part: string): string {
  return part.includes("~") ? part.replaceAll("~1", "/").replaceAll("~0", "~") : part;
}

function readIndex(part: string, length: number, operation: Operation): number {
  const actual = indexOf(part, length);
  if (Number.isNaN(actual) || actual < 0 || actual >= length) {
    throw fault(operation, `${part} is no index of a list of ${length}`);
  }
  return actual;
}

function insertIndex(part: string, length: number, operation: Operation): number {
  if (part === "-") return length;
  // A negative index counts from behind the new element.
  const actual = indexOf(part, length + 1);
  if (Number.isNaN(actual) || actual < 0 || actual > length) {
    throw fault(operation, `${part} is no place in a list of ${length}`);
  }
  return actual;
}

function indexOf(part: string, length: number): number {
  const index = /^[+-]?[0-9]{1,15}$/.test(part) ? Number(part) : Number.NaN;
  return index < 0 ? index + length : index;
}

function define(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== "__proto__") target[key] = value;
  else Object.defineProperty(target, key, { value, enumerable: true, writable: true, configurable: true });
}

function copy(value: unknown): unknown {
  return typeof value === "object" && value !== null ? structuredClone(value) : value;
}

function fault(
  { index, op, path = "" }: Operation,
  what: string,
  code: RenderErrorCode = "render-patch-operation",
): RenderError {
  return renderError(code, `operations[${index}], ${op} ${path}: ${what}`, { path, field: [index] });
}
