// Patches against plain models of their specifications.
import { fieldTypeOf } from "../../fleets/apiserver/kinds/field-types.ts";
import { applyJsonPatch, type JsonPatchOperation } from "../../kube/json-patch.ts";
import { applyMergePatch, createMergePatch } from "../../kube/merge-patch.ts";
import { cloneJson, equalJson, isObject, type Json, type JsonObject } from "../../kube/object.ts";
import { applyStrategicMerge } from "../../kube/strategic-merge.ts";
import { AppError } from "../../runtime/errors.ts";
import type { Random } from "../../runtime/random.ts";
import type { FuzzTarget } from "./fuzz-target.ts";
import { HOSTILE_KEYS, randomJson } from "./random.ts";
import { randomBody } from "./typed-bodies.ts";

const STEPS = ["a", "b", "0", "1", "-", "-1", "~0", "~1", "", ...HOSTILE_KEYS];

function randomDocument(random: Random, depth: number): Json {
  const key = (): string => random.pick(["a", "b", "~", "/", ...HOSTILE_KEYS]);
  const roll = random.below(depth > 0 ? 4 : 1);
  if (roll === 0) return random.pick<Json>([0, 1, "x", null, true, {}, []]);
  if (roll === 1) return random.list(3, () => randomDocument(random, depth - 1));
  return Object.fromEntries(random.list(3, () => [key(), randomDocument(random, depth - 1)]));
}

function randomPointer(random: Random): string {
  return random.list(3, () => `/${random.pick(STEPS)}`).join("");
}

function randomOperation(random: Random): JsonObject {
  const op = random.pick(["add", "replace", "remove", "move", "copy", "test", "add", "bogus"]);
  return {
    op,
    path: randomPointer(random),
    ...(op === "move" || op === "copy" ? { from: randomPointer(random) } : {}),
    ...(random.chance(0.9) ? { value: randomDocument(random, 2) } : {}),
  };
}

class Refused extends Error {}

/** RFC 6902 on a copy, one operation after the other, with Kubernetes' negative indices. */
function modelPatch(document: Json, operations: readonly JsonPatchOperation[]): Json {
  let root: Json = cloneJson(document);
  const keysOf = (pointer: string): string[] =>
    pointer
      .split("/")
      .slice(1)
      .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
  function place(list: readonly Json[], key: string, length: number): number {
    if (!/^[+-]?[0-9]+$/.test(key)) throw new Refused();
    const index = Number(key) < 0 ? Number(key) + length : Number(key);
    if (index < 0 || index >= length || list === undefined) throw new Refused();
    return index;
  }
  function step(value: Json | undefined, key: string): Json {
    if (Array.isArray(value)) return value[place(value, key, value.length)]!;
    if (!isObject(value) || !Object.hasOwn(value, key)) throw new Refused();
    return value[key] as Json;
  }
  function holder(pointer: string): { at: JsonObject | Json[]; key: string } {
    const keys = keysOf(pointer);
    const key = keys.pop();
    let at: Json = root;
    for (const each of keys) at = step(at, each);
    if (key === undefined || typeof at !== "object" || at === null) throw new Refused();
    return { at, key };
  }
  function get(pointer: string): Json {
    const { at, key } = holder(pointer);
    // As Kubernetes: a key that an object does not have is null, for those that read it.
    return !Array.isArray(at) && !Object.hasOwn(at, key) ? null : step(at, key);
  }
  function add(pointer: string, value: Json): void {
    const { at, key } = holder(pointer);
    if (Array.isArray(at)) at.splice(key === "-" ? at.length : place(at, key, at.length + 1), 0, value);
    else Object.defineProperty(at, key, { value, enumerable: true, configurable: true, writable: true });
  }
  function remove(pointer: string): void {
    const { at, key } = holder(pointer);
    step(at, key);
    if (Array.isArray(at)) at.splice(place(at, key, at.length), 1);
    else delete at[key];
  }
  function replace(pointer: string, value: Json): void {
    if (pointer === "") {
      if (typeof value !== "object" || value === null) throw new Refused();
      root = value;
      return;
    }
    const { at, key } = holder(pointer);
    if (Array.isArray(at)) at[place(at, key, at.length)] = value;
    else Object.defineProperty(at, key, { value, enumerable: true, configurable: true, writable: true });
  }
  function test(pointer: string, value: Json): void {
    let actual: Json = null;
    if (pointer === "") actual = root;
    else {
      const { at, key } = holder(pointer);
      try {
        actual = step(at, key);
      } catch {
        // What is missing equals null.
      }
    }
    if (!equalJson(actual, value)) throw new Refused();
  }
  for (const { op, path, from = "", value } of operations) {
    const given = cloneJson((value ?? null) as Json);
    if (op === "add") add(path, given);
    else if (op === "remove") remove(path);
    else if (op === "replace") replace(path, given);
    else if (op === "move") {
      const moved = get(from);
      remove(from);
      add(path, moved);
    } else if (op === "copy") add(path, cloneJson(get(from)));
    else if (op === "test") test(path, given);
    else throw new Refused();
  }
  return root;
}

function attempt(run: () => unknown): { readonly value?: unknown; readonly refused: boolean } {
  try {
    return { value: run(), refused: false };
  } catch (error) {
    if (error instanceof Refused || error instanceof AppError) return { refused: true };
    throw error;
  }
}

