// What changed between two values of a type, as sets of paths.
import { equalJson } from "../object.ts";
import { EMPTY_SET, type FieldSet, isEmptySet, subtractTrees, unionSets } from "./field-set.ts";
import { elementOfItem, indexItems, isMap, ownValue, shapeOf, typeOfKey } from "./list-items.ts";
import { DEDUCED, type FieldType, type ListType } from "./type.ts";

/** No path is in more than one of the sets. Containers count: a new map is added itself as well as its keys. */
export interface Comparison {
  readonly added: FieldSet;
  readonly removed: FieldSet;
  readonly modified: FieldSet;
}

const NO_CHANGE: Comparison = { added: EMPTY_SET, removed: EMPTY_SET, modified: EMPTY_SET };

/** Compares two values of a type; undefined is an absent value. */
export function compareValues(before: unknown, after: unknown, type: FieldType): Comparison {
  if (before === after) return NO_CHANGE;
  const walker = new CompareWalker();
  walker.compare(before, after, type);
  return walker.result();
}

export function isUnchanged(comparison: Comparison): boolean {
  return comparison.added === EMPTY_SET && comparison.removed === EMPTY_SET && comparison.modified === EMPTY_SET;
}

/** Added and modified paths: those that the writer of `after` takes over. */
export function writtenPaths(comparison: Comparison): FieldSet {
  return unionSets(comparison.modified, comparison.added);
}

/** The comparison without everything at or below the given paths. */
export function withoutFields(comparison: Comparison, ignored: FieldSet): Comparison {
  return {
    added: subtractTrees(comparison.added, ignored),
    removed: subtractTrees(comparison.removed, ignored),
    modified: subtractTrees(comparison.modified, ignored),
  };
}

type MutableSet = { [element: string]: MutableSet };
const EMPTY_NODE: MutableSet = Object.freeze({});
type Change = "added" | "removed" | "modified";

class CompareWalker {
  /** Keys of maps stand here without their `f:`, which is only needed for the few paths that changed. */
  readonly #path: string[] = [];
  readonly #isField: boolean[] = [];
  readonly #sets: Partial<Record<Change, MutableSet>> = {};

  result(): Comparison {
    return {
      added: this.#sets.added ?? EMPTY_SET,
      removed: this.#sets.removed ?? EMPTY_SET,
      modified: this.#sets.modified ?? EMPTY_SET,
    };
  }

