// From a checked tree to a function: every part becomes a closure over its parts.
import { compileRegex } from "../regex/regex.ts";
import { RegexError } from "../regex/syntax.ts";
import { fieldOf, isIn, isPresent, itemOf, optionalItem } from "./access.ts";
import { add, divide, modulo, multiply, negate, subtract } from "./arithmetic.ts";
import {
  type CallExpr,
  type Expr,
  type IdentExpr,
  type ListExpr,
  type LoopExpr,
  type MapExpr,
  OPERATORS,
  type SelectExpr,
  type StructExpr,
} from "./ast.ts";
import type { CheckedExpression } from "./checker.ts";
import { constantOf } from "./constants.ts";
import { callSteps } from "./dispatch.ts";
import { compare, contains, equal } from "./equality.ts";
import { charge, type Frame, type Step, tick } from "./frame.ts";
import { CREATE_LIST_COST, CREATE_MAP_COST, CREATE_STRUCT_COST, comparisonCost, concatCost } from "./runtime-cost.ts";
import {
  ArrayList,
  CelList,
  CelMap,
  CelOptional,
  CelStruct,
  CelTypeValue,
  EMPTY_LIST,
  EntryMap,
  EvaluationFailure,
  fail,
  noSuchOverload,
  type Value,
} from "./values.ts";

/** The function of a whole expression. */
export function plan(checked: CheckedExpression): Step {
  return new Planner(checked).plan(checked.expr);
}

type Binary = (a: Value, b: Value) => Value;

const ARITHMETIC: ReadonlyMap<string, Binary> = new Map([
  [OPERATORS["-"], subtract],
  [OPERATORS["*"], multiply],
  [OPERATORS["/"], divide],
  [OPERATORS["%"], modulo],
]);
const ORDER: ReadonlyMap<string, (order: number) => boolean> = new Map([
  [OPERATORS["<"], (order: number) => order < 0],
  [OPERATORS["<="], (order: number) => order <= 0],
  [OPERATORS[">"], (order: number) => order > 0],
  [OPERATORS[">="], (order: number) => order >= 0],
]);

/** Names and what is reached from them by fields and indices: the reference counts these as one step each. */
function isAttribute(expr: Expr): boolean {
  if (expr.kind === "ident") return true;
  if (expr.kind === "select") return !expr.test;
  return expr.kind === "call" && expr.target === undefined && ACCESS.has(expr.name);
}

const ACCESS: ReadonlySet<string> = new Set([OPERATORS.index, OPERATORS.optIndex, OPERATORS.optSelect]);

class Planner {
  readonly #checked: CheckedExpression;
  /** Names of loops around the present part, innermost last; each has the slot of its position. */
  readonly #locals: string[] = [];

  constructor(checked: CheckedExpression) {
    this.#checked = checked;
  }

  plan(expr: Expr): Step {
    const constant = constantOf(expr, this.#checked);
    if (constant !== undefined) return () => constant;
    switch (expr.kind) {
      case "literal": {
        const { value } = expr;
        return () => value;
      }
      case "ident":
        return this.#ident(expr);
      case "select":
        return this.#select(expr);
      case "call":
        return this.#call(expr);
      case "list":
        return this.#list(expr);
      case "map":
        return this.#map(expr);
      case "struct":
        return this.#struct(expr);
      case "loop":
        return this.#loop(expr);
    }
  }

  #ident(expr: IdentExpr): Step {
    const named = this.#checked.typeNamed(expr);
    if (named !== undefined) {
      const type = new CelTypeValue(named);
      return () => type;
    }
    const written = expr.name;
    const name = written.startsWith(".") ? written.slice(1) : written;
    const slot = this.#locals.lastIndexOf(name);
    if (slot >= 0) {
      return (frame) => {
        charge(frame, 1);
        const value = frame.slots[slot]!;
        if (value instanceof EvaluationFailure) throw value;
        return value;
      };
    }
    return (frame) => {
      charge(frame, 1);
      return frame.variable(name);
    };
  }

