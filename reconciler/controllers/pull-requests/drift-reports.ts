// Reports the drift of repositories at their hosts, at the times that Reporters say.
import { reconcileRequest } from "../../../api/gitops.ts";
import {
  DEFAULT_DRIFT_MINIMUM_AGE,
  type Reporter,
  type ReporterDrift,
  type ReporterStatus,
} from "../../../api/reporter.ts";
import { setCondition } from "../../../kube/conditions.ts";
import type { Condition } from "../../../kube/object.ts";
import { rfc3339 } from "../../../runtime/clock.ts";
import { parseDuration } from "../../../runtime/duration.ts";
import { AppError, reasonOf } from "../../../runtime/errors.ts";
import { type StepResult, WorkQueue } from "../../../runtime/work-queue.ts";
import { nextRun } from "../../../sources/schedule.ts";
import { groupDrift } from "../../plan/live-drift.ts";
import { countDrift, type KnownDrift, publishDrift } from "../../pull-requests/publish-drift.ts";
import { driftVerdict } from "../../reports/drift-text.ts";
import type { Controller, ControllerContext } from "../context.ts";
import { subjectOf } from "../events.ts";
import { GITOPS_API, keyOf, splitKey } from "../sync/git-repository.ts";
import { collectDrift } from "./collect-drift.ts";
import type { ReporterForges } from "./open-reporter-forge.ts";

/** Condition of a Reporter: whether the last report of drift could be made. */
export const DRIFT_REPORTED = "DriftReported";

export interface DriftReportsOptions {
  readonly context: ControllerContext;
  readonly forges: Pick<ReporterForges, "open" | "sourceOf">;
  /** Writes what is to be changed of the status of `namespace/name`, as it is at that moment; undefined: nothing. */
  readonly statuses: {
    change(key: string, change: (reporter: Reporter) => Partial<ReporterStatus> | undefined): Promise<void>;
  };
  /** Of this program. */
  readonly version: string;
}

const DEFAULT_INTERVAL_MS = 3_600_000;
const RETRY_MS = 60_000;
const WORKERS = 2;

/** What failed last, so that it is not tried again before something may have changed. */
interface Failure {
  readonly generation: number | undefined;
  readonly request: string | undefined;
  readonly untilMs: number;
}

