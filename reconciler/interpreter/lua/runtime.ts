// The calls of a script: functions, the frames they run in, and what a whole run may use.

import type { LuaLimit } from "./errors.ts";
import { LuaFunction, type LuaResult, LuaTable, type LuaValue } from "./values.ts";

/** How much a call may use. */
export interface LuaLimits {
  /** Statements, turns of loops, calls, and what the library does in proportion to its input. */
  readonly steps: number;
  /** Bytes of strings and tables made during the call, those that are garbage by now included. */
  readonly memoryBytes: number;
  /** Calls inside one another. gopher-lua gives up at about 250. */
  readonly depth: number;
  /** What `os.time` and `os.date` say, in milliseconds since 1970; 1970 when absent. */
  readonly now?: number;
  /** Takes what the script prints, a line at a time; it goes nowhere when absent. */
  readonly print?: (line: string) => void;
}

/**
 * Nested operations, over all running calls, that surely fit the host's stack. A call counts with how deep its text nests,
 * so that recursion of a deeply nested function ends sooner than `depth` says.
 */
const NESTED_OPERATIONS = 2_400;
const LIBRARY_WEIGHT = 4;
const NO_CELLS: (Cell | undefined)[] = [];
const NO_VARARGS: readonly LuaValue[] = [];

/** An error of the script, on its way to the `pcall` that catches it. `value` is what `error` was given, with the place. */
export class LuaThrow extends Error {
  readonly value: LuaValue;
  readonly line: number | undefined;
  /** Whether gopher-lua stumbles here instead of raising an error, which leaves the variables alone. */
  readonly isPanic: boolean;

  constructor(value: LuaValue, line: number | undefined, isPanic = false) {
    super(typeof value === "string" ? value : "error of a script");
    this.value = value;
    this.line = line;
    this.isPanic = isPanic;
  }
}

/** A limit was reached. No `pcall` catches it. */
export class LuaLimitThrow extends Error {
  readonly limit: LuaLimit;
  readonly line: number | undefined;

  constructor(limit: LuaLimit, line: number | undefined) {
    super(`limit of ${limit}`);
    this.limit = limit;
    this.line = line;
  }
}

/** What `return f(x)` gives deep inside: the call that the caller makes instead, so that such recursion has no end. */
export class TailCall {
  readonly callee: LuaFunction;
  readonly args: LuaValue[];

  constructor(callee: LuaFunction, args: LuaValue[]) {
    this.callee = callee;
    this.args = args;
  }
}

/** A variable that outlives or is shared between calls. */
export class Cell {
  value: LuaValue;

  constructor(value: LuaValue) {
    this.value = value;
  }
}

/** The place of a call in the script, for messages. */
export interface CallSite {
  readonly line: number;
  /** The name the function is called by. */
  readonly name: string;
}

const NOWHERE: CallSite = { line: 0, name: "(anonymous)" };

/** One running call of a function of the script. */
export class Frame {
  readonly runtime: Runtime;
  readonly values: LuaValue[];
  /** Those of variables that are not yet declared are missing. */
  readonly cells: (Cell | undefined)[];
  readonly upvalues: readonly Cell[];
  readonly varargs: readonly LuaValue[];
  readonly caller: Frame | undefined;
  /** The call that is going on in this frame. */
  site: CallSite = NOWHERE;
  /** What the function returns, once it has. */
  result: LuaResult | TailCall = undefined;

  constructor(
    runtime: Runtime,
    values: LuaValue[],
    cells: (Cell | undefined)[],
    upvalues: readonly Cell[],
    varargs: readonly LuaValue[],
    caller: Frame | undefined,
  ) {
    this.runtime = runtime;
    this.values = values;
    this.cells = cells;
    this.upvalues = upvalues;
    this.varargs = varargs;
    this.caller = caller;
  }