const jsonPatch: FuzzTarget = {
  name: "json-patch",
  known: [
    { document: { a: {} }, patch: [{ op: "add", path: "/__proto__/x", value: 1 }] },
    { document: { a: {} }, patch: [{ op: "add", path: "/constructor/prototype/x", value: 1 }] },
  ],
  generate: (random) => ({
    document: randomDocument(random, 4),
    patch: Array.from({ length: 1 + random.below(4) }, () => randomOperation(random)),
  }),
  check: (input) => {
    const { document, patch } = input as unknown as { document: Json; patch: JsonPatchOperation[] };
    if (!Array.isArray(patch) || patch.some((each) => typeof each?.path !== "string")) return undefined;
    const before = cloneJson(document);
    const ours = attempt(() => applyJsonPatch(document, patch, { dialect: "api-server" }));
    if (!equalJson(document, before)) return "changed its argument";
    const expected = attempt(() => modelPatch(document, patch));
    if (ours.refused !== expected.refused) return `differs: refused ${ours.refused}, the model ${expected.refused}`;
    return ours.refused || equalJson(ours.value, expected.value)
      ? undefined
      : `differs: ${JSON.stringify(ours.value)}, the model ${JSON.stringify(expected.value)}`;
  },
};

/** RFC 7386 as Kubernetes has it: nulls inside new values vanish. */
function modelMerge(target: Json | undefined, patch: Json): Json {
  if (Array.isArray(patch)) return patch.map((item) => (typeof item === "object" ? modelMerge(undefined, item) : item));
  if (!isObject(patch)) return patch;
  const result = new Map(isObject(target) ? Object.entries(target) : []);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) result.delete(key);
    else result.set(key, modelMerge(result.get(key) as Json, value as Json));
  }
  return Object.fromEntries(result) as JsonObject;
}

const mergePatch: FuzzTarget = {
  name: "merge-patch",
  generate: (random) => ({ document: randomDocument(random, 4), patch: randomJson(random, 4) }),
  check: (input) => {
    const { document, patch } = input as JsonObject;
    if (document === undefined || patch === undefined) return undefined;
    const before = cloneJson(document);
    const once = applyMergePatch(document, patch) as Json;
    if (!equalJson(document, before)) return "changed its argument";
    if (!equalJson(once, modelMerge(document, patch))) return `differs: ${JSON.stringify(once)}`;
    if (!equalJson(applyMergePatch(once, patch), once)) return "not idempotent";
    const back = createMergePatch(document, once);
    const made = back === undefined ? document : applyMergePatch(document, back);
    return hasNull(once) || equalJson(made, once) ? undefined : `created patch: leads to ${JSON.stringify(made)}`;
  },
};

function hasNull(value: Json | undefined): boolean {
  if (Array.isArray(value)) return value.some(hasNull);
  return value === null || (isObject(value) && Object.values(value).some((each) => hasNull(each as Json)));
}

const DIRECTIVES = [
  "$patch",
  "$retainKeys",
  "$setElementOrder/containers",
  "$deleteFromPrimitiveList/finalizers",
  "$patch",
];

function randomStrategic(random: Random, value: Json | undefined): Json {
  if (random.chance(0.05)) return null;
  if (Array.isArray(value)) return value.filter(() => random.chance(0.7)).map((item) => randomStrategic(random, item));
  if (!isObject(value)) return random.chance(0.3) ? random.pick<Json>(["x", 1, {}, [], null]) : (value as Json);
  const entries = Object.entries(value).filter(() => random.chance(0.7));
  const result = Object.fromEntries(entries.map(([key, item]) => [key, randomStrategic(random, item as Json)]));
  if (random.chance(0.1)) {
    result[random.pick(DIRECTIVES)] = random.pick<Json>([
      "delete",
      "replace",
      "merge",
      "x",
      [],
      ["a"],
      [{ name: "a" }],
      null,
    ]);
  }
  if (random.chance(0.05)) result[random.pick(["a", "b"])] = randomJson(random, 2);
  return result;
}

const strategic: FuzzTarget = {
  name: "strategic-merge",
  generate: (random) => {
    const { typeName, object } = randomBody(random);
    return { typeName, document: object, patch: randomStrategic(random, object) };
  },
  check: (input) => {
    const { typeName, document, patch } = input as { typeName: string; document: JsonObject; patch: JsonObject };
    if (!isObject(document) || !isObject(patch)) return undefined;
    const type = fieldTypeOf(typeName);
    const before = [cloneJson(document), cloneJson(patch)];
    const once = attempt(() => applyStrategicMerge(document, patch, type));
    if (!equalJson([document, patch], before)) return "changed its argument";
    if (once.refused || JSON.stringify(patch).includes('"$')) return undefined;
    // Nulls of new values stay, and delete on the second round.
    if (hasNull(patch)) return undefined;
    const twice = attempt(() => applyStrategicMerge(once.value as JsonObject, patch, type));
    return twice.refused || equalJson(twice.value, once.value) ? undefined : "not idempotent";
  },
};

export const patchTargets: readonly FuzzTarget[] = [jsonPatch, mergePatch, strategic];