/** Needs the informers of Reporter, GitRepository, Sync, Work and Cluster to be synced. */
export function startDriftReports({ context, forges, statuses, version }: DriftReportsOptions): Controller {
  const { clock, logger } = context;
  const reporters = context.informers.of<Reporter>(GITOPS_API, "Reporter");
  const failures = new Map<string, Failure>();
  /** The last request by annotation that was dealt with here. */
  const handled = new Map<string, string | undefined>();
  const queue = new WorkQueue({ name: "drift-reports", clock, logger, workers: WORKERS }, step);
  reporters.subscribe(({ object }) => queue.add(keyOf(object)));

  async function step(key: string, signal: AbortSignal): Promise<StepResult | undefined> {
    const reporter = reporters.get(...splitKey(key));
    const drift = reporter?.spec.drift;
    if (reporter === undefined || drift === undefined) {
      failures.delete(key);
      handled.delete(key);
      return undefined;
    }
    if (reporter.spec.suspend === true || reporter.metadata.deletionTimestamp !== undefined) return undefined;
    if (!handled.has(key)) handled.set(key, reporter.status?.lastHandledReconcileAt);
    const request = reconcileRequest(reporter);
    const isAsked = request !== undefined && request !== handled.get(key);
    const now = clock.now();
    const { generation } = reporter.metadata;
    const failure = failures.get(key);
    const isSame = failure?.generation === generation && failure?.request === request;
    if (failure !== undefined && isSame && failure.untilMs > now) return { requeueAfterMs: failure.untilMs - now };
    try {
      const due = isAsked ? now : nextReport(reporter, drift, now);
      if (due === undefined) return undefined;
      if (due > now) return { requeueAfterMs: due - now };
      await report(reporter, drift, signal);
      handled.set(key, request);
      failures.delete(key);
      const next = nextReport({ ...reporter, status: { ...reporter.status, drift: stampOf(now) } }, drift, clock.now());
      return next === undefined ? undefined : { requeueAfterMs: Math.max(1, next - clock.now()) };
    } catch (error) {
      if (signal.aborted || !(error instanceof AppError)) throw error;
      const waitMs = waitOf(error, drift);
      failures.set(key, { generation, request, untilMs: clock.now() + waitMs });
      await tellFailure(reporter, error);
      return { requeueAfterMs: waitMs };
    }
  }

  async function report(reporter: Reporter, drift: ReporterDrift, signal: AbortSignal): Promise<void> {
    const key = keyOf(reporter);
    const { forge, repository } = await forges.open(reporter);
    const nowMs = clock.now();
    const known = await collectDrift(context, {
      source: repository,
      seenUntilMs: nowMs - parseDuration(drift.minimumAge ?? DEFAULT_DRIFT_MINIMUM_AGE),
      hideLive: hidesLiveValues(reporter),
    });
    const published = await publishDrift(
      forge,
      known,
      { reporter: key, pullRequest: drift.pullRequest, commands: reporter.spec.commands !== undefined, nowMs, version },
      { signal },
    );
    const { outcome } = published;
    const isNews = outcome !== "unchanged" && outcome !== "left";
    const counts = countDrift(known);
    if (isNews) logger.info("reported drift", { object: key, outcome, ...counts });
    await statuses.change(key, ({ metadata, status }) => {
      const before = status?.drift;
      const number = published.number ?? before?.number;
      const url = published.url ?? before?.url;
      return {
        drift: {
          lastReportedAt: rfc3339(nowMs),
          ...counts,
          ...(number === undefined ? {} : { number }),
          ...(url === undefined ? {} : { url }),
        },
        conditions: withOutcome(status?.conditions ?? [], {
          status: "True",
          reason: "Succeeded",
          message: messageFor(known),
          lastTransitionTime: rfc3339(nowMs),
          ...(metadata.generation === undefined ? {} : { observedGeneration: metadata.generation }),
        }),
      };
    });
  }

  async function tellFailure(reporter: Reporter, error: AppError): Promise<void> {
    const key = keyOf(reporter);
    let isNews = false;
    await statuses.change(key, ({ metadata, status }) => {
      const conditions = status?.conditions ?? [];
      isNews = conditions.find(({ type }) => type === DRIFT_REPORTED)?.message !== error.message;
      return {
        conditions: withOutcome(conditions, {
          status: "False",
          reason: reasonOf(error.code),
          message: error.message,
          lastTransitionTime: rfc3339(clock.now()),
          ...(metadata.generation === undefined ? {} : { observedGeneration: metadata.generation }),
        }),
      };
    });
    if (!isNews) return;
    logger.warn("drift report failed", { object: key, code: error.code, error: error.message });
    context.events.record(subjectOf(reporter), "Warning", "DriftReportFailed", error.message);
  }

  return { stop: () => queue.stop() };
}

/** Whether what clusters have is not to be told: who hides it in plans does not want it elsewhere in the repository. */
export function hidesLiveValues({ spec }: Reporter): boolean {
  return [spec.drift?.liveValues, spec.pullRequests?.liveValues].includes("hide");
}

function withOutcome(conditions: readonly Condition[], outcome: Omit<Condition, "type">): Condition[] {
  return setCondition(conditions, { type: DRIFT_REPORTED, ...outcome });
}

function messageFor(known: KnownDrift): string {
  const { text } = driftVerdict(known.report, groupDrift(known.report.copies));
  return known.young === 0 ? text : `${text} What was seen first lately is left to be mended.`;
}

function stampOf(atMs: number) {
  return { fields: 0, objects: 0, lastReportedAt: rfc3339(atMs) };
}

/**
 * When drift is to be reported next, in milliseconds; at or before `nowMs` when it is due. A Reporter with times of its own
 * waits for the first of them, any other begins at once. Throws `schedule-invalid`.
 */
export function nextReport(reporter: Reporter, drift: ReporterDrift, nowMs: number): number | undefined {
  const { interval, schedule, timeZone } = drift;
  const last = reporter.status?.drift?.lastReportedAt;
  const { creationTimestamp } = reporter.metadata;
  const isTimed = interval === undefined && schedule !== undefined;
  const begin = isTimed && typeof creationTimestamp === "string" ? Date.parse(creationTimestamp) : undefined;
  return nextRun(
    {
      name: `drift of ${keyOf(reporter)}`,
      intervalMs: interval === undefined ? (isTimed ? undefined : DEFAULT_INTERVAL_MS) : parseDuration(interval),
      cron: schedule,
      timeZone,
    },
    last === undefined ? begin : Date.parse(last),
    nowMs,
  );
}

/** A person may mend what stalls without a word to us: it is tried again when the next report would be due. */
function waitOf(error: AppError, { interval }: ReporterDrift): number {
  if (error.recovery === "retry") return RETRY_MS;
  if (error.recovery === "wait") return Math.max(RETRY_MS, error.afterMs ?? 0);
  return interval === undefined ? DEFAULT_INTERVAL_MS : parseDuration(interval);
}
