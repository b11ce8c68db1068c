// Kinds whose definition has no status subresource keep their status among their other fields.

import { isObject } from "../../kube/object.ts";

/**
 * What can be written of a status into an object without a status subresource: all but the generation that it is about. Each
 * such write makes a new generation, which the copies would report back, so that it would never come to rest.
 */
export function statusInObject(status: unknown): unknown {
  if (!isObject(status)) return status;
  const { observedGeneration: _, conditions, ...rest } = status;
  if (!Array.isArray(conditions)) return conditions === undefined ? rest : { ...rest, conditions };
  return { ...rest, conditions: conditions.map(withoutGeneration) };
}

function withoutGeneration(condition: unknown): unknown {
  if (!isObject(condition)) return condition;
  const { observedGeneration: _, ...rest } = condition;
  return rest;
}
