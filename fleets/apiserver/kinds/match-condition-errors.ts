// Validation of match conditions, which webhooks and admission policies have alike.
import { CompileError } from "../../../kube/cel/program.ts";
import { BOOL } from "../../../kube/cel/types.ts";
import { checkQualifiedName } from "../../../kube/names.ts";
import type { JsonObject } from "../../../kube/object.ts";
import { compileAdmissionExpression } from "../admission/admission-environment.ts";
import type { FieldError } from "../registry/kind.ts";
import { textOf } from "./cell-values.ts";
import { duplicateValue, invalidValue, problems, required, tooMany } from "./field-errors.ts";

const MOST_CONDITIONS = 64;

/** Checks names and expressions; these see `params` where the policy has parameters. */
export function matchConditionErrors(conditions: readonly JsonObject[], path: string, params: boolean): FieldError[] {
  const errors: FieldError[] = [];
  if (conditions.length > MOST_CONDITIONS) errors.push(tooMany(path, conditions.length, MOST_CONDITIONS));
  const seen = new Set<string>();
  for (const [index, condition] of conditions.entries()) {
    const at = `${path}[${index}]`;
    const name = textOf(condition["name"]);
    const expression = textOf(condition["expression"]).trim();
    if (expression === "") errors.push(required(`${at}.expression`));
    else {
      const compiled = compileAdmissionExpression(expression, { params, authorizer: true }, [BOOL]);
      if (compiled instanceof CompileError) errors.push(invalidValue(`${at}.expression`, expression, compiled.message));
    }
    if (name === "") errors.push(required(`${at}.name`));
    else {
      errors.push(...problems(`${at}.name`, name, checkQualifiedName(name)));
      if (seen.has(name)) errors.push(duplicateValue(`${at}.name`, name));
      seen.add(name);
    }
  }
  return errors;
}
