// Parts of expressions whose value is known before anything is evaluated.
import type { Expr } from "./ast.ts";
import type { CheckedExpression } from "./checker.ts";
import { callSteps } from "./dispatch.ts";
import { Frame } from "./frame.ts";
import { ArrayList, EntryMap, type Value } from "./values.ts";

const CONVERSIONS: ReadonlySet<string> = new Set([
  "bool",
  "bytes",
  "double",
  "duration",
  "dyn",
  "int",
  "string",
  "timestamp",
  "type",
  "uint",
]);

/**
 * The value of an expression that is the same every time: literals, lists and maps of them, and their conversions.
 * Costs nothing. Fails when a conversion does.
 */
export function constantOf(expr: Expr, checked: CheckedExpression): Value | undefined {
  switch (expr.kind) {
    case "literal":
      return expr.value;
    case "list": {
      if (expr.optional.size > 0) return undefined;
      const items = expr.items.map((item) => constantOf(item, checked));
      return items.includes(undefined) ? undefined : new ArrayList(items as Value[]);
    }
    case "map": {
      const pairs = expr.entries.map(
        ({ key, value }) => [constantOf(key, checked), constantOf(value, checked)] as const,
      );
      const isConstant = expr.entries.every(({ optional }) => !optional) && !pairs.flat().includes(undefined);
      return isConstant ? new EntryMap(pairs as [Value, Value][]) : undefined;
    }
    case "call": {
      if (expr.target !== undefined || expr.args.length !== 1 || !CONVERSIONS.has(expr.name)) return undefined;
      const arg = constantOf(expr.args[0]!, checked);
      if (arg === undefined) return undefined;
      const types = [checked.typeOf(expr.args[0]!)];
      const step = callSteps(expr.name, checked.overloadsOf(expr), types, [() => arg]);
      return step(new Frame({}, Number.POSITIVE_INFINITY, undefined));
    }
    default:
      return undefined;
  }
}
