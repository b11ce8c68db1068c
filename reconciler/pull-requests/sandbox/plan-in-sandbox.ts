// Plans what somebody proposes, who may be anybody: in a process that holds no secret and can do nothing but compute.
import { join } from "node:path";
import { planReportSchema } from "../../../api/plan-report.ts";
import { renderedSyncSchema } from "../../../api/reporter.ts";
import type { Transport } from "../../../kube/client/transport.ts";
import { type Clock, systemClock } from "../../../runtime/clock.ts";
import { AppError } from "../../../runtime/errors.ts";
import type { Logger } from "../../../runtime/logger.ts";
import { productVersion } from "../../cli/commands/version.ts";
import type { MemberConnection } from "../../cli/member-client.ts";
import { planCrashed } from "./errors.ts";
import type { Frame } from "./frames.ts";
import { GuardedApi } from "./guarded-api.ts";
import { errorHeader, readChildMessage, type StartMessage } from "./messages.ts";
import type { PlanJob, PlanLimits, SandboxedPlan } from "./plan-job.ts";
import { runInSandbox } from "./sandbox-process.ts";

const ENTRY = join(import.meta.dirname, "plan-child.ts");
/** Larger objects no API server takes. */
const MOST_OBJECT_BYTES = 4 * 1024 * 1024;
const NOTHING = new Uint8Array();

export interface SandboxOptions {
  /** Of the control plane. The process gets answers without values of Secrets, and writes nothing. */
  readonly transport: Transport;
  /** Reaches a member for reading; by default with the credentials that the control plane holds of it. */
  readonly connect?: ((cluster: string) => Promise<MemberConnection>) | undefined;
  readonly limits: PlanLimits;
  readonly logger: Logger;
  readonly clock?: Clock;
  readonly signal: AbortSignal;
}

/**
 * The plan of two commits. Neither a remote base is fetched, nor a webhook asked, nor a program run, whatever the commits
 * say. Rejects with `plan-timed-out`, `plan-out-of-memory`, `plan-too-large`, `plan-crashed`, with the reason of the signal, and
 * with what a plan itself throws.
 */
export async function planInSandbox(job: PlanJob, options: SandboxOptions): Promise<SandboxedPlan> {
  const { limits, logger, signal, clock = systemClock } = options;
  const api = new GuardedApi(options);
  const start: StartMessage = { type: "plan", job, version: productVersion() };
  try {
    const result = await runInSandbox({
      entry: ENTRY,
      // Beside the objects there may be a configuration, and credentials in it.
      folders: [join(job.directory, "objects")],
      task: { header: { ...start }, payload: NOTHING },
      serve: (frame, ended) => serve(api, logger, frame, ended),
      limits,
      mostMessageBytes: MOST_OBJECT_BYTES,
      clock,
      logger,
      signal,
    });
    return readResult(result);
  } finally {
    await api.close();
  }
}

async function serve(api: GuardedApi, logger: Logger, frame: Frame, ended: AbortSignal): Promise<Frame> {
  const message = readChildMessage(frame);
  if (message === undefined) throw planCrashed("it sent what is no message");
  if (message.type === "error") throw message.error;
  if (message.type === "bug") {
    logger.error("the program of a plan failed", { stack: message.stack.slice(0, 8_000) });
    throw planCrashed("a fault of the program");
  }
  const { id, member, asked } = message;
  try {
    const { status, body } = await api.answer(member, asked, frame.payload, ended);
    return { header: { type: "answer", id, status }, payload: body };
  } catch (error) {
    // Of what goes wrong with one request only an end of everything is thrown.
    if (!(error instanceof AppError) || error.code === "plan-too-large") throw error;
    return { header: { type: "failure", id, ...errorHeader(error) }, payload: NOTHING };
  }
}

/** What comes from there is looked at as what comes from anybody. */
function readResult({ payload }: Frame): SandboxedPlan {
  try {
    const read = JSON.parse(Buffer.from(payload).toString("utf8")) as { report?: unknown; syncs?: unknown };
    return { report: planReportSchema.parse(read.report), syncs: renderedSyncSchema.array().parse(read.syncs) };
  } catch (error) {
    throw new AppError("plan-crashed", "the program that makes the plan sent a report that is none", {
      recovery: "retry",
      cause: error,
    });
  }
}
