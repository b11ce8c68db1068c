// JSON patch (RFC 6902) as the API server and Karmada's override engine apply it.
import { AppError } from "../runtime/errors.ts";
import { equalJson, setOwn } from "./object.ts";

export interface JsonPatchOperation {
  readonly op: string;
  readonly path: string;
  readonly from?: string | undefined;
  /** Absent means null, as both implementations do. */
  readonly value?: unknown;
}

export interface JsonPatchOptions {
  /**
   * `karmada` (default) lets `add` and `replace` at the empty path replace the whole document, and has the odd answers of
   * Karmada's library for the empty key; `api-server` lets only `replace`, and takes a missing key of an object for null
   * where something is replaced or copied.
   */
  readonly dialect?: "karmada" | "api-server" | undefined;
  /** Fails with `json-patch-too-large` when there are more operations. */
  readonly maxOperations?: number | undefined;
  /** Fails when `copy` operations together copy more JSON text than this. */
  readonly maxCopyBytes?: number | undefined;
}

/** A patch that does not apply. `details.index` is the operation's position. */
export class JsonPatchError extends AppError {
  readonly index: number;

  constructor(code: string, index: number, message: string) {
    super(code, message, { recovery: "stall", details: { index } });
    this.name = "JsonPatchError";
    this.index = index;
  }
}

/**
 * The document after all operations, or a thrown `JsonPatchError`. The document given is not changed; the result shares
 * its unchanged parts. Negative list indices count from the end; `add` creates no missing parents.
 */
export function applyJsonPatch<T>(
  document: T,
  operations: readonly JsonPatchOperation[],
  options: JsonPatchOptions = {},
): T {
  const limit = options.maxOperations;
  if (limit !== undefined && operations.length > limit) {
    throw new JsonPatchError(
      "json-patch-too-large",
      limit,
      `The allowed maximum operations in a JSON patch is ${limit}, got ${operations.length}`,
    );
  }
  const patcher = new Patcher(document, options);
  for (const [index, operation] of operations.entries()) patcher.apply(index, operation);
  // A patch may turn the document into anything; callers decode what they get.
  return patcher.document as T;
}

/** The value at a JSON pointer; undefined when there is none. The empty pointer is the document. */
export function valueAt(document: unknown, pointer: string): unknown {
  return pointer === "" ? document : valueAtKeys(document, parsePointer(pointer));
}

/** The value that the keys of a pointer lead to. */
export function valueAtKeys(document: unknown, keys: readonly string[]): unknown {
  let value: unknown = document;
  for (const key of keys) {
    value = valueOfKey(value, key);
    if (value === undefined) return undefined;
  }
  return value;
}

