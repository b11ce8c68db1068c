// Sets of field paths. The tree of FieldsV1 is the representation itself, so that a set read from an object needs no
// conversion: `{"f:data":{".":{},"f:k":{}}}` holds `.data` and `.data.k`.
import { canonicalElement, compareElements, type FieldPath } from "./path.ts";

/**
 * A set of paths, never changed once made. A node without children is in the set; a node with children is when it has
 * `.`. The root itself is never a member.
 */
export interface FieldSet {
  readonly [element: string]: FieldSet;
}

/** The empty set, which as a node below the root means "this path and nothing under it". */
export const EMPTY_SET: FieldSet = Object.freeze({});
const LEAF = EMPTY_SET;

export function isEmptySet(set: FieldSet): boolean {
  for (const _ in set) return false;
  return true;
}

/** Whether a node below the root is itself in the set. */
function isMember(node: FieldSet): boolean {
  return node["."] !== undefined || isEmptySet(node);
}

function hasChildren(node: FieldSet): boolean {
  for (const element in node) if (element !== ".") return true;
  return false;
}

/** The node of a path that is in the set or not, with these children; undefined when nothing remains. */
function makeNode(member: boolean, children: FieldSet): FieldSet | undefined {
  if (isEmptySet(children)) return member ? LEAF : undefined;
  return member ? { ".": LEAF, ...children } : children;
}

/** A set of the given paths. */
export function setOfPaths(paths: readonly FieldPath[]): FieldSet {
  let set: FieldSet = EMPTY_SET;
  for (const path of paths) set = unionSets(set, setOfPath(path));
  return set;
}

function setOfPath(path: FieldPath): FieldSet {
  return path.reduceRight<FieldSet>((below, element) => ({ [element]: below }), EMPTY_SET);
}

/** Whether the path itself is in the set. */
export function hasPath(set: FieldSet, path: FieldPath): boolean {
  if (path.length === 0) return false;
  const node = descend(set, path);
  return node !== undefined && isMember(node);
}

/** The part of the set below a path: undefined when the path is neither in it nor leads to something in it. */
export function descend(set: FieldSet, path: FieldPath): FieldSet | undefined {
  let node: FieldSet | undefined = set;
  for (const element of path) {
    if (node === undefined) return undefined;
    node = node[element];
  }
  return node;
}

export function unionSets(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b || isEmptySet(b)) return a;
  if (isEmptySet(a)) return b;
  let result: Record<string, FieldSet> | undefined;
  for (const element in b) {
    if (element === ".") continue;
    const right = b[element] ?? LEAF;
    const left = a[element];
    const node = left === undefined ? right : unionNodes(left, right);
    if (node === left) continue;
    result ??= { ...a };
    result[element] = node;
  }
  return result ?? a;
}

function unionNodes(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b) return a;
  const member = isMember(a) || isMember(b);
  const merged = unionSets(a, b);
  if (!member || isMember(merged)) return merged;
  return { ".": LEAF, ...merged };
}

export function intersectSets(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b) return a;
  const result: Record<string, FieldSet> = {};
  for (const element in a) {
    if (element === ".") continue;
    const left = a[element];
    const right = b[element];
    if (left === undefined || right === undefined) continue;
    const node = makeNode(isMember(left) && isMember(right), intersectSets(left, right));
    if (node !== undefined) result[element] = node;
  }
  return result;
}

/** The paths of `a` that are not in `b`. Answers `a` itself when none is. */
export function subtractSets(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b) return EMPTY_SET;
  return subtract(a, b, false);
}

/** The paths of `a` that are neither in `b` nor below a path in `b`. Answers `a` itself when none is. */
export function subtractTrees(a: FieldSet, b: FieldSet): FieldSet {
  return subtract(a, b, true);
}

function subtract(a: FieldSet, b: FieldSet, wholeTrees: boolean): FieldSet {
  let result: Record<string, FieldSet> | undefined;
  for (const element in b) {
    if (element === ".") continue;
    const left = a[element];
    const right = b[element];
    if (left === undefined || right === undefined) continue;
    const node = subtractNode(left, right, wholeTrees);
    if (node === left) continue;
    result ??= { ...a };
    if (node === undefined) delete result[element];
    else result[element] = node;
  }
  return result ?? a;
}

