import { hashSuffix } from "../../kube/hash.ts";
import { stringifyJson } from "../../kube/json.ts";
import { isObject } from "../../kube/object.ts";

/** Names the revision of a pod template. The order of its keys does not count: each write may leave another one. */
export function templateHash(template: Readonly<Record<string, unknown>>): string {
  return hashSuffix(stringifyJson(sorted(template)));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted(value[key])]),
  );
}
