// The thread that runs scripts which need more time than the event loop has for them.
import { parentPort } from "node:worker_threads";
import { AppError } from "../../runtime/errors.ts";
import { compileCustomization } from "../interpreter/customization/compile-customization.ts";
import { CompiledScripts } from "../interpreter/customization/script-runner.ts";
import { type ScriptReply, THREAD_READY, type ThreadCall } from "./script-messages.ts";

const MOST_SCRIPTS = 100;
const scripts = new CompiledScripts(compileCustomization, MOST_SCRIPTS);

function reply(call: ThreadCall): ScriptReply {
  try {
    return { results: scripts.call(call, call.args, call.limits) };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const { code, message, details } = error;
    return { code, message, details };
  }
}

parentPort?.on("message", (call: ThreadCall) => parentPort?.postMessage(reply(call)));
parentPort?.postMessage(THREAD_READY);
