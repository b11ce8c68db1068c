// Expressions as closures over the frame of a call: what is known from the text is decided once, when they are made.

import type { CallExpression, Expression, TableField } from "./ast.ts";
import type { Evaluate, EvaluateAll } from "./closures.ts";
import {
  arithmetic,
  callable,
  callValue,
  concat,
  index,
  lengthOf,
  lessOrEqual,
  lessThan,
  negate,
  operate,
} from "./operators.ts";
import type { CallSite, Frame, Prototype } from "./runtime.ts";
import { ScriptFunction } from "./runtime.ts";
import { isTruthy, LuaFunction, LuaTable, type LuaValue, LuaValues, listOf, resultOf } from "./values.ts";

type Binary = Extract<Expression, { type: "binary" }>;

/** How a function's text becomes a prototype: the compiler of statements, which needs expressions in turn. */
export type CompileFunction = (body: Extract<Expression, { type: "function" }>["body"], name: string) => Prototype;

/** Does a field of a table that is being made; `waiting` are the values without key that have no place yet. */
type FieldSetter = (frame: Frame, table: LuaTable, waiting: LuaValue[]) => void;

/** So many values without key are stored at once. */
const FLUSHED = 50;
const BYTES_PER_TABLE = 96;
const BYTES_PER_FUNCTION = 64;

/** Compiles the expressions of one function. */
export class ExpressionCompiler {
  readonly #compileFunction: CompileFunction;

  constructor(compileFunction: CompileFunction) {
    this.#compileFunction = compileFunction;
  }

  /** The expression where one value is wanted. */
  one(expression: Expression): Evaluate {
    switch (expression.type) {
      case "nil":
        return () => undefined;
      case "true":
        return () => true;
      case "false":
        return () => false;
      case "number":
      case "string": {
        const { value } = expression;
        return () => value;
      }
      case "vararg":
        return (frame) => frame.varargs[0];
      case "single":
        return this.one(expression.inner);
      case "local": {
        const { slot, captured } = expression.local;
        return captured ? (frame) => frame.cells[slot]?.value : (frame) => frame.values[slot];
      }
      case "upvalue": {
        const { index: at } = expression;
        return (frame) => frame.upvalues[at]?.value;
      }
      case "global": {
        const { name } = expression;
        return (frame) => frame.runtime.globals.getText(name);
      }
      case "index":
        return this.#index(expression.object, expression.key, expression.line);
      case "call": {
        const call = this.call(expression);
        return (frame) => {
          const result = call(frame);
          return result instanceof LuaValues ? result.items[0] : result;
        };
      }
      case "and": {
        const [left, right] = [this.one(expression.left), this.one(expression.right)];
        return (frame) => {
          const value = left(frame);
          return value === undefined || value === false ? value : right(frame);
        };
      }
      case "or": {
        const [left, right] = [this.one(expression.left), this.one(expression.right)];
        return (frame) => {
          const value = left(frame);
          return value === undefined || value === false ? right(frame) : value;
        };
      }
      case "not": {
        const operand = this.one(expression.operand);
        return (frame) => !isTruthy(operand(frame));
      }
      case "negate": {
        const operand = this.one(expression.operand);
        const { line } = expression;
        return (frame) => negate(operand(frame), frame.runtime, line);
      }
      case "length": {
        const operand = this.one(expression.operand);
        const { line } = expression;
        return (frame) => lengthOf(operand(frame), frame.runtime, line);
      }
      case "binary":
        return this.#binary(expression);
      case "concat": {
        const operands = expression.operands.map((operand) => this.one(operand));
        const { line } = expression;
        return (frame) => {
          const values: LuaValue[] = [];
          for (const operand of operands) values.push(operand(frame));
          return concat(values, frame.runtime, line);
        };
      }
      case "function":
        return this.closure(expression.body, "(anonymous)");
      case "table":
        return this.#table(expression.fields);
    }
  }

  /** The expression where all its values are wanted. */
  all(expression: Expression): EvaluateAll {
    switch (expression.type) {
      case "call":
        return this.call(expression);
      case "vararg":
        return (frame) => resultOf(frame.varargs);
      default:
        return this.one(expression);
    }
  }

