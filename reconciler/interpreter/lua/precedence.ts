// How tightly the operators of Lua bind, and what they make of their operands.

import type { Expression } from "./ast.ts";

/** Of `not`, `-` and `#` before an operand. */
export const UNARY_PRECEDENCE = 8;
/** Of the operators between operands, seen from either side: `..` and `^` group to the right. */
export const PRECEDENCE: Readonly<Record<string, readonly [left: number, right: number]>> = {
  or: [1, 1],
  and: [2, 2],
  ...{ "<": [3, 3], ">": [3, 3], "<=": [3, 3], ">=": [3, 3], "~=": [3, 3], "==": [3, 3] },
  "..": [5, 4],
  ...{ "+": [6, 6], "-": [6, 6] },
  ...{ "*": [7, 7], "/": [7, 7], "%": [7, 7] },
  "^": [10, 9],
};

/** The operation of two operands. `operator` is one of `PRECEDENCE`. */
export function joinOperands(operator: string, left: Expression, right: Expression): Expression {
  const { line } = left;
  if (operator === "and" || operator === "or") return { type: operator, left, right, line };
  if (operator === "..") {
    // `a .. b .. c` is one operation on three operands.
    return { type: "concat", operands: [left, ...(right.type === "concat" ? right.operands : [right])], line };
  }
  // The remaining keys of the table of precedences are the binary operators.
  return {
    type: "binary",
    operator: operator as Extract<Expression, { type: "binary" }>["operator"],
    left,
    right,
    line,
  };
}