function subtractNode(a: FieldSet, b: FieldSet, wholeTrees: boolean): FieldSet | undefined {
  const removed = isMember(b);
  if (removed && wholeTrees) return undefined;
  const member = isMember(a);
  const children = subtract(a, b, wholeTrees);
  if (children === a && !(member && removed)) return a;
  return makeNode(member && !removed, withoutSelf(children));
}

function withoutSelf(node: FieldSet): FieldSet {
  if (node["."] === undefined) return node;
  const { ".": _, ...children } = node;
  return children;
}

export function equalSets(a: FieldSet, b: FieldSet): boolean {
  if (a === b) return true;
  let count = 0;
  for (const element in a) {
    const right = b[element];
    if (right === undefined || !equalSets(a[element] ?? LEAF, right)) return false;
    count++;
  }
  for (const _ in b) if (--count < 0) return false;
  return count === 0;
}

/** Whether every path of `a` is in `b`. */
export function isSubset(a: FieldSet, b: FieldSet): boolean {
  if (a === b) return true;
  for (const element in a) {
    if (element === ".") continue;
    const left = a[element] ?? LEAF;
    const right = b[element];
    if (right === undefined) return false;
    if (isMember(left) && !isMember(right)) return false;
    if (!isSubset(left, right)) return false;
  }
  return true;
}

/** Every path in the set in the server's order: those of one level before those further down. */
export function listPaths(set: FieldSet): FieldPath[] {
  const paths: FieldPath[] = [];
  collect(set, [], paths);
  return paths;
}

function collect(node: FieldSet, prefix: FieldPath, paths: FieldPath[]): void {
  const elements = Object.keys(node)
    .filter((element) => element !== ".")
    .sort(compareElements);
  for (const element of elements) if (isMember(node[element] ?? LEAF)) paths.push([...prefix, element]);
  for (const element of elements) {
    const child = node[element] ?? LEAF;
    if (hasChildren(child)) collect(child, [...prefix, element], paths);
  }
}

// ---- FieldsV1

const DECODED = new WeakMap<object, FieldSet | null>();

/** The set of a `fieldsV1` object, or undefined when it is none. The answer is remembered for the object. */
export function decodeFieldsV1(fields: unknown): FieldSet | undefined {
  if (typeof fields !== "object" || fields === null) return undefined;
  const known = DECODED.get(fields);
  if (known !== undefined) return known ?? undefined;
  const set = decodeNode(fields, 0);
  DECODED.set(fields, set ?? null);
  return set;
}

// Deeper than any object that can be read.
const MAX_DEPTH = 1100;

function decodeNode(fields: unknown, depth: number): FieldSet | undefined {
  if (typeof fields !== "object" || fields === null || Array.isArray(fields) || depth > MAX_DEPTH) return undefined;
  let canonical = true;
  const result: Record<string, FieldSet> = {};
  // The loop reads unknown values of a plain object.
  const entries = fields as Record<string, unknown>;
  for (const element in entries) {
    if (element === ".") {
      if (depth > 0) result["."] = LEAF;
      else canonical = false;
      continue;
    }
    const name = canonicalElement(element);
    const below = entries[element];
    const node = decodeNode(below, depth + 1);
    if (name === undefined || node === undefined) return undefined;
    if (name !== element || node !== below) canonical = false;
    result[name] = node;
  }
  // Only `.` at a node means the same as no child at all.
  if (result["."] !== undefined && !hasChildren(result)) return LEAF;
  // The tree is the representation: nothing in it had to be changed.
  return canonical ? (fields as FieldSet) : result;
}

/** The `fieldsV1` object of a set. Shares its parts with the set. */
export function encodeFieldsV1(set: FieldSet): Record<string, FieldSet> {
  DECODED.set(set, set);
  // The encoded form is the set itself; callers treat objects as immutable.
  return set as Record<string, FieldSet>;
}
