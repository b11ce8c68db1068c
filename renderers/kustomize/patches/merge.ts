// Strategic merge as kustomize does it, which is not quite as the API server does.

import { renderError } from "../../errors.ts";
import {
  cloneNode,
  isMapNode,
  isNullNode,
  kindOf,
  type Node,
  type NodeList,
  type NodeMap,
  Repeated,
  Scalar,
} from "../resources/node.ts";
import { mergeAssociativeList } from "./merge-list.ts";
import { MergePlace } from "./merge-place.ts";
import type { MergeSchemas } from "./merge-schema.ts";
import { isQuotedWhenSet } from "./quoting.ts";

export type Directive = "delete" | "replace" | "merge";

/** What becomes of an object; `"deleted"` when the patch asks for that with `$patch: delete`. */
export type MergeOutcome = "merged" | "deleted";

/**
 * Merges `patch` into `target`, in place; what the patch brings is copied. Throws `render-node-kind` when a map meets
 * a list, `render-patch-strategy` for an unknown `$patch`.
 */
export function mergeObject(target: NodeMap, patch: NodeMap, schemas: MergeSchemas): MergeOutcome {
  // cloneNode keeps the shape: a map stays a map.
  const own = cloneNode(patch) as NodeMap;
  const place = new MergePlace(undefined, schemas, () => "").resolved(target, own);
  switch (takeDirective(own, place)) {
    case "delete":
      return "deleted";
    case "replace":
      // As kustomize: an object as a whole is never replaced; the patch is only checked.
      settleFields(own, place);
      return "merged";
    case "merge":
      mergeFields(target, own, place);
      return "merged";
  }
}

/**
 * Merges the values of a chart, whose lists are all replaced; `undefined` when nothing is left. Here quotes have no say
 * in what a later value means.
 */
export function mergeValues(target: Node | undefined, patch: Node): Node | undefined {
  const place = new MergePlace(
    undefined,
    () => undefined,
    () => "",
  );
  return mergeNode(target && withoutQuotes(target), withoutQuotes(patch), place);
}

function withoutQuotes(node: Node): Node {
  if (node instanceof Scalar) return node.quoted ? new Scalar(node.tag, node.text) : node;
  if (!isMapNode(node)) return node.map(withoutQuotes);
  return new Map([...node].map(([key, value]) => [key, withoutQuotes(value)]));
}

/**
 * The outcome of merging one place: `undefined` when nothing is left there. `patch` belongs to the merge; `target` is
 * changed in place.
 */
export function mergeNode(target: Node | undefined, patch: Node | undefined, outer: MergePlace): Node | undefined {
  if (patch === undefined) return target === undefined ? undefined : tidyNode(target, outer);
  if (isNullNode(patch)) return undefined;
  if (target === undefined || isNullNode(target)) return adoptNode(patch, outer);
  if (kindOf(target) !== kindOf(patch)) {
    const path = outer.describe();
    const what = `the patch has a ${kindOf(patch)} at ${path}, where the object has a ${kindOf(target)}`;
    throw renderError("render-node-kind", what, { path });
  }
  if (patch instanceof Scalar) return patch;
  const place = outer.resolved(target, patch);
  if (isMapNode(patch)) {
    // Both are of one kind.
    const present = target as NodeMap;
    switch (takeDirective(patch, place)) {
      case "delete":
        return undefined;
      case "replace":
        settleFields(patch, place);
        return patch;
      case "merge":
        mergeFields(present, patch, place);
        return present;
    }
  }
  if (place.schema?.merges !== true) return patch;
  switch (takeListDirective(patch, place)) {
    case "delete":
      return undefined;
    case "replace":
      mergeAssociativeList(patch, patch, place, settleNode);
      return patch;
    case "merge":
      mergeAssociativeList(target as NodeList, patch, place, mergeNode);
      return target;
  }
}

function mergeFields(target: NodeMap, patch: NodeMap, place: MergePlace): void {
  // As kustomize: of a key that a patch has twice the first counts, unless the map is taken over as it is.
  const added = [...patch].filter(
    ([key, value]) => !target.has(key) && !isNullNode(value) && !(value instanceof Repeated),
  );
  for (const [key, value] of target) put(target, key, mergeNode(value, patch.get(key), place.at(key)));
  for (const [key, value] of added) put(target, key, adoptNode(value, place.at(key)));
}

