// Statements and functions as closures over the frame of a call.

import type { Expression, FunctionBody, IfClause, Label, Local, Statement } from "./ast.ts";
import type { Execute, Store } from "./closures.ts";
import { AssignmentCompiler } from "./compile-assignments.ts";
import { ExpressionCompiler, hasManyValues } from "./compile-expressions.ts";
import { type BlockCompiler, compileGenericFor, compileNumericFor } from "./compile-loops.ts";
import { Cell, type Frame, type Prototype, TailCall } from "./runtime.ts";
import { type LuaResult, NO_VALUES, resultOf } from "./values.ts";

/** Compiles a parsed script, or a function in it. */
export function compileFunction(body: FunctionBody, name: string): Prototype {
  return new FunctionCompiler().compile(body, name);
}

/** Compiles the text of one function. */
class FunctionCompiler implements BlockCompiler {
  readonly expressions = new ExpressionCompiler(compileFunction);
  readonly #assignments = new AssignmentCompiler(this.expressions);
  #values = 0;
  #cells = 0;

  compile(body: FunctionBody, name: string): Prototype {
    const capturedParameters: (readonly [number, number])[] = [];
    // Arguments come as the first values, whatever becomes of them.
    this.#values = body.parameters.length;
    for (const [position, parameter] of body.parameters.entries()) {
      if (parameter.captured) {
        parameter.slot = this.#cells++;
        capturedParameters.push([position, parameter.slot]);
      } else {
        parameter.slot = position;
      }
    }
    if (body.extras !== undefined) this.place(body.extras);
    const execute = this.block(body.block);
    return {
      name,
      run: (frame) => (execute(frame) === "return" ? frame.result : NO_VALUES),
      parameters: body.parameters.length,
      variadic: body.variadic,
      values: this.#values,
      cells: this.#cells,
      capturedParameters,
      extras: body.extras,
      weight: body.nesting + 2,
    };
  }

  /** Gives a local its place in the frame. */
  place(local: Local): void {
    local.slot = local.captured ? this.#cells++ : this.#values++;
  }

  /** Makes a local anew with a value: each turn of a loop has its own. */
  declare(local: Local): Store {
    const { slot, captured } = local;
    if (!captured) {
      return (frame, value) => {
        frame.values[slot] = value;
      };
    }
    return (frame, value) => {
      frame.cells[slot] = new Cell(value);
    };
  }

  block(statements: readonly Statement[]): Execute {
    const executes = statements.map((statement) => this.#statement(statement));
    if (statements.some((statement) => statement.type === "label")) return blockWithLabels(statements, executes);
    const [first, second] = executes;
    if (first === undefined) return () => undefined;
    if (second === undefined) {
      return (frame) => {
        frame.runtime.take(1);
        return first(frame);
      };
    }
    const count = executes.length;
    if (count === 2) {
      return (frame) => {
        frame.runtime.take(2);
        return first(frame) ?? second(frame);
      };
    }
    return (frame) => {
      frame.runtime.take(count);
      for (let at = 0; at < count; at++) {
        const completion = executes[at]!(frame);
        if (completion !== undefined) return completion;
      }
      return undefined;
    };
  }

  #statement(statement: Statement): Execute {
    const { expressions } = this;
    switch (statement.type) {
      case "local":
        return this.#local(statement.locals, statement.values);
      case "assign":
        return this.#assignments.assign(statement.targets, statement.values);
      case "call": {
        const call = expressions.call(statement.call);
        return (frame) => {
          call(frame);
          return undefined;
        };
      }
      case "do":
        return this.block(statement.block);
      case "while": {
        const condition = expressions.one(statement.condition);
        const block = this.block(statement.block);
        return (frame) => {
          for (;;) {
            frame.runtime.take(1);
            const value = condition(frame);
            if (value === undefined || value === false) return undefined;
            const completion = block(frame);
            if (completion !== undefined) return completion === "break" ? undefined : completion;
          }
        };
      }
      case "repeat": {
        const block = this.block(statement.block);
        const condition = expressions.one(statement.condition);
        return (frame) => {
          for (;;) {
            frame.runtime.take(1);
            const completion = block(frame);
            if (completion !== undefined) return completion === "break" ? undefined : completion;
            const value = condition(frame);
            if (value !== undefined && value !== false) return undefined;
          }
        };
      }
      case "if":
        return this.#if(statement.clauses, statement.otherwise);
      case "numeric-for":
        return compileNumericFor(this, statement);
      case "generic-for":
        return compileGenericFor(this, statement);
      case "local-function": {
        this.place(statement.local);
        const declare = this.declare(statement.local);
        const assign = this.#assignments.store({ type: "local", local: statement.local, line: statement.line });
        const closure = expressions.closure(statement.body, statement.local.name);
        return (frame) => {
          declare(frame, undefined);
          assign(frame, closure(frame));
          return undefined;
        };
      }
      case "return":
        return this.#return(statement.values);
      case "break":
        return () => "break";
      case "goto":
        // The label is known when the whole function is parsed, which it is.
        // As in gopher-lua, a jump parts the variables of the function from the functions inside it.
        return (frame) => {
          frame.partVariables();
          return statement.label;
        };
      case "label":
        return () => undefined;
    }
  }