  /** Parts the variables here from the functions that share them: both go on with the value of this moment. */
  partVariables(): void {
    const { cells } = this;
    for (let slot = 0; slot < cells.length; slot++) {
      const cell = cells[slot];
      if (cell !== undefined) cells[slot] = new Cell(cell.value);
    }
  }
}

/** What the functions that one piece of text defines share. */
export interface Prototype {
  readonly name: string;
  readonly run: (frame: Frame) => LuaResult | TailCall;
  readonly parameters: number;
  readonly variadic: boolean;
  /** How many values and how many cells a frame holds. */
  readonly values: number;
  readonly cells: number;
  /** Parameters that live in cells: where they come as values, and where they go. */
  readonly capturedParameters: readonly (readonly [value: number, cell: number])[];
  /** Where the table `arg` goes, for functions that have one. */
  readonly extras: { readonly captured: boolean; readonly slot: number } | undefined;
  /** How much of the host's stack a call may take, in nested operations. */
  readonly weight: number;
}

/** A function of the script, with its variables from outside. */
export class ScriptFunction extends LuaFunction {
  readonly isNative = false;
  readonly prototype: Prototype;
  readonly upvalues: readonly Cell[];

  constructor(prototype: Prototype, upvalues: readonly Cell[]) {
    super();
    this.prototype = prototype;
    this.upvalues = upvalues;
  }
}

/** Code of a function of the library. Its arguments are its own to change. */
export type NativeFunction = (args: LuaValue[], runtime: Runtime) => LuaResult;

export class LibraryFunction extends LuaFunction {
  readonly isNative = true;
  readonly run: NativeFunction;

  constructor(run: NativeFunction) {
    super();
    this.run = run;
  }
}

export class Runtime {
  readonly chunk: string;
  readonly now: number;
  readonly limits: LuaLimits;
  readonly globals: LuaTable;
  /** The table `string`, which is also what methods of strings are looked up in. */
  strings = new LuaTable();
  /** What `require` has loaded, and the functions it asks after the one for preloaded modules. */
  loadedModules = new LuaTable();
  readonly moduleLoaders = new LuaTable();
  frame: Frame | undefined;
  /** State of `math.random`: the same numbers in every call. */
  seed = 1;
  #steps: number;
  #bytes: number;
  #depth = 0;
  #nested = 0;
  /** Whether the innermost `xpcall` has seen no other protected call end. */
  #hasHandler = false;

  constructor(chunk: string, limits: LuaLimits, globals: LuaTable) {
    this.chunk = chunk;
    this.limits = limits;
    this.globals = globals;
    this.now = limits.now ?? 0;
    this.#steps = limits.steps;
    this.#bytes = limits.memoryBytes;
  }

