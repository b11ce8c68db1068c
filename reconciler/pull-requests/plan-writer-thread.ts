// The thread of one plan that is put into words: it takes a report in parts, and answers with what is to be said.
import { parentPort } from "node:worker_threads";
import type { RenderedSync } from "../../api/reporter.ts";
import { messageOf } from "../../runtime/errors.ts";
import { ReportParts } from "./sandbox/report-parts.ts";
import { type PlanWish, type WrittenPlan, writePlan } from "./written-plan.ts";

/** What the thread is told: parts of a report, and then the rest of it. */
export type WriterMessage =
  | { readonly list: string; readonly text: string }
  | { readonly rest: string; readonly syncs: readonly RenderedSync[]; readonly wish: PlanWish };

export type WriterAnswer = { readonly written: WrittenPlan } | { readonly fault: string };

const parts = new ReportParts();

// Our own program is at the other end, and says nothing else.
parentPort?.on("message", (message: WriterMessage) => {
  try {
    if ("list" in message) {
      parts.add(message.list, message.text);
      return;
    }
    const report = parts.join(JSON.parse(message.rest));
    answer({ written: writePlan(report, message.syncs, message.wish) });
  } catch (error) {
    answer({ fault: messageOf(error) });
  }
});

function answer(value: WriterAnswer): void {
  parentPort?.postMessage(value);
}
