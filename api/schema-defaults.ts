import { cloneJson, isObject, type KubeObject, parseApiVersion } from "../kube/object.ts";
import { karmadaCrds } from "./crd.ts";

/**
 * A copy with the defaults that the kind's CRD fills in, as an API server does on every write and read. The same object
 * when the kind is none of ours.
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
  if (Array.isArray(node)) {
    const { items } = schema;
    if (isObject(items)) for (const item of node) fill(item, items);
    return;
  }
  if (!isObject(node) || !isObject(schema["properties"])) return;
  for (const [name, child] of Object.entries(schema["properties"])) {
    if (!isObject(child)) continue;
    // Null stands for the default where there is one, since none of our fields is nullable.
    if (node[name] == null && child["default"] !== undefined) node[name] = cloneJson(child["default"]);
    fill(node[name], child);
  }
}