  /** Counts work. */
  take(steps: number): void {
    this.#steps -= steps;
    if (this.#steps < 0) throw new LuaLimitThrow("steps", this.line);
  }

  /** Counts memory before it is used. */
  allocate(bytes: number): void {
    this.#bytes -= bytes;
    if (this.#bytes < 0) throw new LuaLimitThrow("memory", this.line);
  }

  /** The line of the call that is going on; undefined outside of the script. */
  get line(): number | undefined {
    const line = this.frame?.site.line;
    return line === 0 ? undefined : line;
  }

  /** Whether calls nest so deep that a tail call should not add to it. */
  get isDeep(): boolean {
    return this.#depth > 40 || this.#nested > NESTED_OPERATIONS / 8;
  }

  /** The error of a library function that runs: with the place of its call. */
  error(message: string): LuaThrow {
    return this.errorAt(this.line, message);
  }

  /** An error with a place in the script. */
  errorAt(line: number | undefined, message: string): LuaThrow {
    return new LuaThrow(`${line === undefined ? "" : `${this.chunk}:${line}:`} ${message}`, line);
  }

  argumentError(position: number, problem: string): LuaThrow {
    return this.error(`bad argument #${position} to ${this.frame?.site.name ?? NOWHERE.name} (${problem})`);
  }

  /** Calls a function. The arguments become its own. */
  call(callee: LuaFunction, args: LuaValue[]): LuaResult {
    let result = this.#enter(callee, args);
    while (result instanceof TailCall) result = this.#enter(result.callee, result.args);
    return result;
  }

  /** Calls a function on behalf of a library function: it has no name there. */
  callBack(callee: LuaFunction, args: LuaValue[]): LuaResult {
    const { frame } = this;
    if (!callee.isNative || frame === undefined) return this.call(callee, args);
    const { site } = frame;
    frame.site = { line: site.line, name: NOWHERE.name };
    const result = this.call(callee, args);
    frame.site = site;
    return result;
  }

  /**
   * Runs `attempt`; what the script raised is given to `caught` as if the calls inside had ended. As in gopher-lua, an error
   * parts the variables of all running functions from the functions inside them, unless a `xpcall` waits for it.
   */
  protect(attempt: () => LuaResult, caught: (value: LuaValue) => LuaResult, hasHandler = false): LuaResult {
    const { frame } = this;
    const site = frame?.site;
    const depth = this.#depth;
    const nested = this.#nested;
    if (hasHandler) this.#hasHandler = true;
    try {
      const result = attempt();
      this.#hasHandler = false;
      return result;
    } catch (error) {
      if (!(error instanceof LuaThrow)) throw error;
      this.frame = frame;
      if (frame !== undefined && site !== undefined) frame.site = site;
      this.#depth = depth;
      this.#nested = nested;
      if (!this.#hasHandler && !error.isPanic) this.#partAllVariables();
      this.#hasHandler = false;
      return caught(error.value);
    }
  }

  #partAllVariables(): void {
    for (let { frame } = this; frame !== undefined; frame = frame.caller) {
      this.take(1);
      frame.partVariables();
    }
  }

  #enter(callee: LuaFunction, args: LuaValue[]): LuaResult | TailCall {
    if (--this.#steps < 0) throw new LuaLimitThrow("steps", this.line);
    if (!(callee instanceof ScriptFunction)) return this.#enterLibrary(callee, args);
    const { prototype } = callee;
    const { parameters, weight } = prototype;
    this.#descend(weight);
    let varargs = NO_VARARGS;
    if (args.length > parameters) {
      if (prototype.variadic) varargs = args.slice(parameters);
      args.length = parameters;
    }
    while (args.length < prototype.values) args.push(undefined);
    const cells = prototype.cells === 0 ? NO_CELLS : new Array<Cell | undefined>(prototype.cells);
    const frame = new Frame(this, args, cells, callee.upvalues, varargs, this.frame);
    for (const [value, cell] of prototype.capturedParameters) cells[cell] = new Cell(args[value]);
    if (prototype.extras !== undefined) this.#collectExtras(frame, prototype.extras);
    this.frame = frame;
    const result = prototype.run(frame);
    this.frame = frame.caller;
    this.#depth--;
    this.#nested -= weight;
    return result;
  }

  #enterLibrary(callee: LuaFunction, args: LuaValue[]): LuaResult {
    // There is no third kind.
    if (!(callee instanceof LibraryFunction)) return undefined;
    this.#descend(LIBRARY_WEIGHT);
    const result = callee.run(args, this);
    this.#depth--;
    this.#nested -= LIBRARY_WEIGHT;
    return result;
  }

  #descend(weight: number): void {
    this.#nested += weight;
    if (++this.#depth > this.limits.depth || this.#nested > NESTED_OPERATIONS) {
      throw new LuaLimitThrow("depth", this.line);
    }
  }

  #collectExtras(frame: Frame, place: { readonly captured: boolean; readonly slot: number }): void {
    const table = new LuaTable();
    for (const [index, value] of frame.varargs.entries()) table.setPlace(index + 1, value, this);
    table.setText("n", frame.varargs.length, this);
    if (place.captured) frame.cells[place.slot] = new Cell(table);
    else frame.values[place.slot] = table;
  }
}
