// An object on its way through the overriders. The template is shared by all clusters and never changed: every write
// copies the containers along its path only.

import {
  applyJsonPatch,
  formatPointer,
  type JsonPatchOperation,
  parsePointer,
  valueAt,
  valueAtKeys,
} from "../../kube/json-patch.ts";
import { equalJson, isObject, type KubeObject } from "../../kube/object.ts";
import { messageOf } from "../../runtime/errors.ts";
import { overrideImpossible } from "./errors.ts";

/** One field that an overrider changed. `undefined` stands for a field that is not there. */
export interface Write {
  /** JSON pointer. */
  readonly path: string;
  readonly old: unknown;
  readonly value: unknown;
}

export class Draft {
  #object: KubeObject;
  readonly #writes: Write[] = [];

  constructor(object: KubeObject) {
    this.#object = object;
  }

  get object(): KubeObject {
    return this.#object;
  }

  /** Takes the writes since the last call, in the order they were made. */
  takeWrites(): readonly Write[] {
    return this.#writes.splice(0);
  }

  /** Sets the field at `path`, whose parents must exist; undefined removes it. Equal values are no write. */
  set(path: readonly (string | number)[], value: unknown): void {
    const old = at(this.#object, path);
    if (old !== undefined && value !== undefined && equalJson(old, value)) return;
    if (old === undefined && value === undefined) return;
    // Replacing a field inside an object leaves an object.
    this.#object = withValue(this.#object, path, 0, value) as KubeObject;
    this.#writes.push({ path: formatPointer(path), old, value });
  }

  /** Carries out one operation of JSON Patch. Throws `override-impossible` when it does not apply. */
  patch(operation: JsonPatchOperation): void {
    const before = this.#object;
    const after = patched(before, operation);
    if (!isObject(after)) throw overrideImpossible(operation.path, "the result is no object");
    // An object stays one with whatever fields it has; the API server of the member judges them.
    this.#object = after as KubeObject;
    this.#record(operation, before, after);
  }

  #record(operation: JsonPatchOperation, before: unknown, after: unknown): void {
    const path = resolveEnd(before, operation);
    const keys = path === "" ? [] : parsePointer(path);
    const inserts = operation.op === "add" && Array.isArray(valueAtKeys(before, keys.slice(0, -1)));
    const removes = operation.op === "remove";
    const old = inserts ? undefined : valueAtKeys(before, keys);
    const value = removes ? undefined : valueAtKeys(after, keys);
    if (!inserts && !removes && old !== undefined && equalJson(old, value)) return;
    this.#writes.push({ path, old, value });
  }
}

function patched(object: KubeObject, operation: JsonPatchOperation): unknown {
  try {
    return applyJsonPatch<unknown>(object, [operation]);
  } catch (error) {
    throw overrideImpossible(operation.path, messageOf(error), error);
  }
}

function at(root: unknown, path: readonly (string | number)[]): unknown {
  let current = root;
  for (const key of path) {
    if (typeof current !== "object" || current === null) return undefined;
    current = (current as Record<string | number, unknown>)[key];
  }
  return current;
}

function withValue(node: unknown, path: readonly (string | number)[], depth: number, value: unknown): unknown {
  const key = path[depth];
  if (key === undefined) return value;
  if (Array.isArray(node)) {
    const copy = [...node];
    copy[Number(key)] = withValue(node[Number(key)], path, depth + 1, value);
    return copy;
  }
  if (!isObject(node))
    throw overrideImpossible(formatPointer(path), `there is no field ${formatPointer(path.slice(0, depth))}`);
  const inner = withValue(node[key], path, depth + 1, value);
  const copy = { ...node };
  if (inner === undefined) delete copy[key];
  else copy[key] = inner;
  return copy;
}

// Lists are addressed from their end as well: `-` is behind the last element, `-1` is the last; for an insertion, the
// place behind the last element counts.
function resolveEnd(before: unknown, { op, path }: JsonPatchOperation): string {
  const cut = path.lastIndexOf("/");
  const last = path.slice(cut + 1);
  if (!last.startsWith("-")) return path;
  const list = valueAt(before, path.slice(0, cut));
  if (!Array.isArray(list)) return path;
  const index = last === "-" ? list.length : list.length + (op === "add" ? 1 : 0) + Number(last);
  return Number.isInteger(index) && index >= 0 ? `${path.slice(0, cut)}/${index}` : path;
}
