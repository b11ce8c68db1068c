// Elements of field paths in the serialised form of FieldsV1, and how messages print them.
//
// `f:name` is a field, `k:{"name":"web"}` a list item by its keys, `v:"x"` an item of a set, `i:0` an item by index.

/** A path from the root of an object to a field, one FieldsV1 element per step. */
export type FieldPath = readonly string[];

/** The element of a field. */
export function fieldElement(name: string): string {
  return `f:${name}`;
}

/** JSON text of a scalar; bigint as digits. */
export function scalarText(value: unknown): string {
  return typeof value === "bigint" ? value.toString() : (JSON.stringify(value) ?? "null");
}

/** A path as the API server prints it: `.spec.containers[name="web"].image`. */
export function formatPath(path: FieldPath): string {
  let text = "";
  for (const element of path) text += formatElement(element);
  return text;
}

export function formatElement(element: string): string {
  const content = element.slice(2);
  switch (element.charAt(0)) {
    case "f":
      return `.${content}`;
    case "k": {
      const keys = parseKeys(content) ?? {};
      const parts = Object.keys(keys)
        .sort()
        .map((name) => `${name}=${scalarText(keys[name])}`);
      return `[${parts.join(",")}]`;
    }
    case "v":
      return `[=${content}]`;
    default:
      return `[${content}]`;
  }
}

function parseKeys(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    // A `k:` element holds an object; anything else is refused here.
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The one spelling of an element as a client may have written it, with sorted keys and compact JSON. Undefined when it
 * is none.
 */
export function canonicalElement(element: string): string | undefined {
  const content = element.slice(2);
  if (element.charAt(1) !== ":") return undefined;
  switch (element.charAt(0)) {
    case "f":
      return element;
    case "v":
      try {
        return `v:${JSON.stringify(JSON.parse(content))}`;
      } catch {
        return undefined;
      }
    case "i":
      return /^-?[0-9]+$/.test(content) ? element : undefined;
    case "k": {
      const keys = parseKeys(content);
      if (keys === undefined) return undefined;
      const parts = Object.keys(keys)
        .sort()
        .map((name) => `${JSON.stringify(name)}:${JSON.stringify(keys[name])}`);
      return `k:{${parts.join(",")}}`;
    }
    default:
      return undefined;
  }
}

const RANKS: Readonly<Record<string, number>> = { f: 0, k: 1, v: 2, i: 3 };

/** The server's order of elements: fields by name, then items by keys, values, indices. */
export function compareElements(a: string, b: string): number {
  if (a === b) return 0;
  const kind = a.charAt(0);
  const rank = (RANKS[kind] ?? 4) - (RANKS[b.charAt(0)] ?? 4);
  if (rank !== 0) return rank;
  const left = a.slice(2);
  const right = b.slice(2);
  switch (kind) {
    case "k":
      return compareKeys(parseKeys(left) ?? {}, parseKeys(right) ?? {});
    case "v":
      return compareScalars(parseScalar(left), parseScalar(right));
    case "i":
      return Number(left) - Number(right);
    default:
      return compareText(left, right);
  }
}

function parseScalar(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function compareKeys(a: Record<string, unknown>, b: Record<string, unknown>): number {
  const left = Object.keys(a).sort();
  const right = Object.keys(b).sort();
  for (let index = 0; index < left.length && index < right.length; index++) {
    const name = left[index] ?? "";
    const byName = compareText(name, right[index] ?? "");
    if (byName !== 0) return byName;
    const byValue = compareScalars(a[name], b[name]);
    if (byValue !== 0) return byValue;
  }
  return left.length - right.length;
}

const SCALAR_RANKS: Readonly<Record<string, number>> = { number: 0, string: 1, boolean: 2 };

function compareScalars(a: unknown, b: unknown): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === "string" && typeof b === "string") return compareText(a, b);
  if (typeof a === "boolean" && typeof b === "boolean") return Number(a) - Number(b);
  return (SCALAR_RANKS[typeof a] ?? 3) - (SCALAR_RANKS[typeof b] ?? 3);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
