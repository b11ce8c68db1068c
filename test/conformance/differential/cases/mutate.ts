// Changes an object of a built-in kind at random places.
import { cloneJson, isObject, type Json, type JsonObject } from "../../../../kube/object.ts";
import type { Random } from "../../../../runtime/random.ts";
import { flatFields, valueFor } from "./field-values.ts";

/** The object with `count` random changes. `typeName` is its type in the tables. */
export function mutated(random: Random, object: JsonObject, typeName: string, count: number): JsonObject {
  const copy = cloneJson(object);
  for (let at = 0; at < count; at++) mutateStruct(random, copy, typeName, 0);
  return copy;
}

function mutateStruct(random: Random, object: JsonObject, typeName: string, depth: number): void {
  const fields = flatFields(typeName).filter(({ name }) => depth > 0 || name !== "status");
  if (fields.length === 0) return;
  const present = fields.filter(({ name }) => isObject(object[name]) || Array.isArray(object[name]));
  if (present.length > 0 && random.chance(depth === 0 ? 0.85 : 0.65)) {
    // Mostly not the metadata, which is the same everywhere.
    const spec = present.filter(({ name }) => name !== "metadata");
    const { name, code } = random.pick(spec.length > 0 && random.chance(0.85) ? spec : present);
    mutateValue(random, object, name, code, depth);
    return;
  }
  const field = random.pick(fields);
  const action = random.next();
  if (action < 0.15) delete object[random.pick(Object.keys(object).length > 0 ? Object.keys(object) : ["x"])];
  else if (action < 0.22)
    object[random.pick(["unknownField", field.name.toUpperCase()])] = random.pick<Json>([1, "x", {}]);
  else if (action < 0.28) object[field.name] = null;
  else if (["uid", "resourceVersion", "namespace"].includes(field.name) && depth === 1) return;
  else object[field.name] = valueFor(random, field.name, field.code, depth, 0.04);
}

function mutateValue(random: Random, parent: JsonObject, name: string, code: string, depth: number): void {
  const value = parent[name];
  const inner = code.slice(1);
  if (isObject(value) && code.startsWith(":")) {
    mutateStruct(random, value, inner, depth + 1);
    return;
  }
  if (Array.isArray(value)) {
    const action = random.next();
    const itemType = inner.startsWith(":") ? inner.slice(1) : undefined;
    if (value.length > 0 && itemType !== undefined && action < 0.6) {
      const item = random.pick(value);
      if (isObject(item)) mutateStruct(random, item, itemType, depth + 1);
      return;
    }
    if (value.length > 0 && action < 0.75) value.push(cloneJson(random.pick(value)));
    else if (value.length > 0 && action < 0.85) value.splice(random.below(value.length), 1);
    else value.push(valueFor(random, name, inner, depth + 1, 0.03));
    return;
  }
  if (isObject(value)) {
    value[random.pick(["a", "x.io/b", "bad key", "cpu", "memory"])] = valueFor(random, name, inner, depth + 1, 0.05);
    return;
  }
  parent[name] = valueFor(random, name, code, depth, 0.05);
}