/** What a patch brings to a place where there is nothing. As kustomize: directives of its own mean nothing there. */
function adoptNode(patch: Node, outer: MergePlace): Node | undefined {
  if (patch instanceof Scalar) return patch;
  const place = outer.resolved(patch);
  if (isMapNode(patch)) {
    const directive = directiveIn(patch);
    if (directive === "delete") return undefined;
    if (directive !== undefined) patch.delete("$patch");
    settleFields(patch, place);
  } else if (place.schema?.merges === true) {
    mergeAssociativeList(patch, patch, place, settleNode);
  }
  return patch;
}

/** What a patch brings, below the place where it arrives: there directives count, and nulls go. */
function settleNode(patch: Node | undefined, _same: Node | undefined, outer: MergePlace): Node | undefined {
  if (patch === undefined || isNullNode(patch)) return undefined;
  if (patch instanceof Scalar) return patch;
  const place = outer.resolved(patch);
  if (isMapNode(patch)) {
    if (takeDirective(patch, place) === "delete") return undefined;
    settleFields(patch, place);
  } else if (place.schema?.merges === true) {
    if (takeListDirective(patch, place) === "delete") return undefined;
    mergeAssociativeList(patch, patch, place, settleNode);
  }
  return patch;
}

function settleFields(map: NodeMap, place: MergePlace): void {
  for (const [key, value] of [...map]) put(map, key, settleNode(value, value, place.at(key)));
}

/** As kustomize: a merge tidies up what it does not touch. A null written as nothing goes, a written null stays. */
function tidyNode(target: Node, outer: MergePlace): Node | undefined {
  if (target instanceof Scalar) return target.tag === "!!null" && target.text === "" ? undefined : target;
  const place = outer.resolved(target);
  if (isMapNode(target)) {
    for (const [key, value] of target) {
      // Plain words need nothing, and are most of what there is.
      const left = value instanceof Scalar && value.tag !== "!!null" ? value : tidyNode(value, place.at(key));
      put(target, key, left);
    }
  } else if (place.schema?.merges === true) {
    mergeAssociativeList(target, undefined, place, mergeNode);
  }
  return target;
}

function put(map: NodeMap, key: string, value: Node | undefined): void {
  if (value === undefined) {
    map.delete(key);
    return;
  }
  const present = map.get(key);
  const settled =
    value instanceof Scalar ? guarded(present === value ? value : value.inPlaceOf(present), present) : value;
  // What says the same stays as it is: ids are known by their scalars, and need not be looked up anew.
  if (settled !== present && !isSameScalar(settled, present)) map.set(key, settled);
}

function isSameScalar(a: Node, b: Node | undefined): boolean {
  if (!(a instanceof Scalar) || !(b instanceof Scalar)) return false;
  return a.tag === b.tag && a.text === b.text && a.quoted === b.quoted && a.printed === b.printed;
}

// As kustomize: words like yes and on are put in quotes when they are set, and a quoted place stays one.
function guarded(value: Scalar, present: Node | undefined): Scalar {
  if (value.quoted || value.tag !== "!!str" || (present !== undefined && present !== value)) return value;
  return isQuotedWhenSet(value.text) ? new Scalar(value.tag, value.text, true) : value;
}

function directiveIn(patch: NodeMap): Directive | undefined {
  const value = patch.get("$patch");
  const text = value instanceof Scalar ? value.text : "";
  return text === "delete" || text === "replace" || text === "merge" ? text : undefined;
}

/** Reads `$patch` of a map and removes it. */
function takeDirective(patch: NodeMap, place: MergePlace): Directive {
  const value = patch.get("$patch");
  if (value === undefined) return "merge";
  const directive = directiveIn(patch);
  if (directive === undefined) throw unknownDirective(value, place);
  patch.delete("$patch");
  return directive;
}

/** Reads the directive for a list as a whole, an element that holds nothing but `$patch`, and removes it. */
function takeListDirective(patch: NodeList, place: MergePlace): Directive {
  // As kustomize: only the first element with a $patch can speak for the list.
  const speaker = patch.find((item) => isMapNode(item) && item.has("$patch"));
  if (!isMapNode(speaker) || speaker.size > 1) return "merge";
  const directive = directiveIn(speaker);
  if (directive === undefined) throw unknownDirective(speaker.get("$patch"), place);
  const kept = patch.filter((item) => {
    if (!isMapNode(item)) return !isNullNode(item);
    const value = item.get("$patch");
    return item.size > 0 && !(value instanceof Scalar && value.text === directive);
  });
  patch.splice(0, patch.length, ...kept);
  return directive;
}

function unknownDirective(value: Node | undefined, place: MergePlace): Error {
  const path = place.describe();
  const text = value instanceof Scalar ? value.text : "a structure";
  const what = `$patch must be delete, replace or merge, not ${text}`;
  return renderError("render-patch-strategy", what, { path: path === "" ? "$patch" : `${path}.$patch` });
}
