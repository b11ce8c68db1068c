// The seam for `x-kubernetes-validations`: who evaluates the rules of a schema.
import type { KubeObject } from "../../../kube/object.ts";
import type { FieldError } from "../registry/kind.ts";
import type { JsonSchema } from "./schema.ts";

/** Evaluates the rules of one schema. `old` is the stored object on update. */
export type RuleChecker = (object: KubeObject, old: KubeObject | undefined) => readonly FieldError[];

/** Compiles the rules of a schema. Called once per schema, and only for schemas with rules. */
export type RuleCompiler = (schema: JsonSchema) => RuleChecker;

/** Whether a schema or any part of it has rules. */
export function hasRules(schema: JsonSchema): boolean {
  if ((schema["x-kubernetes-validations"] ?? []).length > 0) return true;
  const { items, additionalProperties, properties } = schema;
  if (items !== undefined && hasRules(items)) return true;
  if (typeof additionalProperties === "object" && hasRules(additionalProperties)) return true;
  return Object.values(properties ?? {}).some(hasRules);
}

/** Reasons after which the reference does not evaluate rules. */
const BLOCKING: ReadonlySet<string> = new Set([
  "FieldValueRequired",
  "FieldValueTooLong",
  "FieldValueTooMany",
  "FieldValueTypeInvalid",
]);

/** The rules' errors, or the note that they were not evaluated because `found` makes them meaningless. */
export function checkRules(
  checker: RuleChecker | undefined,
  object: KubeObject,
  old: KubeObject | undefined,
  found: readonly FieldError[],
): readonly FieldError[] {
  if (found.some((error) => BLOCKING.has(error.reason))) {
    const why =
      "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation";
    return [{ reason: "FieldValueInvalid", field: "<nil>", message: `Invalid value: null: ${why}` }];
  }
  return checker?.(object, old) ?? [];
}
