// The two `for` loops. Those over `pairs` and `ipairs` of a table go through it without calling the iterator.

import type { Local, Statement } from "./ast.ts";
import type { Completion, Execute, Store } from "./closures.ts";
import type { ExpressionCompiler } from "./compile-expressions.ts";
import { ipairsIterator, pairsIterator } from "./iterators.ts";
import { callValue } from "./operators.ts";
import type { CallSite, Frame } from "./runtime.ts";
import { LuaTable, type LuaValue, listOf } from "./values.ts";

type NumericFor = Extract<Statement, { type: "numeric-for" }>;
type GenericFor = Extract<Statement, { type: "generic-for" }>;

/** What loops need of the compiler of their function. */
export interface BlockCompiler {
  readonly expressions: ExpressionCompiler;
  /** Gives a local its place in the frame. */
  place(local: Local): void;
  /** Makes a local anew with a value: each turn of a loop has its own. */
  declare(local: Local): Store;
  block(statements: readonly Statement[]): Execute;
}

export function compileNumericFor(compiler: BlockCompiler, statement: NumericFor): Execute {
  const { line } = statement;
  const from = compiler.expressions.one(statement.from);
  const to = compiler.expressions.one(statement.to);
  const by = statement.step === undefined ? () => 1 : compiler.expressions.one(statement.step);
  compiler.place(statement.local);
  const declare = compiler.declare(statement.local);
  const block = compiler.block(statement.block);
  return (frame) => {
    const { runtime } = frame;
    const [start, limit, step] = [from(frame), to(frame), by(frame)];
    if (typeof start !== "number") throw runtime.errorAt(line, "for statement init must be a number");
    if (typeof step !== "number") throw runtime.errorAt(line, "for statement step must be a number");
    if (typeof limit !== "number") throw runtime.errorAt(line, "for statement limit must be a number");
    // As gopher-lua: one step back and forth again, which fractions feel.
    let value = start - step;
    for (;;) {
      value += step;
      if (!((step > 0 && value <= limit) || (step <= 0 && value >= limit))) return undefined;
      runtime.take(1);
      declare(frame, value);
      const completion = block(frame);
      if (completion !== undefined) return completion === "break" ? undefined : completion;
    }
  };
}

export function compileGenericFor(compiler: BlockCompiler, statement: GenericFor): Execute {
  const { line } = statement;
  const evaluate = compiler.expressions.list(statement.values);
  for (const local of statement.locals) compiler.place(local);
  const declares = statement.locals.map((local) => compiler.declare(local));
  const block = compiler.block(statement.block);
  const body = (frame: Frame, key: LuaValue, value: LuaValue): Completion => {
    frame.runtime.take(1);
    declares[0]?.(frame, key);
    declares[1]?.(frame, value);
    for (let at = 2; at < declares.length; at++) declares[at]!(frame, undefined);
    return block(frame);
  };
  const generic = overIterator(declares, block, line);
  return (frame) => {
    const [iterator, state, control] = evaluate(frame);
    let completion: Completion;
    if (iterator === pairsIterator && state instanceof LuaTable && control === undefined) {
      completion = overPairs(frame, state, body);
    } else if (iterator === ipairsIterator && state instanceof LuaTable && control === 0) {
      completion = overPlaces(frame, state, body);
    } else {
      completion = generic(frame, iterator, state, control);
    }
    return completion === "break" ? undefined : completion;
  };
}

type Body = (frame: Frame, key: LuaValue, value: LuaValue) => Completion;

// The table may change on the way: its parts are looked at again in each turn.
function overPairs(frame: Frame, table: LuaTable, body: Body): Completion {
  for (let place = 1; place <= table.array.length; place++) {
    const value = table.array[place - 1];
    if (value === undefined) {
      frame.runtime.take(1);
      continue;
    }
    const completion = body(frame, place, value);
    if (completion !== undefined) return completion;
  }
  for (let at = 0; at < table.keys.length; at++) {
    const key = table.keys[at];
    const value = table.get(key);
    if (value === undefined) {
      frame.runtime.take(1);
      continue;
    }
    const completion = body(frame, key, value);
    if (completion !== undefined) return completion;
  }
  return undefined;
}

function overPlaces(frame: Frame, table: LuaTable, body: Body): Completion {
  for (let place = 1; ; place++) {
    const value = table.at(place);
    if (value === undefined) return undefined;
    const completion = body(frame, place, value);
    if (completion !== undefined) return completion;
  }
}

function overIterator(declares: readonly Store[], block: Execute, line: number) {
  const site: CallSite = { line, name: "(anonymous)" };
  return (frame: Frame, iterator: LuaValue, state: LuaValue, start: LuaValue): Completion => {
    let control = start;
    for (;;) {
      frame.runtime.take(1);
      frame.site = site;
      const values = listOf(callValue(iterator, [state, control], frame.runtime, line));
      [control] = values;
      if (control === undefined) return undefined;
      for (let at = 0; at < declares.length; at++) declares[at]!(frame, values[at]);
      const completion = block(frame);
      if (completion !== undefined) return completion;
    }
  };
}
