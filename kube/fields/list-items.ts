// How items of set and map lists are told apart.
import { scalarText } from "./path.ts";
import type { FieldType, ListType, MapType } from "./type.ts";

/** The element of an item of a list of type `set` or `map`, or why it has none. */
export type ItemElement = { readonly element: string } | { readonly problem: string };

const KEY_PREFIXES = new WeakMap<ListType, string>();

/** The element of an item; undefined when it has none. `itemElement` says why. */
export function elementOfItem(type: ListType, item: unknown): string | undefined {
  if (type.listType === "set") {
    return typeof item === "object" ? undefined : `v:${scalarText(item)}`;
  }
  if (typeof item !== "object" || item === null || Array.isArray(item)) return undefined;
  // Checked above: a JSON object.
  const fields = item as Record<string, unknown>;
  const only = type.keys.length === 1 ? type.keys[0] : undefined;
  if (only === undefined) return elementOfKeys(type, fields);
  const value = fields[only] === undefined ? type.keyDefaults[only] : fields[only];
  if (value === undefined) return undefined;
  let prefix = KEY_PREFIXES.get(type);
  if (prefix === undefined) {
    prefix = `k:{${JSON.stringify(only)}:`;
    KEY_PREFIXES.set(type, prefix);
  }
  return `${prefix}${scalarText(value)}}`;
}

function elementOfKeys(type: ListType, fields: Record<string, unknown>): string | undefined {
  const parts: string[] = [];
  for (const key of [...type.keys].sort()) {
    const value = fields[key] === undefined ? type.keyDefaults[key] : fields[key];
    if (value !== undefined) parts.push(`${JSON.stringify(key)}:${scalarText(value)}`);
  }
  return parts.length === 0 ? undefined : `k:{${parts.join(",")}}`;
}

/** The element of an item, or the server's words for an item that has none. */
export function itemElement(type: ListType, item: unknown): ItemElement {
  const element = elementOfItem(type, item);
  if (element !== undefined) return { element };
  if (type.listType === "set") {
    if (item === null) return { problem: "associative list without keys has an element that's an explicit null" };
    return {
      problem: Array.isArray(item)
        ? "not supported: associative list with lists as elements"
        : "associative list without keys has an element that's a map type",
    };
  }
  if (item === null) return { problem: "associative list with keys may not have a null element" };
  if (typeof item !== "object" || Array.isArray(item)) {
    return { problem: "associative list with keys may not have non-map elements" };
  }
  const keys = `[${type.keys.map((key) => JSON.stringify(key)).join(" ")}]`;
  return {
    problem: `associative list with keys has an element that omits all key fields ${keys} (and doesn't have default values for any key fields)`,
  };
}

/** The items of a list by element, in order of first appearance; items without an element are left out. */
export function indexItems(type: ListType, items: readonly unknown[]): Map<string, unknown[]> {
  const index = new Map<string, unknown[]>();
  for (const item of items) {
    const element = elementOfItem(type, item);
    if (element === undefined) continue;
    const same = index.get(element);
    if (same === undefined) index.set(element, [item]);
    else same.push(item);
  }
  return index;
}

/** What a value is to merging: one unit, or a list or map whose parts count. */
export type Shape = "leaf" | "map" | "list";

export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The shape of a value under its type. A deduced map is granular, a deduced list atomic. */
export function shapeOf(type: FieldType, value: unknown): Shape {
  switch (type.kind) {
    case "scalar":
      return "leaf";
    case "map":
      return type.atomic ? "leaf" : "map";
    case "list":
      return type.listType === "atomic" ? "leaf" : "list";
    case "deduced":
      return isMap(value) ? "map" : "leaf";
  }
}

/** The type of a key of a granular map; undefined for a key that the schema does not know. */
export function typeOfKey(type: FieldType, key: string): FieldType | undefined {
  if (type.kind === "deduced") return type;
  if (type.kind !== "map") return undefined;
  return type.field(key) ?? type.rest ?? (type.preserveUnknown ? DEDUCED_TYPE : undefined);
}

const DEDUCED_TYPE: FieldType = { kind: "deduced" };

/** Whether the schema declares the key by name, as a struct does. */
export function isNamedField(type: FieldType, key: string): type is MapType {
  return type.kind === "map" && type.field(key) !== undefined;
}

/** The value of a key that the map itself has; keys such as `constructor` are ordinary keys of JSON data. */
export function ownValue(map: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(map, key) ? map[key] : undefined;
}

/** Sets a key, `__proto__` included, without touching the prototype. */
export function setOwnValue(map: Record<string, unknown>, key: string, value: unknown): void {
  if (key === "__proto__") {
    Object.defineProperty(map, key, { value, writable: true, enumerable: true, configurable: true });
  } else map[key] = value;
}
