// Which fields of a copy others may decide, and what is done about those that they changed. The same rules are asked when
// copies are compared and when they are sent, so that what is ignored is never sent back.
import { descend, type FieldSet, isEmptySet, listPaths, setOfPaths, unionSets } from "../kube/fields/field-set.ts";
import { decodeManagers, type ManagerEntry } from "../kube/fields/managers.ts";
import type { FieldPath } from "../kube/fields/path.ts";
import { parsePointer } from "../kube/json-patch.ts";
import { equalJson, type KubeObject } from "../kube/object.ts";
import { findDrift, type OwnedDrift } from "./drift.ts";
import { keysOfElement, valueAtFields, valueOfElement, withFieldAt, withoutFields } from "./field-values.ts";

/** What is done about a field that others changed: it is put right, told of, or let be without a word. */
export type DriftMode = "correct" | "report" | "pause";

/** One rule about fields. Without pointers and managers it is about every field. */
export interface FieldRule {
  /** `ignore`: others decide. The field is sent when the object is made, and never again. */
  readonly mode: DriftMode | "ignore";
  /** JSON pointers into the manifest. An item of a list with keys is meant wherever it stands in the live object. */
  readonly jsonPointers: readonly string[];
  /** Field managers: every field that one of them owns in the live object. */
  readonly managers: readonly string[];
}

/** The first rule about a field counts; `mode` is for all other fields. Ignored are fields of any rule that says so. */
export interface FieldRules {
  readonly mode: DriftMode;
  readonly rules: readonly FieldRule[];
}

export const CORRECT_ALL: FieldRules = { mode: "correct", rules: [] };

export interface RuledDrift extends OwnedDrift {
  readonly mode: DriftMode;
}

const NONE: FieldSet = {};

/** The fields of `live` that are not as in `applied` (see `findDrift`), without ignored ones, each with its mode. */
export function compareByRules(applied: KubeObject, live: KubeObject, rules: FieldRules, self: string): RuledDrift[] {
  if (rules.rules.length === 0) return findDrift(applied, live, self).map((field) => ({ ...field, mode: rules.mode }));
  const ignored = ignoredFields(applied, live, rules);
  const found = findDrift(withoutFields(applied, ignored), withoutFields(live, ignored), self);
  return found.map((field) => ({ ...field, mode: modeOf(field.fieldPath, applied, live, rules) }));
}

/** What is done about a field that differs and is not ignored. */
export function modeOf(fieldPath: FieldPath, applied: KubeObject, live: KubeObject, rules: FieldRules): DriftMode {
  for (const rule of rules.rules) {
    if (rule.mode === "ignore") continue;
    if (isAboutAll(rule)) return rule.mode;
    const fields = fieldsOfRule(rule, applied, live);
    const [wanted, actual] = [applied, live].map((object) => valueAtFields(withoutFields(object, fields), fieldPath));
    if (equalJson(wanted, actual)) return rule.mode;
  }
  return rules.mode;
}

function isAboutAll(rule: FieldRule): boolean {
  return rule.jsonPointers.length === 0 && rule.managers.length === 0;
}

/** The fields that others decide, by what the manifest and the live object have and who owns it. */
export function ignoredFields(manifest: KubeObject, live: KubeObject, rules: FieldRules): FieldSet {
  let fields = NONE;
  for (const rule of rules.rules)
    if (rule.mode === "ignore") fields = unionSets(fields, fieldsOfRule(rule, manifest, live));
  return fields;
}

function fieldsOfRule(rule: FieldRule, manifest: KubeObject, live: KubeObject): FieldSet {
  const owners = managersOf(live);
  const sets = [...owners, ...managersOf(manifest)].map(({ set }) => set);
  let fields = setOfPaths(
    rule.jsonPointers
      .map((pointer) => resolvePointer(pointer, manifest, sets) ?? resolvePointer(pointer, live, sets))
      .filter((path) => path !== undefined),
  );
  for (const owner of owners)
    if (rule.managers.includes(owner.manager) && owner.subresource !== "status") fields = unionSets(fields, owner.set);
  return withoutNames(fields);
}

/** What an object is called, and what marks it as ours, is nobody else's. */
function withoutNames(fields: FieldSet): FieldSet {
  const { "f:apiVersion": _version, "f:kind": _kind, ...rest } = fields;
  const metadata = rest["f:metadata"];
  if (metadata === undefined) return rest;
  const { "f:name": _name, "f:namespace": _namespace, "f:labels": labels, ...others } = metadata;
  const { "f:karmada.io/managed": _managed, ...otherLabels } = labels ?? NONE;
  const kept = {
    ...others,
    ...(labels === undefined || isEmptySet(labels) || isEmptySet(otherLabels) ? {} : { "f:labels": otherLabels }),
  };
  const { "f:metadata": _metadata, ...withoutMetadata } = rest;
  return isEmptySet(kept) ? withoutMetadata : { ...withoutMetadata, "f:metadata": kept };
}

