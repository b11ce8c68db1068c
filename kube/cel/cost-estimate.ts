// What an expression may cost at most, from its types and the limits of its data.
import { ACCUMULATOR, type CallExpr, type Expr, type LoopExpr, OPERATORS } from "./ast.ts";
import type { CheckedExpression } from "./checker.ts";
import { exactly, plus, type Range, type SizeOfPath, scaled, times, UNBOUNDED, UNKNOWN, union } from "./estimates.ts";
import { type CallEstimate, estimateCall, type Operand } from "./function-estimates.ts";
import { CREATE_LIST_COST, CREATE_MAP_COST, CREATE_STRUCT_COST, TRAVERSAL_FACTOR } from "./runtime-cost.ts";
import { codePoints } from "./source.ts";
import { type CelType, insideOptional } from "./types.ts";

interface EntrySizes {
  readonly container: "list" | "map";
  readonly key: Range;
  readonly value: Range;
}

interface Local {
  readonly path: readonly string[];
  readonly size: Range | undefined;
  readonly entries: EntrySizes | undefined;
}

const ONE = exactly(1);

/** The bounds of the cost of one evaluation. */
export function estimateCost(checked: CheckedExpression, sizeOfPath: SizeOfPath): Range {
  return new Estimator(checked, sizeOfPath).cost(checked.expr);
}

class Estimator {
  readonly #checked: CheckedExpression;
  readonly #sizeOfPath: SizeOfPath;
  readonly #paths = new Map<number, readonly string[]>();
  readonly #locals = new Map<string, Local[]>();
  readonly #sizes = new Map<number, Range>();
  readonly #entries = new Map<number, EntrySizes>();

  constructor(checked: CheckedExpression, sizeOfPath: SizeOfPath) {
    this.#checked = checked;
    this.#sizeOfPath = sizeOfPath;
  }

  cost(expr: Expr): Range {
    switch (expr.kind) {
      case "literal":
        return exactly(0);
      case "ident":
        this.#paths.set(expr.id, this.#local(expr.name)?.path ?? [expr.name]);
        return ONE;
      case "select": {
        const operand = this.cost(expr.operand);
        if (expr.test) return operand;
        this.#paths.set(expr.id, [...this.#path(expr.operand), expr.field]);
        const { kind } = this.#checked.typeOf(expr.operand);
        return kind === "map" || kind === "struct" || kind === "param" ? plus(operand, ONE) : operand;
      }
      case "call":
        return this.#call(expr);
      case "list": {
        const cost = plus(...expr.items.map((item) => this.cost(item)), exactly(CREATE_LIST_COST));
        const value = this.#spread(expr.items);
        this.#entries.set(expr.id, { container: "list", key: ONE, value });
        return cost;
      }
      case "map": {
        const parts = expr.entries.flatMap(({ key, value }) => [this.cost(key), this.cost(value)]);
        const key = this.#spread(expr.entries.map((entry) => entry.key));
        const value = this.#spread(expr.entries.map((entry) => entry.value));
        this.#entries.set(expr.id, { container: "map", key, value });
        return plus(...parts, exactly(CREATE_MAP_COST));
      }
      case "struct":
        return plus(...expr.fields.map((field) => this.cost(field.value)), exactly(CREATE_STRUCT_COST));
      case "loop":
        return this.#isBinding(expr) ? this.#binding(expr) : this.#loop(expr);
    }
  }

  /** The sizes that items of a literal have. */
  #spread(items: readonly Expr[]): Range {
    let range: Range = { min: items.length === 0 ? 0 : UNBOUNDED, max: 0 };
    for (const item of items) range = union(range, this.#sizeOrUnknown(item));
    return range;
  }

