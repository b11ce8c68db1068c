// Match conditions: expressions that all must hold for a webhook or policy to be asked about a write.
import { CompileError, type Program } from "../../../kube/cel/program.ts";
import { BOOL } from "../../../kube/cel/types.ts";
import { compileAdmissionExpression } from "./admission-environment.ts";
import { type AdmissionInput, type AdmissionVariables, admissionVariables } from "./admission-input.ts";

/** A condition as it is written. */
export interface MatchCondition {
  readonly name: string;
  readonly expression: string;
}

/** `error`: at least one condition could not be evaluated, and none was false. */
export type MatchConditionOutcome = "match" | "no-match" | { readonly error: string };

/** The cost that the conditions of one webhook or policy may have together for one write. */
const BUDGET = 2_500_000;
/** The time that they may take, in milliseconds. */
const TIME_MS = 50;

const OUT_OF_BUDGET = "validation failed due to running out of cost budget, no further validation rules will be run";

export interface MatchConditions {
  /** What the conditions say of a write. */
  evaluate(input: AdmissionInput): MatchConditionOutcome;
  /** The same with variables that were made before. */
  evaluateWith(variables: AdmissionVariables): MatchConditionOutcome;
}

/** Compiles conditions; those that do not compile are errors when they are evaluated. */
export function compileMatchConditions(
  conditions: readonly MatchCondition[],
  options: { readonly params?: boolean } = {},
): MatchConditions {
  const setting = { params: options.params === true, authorizer: true };
  const compiled = conditions.map(({ expression }) => ({
    expression,
    program: compileAdmissionExpression(expression.trim(), setting, [BOOL]),
  }));
  const evaluateWith = (variables: AdmissionVariables): MatchConditionOutcome => evaluateAll(compiled, variables);
  return { evaluateWith, evaluate: (input) => evaluateWith(admissionVariables(input)) };
}

function evaluateAll(
  compiled: readonly { readonly expression: string; readonly program: Program | CompileError }[],
  variables: AdmissionVariables,
): MatchConditionOutcome {
  let budget = BUDGET;
  const deadline = performance.now() + TIME_MS;
  const isOver = (): boolean => performance.now() > deadline;
  const errors: string[] = [];
  for (const { expression, program } of compiled) {
    if (program instanceof CompileError) {
      errors.push(`compilation error: ${program.message}`);
      continue;
    }
    const result = program.evaluate(variables, { isOver });
    if (result.cost > budget) return { error: OUT_OF_BUDGET };
    budget -= result.cost;
    if ("error" in result) errors.push(`expression '${expression.trim()}' resulted in error: ${result.error}`);
    else if (result.value === false) return "no-match";
  }
  if (errors.length === 0) return "match";
  const unique = [...new Set(errors)];
  return { error: unique.length === 1 ? unique[0]! : `[${unique.join(", ")}]` };
}
