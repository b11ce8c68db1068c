// JSON patch (RFC 6902) over plain JSON, with the readings of the library that Kubernetes' tools share.

import { isObject } from "../../kube/object.ts";
import { renderError } from "../errors.ts";

export interface Operation {
  readonly op: string;
  readonly path: string;
  readonly from?: string | undefined;
  readonly value?: unknown;
  readonly hasValue: boolean;
}

/** Reads a list of operations; `undefined` when the value is no such list. */
export function readOperations(value: unknown): Operation[] | undefined {
  if (value === null) return [];
  if (!Array.isArray(value)) return undefined;
  const operations: Operation[] = [];
  for (const item of value) {
    if (!isObject(item)) return undefined;
    operations.push({
      op: typeof item["op"] === "string" ? item["op"] : "unknown",
      path: typeof item["path"] === "string" ? item["path"] : "",
      from: typeof item["from"] === "string" ? item["from"] : undefined,
      value: item["value"],
      hasValue: Object.hasOwn(item, "value"),
    });
  }
  return operations;
}

/** Applies the operations in order to `document`, in place where possible; answers the result. */
export function applyOperations(document: unknown, operations: readonly Operation[]): unknown {
  const holder = { root: document };
  for (const operation of operations) apply(holder, operation);
  return holder.root;
}

function apply(holder: { root: unknown }, operation: Operation): void {
  switch (operation.op) {
    case "add":
      write(holder, operation, copy(operation.value ?? null), "add");
      return;
    case "replace":
      read(holder.root, operation.path, operation);
      write(holder, operation, copy(operation.value ?? null), "replace");
      return;
    case "remove":
      remove(holder, operation.path, operation);
      return;
    case "move": {
      const value = read(holder.root, operation.from ?? "", operation);
      remove(holder, operation.from ?? "", operation);
      write(holder, operation, value, "add");
      return;
    }
    case "copy":
      write(holder, operation, copy(read(holder.root, operation.from ?? "", operation)), "add");
      return;
    case "test":
      test(holder.root, operation);
      return;
    default:
      throw renderError("render-wrong-kind-or-version", `${JSON.stringify(operation.op)} is no JSON patch operation`, {
        path: operation.path,
      });
  }
}

function test(root: unknown, operation: Operation): void {
  let found: unknown;
  try {
    found = read(root, operation.path, operation);
  } catch (error) {
    // A test for null holds for a field that is not there.
    if (operation.value === null || operation.value === undefined) return;
    throw error;
  }
  if (!deepEqual(found ?? null, operation.value ?? null)) throw fault(operation, "the value is another");
}

function read(root: unknown, path: string, operation: Operation): unknown {
  let current = root;
  for (const part of parse(path, operation)) {
    if (Array.isArray(current)) current = current[readIndex(part, current.length, operation)];
    else if (isObject(current) && Object.hasOwn(current, part)) current = current[part];
    else throw fault(operation, `${path} does not exist`);
  }
  return current;
}

function write(holder: { root: unknown }, operation: Operation, value: unknown, mode: "add" | "replace"): void {
  const parts = parse(operation.path, operation);
  const last = parts.pop();
  if (last === undefined) {
    holder.root = value;
    return;
  }
  const parent = readParent(holder.root, parts, operation);
  if (Array.isArray(parent)) {
    if (mode === "replace") parent[readIndex(last, parent.length, operation)] = value;
    else parent.splice(insertIndex(last, parent.length, operation), 0, value);
  } else {
    define(parent, last, value);
  }
}

function remove(holder: { root: unknown }, path: string, operation: Operation): void {
  const parts = parse(path, operation);
  const last = parts.pop();
  if (last === undefined) throw fault(operation, "the whole object cannot be removed");
  const parent = readParent(holder.root, parts, operation);
  if (Array.isArray(parent)) parent.splice(readIndex(last, parent.length, operation), 1);
  else if (Object.hasOwn(parent, last)) delete parent[last];
  else throw fault(operation, `${path} does not exist`);
}

function readParent(
  root: unknown,
  parts: readonly string[],
  operation: Operation,
): unknown[] | Record<string, unknown> {
  let current = root;
  for (const part of parts) {
    if (Array.isArray(current)) current = current[readIndex(part, current.length, operation)];
    else if (isObject(current) && Object.hasOwn(current, part)) current = current[part];
    else throw fault(operation, `${operation.path} has no parent, since ${part} does not exist`);
  }
  if (Array.isArray(current) || isObject(current)) return current;
  throw fault(operation, `${operation.path} has no map or list above it`);
}

function parse(path: string, operation: Operation): string[] {
  if (path === "") return [];
  if (!path.startsWith("/")) throw fault(operation, `${JSON.stringify(path)} does not start with /`);
  return path
    .slice(1)
    .split("/")
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function readIndex(part: string, length: number, operation: Operation): number {
  const index = /^-?[0-9]+$/.test(part) ? Number(part) : Number.NaN;
  const actual = index < 0 ? index + length : index;
  if (Number.isNaN(actual) || actual < 0 || actual >= length) {
    throw fault(operation, `${part} is no index of a list of ${length}`);
  }
  return actual;
}

function insertIndex(part: string, length: number, operation: Operation): number {
  if (part === "-") return length;
  const index = /^-?[0-9]+$/.test(part) ? Number(part) : Number.NaN;
  // A negative index counts from behind the new element.
  const actual = index < 0 ? index + length + 1 : index;
  if (Number.isNaN(actual) || actual < 0 || actual > length) {
    throw fault(operation, `${part} is no place in a list of ${length}`);
  }
  return actual;
}

function define(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== "__proto__") target[key] = value;
  else Object.defineProperty(target, key, { value, enumerable: true, writable: true, configurable: true });
}

function copy(value: unknown): unknown {
  return typeof value === "object" && value !== null ? structuredClone(value) : value;
}

function deepEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a) || Array.isArray(b)) {
    return (
      Array.isArray(a) &&
      Array.isArray(b) &&
      a.length === b.length &&
      a.every((item, index) => deepEqual(item, b[index]))
    );
  }
  if (!isObject(a) || !isObject(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && deepEqual(a[key], b[key]))
  );
}

function fault(operation: Operation, what: string): Error {
  return renderError("render-patch-operation", `${operation.op} ${operation.path}: ${what}`, { path: operation.path });
}
