// Puts plans into words beside the event loop: those of a large change take longer than anybody there may wait.
import { Worker } from "node:worker_threads";
import type { Clock } from "../../runtime/clock.ts";
import { AppError, messageOf } from "../../runtime/errors.ts";
import { Turn } from "../../runtime/turn.ts";
import type { WriterAnswer, WriterMessage } from "./plan-writer-thread.ts";
import type { SandboxedPlan } from "./sandbox/plan-job.ts";
import { partsOf, restOf } from "./sandbox/report-parts.ts";
import type { PlanWish, WrittenPlan } from "./written-plan.ts";

export interface PlanWriterOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

const LONGEST_MS = 60_000;
const MOST_MEMORY_MB = 1_024;

/** As `writePlan`, in a thread of its own. Throws `plan-unwritable`, and what the signal aborts with. */
export async function writePlanAside(
  { report, syncs }: SandboxedPlan,
  wish: PlanWish,
  { clock, signal }: PlanWriterOptions,
): Promise<WrittenPlan> {
  signal.throwIfAborted();
  const worker = new Worker(new URL("./plan-writer-thread.ts", import.meta.url), {
    env: {},
    argv: [],
    resourceLimits: { maxOldGenerationSizeMb: MOST_MEMORY_MB },
  });
  worker.unref();
  const ended = new AbortController();
  try {
    const answered = answerOf(worker, clock, AbortSignal.any([signal, ended.signal]));
    const sent = send(worker, report, syncs, wish, signal);
    const [answer] = await Promise.all([answered, sent]);
    if ("fault" in answer) throw unwritable(answer.fault);
    return answer.written;
  } finally {
    ended.abort();
    await worker.terminate();
  }
}

async function send(
  worker: Worker,
  report: SandboxedPlan["report"],
  syncs: SandboxedPlan["syncs"],
  wish: PlanWish,
  signal: AbortSignal,
): Promise<void> {
  const tell = (message: WriterMessage): void => worker.postMessage(message);
  const turn = new Turn();
  for (const part of partsOf(report)) {
    tell(part);
    if (turn.isOver) await turn.next();
    signal.throwIfAborted();
  }
  tell({ rest: JSON.stringify(restOf(report)), syncs, wish });
}

function answerOf(worker: Worker, clock: Clock, signal: AbortSignal): Promise<WriterAnswer> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(LONGEST_MS, () => reject(unwritable(`it took more than ${LONGEST_MS / 1_000}s`)));
    const settle = (act: () => void): void => {
      timer.cancel();
      act();
    };
    // The thread is ours and says nothing else.
    worker.once("message", (answer: WriterAnswer) => settle(() => resolve(answer)));
    worker.once("error", (error) => settle(() => reject(unwritable(messageOf(error)))));
    worker.once("exit", () => settle(() => reject(unwritable("its thread ended"))));
    signal.addEventListener("abort", () => settle(() => reject(signal.reason)), { once: true });
  });
}

function unwritable(why: string): AppError {
  return new AppError("plan-unwritable", `the plan could not be put into words: ${why}`, { recovery: "stall" });
}
