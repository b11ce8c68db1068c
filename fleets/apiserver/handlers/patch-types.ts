// JSON patch, merge patch and strategic merge patch over the JSON of an object.
import { isObject, type Json, type JsonObject } from "../../../kube/object.ts";
import type { KindStrategy } from "../registry/kind.ts";
import { badRequest, unsupportedMediaType } from "../registry/status-error.ts";

export type PatchType = "json" | "merge" | "strategic";

/** The object after the patch. Takes `object` over. */
export function patchedJson(type: PatchType, object: JsonObject, patch: Json, _kind: KindStrategy): JsonObject {
  if (type === "json") throw unsupportedMediaType(["application/merge-patch+json"]);
  if (!isObject(patch))
    throw badRequest("error decoding patch: json: cannot unmarshal into Go value of type map[string]interface {}");
  return mergePatched(object, patch as JsonObject);
}

function mergePatched(target: JsonObject, patch: JsonObject): JsonObject {
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete target[key];
    else if (isObject(value)) {
      const child = target[key];
      target[key] = mergePatched(isObject(child) ? (child as JsonObject) : {}, value as JsonObject);
    } else target[key] = value;
  }
  return target;
}
