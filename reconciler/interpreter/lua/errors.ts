import { AppError } from "../../../runtime/errors.ts";

/** Which of the limits of a call a script reached. */
export type LuaLimit = "steps" | "memory" | "depth";

/** The text is not Lua. `line` and `column` count from 1 and say where the offending word starts. */
export function luaSyntaxError(chunk: string, line: number, column: number, near: string, problem: string): AppError {
  const place = near === "" ? "" : ` near '${near}'`;
  return new AppError("lua-syntax-error", `${chunk} line:${line}(column:${column})${place}: ${problem}`, {
    recovery: "stall",
    details: { line, column },
  });
}

/** After it has run, the script defines no function of that name. */
export function luaFunctionMissing(name: string, found: string): AppError {
  const problem = found === "nil" ? `not found function ${name}` : `${name} is not a function: ${found}`;
  return new AppError("lua-function-missing", problem, { recovery: "stall", details: { function: name } });
}

/** The script raised an error that it did not catch, or returned what JSON cannot say. */
export function luaError(message: string, line: number | undefined): AppError {
  return new AppError("lua-error", message, { recovery: "stall", details: line === undefined ? {} : { line } });
}

/** The script used more than it may. `allowed` is in the unit of the limit: steps, bytes or nested calls. */
export function luaLimitReached(limit: LuaLimit, allowed: number, line: number | undefined): AppError {
  const problem = {
    steps: `the script took more than ${allowed} steps`,
    memory: `the script built more than ${allowed} bytes of strings and tables`,
    depth: "the script nests calls or values too deeply",
  }[limit];
  return new AppError("lua-limit", line === undefined ? problem : `line ${line}: ${problem}`, {
    recovery: "stall",
    details: { limit, allowed, ...(line === undefined ? {} : { line }) },
  });
}
