// `x = a and b` and `x = a or b` for a local `x` that was there before. gopher-lua works on the variable itself as it goes, so
// that not always what the operators give is what the variable gets; scripts are written against what they got.

import type { Expression } from "./ast.ts";
import type { Store } from "./closures.ts";
import type { ExpressionCompiler } from "./compile-expressions.ts";
import type { Frame } from "./runtime.ts";
import { isTruthy } from "./values.ts";

type Logical = Extract<Expression, { type: "and" | "or" }>;
type LocalTarget = Extract<Expression, { type: "local" }>;
/** Evaluates an operand and says which way to go on; may have set the variable. */
type Test = (frame: Frame) => boolean;

/** Where the ways of an operand lead: whether out of the whole expression, and whether an `or` is what follows. */
interface Ways {
  readonly trueEnds: boolean;
  readonly falseEnds: boolean;
  readonly orFollows: boolean;
}

/** Whether a value is one of these expressions; parentheses do not count. */
export function isLogical(value: Expression): value is Logical | Extract<Expression, { type: "single" }> {
  if (value.type === "single") return isLogical(value.inner);
  return value.type === "and" || value.type === "or";
}

/** Assigns a logical expression to a variable. */
export function logicalAssignment(
  value: Expression,
  target: LocalTarget,
  store: Store,
  expressions: ExpressionCompiler,
): (frame: Frame) => void {
  return new LogicalAssignment(target, store, expressions).test(value, {
    trueEnds: true,
    falseEnds: true,
    orFollows: false,
  });
}

class LogicalAssignment {
  readonly #target: LocalTarget;
  readonly #store: Store;
  readonly #expressions: ExpressionCompiler;

  constructor(target: LocalTarget, store: Store, expressions: ExpressionCompiler) {
    this.#target = target;
    this.#store = store;
    this.#expressions = expressions;
  }

  test(operand: Expression, ways: Ways): Test {
    if (operand.type === "single" && operand.inner.type !== "call" && operand.inner.type !== "vararg") {
      return this.test(operand.inner, ways);
    }
    const { trueEnds, falseEnds, orFollows } = ways;
    switch (operand.type) {
      case "and": {
        const left = this.test(operand.left, { trueEnds: false, falseEnds, orFollows: false });
        const right = this.test(operand.right, ways);
        return (frame) => left(frame) && right(frame);
      }
      case "or": {
        const left = this.test(operand.left, { trueEnds, falseEnds: false, orFollows: true });
        const right = this.test(operand.right, ways);
        return (frame) => left(frame) || right(frame);
      }
      case "false":
      case "nil":
        return this.#constant(operand, falseEnds, false);
      case "true":
      case "number":
      case "string":
        return this.#constant(operand, trueEnds, true);
      case "binary":
        if (isComparison(operand.operator)) return this.#comparison(operand, ways);
        break;
    }
    return this.#other(operand, ways, orFollows);
  }

  #constant(operand: Expression, ends: boolean, truth: boolean): Test {
    const store = this.#store;
    const evaluate = this.#expressions.one(operand);
    return (frame) => {
      if (ends) store(frame, evaluate(frame));
      return truth;
    };
  }

  #comparison(operand: Expression, { trueEnds, falseEnds }: Ways): Test {
    const store = this.#store;
    const evaluate = this.#expressions.one(operand);
    return (frame) => {
      const truth = evaluate(frame) === true;
      if (truth ? trueEnds : falseEnds) store(frame, truth);
      return truth;
    };
  }

  #other(operand: Expression, { trueEnds, falseEnds }: Ways, orFollows: boolean): Test {
    const store = this.#store;
    const evaluate = this.#expressions.one(operand);
    if (trueEnds && falseEnds) {
      return (frame) => {
        store(frame, evaluate(frame));
        return true;
      };
    }
    if (operand.type === "local" && (falseEnds || (trueEnds && orFollows))) {
      const isTarget = operand.local === this.#target.local;
      return (frame) => {
        const value = evaluate(frame);
        const truth = isTruthy(value);
        if (!isTarget && truth === orFollows) store(frame, value);
        return truth;
      };
    }
    // Before an `or` the variable is set even if more operands follow; before an `and` it is not set at all.
    return (frame) => {
      const value = evaluate(frame);
      const truth = isTruthy(value);
      if (orFollows && truth) store(frame, value);
      return truth;
    };
  }
}

function isComparison(operator: string): boolean {
  return ["==", "~=", "<", "<=", ">", ">="].includes(operator);
}
