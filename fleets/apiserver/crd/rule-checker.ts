// The seam for `x-kubernetes-validations`: who evaluates the rules of a schema.
import type { KubeObject } from "../../../kube/object.ts";
import type { FieldError } from "../registry/kind.ts";
import type { JsonSchema } from "./schema.ts";

/** What the rules say of an object. */
export interface RuleOutcome {
  readonly errors: readonly FieldError[];
  /** Errors of values that an update leaves as they were: told, not refused. */
  readonly warnings: readonly string[];
}

/** Evaluates the rules of one schema. `old` is the stored object on update. */
export type RuleChecker = (object: KubeObject, old: KubeObject | undefined) => RuleOutcome;

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
  "FieldValueNotSupported",
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
): RuleOutcome {
  if (found.some((error) => BLOCKING.has(error.reason))) {
    const why =
      "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation";
    const error: FieldError = { reason: "FieldValueInvalid", field: "<nil>", message: `Invalid value: null: ${why}` };
    return { errors: [error], warnings: [] };
  }
  return checker?.(object, old) ?? { errors: [], warnings: [] };
}
