// Assignments, in the order that gopher-lua makes of them.

import type { Expression } from "./ast.ts";
import type { Evaluate, Execute, Store } from "./closures.ts";
import { type ExpressionCompiler, hasManyValues } from "./compile-expressions.ts";
import { isLogical, logicalAssignment } from "./logical-assignments.ts";
import { setIndex } from "./operators.ts";
import type { Frame } from "./runtime.ts";
import { LuaTable, type LuaValue, listOf } from "./values.ts";

/** A part of an assignment to several targets, with what is to be stored in the end. */
type Step = (frame: Frame, pending: LuaValue[]) => void;

/** Compiles the assignments of one function. */
export class AssignmentCompiler {
  readonly #expressions: ExpressionCompiler;

  constructor(expressions: ExpressionCompiler) {
    this.#expressions = expressions;
  }

  /** Stores `values` in `targets`, with nil for those that are missing. */
  assign(targets: readonly Expression[], values: readonly Expression[]): Execute {
    const [target] = targets;
    const [value] = values;
    if (targets.length === 1 && values.length === 1 && target !== undefined && value !== undefined) {
      return this.#assignOne(target, value);
    }
    return this.#assignMany(targets, values);
  }

  /**
   * As gopher-lua, where a swap of two locals is none: a local takes its value at once, unless that is one of several of the
   * last call; everything else is stored at the end, the last target first; and a local that is a target's table or value
   * is looked at only then.
   */
  #assignMany(targets: readonly Expression[], values: readonly Expression[]): Execute {
    const last = values.at(-1);
    const spread =
      last !== undefined && hasManyValues(last) && values.length <= targets.length ? values.length - 1 : -1;
    const steps: Step[] = [];
    const stores: Step[] = [];
    const places = targets.length;
    for (const [at, target] of targets.entries()) {
      const value = values[at];
      if (target.type === "index") stores.unshift(this.#delayedIndex(target, steps, value, at, places));
      else if (target.type !== "local" || (spread >= 0 && at >= spread) || isStoredTwice(value)) {
        const store = this.store(target);
        stores.unshift((frame, pending) => store(frame, pending[at]));
      }
    }
    for (const [at, value] of values.entries()) {
      const target = targets[at];
      if (at === spread) {
        const evaluate = this.#expressions.all(value);
        steps.push((frame, pending) => {
          const items = listOf(evaluate(frame));
          for (let offset = 0; at + offset < places; offset++) pending[at + offset] = items[offset];
        });
        continue;
      }
      const evaluate = this.#expressions.one(value);
      if (target?.type === "local" && isLogical(value)) {
        steps.push(logicalAssignment(value, target, this.store(target), this.#expressions));
      } else if (target?.type === "local") {
        const store = this.store(target);
        steps.push((frame, pending) => {
          pending[at] = evaluate(frame);
          store(frame, pending[at]);
        });
      } else {
        steps.push((frame, pending) => {
          pending[at] = evaluate(frame);
        });
      }
    }
    if (spread < 0) {
      for (const target of targets.slice(values.length)) {
        if (target.type !== "local") continue;
        const store = this.store(target);
        steps.push((frame) => store(frame, undefined));
      }
    }
    return (frame) => {
      const pending: LuaValue[] = new Array(targets.length);
      for (const step of steps) step(frame, pending);
      for (const store of stores) store(frame, pending);
      return undefined;
    };
  }

  /** Adds the steps that find out the table and the key; gives how the value at `at` gets there. */
  #delayedIndex(
    target: Extract<Expression, { type: "index" }>,
    steps: Step[],
    value: Expression | undefined,
    at: number,
    places: number,
  ): Step {
    const object = this.#expressions.one(target.object);
    const key = this.#expressions.one(target.key);
    const late = value?.type === "local" ? this.#expressions.one(value) : undefined;
    const isLate = target.object.type === "local";
    const { line } = target;
    // Behind the values, each target has two places of its own.
    const objectAt = places + 2 * at;
    steps.push((frame, pending) => {
      if (!isLate) pending[objectAt] = object(frame);
      pending[objectAt + 1] = key(frame);
    });
    return (frame, pending) => {
      const container = isLate ? object(frame) : pending[objectAt];
      setIndex(container, pending[objectAt + 1], late === undefined ? pending[at] : late(frame), frame.runtime, line);
    };
  }

  #assignOne(target: Expression, value: Expression): Execute {
    const name =
      target.type === "global"
        ? target.name
        : target.type === "index" && target.key.type === "string"
          ? target.key.value
          : "?";
    const evaluate: Evaluate =
      value.type === "function" ? this.#expressions.closure(value.body, name) : this.#expressions.one(value);
    if (target.type === "local" && isLogical(value)) {
      const assign = logicalAssignment(value, target, this.store(target), this.#expressions);
      return (frame) => {
        assign(frame);
        return undefined;
      };
    }
    if (target.type !== "index") {
      const store = this.store(target);
      return (frame) => {
        store(frame, evaluate(frame));
        return undefined;
      };
    }
    const object = this.#expressions.one(target.object);
    const { line } = target;
    if (target.object.type === "local") return this.#assignIntoLocal(target, evaluate);
    if (target.key.type === "string") {
      const { value: key } = target.key;
      return (frame) => {
        const container = object(frame);
        const item = evaluate(frame);
        if (container instanceof LuaTable) container.setText(key, item, frame.runtime);
        else setIndex(container, key, item, frame.runtime, line);
        return undefined;
      };
    }
    const key = this.#expressions.one(target.key);
    return (frame) => {
      const container = object(frame);
      const at = key(frame);
      setIndex(container, at, evaluate(frame), frame.runtime, line);
      return undefined;
    };
  }

  // A local is looked at when all else is known: what is evaluated may have set it.
  #assignIntoLocal(target: Extract<Expression, { type: "index" }>, evaluate: Evaluate): Execute {
    const object = this.#expressions.one(target.object);
    const { line } = target;
    if (target.key.type === "string") {
      const { value: key } = target.key;
      return (frame) => {
        const item = evaluate(frame);
        const container = object(frame);
        if (container instanceof LuaTable) container.setText(key, item, frame.runtime);
        else setIndex(container, key, item, frame.runtime, line);
        return undefined;
      };
    }
    const key = this.#expressions.one(target.key);
    return (frame) => {
      const at = key(frame);
      const item = evaluate(frame);
      setIndex(object(frame), at, item, frame.runtime, line);
      return undefined;
    };
  }

  /** Assigns to a variable that is there. */
  store(target: Expression): Store {
    switch (target.type) {
      case "local": {
        const { slot, captured } = target.local;
        if (!captured) {
          return (frame, value) => {
            frame.values[slot] = value;
          };
        }
        return (frame, value) => {
          frame.cells[slot]!.value = value;
        };
      }
      case "upvalue": {
        const { index } = target;
        return (frame, value) => {
          frame.upvalues[index]!.value = value;
        };
      }
      case "global": {
        const { name } = target;
        return (frame, value) => frame.runtime.globals.setText(name, value, frame.runtime);
      }
      default:
        throw new Error(`cannot assign to ${target.type}`);
    }
  }
}

// What gopher-lua makes of a call or a table goes through a register of its own, and from there to the variable again.
function isStoredTwice(value: Expression | undefined): boolean {
  if (value?.type === "single") return isStoredTwice(value.inner);
  return value?.type === "call" || value?.type === "table";
}