  #local(locals: readonly Local[], values: readonly Expression[]): Execute {
    const [only, other] = locals;
    const [value, otherValue] = values;
    if (only !== undefined && other === undefined && value !== undefined && otherValue === undefined) {
      return this.#oneLocal(only, value);
    }
    const evaluate = this.expressions.list(values);
    for (const local of locals) this.place(local);
    const stores = locals.map((local) => this.declare(local));
    return (frame) => {
      const results = evaluate(frame);
      for (let at = 0; at < stores.length; at++) stores[at]!(frame, results[at]);
      return undefined;
    };
  }

  #oneLocal(local: Local, value: Expression): Execute {
    // A function sees the variable it is assigned to.
    if (value.type === "function") {
      this.place(local);
      const declare = this.declare(local);
      const assign = this.#assignments.store({ type: "local", local, line: value.line });
      const closure = this.expressions.closure(value.body, local.name);
      return (frame) => {
        declare(frame, undefined);
        assign(frame, closure(frame));
        return undefined;
      };
    }
    const evaluate = this.expressions.one(value);
    this.place(local);
    const declare = this.declare(local);
    return (frame) => {
      declare(frame, evaluate(frame));
      return undefined;
    };
  }

  #if(clauses: readonly IfClause[], otherwise: readonly Statement[] | undefined): Execute {
    const compiled = clauses.map(({ condition, block }) => ({
      condition: this.expressions.one(condition),
      block: this.block(block),
    }));
    const last = otherwise === undefined ? undefined : this.block(otherwise);
    const [only] = compiled;
    if (only !== undefined && compiled.length === 1) {
      const { condition, block } = only;
      return (frame) => {
        const value = condition(frame);
        return value !== undefined && value !== false ? block(frame) : last?.(frame);
      };
    }
    return (frame) => {
      for (const { condition, block } of compiled) {
        const value = condition(frame);
        if (value !== undefined && value !== false) return block(frame);
      }
      return last?.(frame);
    };
  }

  #return(values: readonly Expression[]): Execute {
    const [only] = values;
    if (only === undefined) {
      return (frame) => {
        frame.result = NO_VALUES;
        return "return";
      };
    }
    if (values.length > 1) {
      const list = this.expressions.list(values);
      return (frame) => {
        frame.result = resultOf(list(frame));
        return "return";
      };
    }
    if (only.type === "call") return this.#tailCall(only);
    const evaluate: (frame: Frame) => LuaResult = hasManyValues(only)
      ? this.expressions.all(only)
      : this.expressions.one(only);
    return (frame) => {
      frame.result = evaluate(frame);
      return "return";
    };
  }

  #tailCall(call: Extract<Expression, { type: "call" }>): Execute {
    const prepare = this.expressions.prepareCall(call);
    return (frame) => {
      const [callee, args] = prepare(frame);
      const { runtime } = frame;
      frame.result = runtime.isDeep && !callee.isNative ? new TailCall(callee, args) : runtime.call(callee, args);
      return "return";
    };
  }
}

function blockWithLabels(statements: readonly Statement[], executes: readonly Execute[]): Execute {
  const places = new Map<Label, number>();
  for (const [at, statement] of statements.entries()) {
    if (statement.type === "label") places.set(statement.label, at);
  }
  return (frame) => {
    for (let at = 0; at < executes.length; at++) {
      frame.runtime.take(1);
      const completion = executes[at]!(frame);
      if (completion === undefined) continue;
      const place = typeof completion === "object" ? places.get(completion) : undefined;
      if (place === undefined) return completion;
      at = place;
    }
    return undefined;
  };
}
