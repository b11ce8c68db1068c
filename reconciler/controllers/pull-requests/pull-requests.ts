// Follows the pull requests of repositories that Reporters are about: asks their hosts when due, takes what webhooks tell as a
// reason to look, and has a step for each pull request.
import type { GitRepository } from "../../../api/gitops.ts";
import { reconcileRequest } from "../../../api/gitops.ts";
import { DEFAULT_REPORTER_INTERVAL, type Reporter } from "../../../api/reporter.ts";
import type { Condition } from "../../../kube/object.ts";
import { rfc3339 } from "../../../runtime/clock.ts";
import { parseDuration } from "../../../runtime/duration.ts";
import { AppError, reasonOf } from "../../../runtime/errors.ts";
import { type StepResult, WorkQueue } from "../../../runtime/work-queue.ts";
import { jittered } from "../../../sources/schedule.ts";
import type { PullRequest } from "../../forges/forge.ts";
import { webhookPath } from "../../pull-requests/webhook-listener.ts";
import type { Controller, ControllerContext } from "../context.ts";
import { subjectOf } from "../events.ts";
import { GITOPS_API, keyOf } from "../sync/git-repository.ts";
import { failed, succeeded } from "../sync/gitops-conditions.ts";
import type { DriftOpener } from "./answer-commands.ts";
import { FairSlots } from "./fair-slots.ts";
import { followedBranch, type ReporterForges } from "./open-reporter-forge.ts";
import type { Planner, RevisionOwner, RevisionSource } from "./plan-job.ts";
import { createPlanMetrics } from "./plan-metrics.ts";
import { unplanned } from "./pull-entries.ts";
import { PullRequestSteps, pullKey, readPullKey } from "./pull-request-step.ts";
import { MOST_PULL_REQUESTS, type ReporterStatuses } from "./reporter-statuses.ts";

export interface PullRequestsOptions {
  readonly context: ControllerContext;
  readonly forges: ReporterForges;
  readonly statuses: ReporterStatuses;
  readonly revisions: RevisionSource;
  readonly planner: Planner;
  readonly openDrift: DriftOpener;
}

export interface PullRequestController extends Controller {
  /** Looks at a pull request of a Reporter now. */
  wake(reporter: string, number: number): void;
  /** Asks the host of a Reporter for everything now. */
  poll(reporter: string): void;
}

/** Plans that are made at the same time, each in a process of its own. */
const PLANS = 2;
const FETCHES = 4;
const POLL_RETRY_MS = 15_000;
const LONGEST_WAIT_MS = 600_000;
/** Requests to hosts are repeated by themselves; what fails nevertheless is not in a hurry. */
const PACE = { minBackoffMs: 5_000, maxBackoffMs: LONGEST_WAIT_MS };

interface NextPoll {
  readonly atMs: number;
  /** Of the Reporter: under another spec it is asked at once. */
  readonly generation: number | undefined;
}

export function startPullRequestController(options: PullRequestsOptions): PullRequestController {
  return new PullRequests(options);
}

class PullRequests implements PullRequestController {
  readonly #options: PullRequestsOptions;
  readonly #statuses: ReporterStatuses;
  readonly #steps: PullRequestSteps;
  readonly #polls: WorkQueue;
  readonly #pulls: WorkQueue;
  readonly #nextPolls = new Map<string, NextPoll>();
  /** What sources follow. */
  readonly #followed = new Map<string, string>();
  /** Asked for beside the schedule. */
  readonly #asked = new Set<string>();
  /** Pull requests whose last step failed, and why. */
  readonly #troubles = new Map<string, AppError>();
  /** Ends what is done for a Reporter when that goes. */
  readonly #lives = new Map<string, AbortController>();

