// Plans what somebody proposes, who may be anybody: in a process that holds no secret and can do nothing but compute.
import { join } from "node:path";
import { renderedSyncSchema } from "../../../api/reporter.ts";
import type { Transport } from "../../../kube/client/transport.ts";
import { isObject } from "../../../kube/object.ts";
import { type Clock, systemClock } from "../../../runtime/clock.ts";
import { AppError, messageOf } from "../../../runtime/errors.ts";
import type { Logger } from "../../../runtime/logger.ts";
import { redactUrl } from "../../../sources/redact-url.ts";
import { productVersion } from "../../cli/commands/version.ts";
import type { MemberConnection } from "../../cli/member-client.ts";
import { findCode } from "./code-cache.ts";
import { planCrashed, reportTooLarge } from "./errors.ts";
import type { Frame } from "./frames.ts";
import { GuardedApi } from "./guarded-api.ts";
import { type ChildMessage, errorHeader, readChildMessage, type StartMessage } from "./messages.ts";
import type { PlanJob, PlanLimits, SandboxedPlan } from "./plan-job.ts";
import { ReportParts } from "./report-parts.ts";
import { runInSandbox } from "./sandbox-process.ts";

const ENTRY = join(import.meta.dirname, "plan-child.ts");
/** Larger objects no API server takes, and no part of a report is that large. */
const MOST_MESSAGE_BYTES = 4 * 1024 * 1024;
const FILLING: PlanLimits = { timeoutMs: 60_000, memoryBytes: 1024 ** 3, outputBytes: 1 };
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
  const run = new PlanRun(options);
  const version = productVersion();
  // The address may have a password in it.
  const start: StartMessage = { type: "plan", job: { ...job, repository: redactUrl(job.repository) }, version };
  try {
    const code = await findCode(version, (folder) => fillCode(folder, { clock, logger }), logger);
    const result = await runInSandbox({
      entry: ENTRY,
      // Beside the objects there may be a configuration, and credentials in it.
      folders: [join(job.directory, "objects")],
      code: code === undefined ? undefined : { folder: code, isFilled: false },
      task: { header: { ...start }, payload: NOTHING },
      serve: (frame, ended) => run.serve(frame, ended),
      limits,
      mostMessageBytes: MOST_MESSAGE_BYTES,
      clock,
      logger,
      signal,
    });
    return run.finish(result);
  } finally {
    await run.close();
  }
}

/** Lets the program compile itself, and does nothing with it. Others wait for it, so that no one's signal ends it. */
function fillCode(folder: string, options: { readonly clock: Clock; readonly logger: Logger }): Promise<Frame> {
  return runInSandbox({
    ...options,
    entry: ENTRY,
    folders: [],
    code: { folder, isFilled: true },
    task: { header: { type: "fill" }, payload: NOTHING },
    serve: async () => undefined,
    limits: FILLING,
    mostMessageBytes: 1,
    signal: new AbortController().signal,
  });
}

/** The side of one plan that is trusted. What comes from the other is looked at as what comes from anybody. */
class PlanRun {
  readonly #api: GuardedApi;
  readonly #logger: Logger;
  readonly #limits: PlanLimits;
  readonly #parts = new ReportParts();
  #reportBytes = 0;
  #fault: AppError | undefined;

  constructor(options: SandboxOptions) {
    this.#api = new GuardedApi(options);
    this.#logger = options.logger;
    this.#limits = options.limits;
  }

  async serve(frame: Frame, ended: AbortSignal): Promise<Frame | undefined> {
    const message = readChildMessage(frame);
    switch (message?.type) {
      case undefined:
        throw planCrashed("it sent what is no message");
      case "error":
        throw message.error;
      case "bug":
        this.#logger.error("the program of a plan failed", { stack: message.stack.slice(0, 8_000) });
        throw planCrashed("a fault of the program");
      case "part":
        this.#take(frame.payload, (text) => this.#parts.add(message.list, text));
        return undefined;
      case "request":
        return this.#answer(message, frame.payload, ended);
    }
  }

  finish({ payload }: Frame): SandboxedPlan {
    return this.#take(payload, (text) => {
      const read: unknown = JSON.parse(text);
      const { report, syncs } = isObject(read) ? read : {};
      return { report: this.#parts.join(report), syncs: renderedSyncSchema.array().parse(syncs) };
    });
  }

  close(): Promise<void> {
    return this.#api.close();
  }

  /** Once something of a report was not as it should be, nothing of it counts. */
  #take<T>(payload: Uint8Array, read: (text: string) => T): T {
    this.#reportBytes += payload.length;
    if (this.#reportBytes > this.#limits.outputBytes) this.#fault ??= reportTooLarge(this.#limits);
    if (this.#fault !== undefined) throw this.#fault;
    try {
      return read(Buffer.from(payload).toString("utf8"));
    } catch (error) {
      this.#logger.error("the program of a plan sent a report that is none", { error: messageOf(error).slice(0, 500) });
      this.#fault = planCrashed("a report that is none");
      throw this.#fault;
    }
  }

  async #answer(
    { asked, id, member }: ChildMessage & { readonly type: "request" },
    payload: Uint8Array,
    ended: AbortSignal,
  ): Promise<Frame> {
    try {
      const { status, body } = await this.#api.answer(member, asked, payload, ended);
      return { header: { type: "answer", id, status }, payload: body };
    } catch (error) {
      if (ended.aborted) throw error;
      if (error instanceof AppError && error.code === "plan-too-large") throw error;
      if (error instanceof AppError)
        return { header: { type: "failure", id, ...errorHeader(error) }, payload: NOTHING };
      // What is sent here may be made to break whatever reads it.
      this.#logger.error("could not answer a plan", { error: error instanceof Error ? error.name : typeof error });
      throw planCrashed("one of its requests could not be answered");
    }
  }
}
