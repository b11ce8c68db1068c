import { cloneJson, isObject, type KubeObject, parseApiVersion } from "../kube/object.ts";
import { karmadaCrds } from "./crd.ts";

/**
 * A copy with the defaults that the kind's CRD fills in and without null, as an API server does on every write. The same
 * object when the kind is none of ours.
 */
export function applySchemaDefaults(object: KubeObject): KubeObject {
  const schema = schemaFor(object);
  if (schema === undefined) return object;
  const copy = cloneJson(object);
  fill(copy, schema);
  return copy;
}

function schemaFor(object: KubeObject): Record<string, unknown> | undefined {
  const { group, version } = parseApiVersion(object.apiVersion);
  for (const { spec } of karmadaCrds()) {
    if (!isObject(spec) || spec["group"] !== group || !isObject(spec["names"])) continue;
    if (spec["names"]["kind"] !== object.kind || !Array.isArray(spec["versions"])) continue;
    const served = spec["versions"].find((candidate) => isObject(candidate) && candidate["name"] === version);
    const schema = isObject(served) && isObject(served["schema"]) ? served["schema"]["openAPIV3Schema"] : undefined;
    if (isObject(schema)) return schema;
  }
  return undefined;
}

function fill(node: unknown, schema: Record<string, unknown>): void {
  const { items, properties, additionalProperties } = schema;
  if (Array.isArray(node)) {
    if (isObject(items)) for (const item of node) fill(item, items);
    return;
  }
  if (!isObject(node)) return;
  for (const [name, child] of Object.entries(isObject(properties) ? properties : {})) {
    if (!isObject(child)) continue;
    if (node[name] == null && child["default"] !== undefined) node[name] = cloneJson(child["default"]);
    // As an API server: null says nothing in a field that is not nullable, and none of ours is.
    if (node[name] === null) delete node[name];
    else fill(node[name], child);
  }
  if (!isObject(additionalProperties)) return;
  for (const [key, value] of Object.entries(node)) {
    if (value === null) delete node[key];
    else fill(value, additionalProperties);
  }
}
