// JSON patch, merge patch and strategic merge patch over the JSON of an object.
import { applyJsonPatch, type JsonPatchOperation } from "../../../kube/json-patch.ts";
import { applyMergePatch } from "../../../kube/merge-patch.ts";
import { cloneJson, isObject, type Json, type JsonObject } from "../../../kube/object.ts";
import { applyStrategicMerge } from "../../../kube/strategic-merge.ts";
import { AppError } from "../../../runtime/errors.ts";
import type { KindStrategy } from "../registry/kind.ts";
import { badRequest, patchRejected, requestTooLarge, serverError, statusError } from "../registry/status-error.ts";

export type PatchType = "json" | "merge" | "strategic";

const MAX_OPERATIONS = 10_000;

/** The object after the patch, owned by the caller. Changes neither `object` nor `patch`. */
export function patchedJson(type: PatchType, object: JsonObject, patch: Json, kind: KindStrategy): JsonObject {
  // A patch of an object by an object is an object; other results are refused on the way.
  const result = resultOf(type, object, patch, kind) as JsonObject;
  // Decoding a built-in kind makes a copy; custom resources are pruned and defaulted in place.
  return kind.custom ? cloneJson(result) : { ...result };
}

function resultOf(type: PatchType, object: JsonObject, patch: Json, kind: KindStrategy): unknown {
  switch (type) {
    case "json":
      return jsonPatched(object, patch);
    case "merge":
      return applyMergePatch(object, requireObjectPatch(patch));
    case "strategic":
      return strategicPatched(object, patch, kind);
  }
}

function strategicPatched(object: JsonObject, patch: Json, kind: KindStrategy): unknown {
  if (!isObject(patch)) {
    throw badRequest(`json: cannot unmarshal ${goType(patch)} into Go value of type map[string]interface {}`);
  }
  try {
    return applyStrategicMerge(object, patch as JsonObject, kind.fieldType());
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    if (error.code === "strategic-patch-malformed") throw badRequest(error.message);
    if (error.code === "strategic-patch-unprocessable") throw statusError(422, "Invalid", error.message, {});
    throw serverError(error.message);
  }
}

function goType(value: Json): string {
  if (Array.isArray(value)) return "array";
  if (value === null) return "null";
  return typeof value === "boolean" ? "bool" : typeof value;
}

function requireObjectPatch(patch: Json): JsonObject {
  if (isObject(patch)) return patch as JsonObject;
  throw badRequest(
    `error decoding patch: json: cannot unmarshal ${goType(patch)} into Go value of type map[string]interface {}`,
  );
}

function jsonPatched(object: JsonObject, patch: Json): JsonObject {
  if (!Array.isArray(patch)) {
    throw badRequest(
      `error decoding patch: json: cannot unmarshal ${goType(patch)} into Go value of type []handlers.jsonPatchOp`,
    );
  }
  if (patch.length > MAX_OPERATIONS) throw requestTooLarge(MAX_OPERATIONS);
  let result: unknown;
  try {
    // The patcher refuses whatever is no operation.
    result = applyJsonPatch(object, patch as unknown as JsonPatchOperation[], { dialect: "api-server" });
  } catch {
    throw patchRejected();
  }
  if (!isObject(result)) throw patchRejected();
  return result as JsonObject;
}