  /** A list of expressions as a new array of values: one of each, of the last one all. */
  list(expressions: readonly Expression[]): (frame: Frame) => LuaValue[] {
    const last = expressions.at(-1);
    if (last !== undefined && hasManyValues(last)) {
      const firsts = expressions.slice(0, -1).map((expression) => this.one(expression));
      const rest = this.all(last);
      return (frame) => {
        const values: LuaValue[] = [];
        for (const evaluate of firsts) values.push(evaluate(frame));
        const more = rest(frame);
        if (!(more instanceof LuaValues)) values.push(more);
        else for (const value of more.items) values.push(value);
        return values;
      };
    }
    const [first, second, third] = expressions.map((expression) => this.one(expression));
    if (first === undefined) return () => [];
    if (second === undefined) return (frame) => [first(frame)];
    if (third === undefined) return (frame) => [first(frame), second(frame)];
    const all = expressions.map((expression) => this.one(expression));
    return (frame) => {
      const values: LuaValue[] = [];
      for (const evaluate of all) values.push(evaluate(frame));
      return values;
    };
  }

  /** Calls a function or a method. */
  call(expression: CallExpression): EvaluateAll {
    const { line } = expression;
    const args = this.list(expression.args);
    const site: CallSite = { line, name: calledName(expression) };
    if (expression.method !== undefined) {
      const object = this.one(expression.callee);
      const { method } = expression;
      return (frame) => {
        const self = object(frame);
        const callee = index(self, method, frame.runtime, line);
        const values = args(frame);
        values.unshift(self);
        frame.site = site;
        return callValue(callee, values, frame.runtime, line);
      };
    }
    const evaluate = this.one(expression.callee);
    return (frame) => {
      const callee = evaluate(frame);
      const values = args(frame);
      frame.site = site;
      if (callee instanceof LuaFunction) return frame.runtime.call(callee, values);
      return callValue(callee, values, frame.runtime, line);
    };
  }

  /** What a call would call, and with what, without calling it. */
  prepareCall(expression: CallExpression): (frame: Frame) => readonly [LuaFunction, LuaValue[]] {
    const { line, method } = expression;
    const evaluate = this.one(expression.callee);
    const args = this.list(expression.args);
    const site: CallSite = { line, name: calledName(expression) };
    return (frame) => {
      const object = evaluate(frame);
      const callee = method === undefined ? object : index(object, method, frame.runtime, line);
      const values = args(frame);
      if (method !== undefined) values.unshift(object);
      frame.site = site;
      return [callable(callee, values, frame.runtime, line), values];
    };
  }

  /** Makes a function of the script together with the variables it sees. */
  closure(body: Extract<Expression, { type: "function" }>["body"], name: string): (frame: Frame) => LuaFunction {
    const prototype = this.#compileFunction(body, name);
    const sources = body.upvalues.map((source) =>
      "local" in source
        ? (frame: Frame) => frame.cells[source.local.slot]!
        : (frame: Frame) => frame.upvalues[source.upvalue]!,
    );
    return (frame) => {
      frame.runtime.allocate(BYTES_PER_FUNCTION);
      const upvalues = sources.map((source) => source(frame));
      return new ScriptFunction(prototype, upvalues);
    };
  }

