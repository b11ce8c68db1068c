// Scripts of interpreter customizations: Lua 5.1 in Karmada's sandbox.

import type { AppError } from "../../../runtime/errors.ts";
import { bytesOfText, textOfBytes } from "./byte-strings.ts";
import { compileFunction } from "./compile.ts";
import { luaError, luaFunctionMissing, luaLimitReached } from "./errors.ts";
import { luaFromJson } from "./from-json.ts";
import { freshRuntime } from "./libraries.ts";
import { textOf, typeName } from "./operators.ts";
import { parseLua } from "./parser.ts";
import { type LuaLimits, LuaLimitThrow, LuaThrow, type Prototype, type Runtime, ScriptFunction } from "./runtime.ts";
import { jsonFromLua } from "./to-json.ts";
import { LuaFunction, listOf } from "./values.ts";

export type { LuaLimits } from "./runtime.ts";

/**
 * Limits of a call on the event loop: a script that reaches them has run for some tens of milliseconds. The depth is what
 * gopher-lua allows.
 */
export const DEFAULT_LUA_LIMITS: LuaLimits = { steps: 200_000, memoryBytes: 32 * 1024 * 1024, depth: 250 };

export interface LuaScript {
  /** The name that messages of the script start with. */
  readonly chunkName: string;
  /**
   * Runs the text in an environment of its own and then its global function `name` with `args`, which are JSON data and
   * only read. Gives what the function returns, at most `wanted` values, as JSON data: nil is null, a table is an array when
   * its keys are numbers or when it is empty. Parts of `args` that the script left as they were may be part of the result.
   *
   * Throws `lua-function-missing`, `lua-error` (also for results that JSON cannot say) and `lua-limit`.
   */
  call(name: string, args: readonly unknown[], limits: LuaLimits, wanted?: number): readonly unknown[];
}

/** Compiles the text of a script. `chunkName` names it in messages; Karmada's is `<string>`. Throws `lua-syntax-error`. */
export function compileLua(source: string, chunkName: string): LuaScript {
  return new CompiledScript(compileFunction(parseLua(bytesOfText(source), chunkName), "main chunk"), chunkName);
}

class CompiledScript implements LuaScript {
  readonly chunkName: string;
  readonly #main: ScriptFunction;

  constructor(main: Prototype, chunkName: string) {
    this.#main = new ScriptFunction(main, []);
    this.chunkName = chunkName;
  }

  call(name: string, args: readonly unknown[], limits: LuaLimits, wanted = Number.POSITIVE_INFINITY) {
    const runtime = freshRuntime(this.chunkName, limits);
    try {
      runtime.call(this.#main, []);
      const callee = runtime.globals.getText(bytesOfText(name));
      if (!(callee instanceof LuaFunction)) throw luaFunctionMissing(name, typeName(callee));
      const results = listOf(runtime.call(callee, args.map(luaFromJson)));
      return results.slice(0, wanted).map((value) => jsonFromLua(value, runtime));
    } catch (error) {
      throw asAppError(error, runtime);
    }
  }
}

function asAppError(error: unknown, runtime: Runtime): AppError | unknown {
  if (error instanceof LuaThrow) return luaError(textOfBytes(textOf(error.value)), error.line);
  if (error instanceof LuaLimitThrow) return limitError(error, runtime);
  // The limit of depth is meant to come first. Should a script find a way around it, the host's stack says the same.
  if (error instanceof RangeError && error.message.includes("call stack")) {
    return luaLimitReached("depth", runtime.limits.depth, runtime.line);
  }
  return error;
}

function limitError({ limit, line }: LuaLimitThrow, { limits }: Runtime): AppError {
  const allowed = { steps: limits.steps, memory: limits.memoryBytes, depth: limits.depth }[limit];
  return luaLimitReached(limit, allowed, line);
}