  constructor(options: PullRequestsOptions) {
    const { context, forges, openDrift, planner, revisions } = options;
    const { clock, logger } = context;
    this.#options = options;
    this.#statuses = options.statuses;
    this.#polls = new WorkQueue({ name: "reporters", clock, logger, workers: 4 }, (key, signal) =>
      this.#poll(key, signal),
    );
    this.#pulls = new WorkQueue({ name: "pull-requests", clock, logger, workers: 8, ...PACE }, (key, signal) =>
      this.#look(key, signal),
    );
    this.#steps = new PullRequestSteps({
      context,
      forges,
      statuses: this.#statuses,
      openDrift,
      place: {
        revisions,
        planner,
        compatibility: context.profile.compatibility,
        fetchSlots: new FairSlots(FETCHES, 1),
        planSlots: new FairSlots(PLANS),
      },
      metrics: createPlanMetrics(context.metrics),
      wake: (key) => this.#pulls.add(key),
    });
    const reporters = context.informers.of<Reporter>(GITOPS_API, "Reporter");
    revisions.sweep([...reporters.all()].flatMap((reporter) => ownerOf(reporter, forges)));
    reporters.subscribe(({ object, type }) => {
      if (type === "deleted") this.#end(keyOf(object));
      this.#polls.add(keyOf(object));
    });
    // What was missing may have come, or another branch or address is followed.
    context.informers.of<GitRepository>(GITOPS_API, "GitRepository").subscribe(({ object, type }) => {
      if (type === "deleted") {
        this.#followed.delete(keyOf(object));
        return;
      }
      const followed = `${object.metadata.generation} ${followedBranch(object)}`;
      if (this.#followed.get(keyOf(object)) === followed) return;
      this.#followed.set(keyOf(object), followed);
      for (const reporter of reporters.all()) if (isSourceOf(object, reporter)) this.poll(keyOf(reporter));
    });
  }

  wake(reporter: string, number: number): void {
    const key = pullKey({ reporter, number });
    this.#steps.unlist(key);
    this.#pulls.add(key);
  }

  poll(reporter: string): void {
    this.#asked.add(reporter);
    this.#polls.add(reporter);
  }

  async stop(): Promise<void> {
    const queues = Promise.all([this.#polls.stop(), this.#pulls.stop()]);
    await this.#steps.stop();
    await queues;
  }

  /** One that is gone, or says nothing for now. */
  #end(key: string): void {
    this.#lives.get(key)?.abort(new AppError("reporter-ended", "the Reporter is gone", { recovery: "stall" }));
    this.#lives.delete(key);
    this.#nextPolls.delete(key);
    this.#asked.delete(key);
    for (const troubled of [...this.#troubles.keys()])
      if (readPullKey(troubled).reporter === key) this.#troubles.delete(troubled);
    this.#steps.dropAll(key);
  }

  #signalOf(key: string, signal: AbortSignal): AbortSignal {
    let life = this.#lives.get(key);
    if (life === undefined) {
      life = new AbortController();
      this.#lives.set(key, life);
    }
    return AbortSignal.any([signal, life.signal]);
  }

  async #poll(key: string, signal: AbortSignal): Promise<StepResult | undefined> {
    const { context, forges, revisions } = this.#options;
    const { clock, logger, events } = context;
    const reporter = this.#statuses.get(key);
    if (reporter === undefined || reporter.metadata.deletionTimestamp !== undefined || reporter.spec.suspend === true) {
      this.#end(key);
      if (reporter !== undefined) return undefined;
      forges.forget(key);
      revisions.forget(key);
      return undefined;
    }
    const { generation } = reporter.metadata;
    const next = this.#nextPolls.get(key);
    const request = reconcileRequest(reporter);
    const isRequested = request !== undefined && request !== reporter.status?.lastHandledReconcileAt;
    const isAsked = this.#asked.delete(key) || isRequested;
    if (next !== undefined && next.generation === generation && next.atMs > clock.now() && !isAsked)
      return { requeueAfterMs: next.atMs - clock.now() };
    const handled = {
      ...(request === undefined ? {} : { lastHandledReconcileAt: request }),
      ...pathStatus(reporter),
    };
    const isNew = reporter.status?.observedGeneration !== generation;
    const life = this.#signalOf(key, signal);
    try {
      const { forge } = await forges.open(reporter);
      const open = wantsPulls(reporter) ? await forge.openPullRequests({ signal: life }) : [];
      const newest = open.toSorted((a, b) => b.number - a.number).slice(0, MOST_PULL_REQUESTS);
      await this.#statuses.change(key, ({ status }) => ({
        ...handled,
        // Not after a failure: what is to be planned anew is told by it.
        observedGeneration: generation,
        lastPolledAt: rfc3339(clock.now()),
        conditions: this.#conditions(reporter, status?.conditions ?? [], open.length),
        // Under another spec everything is said anew.
        ...(isNew && status?.pullRequests !== undefined ? { pullRequests: status.pullRequests.map(unplanned) } : {}),
      }));
      this.#wakeAll(key, newest);
      return this.#pollAfter(reporter, jittered(intervalOf(reporter), key, 0.05));
    } catch (error) {
      if (life.aborted) return undefined;
      if (!(error instanceof AppError)) throw error;
      const before = (reporter.status?.conditions ?? []).find(({ type }) => type === "Ready");
      // Messages may tell how long it takes yet.
      const isNews = before?.reason !== reasonOf(error.code);
      const stamp = { nowMs: clock.now(), generation };
      await this.#statuses.change(key, ({ status }) => ({
        ...handled,
        conditions: failed(status?.conditions ?? [], error, stamp),
      }));
      if (isNews) {
        logger.warn("asking a Git host failed", { reporter: key, code: error.code, error: error.message });
        events.record(subjectOf(reporter), "Warning", "ReporterFailed", error.message);
      }
      const waitMs = error.recovery === "retry" ? POLL_RETRY_MS : (error.afterMs ?? intervalOf(reporter));
      return this.#pollAfter(reporter, Math.min(waitMs, LONGEST_WAIT_MS));
    }
  }

  #pollAfter({ metadata }: Reporter, ms: number): StepResult {
    const { generation, name, namespace } = metadata;
    this.#nextPolls.set(`${namespace}/${name}`, { generation, atMs: this.#options.context.clock.now() + ms });
    return { requeueAfterMs: ms };
  }

  #wakeAll(key: string, open: readonly PullRequest[]): void {
    const remembered = this.#statuses.get(key)?.status?.pullRequests ?? [];
    const listed = new Set<number>();
    for (const pull of open) {
      const one = pullKey({ reporter: key, number: pull.number });
      listed.add(pull.number);
      this.#steps.list(one, pull);
      this.#pulls.add(one);
    }
    for (const { number } of remembered) if (!listed.has(number)) this.wake(key, number);
  }

  async #look(key: string, signal: AbortSignal): Promise<StepResult | undefined> {
    const { reporter } = readPullKey(key);
    const life = this.#signalOf(reporter, signal);
    try {
      const result = await this.#steps.step(key, life);
      if (this.#troubles.delete(key)) await this.#tellTroubles(reporter);
      return result;
    } catch (error) {
      if (life.aborted) return undefined;
      if (error instanceof AppError && this.#troubles.get(key)?.code !== error.code) {
        this.#troubles.set(key, error);
        await this.#tellTroubles(reporter, key);
      }
      throw error;
    }
  }

  /** Says in the conditions whether all pull requests could be dealt with. */
  async #tellTroubles(key: string, of?: string): Promise<void> {
    const { events, logger } = this.#options.context;
    await this.#statuses.change(key, (reporter) => ({
      conditions: this.#conditions(reporter, reporter.status?.conditions ?? [], undefined),
    }));
    const error = of === undefined ? undefined : this.#troubles.get(of);
    const reporter = this.#statuses.get(key);
    if (error === undefined || reporter === undefined) return;
    logger.warn("a pull request could not be dealt with", { reporter: of, code: error.code, error: error.message });
    events.record(subjectOf(reporter), "Warning", "ReporterFailed", error.message);
  }

  #conditions({ metadata, status }: Reporter, conditions: readonly Condition[], open: number | undefined): Condition[] {
    const stamp = { nowMs: this.#options.context.clock.now(), generation: metadata.generation };
    const key = `${metadata.namespace}/${metadata.name}`;
    const trouble = [...this.#troubles].find(([pull]) => readPullKey(pull).reporter === key)?.[1];
    if (trouble !== undefined) return failed(conditions, trouble, stamp);
    const count = open ?? status?.pullRequests?.length ?? 0;
    return succeeded(
      conditions,
      "Succeeded",
      `follows ${count === 1 ? "1 open pull request" : `${count} open pull requests`}`,
      stamp,
    );
  }
}

function wantsPulls({ spec }: Reporter): boolean {
  return spec.pullRequests !== undefined || spec.commands !== undefined;
}

function pathStatus({ metadata, spec }: Reporter): { readonly webhookPath?: string } {
  return spec.webhook === undefined ? {} : { webhookPath: webhookPath(metadata.namespace ?? "", metadata.name ?? "") };
}

function isSourceOf(source: GitRepository, { metadata, spec }: Reporter): boolean {
  const { name, namespace = metadata.namespace } = spec.sourceRef;
  return source.metadata.name === name && source.metadata.namespace === namespace;
}

/** Whose commits are kept; of a source that is not there nothing is known. */
function ownerOf(reporter: Reporter, forges: ReporterForges): readonly RevisionOwner[] {
  try {
    return [{ owner: keyOf(reporter), url: forges.sourceOf(reporter).spec.url }];
  } catch {
    return [];
  }
}

function intervalOf({ spec }: Reporter): number {
  return Math.max(1_000, parseDuration(spec.interval ?? DEFAULT_REPORTER_INTERVAL));
}
