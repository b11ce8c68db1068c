// Running the script of a customization: compiled once, and stopped at its limits.
import type { LuaLimits, LuaScript } from "../lua/script.ts";
import type { CustomizationScript } from "./customization-index.ts";

/** Runs scripts at once. */
export interface ScriptRunner {
  /**
   * Calls the function that the script is for; its results as plain data. Throws the errors of Lua (`lua-syntax-error`,
   * `lua-function-missing`, `lua-error`, `lua-limit`) and `AnswerPending` when the answer has to be waited for.
   */
  run(script: CustomizationScript, args: readonly unknown[]): readonly unknown[];
}

/** A script, and the function of it that is called. */
export type ScriptCall = Pick<CustomizationScript, "source" | "functionName">;

export type CompileScript = (source: string) => LuaScript;

/** More than a fleet has of its own; compiled scripts take some ten kilobytes each. */
const MOST_SCRIPTS = 1_000;

/** Compiled scripts by their text, the least recently used forgotten first. What does not compile is remembered, too. */
export class CompiledScripts {
  readonly #compile: CompileScript;
  readonly #limit: number;
  readonly #known = new Map<string, LuaScript | { readonly problem: unknown }>();

  constructor(compile: CompileScript, limit = MOST_SCRIPTS) {
    this.#compile = compile;
    this.#limit = limit;
  }

  /** Throws `lua-syntax-error`. */
  get(source: string): LuaScript {
    let found = this.#known.get(source);
    if (found === undefined) {
      found = this.#compiled(source);
      if (this.#known.size >= this.#limit) {
        const [oldest] = this.#known.keys();
        if (oldest !== undefined) this.#known.delete(oldest);
      }
    } else this.#known.delete(source);
    this.#known.set(source, found);
    if ("problem" in found) throw found.problem;
    return found;
  }

  /** What the function of a script returns. Throws the errors of Lua. */
  call({ source, functionName }: ScriptCall, args: readonly unknown[], limits: LuaLimits): readonly unknown[] {
    // Only GetReplicas has a second value; what else functions return is never looked at.
    return this.get(source).call(functionName, args, limits, functionName === "GetReplicas" ? 2 : 1);
  }

  #compiled(source: string): LuaScript | { readonly problem: unknown } {
    try {
      return this.#compile(source);
    } catch (problem) {
      return { problem };
    }
  }
}

/**
 * Gives each script all of its time in place: for programs that have nothing else to do meanwhile. `now` is what scripts
 * take for the time, in milliseconds.
 */
export function inPlaceRunner(scripts: CompiledScripts, limits: LuaLimits, now: () => number): ScriptRunner {
  return {
    run: (script, args) => scripts.call(script, args, { ...limits, now: now() }),
  };
}