  #local(name: string): Local | undefined {
    return this.#locals.get(name)?.at(-1);
  }

  #push(name: string, local: Local): void {
    const stack = this.#locals.get(name);
    if (stack === undefined) this.#locals.set(name, [local]);
    else stack.push(local);
  }

  #pop(name: string): void {
    this.#locals.get(name)?.pop();
  }

  #path(expr: Expr): readonly string[] {
    const local = expr.kind === "ident" ? this.#local(expr.name) : undefined;
    return local?.path ?? this.#paths.get(expr.id) ?? [];
  }

  #size(expr: Expr): Range | undefined {
    const known = this.#sizes.get(expr.id) ?? literalSize(expr);
    if (known !== undefined) return known;
    const path = this.#path(expr);
    const data = path.length === 0 ? undefined : this.#sizeOfPath(path);
    if (data !== undefined) {
      this.#sizes.set(expr.id, data);
      return data;
    }
    if (isScalar(this.#checked.typeOf(expr))) return ONE;
    return expr.kind === "ident" ? this.#local(expr.name)?.size : undefined;
  }

  #sizeOrUnknown(expr: Expr): Range {
    return this.#size(expr) ?? UNKNOWN;
  }

  #entrySizes(expr: Expr): EntrySizes | undefined {
    return this.#entries.get(expr.id) ?? (expr.kind === "ident" ? this.#local(expr.name)?.entries : undefined);
  }

  #operand(expr: Expr): Operand {
    const path = this.#path(expr);
    const size = this.#size(expr);
    return {
      expr,
      type: this.#checked.typeOf(expr),
      path: path[0] === ACCUMULATOR ? [] : path,
      ...(size === undefined ? {} : { size }),
      sizeOfPath: this.#sizeOfPath,
    };
  }

  #call(expr: CallExpr): Range {
    if (expr.name === "dyn" && expr.target === undefined) {
      const [arg] = expr.args;
      const cost = this.cost(arg!);
      this.#copySizes(expr, arg!);
      return plus(ONE, cost);
    }
    const costs = expr.args.map((arg) => this.cost(arg));
    const args = expr.args.map((arg) => this.#operand(arg));
    const overloads = this.#checked.overloadsOf(expr);
    // Selections of optional fields have no signature of their own to be estimated by.
    const ids = expr.name === OPERATORS.optSelect ? ["select_optional_field"] : overloads.map(({ id }) => id);
    if (ids.length === 0) return exactly(0);
    const targetCost = expr.target === undefined ? exactly(0) : this.cost(expr.target);
    const target = expr.target === undefined ? undefined : this.#operand(expr.target);
    let cost: Range = { min: UNBOUNDED, max: 0 };
    let size: Range | undefined;
    for (const id of ids) {
      const estimate = this.#overload(expr, id, target, args, costs);
      cost = union(cost, estimate.cost);
      if (estimate.size !== undefined) size = size === undefined ? estimate.size : union(size, estimate.size);
      if (id === "index_list" || id === "index_map") {
        size = this.#entrySizes(expr.args[0]!)?.value;
        this.#paths.set(expr.id, [...this.#path(expr.args[0]!), id === "index_list" ? "@items" : "@values"]);
      }
      size ??= this.#size(expr);
    }
    if (size !== undefined) this.#sizes.set(expr.id, size);
    return plus(targetCost, cost);
  }

  #overload(
    expr: CallExpr,
    id: string,
    target: Operand | undefined,
    args: readonly Operand[],
    costs: readonly Range[],
  ): CallEstimate {
    if (id === "logical_and" || id === "logical_or") {
      return { cost: { min: costs[0]!.min, max: plus(costs[0]!, costs[1]!).max } };
    }
    const [first, second, third] = expr.args;
    if (id === "conditional") {
      this.#joinEntries(expr, this.#entrySizes(second!), this.#entrySizes(third!));
      const size = union(this.#sizeOrUnknown(second!), this.#sizeOrUnknown(third!));
      return { cost: plus(costs[0]!, union(costs[1]!, costs[2]!)), size };
    }
    const estimate = estimateCall(expr.name, id, target, args);
    if (estimate !== undefined) return { ...estimate, cost: plus(estimate.cost, ...costs) };
    if (id === "add_string" || id === "add_bytes" || id === "add_list") {
      const size = plus(this.#sizeOrUnknown(first!), this.#sizeOrUnknown(second!));
      this.#joinEntries(expr, this.#entrySizes(first!), this.#entrySizes(second!));
      const own = id === "add_list" ? ONE : scaled(size, TRAVERSAL_FACTOR);
      return { cost: plus(own, ...costs), size };
    }
    return { cost: plus(ONE, ...costs) };
  }

  #joinEntries(expr: Expr, a: EntrySizes | undefined, b: EntrySizes | undefined): void {
    if (a === undefined || b === undefined) return;
    this.#entries.set(expr.id, {
      container: a.container,
      key: union(a.key, b.key),
      value: union(a.value, b.value),
    });
  }

  #copySizes(to: Expr, from: Expr): void {
    const size = this.#size(from);
    if (size !== undefined) this.#sizes.set(to.id, size);
    const entries = this.#entrySizes(from);
    if (entries !== undefined) this.#entries.set(to.id, entries);
  }

  #pushValue(name: string, expr: Expr): void {
    this.#push(name, { path: this.#path(expr), size: this.#size(expr), entries: this.#entrySizes(expr) });
  }

  /** A variable of a loop. */
  #pushElement(name: string, range: Expr, what: "key" | "value" | "single"): void {
    const entries = this.#entrySizes(range);
    const isList = (entries?.container ?? this.#checked.typeOf(range).kind) === "list";
    const part = what === "single" ? (isList ? "value" : "key") : what;
    const step = part === "value" ? (isList ? "@items" : "@values") : isList ? "@indices" : "@keys";
    this.#push(name, { path: [...this.#path(range), step], size: entries?.[part], entries: undefined });
  }

  #loop(expr: LoopExpr): Range {
    const start = plus(this.cost(expr.range), this.cost(expr.init));
    this.#pushValue(expr.accumulator, expr.init);
    if (expr.variable2 === undefined) this.#pushElement(expr.variable, expr.range, "single");
    else {
      this.#pushElement(expr.variable, expr.range, "key");
      this.#pushElement(expr.variable2, expr.range, "value");
    }
    const condition = this.cost(expr.condition);
    const step = this.cost(expr.step);
    this.#pop(expr.variable);
    if (expr.variable2 !== undefined) this.#pop(expr.variable2);
    const result = this.cost(expr.result);
    this.#pop(expr.accumulator);
    const count = this.#sizeOrUnknown(expr.range);
    if (expr.init.kind === "literal") {
      const size = this.#size(expr.init);
      if (size !== undefined) this.#sizes.set(expr.id, size);
    } else if (expr.init.kind === "list" || expr.init.kind === "map") {
      this.#sizes.set(expr.id, count);
      const entries = this.#entrySizes(expr.step);
      if (entries !== undefined) this.#entries.set(expr.id, entries);
    }
    return plus(start, result, times(count, plus(step, condition)));
  }

  #isBinding(expr: LoopExpr): boolean {
    const { range, condition, accumulator } = expr;
    const overNothing = range.kind === "list" && range.items.length === 0;
    return overNothing && condition.kind === "literal" && condition.value === false && accumulator !== "__result__";
  }

  #binding(expr: LoopExpr): Range {
    const start = plus(this.cost(expr.range), this.cost(expr.init));
    this.#pushValue(expr.accumulator, expr.init);
    const result = this.cost(expr.result);
    this.#pop(expr.accumulator);
    this.#copySizes(expr, expr.result);
    return plus(start, result);
  }
}

function literalSize(expr: Expr): Range | undefined {
  if (expr.kind === "list") return exactly(expr.items.length);
  if (expr.kind === "map") return exactly(expr.entries.length);
  if (expr.kind !== "literal") return undefined;
  if (typeof expr.value === "string") return exactly(codePoints(expr.value));
  return exactly(expr.value instanceof Uint8Array ? expr.value.length : 1);
}

const SCALARS: ReadonlySet<CelType["kind"]> = new Set<CelType["kind"]>([
  "bool",
  "double",
  "duration",
  "int",
  "timestamp",
  "uint",
]);

function isScalar(type: CelType): boolean {
  const inside = insideOptional(type);
  return inside === undefined ? SCALARS.has(type.kind) : isScalar(inside);
}