function managersOf(object: KubeObject): readonly ManagerEntry[] {
  return [...(decodeManagers(object.metadata.managedFields)?.values() ?? [])];
}

/**
 * The path of ownership that a JSON pointer means in `object`; `sets` say how the items of its lists are told apart.
 * Undefined when it leads through something that is not there, or is no pointer.
 */
function resolvePointer(pointer: string, object: unknown, sets: readonly FieldSet[]): FieldPath | undefined {
  if (!pointer.startsWith("/")) return undefined;
  const path: string[] = [];
  let value = object;
  let nodes: readonly FieldSet[] = sets;
  for (const token of parsePointer(pointer)) {
    if (value === undefined || value === null || typeof value !== "object") return undefined;
    const element = Array.isArray(value) ? elementAt(value, token, nodes) : `f:${token}`;
    if (element === undefined) return undefined;
    path.push(element);
    value = valueOfElement(value, element);
    nodes = nodes.map((node) => node[element]).filter((node) => node !== undefined);
  }
  const [parent, last] = [path.at(-2), path.at(-1)];
  // The key of a list item cannot be somebody else's: it says which item is meant.
  if (parent !== undefined && last?.startsWith("f:") && Object.hasOwn(keysOfElement(parent), last.slice(2)))
    return undefined;
  return path;
}

function elementAt(list: readonly unknown[], token: string, nodes: readonly FieldSet[]): string | undefined {
  const index = /^(0|[1-9]\d*)$/.test(token) ? Number(token) : -1;
  if (index < 0 || index >= list.length) return undefined;
  for (const node of nodes)
    for (const element in node) {
      if (!element.startsWith("k:") && !element.startsWith("v:")) continue;
      // Two spellings of one item are the same value.
      if (valueOfElement(list, element) === list[index]) return element;
    }
  return `i:${index}`;
}

/**
 * What to send so that the fields in `yielded` stay as they are in `live`. A field that somebody else owns is left out,
 * and so is theirs alone; one that only we own is sent as it is: left out, the server would take it away.
 */
export function yieldFields(desired: KubeObject, live: KubeObject, yielded: FieldSet, self: string): KubeObject {
  if (isEmptySet(yielded)) return desired;
  const owners = managersOf(live).filter(({ subresource }) => subresource !== "status");
  const isOurs = ({ manager, operation, subresource }: ManagerEntry): boolean =>
    manager === self && operation === "Apply" && subresource === "";
  const ours = owners.find(isOurs)?.set ?? NONE;
  let others = NONE;
  for (const owner of owners) if (!isOurs(owner)) others = unionSets(others, owner.set);

  let result = desired;
  for (const path of listPaths(yielded)) {
    const actual = valueAtFields(live, path);
    if (isInsideOneValue(path, ours) || isInsideOneValue(path, others)) {
      // Part of a value that is owned as a whole.
      if (valueAtFields(result, path.slice(0, -1)) !== undefined) result = withFieldAt(result, path, actual);
      continue;
    }
    result = withoutFields(result, setOfPaths([path]));
    for (const kept of solelyOwned(descend(ours, path), descend(others, path))) {
      const value = valueAtFields(live, [...path, ...kept]);
      if (value !== undefined) result = withFieldAt(result, [...path, ...kept], value);
    }
  }
  return result;
}

/** Whether a manager owns, as one value, something that the path leads into. */
function isInsideOneValue(path: FieldPath, set: FieldSet): boolean {
  for (let length = 1; length < path.length; length++) {
    const node = descend(set, path.slice(0, length));
    if (node === undefined) return false;
    if (isEmptySet(node)) return true;
  }
  return false;
}

/** The deepest paths below a field that are ours and nobody else's; the empty path is the field itself. */
function solelyOwned(ours: FieldSet | undefined, others: FieldSet | undefined): FieldPath[] {
  if (ours === undefined) return [];
  const elements = Object.keys(ours).filter((element) => element !== ".");
  if (elements.length === 0) return others === undefined ? [[]] : [];
  return elements.flatMap((element) => solelyOwned(ours[element], others?.[element]).map((path) => [element, ...path]));
}

/** Drift that is let be: it is not in mode `correct`. */
export function heldFields(drift: readonly RuledDrift[]): FieldSet {
  return setOfPaths(drift.filter(({ mode }) => mode !== "correct").map(({ fieldPath }) => fieldPath));
}
