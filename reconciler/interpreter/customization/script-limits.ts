import type { LuaLimits } from "../lua/script.ts";

const MEMORY_BYTES = 64 * 1024 * 1024;
/** What Karmada's evaluator allows. */
const DEPTH = 250;

/** What a script may use while everything else waits for it: 5 to 15 ms. One that does its task takes some hundred steps. */
export const QUICK_LIMITS: LuaLimits = { steps: 10_000, memoryBytes: 16 * 1024 * 1024, depth: DEPTH };

/** What a script may use in a thread of its own, where time limits it, too. */
export const THREAD_LIMITS: LuaLimits = { steps: 20_000_000, memoryBytes: MEMORY_BYTES, depth: DEPTH };

/** What a script may use in a command that does nothing else meanwhile: about the second that Karmada gives. */
export const COMMAND_LIMITS: LuaLimits = { ...THREAD_LIMITS, steps: 2_000_000 };
