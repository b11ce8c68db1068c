// JSON patch, merge patch and strategic merge patch over the JSON of an object.
import { applyJsonPatch, type JsonPatchOperation } from "../../../kube/json-patch.ts";
import { applyMergePatch } from "../../../kube/merge-patch.ts";
import { isObject, type Json, type JsonObject } from "../../../kube/object.ts";
import { applyStrategicMerge } from "../../../kube/strategic-merge.ts";
import { AppError } from "../../../runtime/errors.ts";
import type { KindStrategy } from "../registry/kind.ts";
import { badRequest, patchRejected, patchUndecodable, serverError, statusError } from "../registry/status-error.ts";
import { jsonType, MAX_BODY_BYTES, TYPE_META } from "../request/body.ts";
import { isTooDeep } from "../request/json-parser.ts";

import type { FieldValidation } from "../request/options.ts";

export type PatchType = "json" | "merge" | "strategic";

const MAX_OPERATIONS = 10_000;
/** Text that the copies of one patch may add: what a body may be. Without a limit forty copies fill the memory. */
const MAX_COPY_BYTES = MAX_BODY_BYTES;

/** The object after the patch; below its top it shares parts with `object` and `patch`, which are not changed. */
export function patchedJson(
  type: PatchType,
  object: JsonObject,
  patch: Json,
  kind: KindStrategy,
  validation: FieldValidation = "Warn",
): JsonObject {
  // A patch of an object by an object is an object; other results are refused on the way.
  const result = resultOf(type, object, patch, kind, validation) as JsonObject;
  // Decoding makes a copy of all but the top, where it fills in what is missing.
  return { ...result };
}

function resultOf(
  type: PatchType,
  object: JsonObject,
  patch: Json,
  kind: KindStrategy,
  validation: FieldValidation,
): unknown {
  switch (type) {
    case "json":
      return jsonPatched(object, patch);
    case "merge":
      return applyMergePatch(object, requireObjectPatch(patch, validation));
    case "strategic":
      return strategicPatched(object, patch, kind);
  }
}

function strategicPatched(object: JsonObject, patch: Json, kind: KindStrategy): unknown {
  // Null is a patch of nothing.
  if (patch === null) return object;
  if (!isObject(patch)) {
    throw badRequest(`json: cannot unmarshal ${jsonType(patch)} into Go value of type map[string]interface {}`);
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

function requireObjectPatch(patch: Json, validation: FieldValidation): JsonObject {
  if (isObject(patch)) return patch as JsonObject;
  // As the reference: who ignores unknown fields does not have the patch decoded before it is merged.
  if (patch === null || (validation === "Ignore" && !Array.isArray(patch))) throw badRequest("Invalid JSON Patch");
  throw badRequest(
    `error decoding patch: json: cannot unmarshal ${jsonType(patch)} into Go value of type map[string]interface {}`,
  );
}

function jsonPatched(object: JsonObject, patch: Json): JsonObject {
  const operations = requireOperations(patch);
  if (operations.length > MAX_OPERATIONS) {
    throw statusError(
      413,
      "RequestEntityTooLarge",
      `Request entity too large: The allowed maximum operations in a JSON patch is ${MAX_OPERATIONS}, got ${operations.length}`,
    );
  }
  let result: unknown;
  try {
    result = applyJsonPatch(object, operations, { dialect: "api-server", maxCopyBytes: MAX_COPY_BYTES });
  } catch {
    throw patchRejected();
  }
  // Operations can build what no body could say.
  if (isTooDeep(result)) throw patchRejected();
  if (isObject(result)) return result as JsonObject;
  const cannot = "couldn't get version/kind; json parse error: json: cannot unmarshal";
  throw patchUndecodable(
    JSON.stringify(result),
    `${cannot} ${jsonType(result as Json)} into Go value of type ${TYPE_META}`,
  );
}

/** A patch as operations, with Go's words for what is none. Whether they make sense the patcher says. */
function requireOperations(patch: Json): readonly JsonPatchOperation[] {
  if (patch === null) return [];
  const cannot = "error decoding patch: json: cannot unmarshal";
  if (!Array.isArray(patch))
    throw badRequest(`${cannot} ${jsonType(patch)} into Go value of type []handlers.jsonPatchOp`);
  for (const operation of patch) {
    if (!isObject(operation)) {
      if (operation === null) continue;
      throw badRequest(`${cannot} ${jsonType(operation)} into Go value of type handlers.jsonPatchOp`);
    }
    for (const field of ["op", "path", "from"]) {
      const value = Object.hasOwn(operation, field) ? (operation[field] as Json) : null;
      if (value !== null && typeof value !== "string")
        throw badRequest(`${cannot} ${jsonType(value)} into Go struct field jsonPatchOp.${field} of type string`);
    }
  }
  // Checked above; an operation of null has no kind, which the patcher refuses.
  return patch.map((operation) => operation ?? {}) as unknown as JsonPatchOperation[];
}
