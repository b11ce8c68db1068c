// Expressions, compiled once and evaluated often.
import { type CheckedExpression, check } from "./checker.ts";
import { estimateCost } from "./cost-estimate.ts";
import type { Environment } from "./declarations.ts";
import type { SizeOfPath } from "./estimates.ts";
import { plan } from "./evaluator.ts";
import { COST_EXCEEDED, Frame, Interrupted, type Step, type TimeCheck } from "./frame.ts";
import { parse } from "./parser.ts";
import { Issues } from "./source.ts";
import type { CelType } from "./types.ts";
import { validateLiterals } from "./validators.ts";
import { EvaluationFailure, type Value } from "./values.ts";

/** The cost of one evaluation at which it is ended. */
export const CALL_COST_LIMIT = 1_000_000;

export interface EvaluationOptions {
  /** Ends the evaluation beyond this cost. Default: a million. */
  readonly costLimit?: number;
  /** Asked from time to time; the evaluation ends when the answer is true. */
  readonly isOver?: TimeCheck;
}

export type Evaluation =
  | { readonly value: Value; readonly cost: number }
  | {
      readonly error: string;
      readonly cost: number;
      /** The evaluation ran out of cost or time. */
      readonly interrupted: boolean;
    };

/** A compiled expression. */
export class Program {
  readonly type: CelType;
  /** Variables of the environment that the expression reads. */
  readonly variables: ReadonlySet<string>;
  readonly #checked: CheckedExpression;
  #step: Step | undefined;

  constructor(checked: CheckedExpression) {
    this.#checked = checked;
    this.type = checked.type;
    this.variables = checked.variables;
  }

  /** The highest cost that one evaluation can have. */
  estimateCost(sizeOfPath: SizeOfPath): number {
    return estimateCost(this.#checked, sizeOfPath).max;
  }

  /** Why the expression can never be evaluated, although its types are right: a literal that cannot be converted. */
  instantiationError(): string | undefined {
    try {
      this.#step ??= plan(this.#checked);
      return undefined;
    } catch (error) {
      if (error instanceof EvaluationFailure) return error.message;
      throw error;
    }
  }

  evaluate(variables: Readonly<Record<string, Value | undefined>>, options: EvaluationOptions = {}): Evaluation {
    const frame = new Frame(variables, options.costLimit ?? CALL_COST_LIMIT, options.isOver);
    try {
      this.#step ??= plan(this.#checked);
      const value = this.#step(frame);
      return { value, cost: frame.cost };
    } catch (error) {
      if (error instanceof EvaluationFailure) return { error: error.message, cost: frame.cost, interrupted: false };
      if (error instanceof Interrupted) return { error: error.message, cost: frame.cost, interrupted: true };
      // Values nested too deeply for the stack, and texts too long for memory.
      if (error instanceof RangeError) return { error: COST_EXCEEDED, cost: frame.limit, interrupted: true };
      throw error;
    }
  }
}

/** What is wrong with an expression, as compilers show it. */
export class CompileError {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

/** Compiles an expression: syntax, types, literals. */
export function compile(text: string, environment: Environment): Program | CompileError {
  const issues = new Issues(text);
  try {
    const expr = parse(text, issues);
    const checked = expr === undefined ? undefined : check(expr, environment, issues);
    if (checked !== undefined) validateLiterals(checked, issues);
    return checked === undefined || !issues.isEmpty ? new CompileError(issues.format()) : new Program(checked);
  } catch (error) {
    // The parser bounds the depth of its own recursion; what macros nest beyond it ends here.
    if (error instanceof RangeError) return new CompileError("ERROR: <input>:-1:0: expression nests too deeply");
    throw error;
  }
}
