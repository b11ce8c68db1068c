// Works out a change of files in a thread of its own, within bounds.
import { Worker } from "node:worker_threads";
import type { Clock } from "../../../runtime/clock.ts";
import { AppError, messageOf } from "../../../runtime/errors.ts";
import type { ChangeAnswer, ChangeTask, FileChange } from "./change-thread.ts";

const DEADLINE_MS = 60_000;
const MAX_MEMORY_MB = 512;

/** Throws what the files are to blame for, and `drift-change-failed` when the bounds do not suffice. */
export async function workOutChange(
  task: ChangeTask,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<FileChange> {
  signal.throwIfAborted();
  const worker = new Worker(new URL("./change-thread.ts", import.meta.url), {
    workerData: task,
    env: {},
    argv: [],
    resourceLimits: { maxOldGenerationSizeMb: MAX_MEMORY_MB },
  });
  worker.unref();
  const { promise, resolve, reject } = Promise.withResolvers<ChangeAnswer>();
  const timer = clock.after(DEADLINE_MS, () => reject(failed(`it took longer than ${DEADLINE_MS / 1000}s`)));
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  worker.once("message", resolve);
  worker.once("error", (error) => reject(failed(messageOf(error))));
  worker.once("exit", () => reject(failed("its thread ended early")));
  try {
    const answer = await promise;
    if ("change" in answer) return answer.change;
    const { code, message, recovery } = answer.error;
    throw new AppError(code, message, { recovery });
  } finally {
    timer.cancel();
    signal.removeEventListener("abort", onAbort);
    await worker.terminate();
  }
}

function failed(why: string): AppError {
  return new AppError("drift-change-failed", `the change of the files could not be worked out: ${why}`, {
    recovery: "stall",
  });
}