/** The keys of a JSON pointer, unescaped. What stands before the first slash is ignored, as the reference does. */
export function parsePointer(pointer: string): string[] {
  const parts = pointer.split("/").slice(1);
  if (!pointer.includes("~")) return parts;
  return parts.map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** A JSON pointer of keys. */
export function formatPointer(keys: readonly (string | number)[]): string {
  let pointer = "";
  for (const key of keys) {
    const text = String(key);
    pointer += `/${/[~/]/.test(text) ? text.replaceAll("~", "~0").replaceAll("/", "~1") : text}`;
  }
  return pointer;
}

type Container = unknown[] | Record<string, unknown>;

function isContainer(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** The position of an existing item; undefined when the key is no index or out of range. */
function listIndex(key: string, length: number): number | undefined {
  if (!/^[+-]?[0-9]+$/.test(key)) return undefined;
  const index = Number(key);
  const position = index < 0 ? index + length : index;
  return position >= 0 && position < length ? position + 0 : undefined;
}

class Patcher {
  document: unknown;
  readonly #original: unknown;
  readonly #options: JsonPatchOptions;
  /** Containers made by this patch, which may be changed in place. */
  readonly #own = new Set<unknown>();
  #index = 0;
  #copied = 0;
  /** The document as it was, and what `//` did to it. */
  #detached: Patcher | undefined;

  constructor(document: unknown, options: JsonPatchOptions) {
    this.document = document;
    this.#options = options;
    this.#original = document;
  }

  apply(index: number, operation: JsonPatchOperation): void {
    this.#index = index;
    const { op, path } = operation;
    if (typeof path !== "string") throw this.#failure(`${op} operation failed to decode path: missing value`);
    if (path.startsWith("//") && this.#options.dialect !== "api-server" && op !== "move" && op !== "copy") {
      // The reference takes the empty key of the document for the document as it once was: what is done there is lost.
      this.#detached ??= new Patcher(this.#original, this.#options);
      this.#detached.apply(index, { ...operation, path: path.slice(1) });
      return;
    }
    switch (op) {
      case "add":
        if (path === "" && this.#options.dialect !== "api-server") this.#replaceDocument(operation.value);
        else this.#add(op, path, operation.value ?? null);
        return;
      case "replace":
        if (path === "") this.#replaceDocument(operation.value);
        else this.#replace(path, operation.value ?? null);
        return;
      case "remove":
        this.#remove(op, path);
        return;
      case "move": {
        const from = this.#from(operation);
        const value = this.#get(op, from);
        this.#remove(op, from);
        this.#add(op, path, value);
        return;
      }
      case "copy": {
        const value = this.#get(op, this.#from(operation));
        this.#countCopy(value);
        this.#add(op, path, value);
        // The two places must not change together later.
        this.#own.clear();
        return;
      }
      case "test":
        this.#test(path, operation.value ?? null);
        return;
      default:
        throw this.#failure(`Unexpected kind: ${String(op)}`);
    }
  }

  #failure(message: string): JsonPatchError {
    return new JsonPatchError("json-patch-failed", this.#index, message);
  }

  #broken(op: string, path: string, why: string): JsonPatchError {
    const isApiServer = this.#options.dialect === "api-server";
    return this.#failure(
      isApiServer ? `error in ${op} for path: '${path}': ${why}` : `${op} operation does not apply: ${why}`,
    );
  }

  /** Whether a key that a container does not have counts as null. */
  #takesMissingFor(container: Container): boolean {
    return this.#options.dialect === "api-server" && !Array.isArray(container);
  }

  #missing(op: string, path: string): JsonPatchError {
    return this.#failure(`${op} operation does not apply: doc is missing path: ${JSON.stringify(path)}: missing value`);
  }

  #from({ op, from }: JsonPatchOperation): string {
    if (typeof from !== "string") throw this.#failure(`${op} operation failed to decode from: missing value`);
    return from;
  }

  #replaceDocument(value: unknown): void {
    if (!isContainer(value)) throw this.#failure("replace operation hit doc which is not an object or list");
    this.document = value;
    this.#own.clear();
  }

  /** The container that holds the last key of a path, made writable together with all above it. */
  #parent(op: string, path: string): { container: Container; key: string } {
    const keys = parsePointer(path);
    // The reference takes the empty path of a removal for that of the empty key.
    const key = path === "" && this.#options.dialect !== "api-server" ? "" : keys.pop();
    if (key === undefined || !isContainer(this.document)) throw this.#missing(op, path);
    // Look before copying, so that a failing operation costs nothing.
    let existing: unknown = this.document;
    for (const step of keys) {
      existing = valueOfKey(existing, step);
      if (!isContainer(existing)) throw this.#missing(op, path);
    }
    this.document = this.#writable(this.document);
    let container = this.document as Container;
    for (const step of keys) {
      if (Array.isArray(container)) {
        const index = listIndex(step, container.length) ?? 0;
        const next = this.#writable(container[index]);
        container[index] = next;
        container = next;
      } else {
        const next = this.#writable(container[step]);
        setOwn(container, step, next);
        container = next;
      }
    }
    return { container, key };
  }

  #writable(value: unknown): Container {
    if (this.#own.has(value)) return value as Container;
    // Callers checked that it is a list or an object.
    const copy: Container = Array.isArray(value) ? [...value] : { ...(value as Record<string, unknown>) };
    this.#own.add(copy);
    return copy;
  }

  #get(op: string, path: string): unknown {
    const keys = parsePointer(path);
    const key = keys.pop();
    const holder = key === undefined ? undefined : valueAt(this.document, formatPointer(keys));
    if (key === undefined || !isContainer(holder)) throw this.#missing(op, path);
    // The reference takes a key that an object does not have for null.
    if (!hasKey(holder, key) && !this.#takesMissingFor(holder)) throw this.#missing(op, path);
    return valueAt(holder, formatPointer([key])) ?? null;
  }

  #add(op: string, path: string, value: unknown): void {
    const { container, key } = this.#parent(op, path);
    if (!Array.isArray(container)) {
      setOwn(container, key, value);
      return;
    }
    // The place after the last item exists for an insertion.
    const index = key === "-" ? container.length : listIndex(key, container.length + 1);
    if (index === undefined) throw this.#broken(op, path, `Unable to access invalid index: ${key}`);
    container.splice(index, 0, value);
  }

  #replace(path: string, value: unknown): void {
    const { container, key } = this.#parent("replace", path);
    // The reference takes the empty key for one that every object has.
    const isGiven = key === "" && this.#options.dialect !== "api-server" && !Array.isArray(container);
    if (!isGiven && !hasKey(container, key) && !this.#takesMissingFor(container)) {
      throw this.#failure(`replace operation does not apply: doc is missing key: ${path}: missing value`);
    }
    if (Array.isArray(container)) container[listIndex(key, container.length) ?? 0] = value;
    else setOwn(container, key, value);
  }

  #remove(op: string, path: string): void {
    const { container, key } = this.#parent(op, path);
    if (!hasKey(container, key)) {
      throw this.#broken(op, path, `Unable to remove nonexistent key: ${key}: missing value`);
    }
    if (Array.isArray(container)) container.splice(listIndex(key, container.length) ?? 0, 1);
    else delete container[key];
  }

  #test(path: string, expected: unknown): void {
    if (path !== "") {
      const holder = valueAt(this.document, path.slice(0, path.lastIndexOf("/")));
      if (!isContainer(holder)) throw this.#missing("test", path);
    }
    // A missing value equals null.
    const actual = valueAt(this.document, path) ?? null;
    if (!equalJson(actual, expected)) {
      throw new JsonPatchError("json-patch-test-failed", this.#index, `testing value ${path} failed: test failed`);
    }
  }

  #countCopy(value: unknown): void {
    const limit = this.#options.maxCopyBytes;
    if (limit === undefined) return;
    this.#copied += JSON.stringify(value, (_, item) => (typeof item === "bigint" ? Number(item) : item))?.length ?? 0;
    if (this.#copied > limit) {
      throw this.#failure(
        `Unable to complete the copy, the accumulated size increase of copy is ${this.#copied}, exceeding the limit ${limit}`,
      );
    }
  }
}

function hasKey(container: Container, key: string): boolean {
  return Array.isArray(container)
    ? listIndex(key, container.length) !== undefined
    : Object.hasOwn(container, key) && container[key] !== undefined;
}

function valueOfKey(container: unknown, key: string): unknown {
  if (Array.isArray(container)) {
    const index = listIndex(key, container.length);
    return index === undefined ? undefined : container[index];
  }
  return isContainer(container) && Object.hasOwn(container, key) ? container[key] : undefined;
}
