// Scripts run in place for as long as an event loop can bear; what takes longer is a question to a thread.
import { createHash } from "node:crypto";
import { stringifyJson } from "../../../kube/json.ts";
import { AppError } from "../../../runtime/errors.ts";
import type { Answers, Question } from "../answers.ts";
import type { LuaLimits } from "../lua/script.ts";
import type { CustomizationScript } from "./customization-index.ts";
import { resultMalformed } from "./errors.ts";
import type { CompiledScripts, ScriptRunner } from "./script-runner.ts";
import type { SlowScripts } from "./slow-scripts.ts";

/** What questions about scripts name as their asker. */
export const SCRIPT_ASKER = "script";

/** What a script returns when it is given all of its time. */
export interface ScriptQuestion extends Question {
  readonly script: CustomizationScript;
  readonly args: readonly unknown[];
}

export interface DeferringRunnerOptions {
  readonly scripts: CompiledScripts;
  readonly slow: SlowScripts;
  /** What a script may use in place. */
  readonly limits: LuaLimits;
  /** What threads answered. */
  readonly answers: Answers;
  /** What scripts take for the time, in milliseconds. */
  readonly now: () => number;
}

/** A runner that throws `AnswerPending` with a `ScriptQuestion` where a script takes longer than `limits` allow. */
export function deferringRunner({ scripts, slow, limits, answers, now }: DeferringRunnerOptions): ScriptRunner {
  function ask(script: CustomizationScript, args: readonly unknown[], call: string): readonly unknown[] {
    const refusal = slow.refusal(script.source, call);
    if (refusal !== undefined) throw refusal;
    const question: ScriptQuestion = {
      asker: SCRIPT_ASKER,
      key: call,
      subject: `${script.functionName} of customization ${script.customization}`,
      script,
      args,
    };
    const results = answers.valueOf(question);
    if (!Array.isArray(results)) throw resultMalformed("the thread of the script returned no results");
    return results;
  }

  return {
    run(script, args) {
      const { source } = script;
      const isQuick = slow.isQuick(source);
      const known = isQuick ? undefined : callKey(script, args);
      if (known !== undefined && (slow.needsThread(source, known) || slow.refusal(source, known) !== undefined))
        return ask(script, args, known);
      try {
        const results = scripts.call(script, args, { ...limits, now: now() });
        if (!isQuick) slow.noteEnd(source, "in place");
        return results;
      } catch (error) {
        if (!isOverrun(error)) {
          if (!isQuick) slow.noteEnd(source, "in place");
          throw error;
        }
        const call = known ?? callKey(script, args);
        slow.noteOverrun(source, call);
        return ask(script, args, call);
      }
    },
  };
}

function isOverrun(error: unknown): boolean {
  return error instanceof AppError && error.code === "lua-limit" && error.details["limit"] === "steps";
}

/** Equal for calls of the same function with the same content. */
function callKey({ source, functionName }: CustomizationScript, args: readonly unknown[]): string {
  return createHash("sha256").update(`${functionName}\n${source}\n`).update(stringifyJson(args)).digest("base64");
}
