// Which paths a value holds, as ownership counts them.
import { EMPTY_SET, type FieldSet, isEmptySet } from "./field-set.ts";
import { elementOfItem, isMap, isNamedField, shapeOf, typeOfKey } from "./list-items.ts";
import { DEDUCED, type FieldType, type ListType } from "./type.ts";

const LEAF = EMPTY_SET;

/**
 * The set that applying `value` owns: its leaves, list items with their keys, and keys of maps without a struct type.
 * Structs themselves are not in it unless they are empty or null.
 */
export function setOfValue(value: unknown, type: FieldType): FieldSet {
  return nodeOf(value, type, false) ?? EMPTY_SET;
}

/** The node of a value, in the set itself or not; undefined when nothing of it is. Leaves always are. */
function nodeOf(value: unknown, type: FieldType, member: boolean): FieldSet | undefined {
  const shape = shapeOf(type, value);
  if (shape === "leaf") return LEAF;
  const result: Record<string, FieldSet> = member ? { ".": LEAF } : {};
  let isBare = true;
  if (shape === "map") {
    if (isMap(value)) isBare = !addMap(result, value, type);
  } else if (Array.isArray(value) && type.kind === "list") {
    isBare = !addList(result, value, type);
  }
  if (isBare) return member ? LEAF : undefined;
  return result;
}

/** Adds the keys of a map; false when nothing was added. */
function addMap(result: Record<string, FieldSet>, value: Record<string, unknown>, type: FieldType): boolean {
  let added = false;
  for (const key in value) {
    const item = value[key];
    if (item === undefined) continue;
    const named = type.kind === "map" ? type.field(key) : undefined;
    const itemType = named ?? typeOfKey(type, key) ?? DEDUCED;
    const member = named === undefined || item === null || (isMap(item) && isEmptyMap(item));
    const node = nodeOf(item, itemType, member);
    if (node === undefined) continue;
    result[`f:${key}`] = node;
    added = true;
  }
  return added;
}

function addList(result: Record<string, FieldSet>, value: readonly unknown[], type: ListType): boolean {
  let added = false;
  for (const item of value) {
    const element = elementOfItem(type, item);
    if (element === undefined) continue;
    // Of an item that occurs twice only the item itself counts.
    result[element] = Object.hasOwn(result, element) ? LEAF : (nodeOf(item, type.items, true) ?? LEAF);
    added = true;
  }
  return added;
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

const RECONCILED = new WeakMap<FieldSet, { readonly type: FieldType; readonly set: FieldSet }>();

/**
 * The set as it reads under the present type: who owned parts of a value that has become atomic since owns the whole.
 * Remembers the answer for the set.
 */
export function reconcileSet(set: FieldSet, type: FieldType): FieldSet {
  const known = RECONCILED.get(set);
  if (known !== undefined && known.type === type) return known.set;
  const reconciled = withWholeAtomics(set, type);
  RECONCILED.set(set, { type, set: reconciled });
  return reconciled;
}

function withWholeAtomics(set: FieldSet, type: FieldType): FieldSet {
  let result: Record<string, FieldSet> | undefined;
  for (const element in set) {
    if (element === ".") continue;
    const node = set[element] ?? LEAF;
    const childType = isEmptySet(node) ? undefined : typeOfElement(type, element);
    if (childType === undefined || childType.kind === "deduced") continue;
    const next = isAtomic(childType) ? LEAF : withWholeAtomics(node, childType);
    if (next === node) continue;
    result ??= { ...set };
    result[element] = next;
  }
  return result ?? set;
}

function isAtomic(type: FieldType): boolean {
  return type.kind === "map" ? type.atomic : type.kind === "list" && type.listType === "atomic";
}
