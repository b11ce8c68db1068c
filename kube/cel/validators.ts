// What a checked expression may still be wrong about: literals that can never work.
import { compileRegex } from "../regex/regex.ts";
import { RegexError } from "../regex/syntax.ts";
import type { CallExpr, Expr, ListExpr, MapExpr } from "./ast.ts";
import type { CheckedExpression } from "./checker.ts";
import { toDuration, toTimestamp } from "./conversions.ts";
import { CLAUSE_RULES, FormatProblem, formatParts } from "./libraries/string-format.ts";
import type { Issues } from "./source.ts";
import { type CelType, formatType, insideOptional, isDyn, runtimeName, sameType } from "./types.ts";
import { EvaluationFailure, type Value } from "./values.ts";

/** Reports durations, timestamps, patterns and formats that are none, and lists and maps of mixed types. */
export function validateLiterals(checked: CheckedExpression, issues: Issues): void {
  visit(checked.expr, false, (expr, insideFormat) => {
    if (expr.kind === "call") validateCall(expr, checked, issues);
    else if (insideFormat) return;
    else if (expr.kind === "list") validateList(expr, checked, issues);
    else if (expr.kind === "map") validateMap(expr, checked, issues);
  });
}

type Visitor = (expr: Expr, insideFormat: boolean) => void;

/** Arguments of `format` may be mixed. */
function visit(expr: Expr, insideFormat: boolean, visitor: Visitor): void {
  visitor(expr, insideFormat);
  const isFormat = expr.kind === "call" && expr.name === "format";
  for (const part of partsOf(expr)) visit(part, insideFormat || isFormat, visitor);
}

function partsOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case "literal":
    case "ident":
      return [];
    case "select":
      return [expr.operand];
    case "call":
      return expr.target === undefined ? expr.args : [expr.target, ...expr.args];
    case "list":
      return expr.items;
    case "map":
      return expr.entries.flatMap(({ key, value }) => [key, value]);
    case "struct":
      return expr.fields.map(({ value }) => value);
    case "loop":
      return [expr.range, expr.init, expr.condition, expr.step, expr.result];
  }
}

function fails(convert: (value: Value) => Value, value: Value): boolean {
  try {
    convert(value);
    return false;
  } catch (error) {
    if (error instanceof EvaluationFailure) return true;
    throw error;
  }
}

function validateCall(expr: CallExpr, checked: CheckedExpression, issues: Issues): void {
  const [arg] = expr.args;
  if (expr.name === "format" && expr.target !== undefined) validateFormat(expr, checked, issues);
  if (arg?.kind !== "literal") return;
  const isBad =
    (expr.name === "duration" && fails(toDuration, arg.value)) ||
    (expr.name === "timestamp" && fails(toTimestamp, arg.value)) ||
    (expr.name === "matches" && typeof arg.value === "string" && compileRegex(arg.value) instanceof RegexError);
  if (isBad) issues.report(arg.at, `invalid ${expr.name} argument`);
}

function mismatch(expr: Expr, expected: CelType, actual: CelType, issues: Issues): void {
  issues.report(expr.at, `expected type '${formatType(expected)}' but found '${formatType(actual)}'`);
}

function validateList(expr: ListExpr, checked: CheckedExpression, issues: Issues): void {
  let expected: CelType | undefined;
  for (const [index, item] of expr.items.entries()) {
    const own = checked.typeOf(item);
    const type = expr.optional.has(index) ? (insideOptional(own) ?? own) : own;
    if (expected === undefined) expected = type;
    else if (!sameType(expected, type)) {
      mismatch(item, expected, type, issues);
      return;
    }
  }
}

function validateMap(expr: MapExpr, checked: CheckedExpression, issues: Issues): void {
  const [first] = expr.entries;
  if (first === undefined) return;
  const valueType = (value: Expr, optional: boolean): CelType => {
    const type = checked.typeOf(value);
    return optional ? (insideOptional(type) ?? type) : type;
  };
  const keyType = checked.typeOf(first.key);
  const firstType = valueType(first.value, first.optional);
  for (const { key, value, optional } of expr.entries.slice(1)) {
    const own = checked.typeOf(key);
    if (!sameType(keyType, own)) mismatch(key, keyType, own, issues);
    const type = valueType(value, optional);
    if (!sameType(firstType, type)) mismatch(value, firstType, type, issues);
  }
}

function validateFormat(expr: CallExpr, checked: CheckedExpression, issues: Issues): void {
  const { target } = expr;
  const [list] = expr.args;
  if (target?.kind !== "literal" || typeof target.value !== "string" || list?.kind !== "list") return;
  let used = 0;
  try {
    for (const part of formatParts(target.value, list.items.length)) {
      if (typeof part === "string") continue;
      const rule = CLAUSE_RULES[part.verb.toLowerCase()]!;
      const bad = unfit(list.items[used]!, rule.types, part.verb === "s", checked);
      used += 1;
      if (bad === undefined) continue;
      const type = runtimeName(checked.typeOf(bad));
      issues.report(bad.at, `error during formatting: ${rule.problem}, was given ${type}`);
      return;
    }
  } catch (error) {
    if (!(error instanceof FormatProblem)) throw error;
    issues.report(expr.at, error.message);
    return;
  }
  if (list.items.length > used) {
    const counts = `(expected ${used}, got ${list.items.length})`;
    issues.report(expr.at, `too many arguments supplied to string.format ${counts}`);
  }
}

/** The part of an argument that its clause cannot print. */
function unfit(expr: Expr, types: readonly string[], deep: boolean, checked: CheckedExpression): Expr | undefined {
  const type = checked.typeOf(expr);
  if (!isDyn(type) && !types.includes(runtimeName(type))) return expr;
  if (!deep || (expr.kind !== "list" && expr.kind !== "map")) return undefined;
  for (const part of partsOf(expr)) {
    const bad = unfit(part, types, deep, checked);
    if (bad !== undefined) return bad;
  }
  return undefined;
}
