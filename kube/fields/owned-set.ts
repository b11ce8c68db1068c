// Which paths a value holds, as ownership counts them.
import { EMPTY_SET, type FieldSet, isEmptySet } from "./field-set.ts";
import { elementOfItem, isMap, isNamedField, shapeOf, typeOfKey } from "./list-items.ts";
import { DEDUCED, type FieldType } from "./type.ts";

const LEAF = EMPTY_SET;

/**
 * The set that applying `value` owns: its leaves, list items with their keys, and keys of maps without a struct type.
 * Structs themselves are not in it unless they are empty or null.
 */
export function setOfValue(value: unknown, type: FieldType): FieldSet {
  return childrenOf(value, type) ?? EMPTY_SET;
}

/** The paths below a value; undefined for a leaf. */
function childrenOf(value: unknown, type: FieldType): FieldSet | undefined {
  switch (shapeOf(type, value)) {
    case "leaf":
      return type.kind === "deduced" && value === null ? EMPTY_SET : undefined;
    case "map":
      return isMap(value) ? childrenOfMap(value, type) : EMPTY_SET;
    case "list":
      return Array.isArray(value) && type.kind === "list" ? childrenOfList(value, type) : EMPTY_SET;
  }
}

function childrenOfMap(value: Record<string, unknown>, type: FieldType): FieldSet {
  const result: Record<string, FieldSet> = {};
  for (const key in value) {
    const item = value[key];
    if (item === undefined) continue;
    const children = childrenOf(item, typeOfKey(type, key) ?? DEDUCED);
    if (children === undefined) {
      result[`f:${key}`] = LEAF;
      continue;
    }
    const member = item === null || (isMap(item) && isEmptyMap(item)) || !isNamedField(type, key);
    const node = nodeOf(member, children);
    if (node !== undefined) result[`f:${key}`] = node;
  }
  return result;
}

function childrenOfList(value: readonly unknown[], type: FieldType & { kind: "list" }): FieldSet {
  const result: Record<string, FieldSet> = {};
  for (const item of value) {
    const element = elementOfItem(type, item);
    if (element === undefined) continue;
    // Of an item that occurs twice only the item itself counts.
    result[element] = Object.hasOwn(result, element)
      ? LEAF
      : (nodeOf(true, childrenOf(item, type.items) ?? EMPTY_SET) ?? LEAF);
  }
  return result;
}

function nodeOf(member: boolean, children: FieldSet): FieldSet | undefined {
  if (isEmptySet(children)) return member ? LEAF : undefined;
  return member ? { ".": LEAF, ...children } : children;
}

function isEmptyMap(value: Record<string, unknown>): boolean {
  for (const key in value) if (value[key] !== undefined) return false;
  return true;
}

/** The set with every struct field on the way to a member added, as pruning needs it. */
export function withNamedFields(set: FieldSet, type: FieldType | undefined): FieldSet {
  let result: Record<string, FieldSet> | undefined;
  for (const element in set) {
    if (element === ".") continue;
    const node = set[element] ?? LEAF;
    if (isEmptySet(node)) continue;
    const name = element.startsWith("f:") ? element.slice(2) : undefined;
    const childType = type === undefined ? undefined : typeOfElement(type, element);
    let next = withNamedFields(node, childType);
    if (name !== undefined && type !== undefined && isNamedField(type, name) && next["."] === undefined) {
      next = { ".": LEAF, ...next };
    }
    if (next === node) continue;
    result ??= { ...set };
    result[element] = next;
  }
  return result ?? set;
}

/** The type of what an element leads to. */
export function typeOfElement(type: FieldType, element: string): FieldType | undefined {
  if (element.startsWith("f:")) return typeOfKey(type, element.slice(2));
  return type.kind === "list" ? type.items : undefined;
}