  /** Puts the current path into a set; `tree` is what goes below it. */
  #record(change: Change, tree: MutableSet = {}): void {
    const depth = this.#path.length;
    if (depth === 0) return;
    this.#sets[change] ??= {};
    let node = this.#sets[change];
    for (let index = 0; index < depth; index++) {
      const step = this.#path[index] ?? "";
      const element = this.#isField[index] ? `f:${step}` : step;
      const last = index === depth - 1;
      let next = node[element];
      if (next === undefined) {
        next = last ? tree : {};
        node[element] = next;
      } else if (isEmptySet(next) !== last) {
        // A node with children needs a mark to be a member itself.
        next["."] = EMPTY_NODE;
      }
      node = next;
    }
  }

  #descend(step: string, isField: boolean, before: unknown, after: unknown, type: FieldType): void {
    this.#path.push(step);
    this.#isField.push(isField);
    this.compare(before, after, type);
    this.#path.pop();
    this.#isField.pop();
  }

  compare(before: unknown, after: unknown, type: FieldType): void {
    if (before === after) return;
    if (before === undefined) {
      if (this.#path.length > 0) this.#record("added", wholeTree(after, type));
      else this.compare({}, after, type);
      return;
    }
    if (after === undefined) {
      if (this.#path.length > 0) this.#record("removed", wholeTree(before, type));
      else this.compare(before, {}, type);
      return;
    }
    switch (type.kind) {
      case "scalar":
        this.#leaf(before, after);
        return;
      case "map":
        if (type.atomic) this.#leaf(before, after);
        else this.#map(before, after, type);
        return;
      case "list":
        if (type.listType === "atomic") this.#leaf(before, after);
        else this.#list(before, after, type);
        return;
      case "deduced":
        this.#deduced(before, after);
    }
  }

  #leaf(before: unknown, after: unknown): void {
    if (!equalJson(before, after)) this.#record("modified");
  }

  #deduced(before: unknown, after: unknown): void {
    const left = before === null || isMap(before);
    const right = after === null || isMap(after);
    if (left && right) {
      this.#map(before, after, DEDUCED);
    } else if (!left && !right) {
      this.#leaf(before, after);
    } else {
      // A map took the place of a scalar, or the other way round.
      this.#record("modified");
      this.#mapItems(isMap(before) ? before : undefined, isMap(after) ? after : undefined, DEDUCED);
    }
  }

  #map(before: unknown, after: unknown, type: FieldType): void {
    const left = isMap(before) && !isEmpty(before) ? before : undefined;
    const right = isMap(after) && !isEmpty(after) ? after : undefined;
    if (left === undefined && right === undefined) {
      // Empty and null maps are leaves, which keeps them apart.
      this.#leaf(before, after);
      return;
    }
    this.#mapItems(left, right, type);
  }

  #mapItems(
    before: Record<string, unknown> | undefined,
    after: Record<string, unknown> | undefined,
    type: FieldType,
  ): void {
    for (const key in before) {
      const left = before[key];
      if (left === undefined) continue;
      const right = after === undefined ? undefined : ownValue(after, key);
      if (left !== right) this.#descend(key, true, left, right, typeOfKey(type, key) ?? DEDUCED);
    }
    for (const key in after) {
      const right = after[key];
      if (right === undefined || (before !== undefined && ownValue(before, key) !== undefined)) continue;
      this.#descend(key, true, undefined, right, typeOfKey(type, key) ?? DEDUCED);
    }
  }

  #list(before: unknown, after: unknown, type: ListType): void {
    const left = Array.isArray(before) && before.length > 0 ? before : undefined;
    const right = Array.isArray(after) && after.length > 0 ? after : undefined;
    if (left === undefined && right === undefined) {
      this.#leaf(before, after);
      return;
    }
    const leftItems = indexItems(type, left ?? []);
    const rightItems = indexItems(type, right ?? []);
    for (const [element, items] of leftItems) this.#items(element, items, rightItems.get(element) ?? [], type);
    for (const [element, items] of rightItems) {
      if (!leftItems.has(element)) this.#items(element, [], items, type);
    }
  }

  /** Items that occur more than once are compared as one value. */
  #items(element: string, before: readonly unknown[], after: readonly unknown[], type: ListType): void {
    if (before.length <= 1 && after.length <= 1) {
      this.#descend(element, false, before[0], after[0], type.items);
      return;
    }
    if (before.length >= 2 && after.length >= 2) {
      if (!equalJson(before, after)) this.#recordItem(element, "modified");
    } else if (before.length >= 2) {
      if (after.length > 0) this.#descend(element, false, undefined, after[0], type.items);
      this.#recordItem(element, "removed");
    } else {
      if (before.length > 0) this.#descend(element, false, before[0], undefined, type.items);
      this.#recordItem(element, "added");
    }
  }

  #recordItem(element: string, change: Change): void {
    this.#path.push(element);
    this.#isField.push(false);
    this.#record(change);
    this.#path.pop();
    this.#isField.pop();
  }
}

/** All paths of a value that is new or gone: its containers as well as its leaves. */
function wholeTree(value: unknown, type: FieldType): MutableSet {
  const shape = shapeOf(type, value);
  if (shape === "map" && isMap(value) && !isEmpty(value)) {
    const tree: MutableSet = { ".": EMPTY_NODE };
    for (const key in value) {
      const item = value[key];
      if (item !== undefined) tree[`f:${key}`] = wholeTree(item, typeOfKey(type, key) ?? DEDUCED);
    }
    return tree;
  }
  if (shape === "list" && type.kind === "list" && Array.isArray(value) && value.length > 0) {
    const tree: MutableSet = { ".": EMPTY_NODE };
    for (const item of value) {
      const element = elementOfItem(type, item);
      if (element !== undefined) tree[element] = tree[element] === undefined ? wholeTree(item, type.items) : {};
    }
    return tree;
  }
  return {};
}

function isEmpty(value: Record<string, unknown>): boolean {
  for (const key in value) if (value[key] !== undefined) return false;
  return true;
}
