// The values of a custom resource that its scale subresource stands for must fit a Scale.
import { goText, goType } from "../../../kube/go-text.ts";
import { isObject, type KubeObject } from "../../../kube/object.ts";
import { invalidValue } from "../kinds/field-errors.ts";
import type { FieldError, ScalePaths } from "../registry/kind.ts";

const MOST_REPLICAS = 2_147_483_647;

type Found = { readonly value: unknown } | { readonly problem: string };

function nested(object: KubeObject, path: string): Found {
  const keys = path.split(".");
  let value: unknown = object;
  for (const [index, key] of keys.entries()) {
    if (value === undefined || value === null) return { value: undefined };
    if (!isObject(value)) {
      const at = `.${keys.slice(0, index + 1).join(".")}`;
      return {
        problem: `${at} accessor error: ${goText(value)} is of the type ${goType(value)}, expected map[string]interface{}`,
      };
    }
    value = value[key];
  }
  return { value };
}

function replicaErrors(object: KubeObject, path: string): FieldError[] {
  const found = nested(object, path);
  const field = `.${path}`;
  if ("problem" in found) return [invalidValue(field, 0, found.problem)];
  const { value } = found;
  if (value === undefined) return [];
  if (typeof value !== "number" || !Number.isInteger(value)) {
    const why = `${field} accessor error: ${goText(value)} is of the type ${goType(value)}, expected int64`;
    return [invalidValue(field, 0, why)];
  }
  if (value < 0) return [invalidValue(field, value, "should be a non-negative integer")];
  if (value <= MOST_REPLICAS) return [];
  return [invalidValue(field, value, `should be less than or equal to ${MOST_REPLICAS}`)];
}

/** Replicas must be 32-bit counts, and the selector a text, whatever the schema says. */
export function validateScaleValues(object: KubeObject, paths: ScalePaths): FieldError[] {
  const errors = [...replicaErrors(object, paths.specReplicas), ...replicaErrors(object, paths.statusReplicas)];
  if (paths.labelSelector === undefined) return errors;
  const found = nested(object, paths.labelSelector);
  const field = `.${paths.labelSelector}`;
  if ("problem" in found) return [...errors, invalidValue(field, "", found.problem)];
  const { value } = found;
  if (value === undefined || typeof value === "string") return errors;
  const why = `${field} accessor error: ${goText(value)} is of the type ${goType(value)}, expected string`;
  return [...errors, invalidValue(field, "", why)];
}