  #select(expr: SelectExpr): Step {
    const operand = this.plan(expr.operand);
    const { field } = expr;
    if (expr.test) return (frame) => isPresent(operand(frame), field);
    const cost = isAttribute(expr.operand) ? 1 : 2;
    return (frame) => {
      const value = operand(frame);
      charge(frame, cost);
      return fieldOf(value, field);
    };
  }

  #call(expr: CallExpr): Step {
    const { name } = expr;
    switch (name) {
      case OPERATORS["&&"]:
        return this.#logic(expr, false);
      case OPERATORS["||"]:
        return this.#logic(expr, true);
      case OPERATORS["?"]:
        return this.#conditional(expr);
      case OPERATORS.notStrictlyFalse:
        return this.#notStrictlyFalse(expr.args[0]!);
      case "or":
      case "orValue":
        return this.#alternative(expr);
    }
    if (expr.target === undefined && expr.args.length === 2) {
      const step = this.#operator(name, expr.args[0]!, expr.args[1]!);
      if (step !== undefined) return step;
    }
    if (name === OPERATORS["!"]) {
      const operand = this.plan(expr.args[0]!);
      return (frame) => {
        const value = operand(frame);
        charge(frame, 1);
        return typeof value === "boolean" ? !value : noSuchOverload();
      };
    }
    if (name === OPERATORS.negate) {
      const operand = this.plan(expr.args[0]!);
      return (frame) => {
        const value = operand(frame);
        charge(frame, 1);
        return negate(value);
      };
    }
    const parts = expr.target === undefined ? expr.args : [expr.target, ...expr.args];
    const pattern = name === "find" || name === "findAll" ? expr.args[0] : undefined;
    if (pattern?.kind === "literal" && typeof pattern.value === "string") checkPattern(pattern.value);
    const types = parts.map((part) => this.#checked.typeOf(part));
    return callSteps(
      name,
      this.#checked.overloadsOf(expr),
      types,
      parts.map((part) => this.plan(part)),
    );
  }

  #operator(name: string, first: Expr, second: Expr): Step | undefined {
    const order = ORDER.get(name);
    const arithmetic = ARITHMETIC.get(name);
    const isEquality = name === OPERATORS["=="] || name === OPERATORS["!="];
    if (order !== undefined || isEquality) {
      const left = this.plan(first);
      const right = this.plan(second);
      const unequal = name === OPERATORS["!="];
      return (frame) => {
        const a = left(frame);
        const b = right(frame);
        charge(frame, comparisonCost(a, b));
        return order === undefined ? equal(a, b) !== unequal : order(compare(a, b));
      };
    }
    if (arithmetic !== undefined || name === OPERATORS["+"]) {
      const left = this.plan(first);
      const right = this.plan(second);
      return (frame) => {
        const a = left(frame);
        const b = right(frame);
        charge(frame, arithmetic === undefined ? concatCost(a, b) : 1);
        return arithmetic === undefined ? add(a, b) : arithmetic(a, b);
      };
    }
    switch (name) {
      case OPERATORS.in: {
        const known = this.#membership(first, second);
        if (known !== undefined) return known;
        const item = this.plan(first);
        const container = this.plan(second);
        return (frame) => {
          const value = item(frame);
          const within = container(frame);
          charge(frame, within instanceof CelList ? within.size : 1);
          return isIn(value, within);
        };
      }
      case OPERATORS.index:
      case OPERATORS.optIndex:
      case OPERATORS.optSelect:
        return this.#index(name, first, second);
      default:
        return undefined;
    }
  }

  /** Whether a value is one of a few texts, numbers or booleans that are written down. */
  #membership(first: Expr, second: Expr): Step | undefined {
    const list = constantOf(second, this.#checked);
    if (!(list instanceof CelList)) return undefined;
    const simple = Array.from(list).every((item) => typeof item !== "object");
    if (!simple) return undefined;
    if (list.size === 0) return () => false;
    const item = this.plan(first);
    const numbers = Array.from(list).some((each) => typeof each === "number" || typeof each === "bigint");
    const members = new Set<Value>(list);
    return (frame) => {
      const value = item(frame);
      return members.has(value) || (numbers && contains(list, value));
    };
  }

  #index(name: string, first: Expr, second: Expr): Step {
    const operand = this.plan(first);
    const index = this.plan(second);
    const optional = name !== OPERATORS.index;
    // As the reference: a name inside the brackets is part of the step.
    const cost = (isAttribute(first) ? 1 : 2) - (isAttribute(second) ? 1 : 0);
    return (frame) => {
      const value = operand(frame);
      const key = index(frame);
      if (!optional && !(value instanceof CelOptional)) {
        charge(frame, cost);
        return itemOf(value, key);
      }
      const item = optionalItem(value, key);
      charge(frame, item.isPresent ? cost : cost - 1);
      return item;
    };
  }

  /** `decisive` is the value that settles the outcome, whatever the other side is or fails with. */
  #logic(expr: CallExpr, decisive: boolean): Step {
    const left = this.plan(expr.args[0]!);
    const right = this.plan(expr.args[1]!);
    return (frame) => {
      let failure: EvaluationFailure;
      try {
        const value = left(frame);
        if (value === decisive) return decisive;
        if (value === !decisive) {
          const other = right(frame);
          return typeof other === "boolean" ? other : noSuchOverload();
        }
        failure = new EvaluationFailure("no such overload");
      } catch (error) {
        if (!(error instanceof EvaluationFailure)) throw error;
        failure = error;
      }
      return afterFailure(frame, failure, right, decisive);
    };
  }

  #conditional(expr: CallExpr): Step {
    const [condition, yes, no] = expr.args.map((arg) => this.plan(arg));
    // As the reference: branches that only name data are one step less.
    const [yesDiscount, noDiscount] = expr.args.slice(1).map((arg) => (isAttribute(arg) ? -1 : 0));
    return (frame) => {
      const value = condition!(frame);
      if (typeof value !== "boolean") return noSuchOverload();
      const chosen = value ? yes!(frame) : no!(frame);
      charge(frame, (value ? yesDiscount : noDiscount)!);
      return chosen;
    };
  }

  #notStrictlyFalse(arg: Expr): Step {
    const operand = this.plan(arg);
    return (frame) => {
      charge(frame, 1);
      try {
        return operand(frame) !== false;
      } catch (error) {
        if (error instanceof EvaluationFailure) return true;
        throw error;
      }
    };
  }

  #alternative(expr: CallExpr): Step {
    const target = this.plan(expr.target!);
    const other = this.plan(expr.args[0]!);
    const unwrap = expr.name === "orValue";
    return (frame) => {
      const value = target(frame);
      if (!(value instanceof CelOptional)) return noSuchOverload();
      if (!value.isPresent) return other(frame);
      return unwrap ? value.value : value;
    };
  }

  #list(expr: ListExpr): Step {
    const items = expr.items.map((item) => this.plan(item));
    const { optional } = expr;
    if (items.length === 0) {
      return (frame) => {
        charge(frame, CREATE_LIST_COST);
        return EMPTY_LIST;
      };
    }
    return (frame) => {
      const values: Value[] = [];
      for (const [index, item] of items.entries()) {
        const value = item(frame);
        if (!optional.has(index)) values.push(value);
        else if (!(value instanceof CelOptional))
          fail(`cannot initialize optional list element from non-optional value ${String(value)}`);
        else if (value.isPresent) values.push(value.value);
      }
      charge(frame, CREATE_LIST_COST);
      return new ArrayList(values);
    };
  }

  #map(expr: MapExpr): Step {
    const entries = expr.entries.map(({ key, value, optional }) => ({
      key: this.plan(key),
      value: this.plan(value),
      optional,
    }));
    return (frame) => {
      const pairs: [Value, Value][] = [];
      for (const entry of entries) {
        const key = entry.key(frame);
        const value = entry.value(frame);
        if (!entry.optional) pairs.push([key, value]);
        else if (!(value instanceof CelOptional))
          fail(`cannot initialize optional entry '${String(key)}' from non-optional value ${String(value)}`);
        else if (value.isPresent) pairs.push([key, value.value]);
      }
      charge(frame, CREATE_MAP_COST);
      return new EntryMap(pairs);
    };
  }

  #struct(expr: StructExpr): Step {
    const fields = expr.fields.map(({ name, value, optional }) => ({ name, value: this.plan(value), optional }));
    return (frame) => {
      const values = new Map<string, Value>();
      for (const field of fields) {
        const value = field.value(frame);
        if (!field.optional) values.set(field.name, value);
        else if (value instanceof CelOptional && value.isPresent) values.set(field.name, value.value);
      }
      charge(frame, CREATE_STRUCT_COST);
      return new CelStruct(expr.type, values);
    };
  }

  #loop(expr: LoopExpr): Step {
    const range = this.plan(expr.range);
    const init = this.plan(expr.init);
    const slot = this.#locals.push(expr.accumulator) - 1;
    const first = this.#locals.push(expr.variable) - 1;
    const second = expr.variable2 === undefined ? undefined : this.#locals.push(expr.variable2) - 1;
    const condition = this.plan(expr.condition);
    const step = this.plan(expr.step);
    this.#locals.length = slot + 1;
    const result = this.plan(expr.result);
    this.#locals.length = slot;
    const endless = expr.condition.kind === "literal" && expr.condition.value === true;
    return (frame) => {
      const { slots } = frame;
      const over = range(frame);
      slots[slot] = attempt(frame, init);
      const items = over instanceof CelMap ? new ArrayList(over.keys()) : over;
      if (!(items instanceof CelList)) return noSuchOverload();
      for (let index = 0; index < items.size; index++) {
        tick(frame);
        if (second === undefined) slots[first] = items.at(index);
        else if (over instanceof CelMap) {
          const key = items.at(index);
          slots[first] = key;
          slots[second] = over.find(key)!;
        } else {
          slots[first] = BigInt(index);
          slots[second] = items.at(index);
        }
        if (!endless && condition(frame) !== true) break;
        slots[slot] = attempt(frame, step);
      }
      return result(frame);
    };
  }
}

/** The value, or the failure as a value: loops go on, and may yet find what settles them. */
function attempt(frame: Frame, step: Step): Value | EvaluationFailure {
  try {
    return step(frame);
  } catch (error) {
    if (error instanceof EvaluationFailure) return error;
    throw error;
  }
}

/** The other side may settle what this one failed at; two failures are the first one. */
function afterFailure(frame: Frame, failure: EvaluationFailure, right: Step, decisive: boolean): boolean {
  const other = attempt(frame, right);
  if (other === decisive) return decisive;
  throw failure;
}

function checkPattern(pattern: string): void {
  const regex = compileRegex(pattern);
  if (regex instanceof RegexError) fail(regex.message);
}
