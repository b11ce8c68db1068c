import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { AppError } from "../../../runtime/errors.ts";
import { compileLua, DEFAULT_LUA_LIMITS } from "./script.ts";

/** What gopher-lua 1.1.1 in Karmada 1.18.2's sandbox gave for scripts of ours. */
interface Recorded {
  readonly argument: unknown;
  readonly programArgument: unknown;
  readonly cases: readonly RecordedCase[];
}

interface RecordedCase {
  readonly script: string;
  /** The first four values; numbers that JSON lacks are `{number}`. */
  readonly gives?: readonly unknown[];
  /** The message of the error; `syntax` for what is no Lua, which we tell in words of our own. */
  readonly raises?: string;
  /** A random program, with another argument. */
  readonly program?: true;
}

const { argument, programArgument, cases } = JSON.parse(
  readFileSync(join(import.meta.dirname, "testdata", "gopher-lua.table.json"), "utf8"),
) as Recorded;

function answer({ script, program, gives = [] }: RecordedCase): Pick<RecordedCase, "gives" | "raises"> {
  try {
    const argumentOfCase = program ? programArgument : argument;
    const values = compileLua(script, "<string>").call("F", [argumentOfCase], DEFAULT_LUA_LIMITS, 4);
    return { gives: gives.map((_, at) => comparable(values[at] ?? null)) };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { raises: error.code === "lua-syntax-error" ? "syntax" : error.message };
  }
}

function comparable(value: unknown): unknown {
  if (typeof value !== "number" || (Number.isFinite(value) && !Object.is(value, -0))) return value;
  const name = Number.isNaN(value) ? "NaN" : value === 0 ? "-0" : value > 0 ? "+Inf" : "-Inf";
  return { number: name };
}

describe("a script does what it does in gopher-lua", () => {
  it.each(cases.map((one) => [one.script.length > 120 ? `${one.script.slice(0, 120)}...` : one.script, one] as const))(
    "%s",
    (_script, recorded) => {
      const { gives, raises } = recorded;

      expect(answer(recorded)).toEqual(gives === undefined ? { raises } : { gives });
    },
  );
});
