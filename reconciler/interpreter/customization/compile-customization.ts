import type { CheckScript } from "../../../api/admission/context.ts";
import { AppError } from "../../../runtime/errors.ts";
import { compileLua, type LuaScript } from "../lua/script.ts";

/** The name that Karmada's messages have for a script. */
const CHUNK_NAME = "<string>";
/** Enough to define functions, and to begin one. */
const CHECK_LIMITS = { steps: 20_000, memoryBytes: 4 * 1024 * 1024, depth: 200 };

/** Throws `lua-syntax-error`. */
export function compileCustomization(source: string): LuaScript {
  return compileLua(source, CHUNK_NAME);
}

/** An error when the script is not Lua; a warning when it defines no function of that name, which Karmada does not look at. */
export const checkCustomizationScript: CheckScript = (source, functionName) => {
  try {
    // Whether it is defined shows when it is called; what becomes of the call without arguments does not matter.
    compileCustomization(source).call(functionName, [], CHECK_LIMITS);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    if (error.code === "lua-syntax-error") return { severity: "error", words: error.message };
    if (error.code === "lua-function-missing")
      return { severity: "warning", words: `defines no function ${functionName}, which is called for it` };
  }
  return undefined;
};
