// What the program and a thread for scripts tell each other.
import type { ScriptCall } from "../interpreter/customization/script-runner.ts";
import type { LuaLimits } from "../interpreter/lua/script.ts";

/** The thread's first message. */
export const THREAD_READY = "ready";

export interface ThreadCall extends ScriptCall {
  readonly args: readonly unknown[];
  readonly limits: LuaLimits;
}

/** What came of a call; a failure in the parts of an `AppError`, which is not the same class there. */
export type ScriptReply =
  | { readonly results: readonly unknown[] }
  | {
      readonly code: string;
      readonly message: string;
      readonly details: Readonly<Record<string, unknown>>;
    };