  #index(objectExpression: Expression, keyExpression: Expression, line: number): Evaluate {
    const object = this.one(objectExpression);
    if (keyExpression.type === "string") {
      const { value: name } = keyExpression;
      return (frame) => {
        const container = object(frame);
        return container instanceof LuaTable ? container.getText(name) : index(container, name, frame.runtime, line);
      };
    }
    const key = this.one(keyExpression);
    if (objectExpression.type === "local") {
      // Looked at when the key is known, which may have set it.
      return (frame) => {
        const at = key(frame);
        const container = object(frame);
        return container instanceof LuaTable ? container.get(at) : index(container, at, frame.runtime, line);
      };
    }
    return (frame) => {
      const container = object(frame);
      const at = key(frame);
      return container instanceof LuaTable ? container.get(at) : index(container, at, frame.runtime, line);
    };
  }

  #binary(expression: Binary): Evaluate {
    const { operator, line } = expression;
    const [left, right] = [this.one(expression.left), this.one(expression.right)];
    if (expression.left.type === "local" && expression.left.local.captured) {
      // Looked at when the other operand is known, which may have set it.
      return (frame) => {
        const value = right(frame);
        return operate(operator, left(frame), value, frame.runtime, line);
      };
    }
    switch (operator) {
      case "==":
        return (frame) => left(frame) === right(frame);
      case "~=":
        return (frame) => left(frame) !== right(frame);
      case "<":
        return (frame) => lessThan(left(frame), right(frame), frame.runtime, line);
      case "<=":
        return (frame) => lessOrEqual(left(frame), right(frame), frame.runtime, line);
      case ">":
        return (frame) => {
          const value = left(frame);
          return lessThan(right(frame), value, frame.runtime, line);
        };
      case ">=":
        return (frame) => {
          const value = left(frame);
          return lessOrEqual(right(frame), value, frame.runtime, line);
        };
      case "+":
        return (frame) => {
          const a = left(frame);
          const b = right(frame);
          return typeof a === "number" && typeof b === "number" ? a + b : arithmetic("+", a, b, frame.runtime, line);
        };
      case "-":
        return (frame) => {
          const a = left(frame);
          const b = right(frame);
          return typeof a === "number" && typeof b === "number" ? a - b : arithmetic("-", a, b, frame.runtime, line);
        };
      default:
        return (frame) => {
          const a = left(frame);
          return arithmetic(operator, a, right(frame), frame.runtime, line);
        };
    }
  }

  #table(fields: readonly TableField[]): Evaluate {
    if (fields.length === 0) {
      return (frame) => {
        frame.runtime.allocate(BYTES_PER_TABLE);
        return new LuaTable();
      };
    }
    // What has no key waits until there are fifty or the table ends: a key with the same number comes before it.
    let placed = 0;
    const setters: FieldSetter[] = [];
    for (const [position, field] of fields.entries()) {
      const isLast = position === fields.length - 1;
      if (field.key !== undefined) setters.push(this.#keyedField(field.key, field.value));
      else if (isLast && hasManyValues(field.value)) {
        setters.push(this.#manyFields(field.value), storeFrom(FLUSHED * Math.floor(Math.max(placed - 1, 0) / FLUSHED)));
        break;
      } else {
        placed++;
        setters.push(this.#placedField(field.value));
        if (placed % FLUSHED === 0) setters.push(storeFrom(placed - FLUSHED));
      }
      if (isLast && placed % FLUSHED !== 0) setters.push(storeFrom(placed - (placed % FLUSHED)));
    }
    return (frame) => {
      frame.runtime.allocate(BYTES_PER_TABLE);
      const table = new LuaTable();
      const waiting: LuaValue[] = [];
      for (const set of setters) set(frame, table, waiting);
      return table;
    };
  }

  #keyedField(key: Expression, value: Expression): FieldSetter {
    const evaluate = this.one(value);
    if (key.type === "string") {
      const { value: name } = key;
      return (frame, table) => table.setText(name, evaluate(frame), frame.runtime);
    }
    const evaluateKey = this.one(key);
    const { line } = key;
    return (frame, table) => {
      const at = evaluateKey(frame);
      const item = evaluate(frame);
      if (at === undefined) throw frame.runtime.errorAt(line, "table index is nil");
      if (Number.isNaN(at)) throw frame.runtime.errorAt(line, "table index is NaN");
      table.set(at, item, frame.runtime);
    };
  }

  #placedField(value: Expression): FieldSetter {
    const evaluate = this.one(value);
    return (frame, _table, waiting) => {
      waiting.push(evaluate(frame));
    };
  }

  #manyFields(value: Expression): FieldSetter {
    const evaluate = this.all(value);
    return (frame, _table, waiting) => {
      const items = listOf(evaluate(frame));
      frame.runtime.take(items.length >> 2);
      for (const item of items) waiting.push(item);
    };
  }
}

function storeFrom(offset: number): FieldSetter {
  return (frame, table, waiting) => {
    for (let at = 0; at < waiting.length; at++) table.setPlace(offset + at + 1, waiting[at], frame.runtime);
    waiting.length = 0;
  };
}

export function hasManyValues(expression: Expression): boolean {
  return expression.type === "call" || expression.type === "vararg";
}

// How messages name a function: by the last word it was called with.
function calledName({ callee, method }: CallExpression): string {
  if (method !== undefined) return method;
  switch (callee.type) {
    case "local":
      return callee.local.name;
    case "global":
    case "upvalue":
      return callee.name;
    case "index":
      return callee.key.type === "string" ? callee.key.value : "?";
    default:
      return "?";
  }
}
