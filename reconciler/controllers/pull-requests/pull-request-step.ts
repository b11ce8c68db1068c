// What is done about one pull request: it is looked at, decided upon, planned, and told of. Each step begins from what the
// host and the Reporter's status say, so that it does not matter what woke it, or where the one before was cut off.
import type { PlanApproval, ReportedPullRequest, Reporter } from "../../../api/reporter.ts";
import { rfc3339 } from "../../../runtime/clock.ts";
import { AppError, messageOf } from "../../../runtime/errors.ts";
import type { StepResult } from "../../../runtime/work-queue.ts";
import type { Call, Forge, ForgeComment, PullRequest } from "../../forges/forge.ts";
import { isSameUser } from "../../forges/forge.ts";
import { hasMarker } from "../../forges/marker.ts";
import {
  approvalContext,
  approvalOf,
  approvalStatus,
  approvedWords,
  shownSince,
} from "../../pull-requests/commands/approvals.ts";
import { type PlanMarker, planMarker, publishWords } from "../../pull-requests/publish-plan.ts";
import type { ControllerContext } from "../context.ts";
import { subjectOf } from "../events.ts";
import { answerCommands, type DriftOpener } from "./answer-commands.ts";
import { BaseWatch } from "./base-watch.ts";
import { decidePullRequest, type PullRequestDecision } from "./decide-pull-request.ts";
import { followedBranch, type ReporterForge, type ReporterForges } from "./open-reporter-forge.ts";
import { commentFailure, publishStage, type StageWords } from "./plan-checks.ts";
import { failureMessage, PlanFailures, shortLine } from "./plan-failures.ts";
import { isChecked, type MadePlan, makePullRequestPlan, type PlanPlace, plainPath } from "./plan-job.ts";
import type { PlanMetrics } from "./plan-metrics.ts";
import { PlanRuns } from "./plan-runs.ts";
import { type EntryNews, nextEntry, unplanned } from "./pull-entries.ts";
import { MOST_PULL_REQUESTS, MOST_SYNCS, type ReporterStatuses } from "./reporter-statuses.ts";

/** A pull request of a Reporter: `namespace/name#7`. */
export interface PullKey {
  readonly reporter: string;
  readonly number: number;
}

export function pullKey({ reporter, number }: PullKey): string {
  return `${reporter}#${number}`;
}

export function readPullKey(key: string): PullKey {
  const at = key.lastIndexOf("#");
  return { reporter: key.slice(0, at), number: Number(key.slice(at + 1)) };
}

export interface PullRequestStepsOptions {
  readonly context: Pick<ControllerContext, "clock" | "events" | "logger">;
  readonly forges: Pick<ReporterForges, "open">;
  readonly statuses: ReporterStatuses;
  readonly place: PlanPlace;
  readonly metrics: PlanMetrics;
  readonly openDrift: DriftOpener;
  /** Wakes the step of a key. */
  readonly wake: (key: string) => void;
}

/** What one step knows. */
interface Look {
  readonly key: string;
  readonly reporter: Reporter;
  readonly opened: ReporterForge;
  readonly pull: PullRequest;
  readonly remembered: ReportedPullRequest | undefined;
  readonly marker: PlanMarker;
  readonly call: Call;
}

export class PullRequestSteps {
  readonly #options: PullRequestStepsOptions;
  readonly #runs: PlanRuns<MadePlan>;
  readonly #bases: BaseWatch;
  readonly #failures: PlanFailures;
  /** Since when the comment shows what it shows: the status tells of the present head only. */
  readonly #shown = new Map<string, Required<Pick<ReportedPullRequest, "renderHash" | "shownSince">>>();
  /** As lists of the host have told of them, for the next step of each. */
  readonly #listed = new Map<string, PullRequest>();

  constructor(options: PullRequestStepsOptions) {
    this.#options = options;
    this.#runs = new PlanRuns(options.wake);
    this.#failures = new PlanFailures(options.context.clock);
    this.#bases = new BaseWatch(options.place, options.wake);
  }

  /** Tells what a list of the host says of a pull request; it is not asked for again by the next step. */
  list(key: string, pull: PullRequest): void {
    this.#listed.set(key, pull);
  }

  /** What was told of it may be old by now. */
  unlist(key: string): void {
    this.#listed.delete(key);
  }

  /** Ends what is under way for a pull request. */
  drop(key: string): void {
    this.#runs.drop(key);
    this.#bases.drop(key);
    this.#failures.delete(key);
    this.#listed.delete(key);
  }

  /** The same for all pull requests of a Reporter. */
  dropAll(reporter: string): void {
    for (const key of [
      ...this.#runs.keys(),
      ...this.#failures.keys(),
      ...this.#listed.keys(),
      ...this.#shown.keys(),
      ...this.#bases.keys(),
    ])
      if (readPullKey(key).reporter === reporter) {
        this.drop(key);
        this.#shown.delete(key);
      }
  }

  async stop(): Promise<void> {
    await Promise.all([this.#runs.stop(), this.#bases.stop()]);
  }

  async step(key: string, signal: AbortSignal): Promise<StepResult | undefined> {
    const { reporter: reporterKey, number } = readPullKey(key);
    const reporter = this.#options.statuses.get(reporterKey);
    if (reporter === undefined || reporter.metadata.deletionTimestamp !== undefined || reporter.spec.suspend === true) {
      this.drop(key);
      return undefined;
    }
    const known = reporter.status?.pullRequests ?? [];
    const remembered = known.find((one) => one.number === number);
    const oldest = known.at(-1)?.number ?? 0;
    if (remembered === undefined && known.length >= MOST_PULL_REQUESTS && number < oldest) return undefined;
    const opened = await this.#options.forges.open(reporter);
    const call = { signal };
    const pull = await this.#find(key, opened.forge, number, call);
    if (pull === undefined) {
      await this.#forget(key);
      return undefined;
    }
    // What comments ask for must not keep plans from being made.
    const unanswered = await this.#answer(reporter, opened, pull, call);
    const result = await this.#lookAt({ key, opened, pull, call });
    if (unanswered !== undefined) throw unanswered;
    return result;
  }

  /** The failure, if there was one. */
  async #answer(
    reporter: Reporter,
    opened: ReporterForge,
    pull: PullRequest,
    call: Call,
  ): Promise<AppError | undefined> {
    const { context, openDrift, statuses } = this.#options;
    try {
      await answerCommands({ clock: context.clock, openDrift, statuses }, reporter, opened, pull, call);
      return undefined;
    } catch (error) {
      if (call.signal.aborted || !(error instanceof AppError)) throw error;
      return error;
    }
  }

  async #lookAt(seen: Pick<Look, "key" | "opened" | "pull" | "call">): Promise<StepResult | undefined> {
    const { key, opened, pull } = seen;
    const name = readPullKey(key).reporter;
    // Comments may have changed what is remembered.
    const reporter = this.#options.statuses.get(name);
    if (reporter === undefined) return undefined;
    const remembered = reporter.status?.pullRequests?.find(({ number }) => number === pull.number);
    const marker = { name, repository: opened.forge.repository, path: plainPath(reporter.spec.path) };
    const look: Look = { ...seen, reporter, remembered, marker };
    const isSaid = remembered?.state !== "Planned" || (await this.#ownComment(look)) !== undefined;
    const decision = decidePullRequest({
      pull,
      spec: reporter.spec,
      sourceBranch: followedBranch(opened.repository),
      remembered,
      isSaid,
      mayRetry: this.#failures.mayRetry(key),
    });
    return this.#act(look, decision);
  }

  async #find(key: string, forge: Forge, number: number, call: Call): Promise<PullRequest | undefined> {
    const listed = this.#listed.get(key);
    this.#listed.delete(key);
    if (listed !== undefined) return listed;
    try {
      return await forge.pullRequest(number, call);
    } catch (error) {
      if (error instanceof AppError && error.code === "forge-not-found") return undefined;
      throw error;
    }
  }

  async #ownComment({ opened, pull, marker, call }: Look): Promise<ForgeComment | undefined> {
    const { forge } = opened;
    const me = await forge.whoAmI(call);
    const { hidden } = forge.limits.markdown;
    const id = planMarker(marker);
    const isOwn = ({ author, body }: ForgeComment): boolean => isSameUser(author, me) && hasMarker(body, hidden, id);
    return (await forge.comments(pull.number, call, isOwn))[0];
  }

  #act(look: Look, decision: PullRequestDecision): Promise<StepResult | undefined> {
    switch (decision.do) {
      case "forget":
        return this.#forget(look.key);
      case "skip":
        return this.#leave(look, "Skipped", { stage: "skipped", message: decision.message });
      case "wait":
        return this.#leave(look, "Waiting", { stage: "waiting", message: decision.message });
      case "plan":
        return this.#plan(look, decision.why);
      case "nothing":
        return this.#rest(look);
    }
  }

  /** All is said, unless the head is to be compared with another commit by now. */
  async #rest(look: Look): Promise<StepResult | undefined> {
    const { key, marker, pull, remembered } = look;
    this.#runs.drop(key);
    if (remembered?.state !== "Planned") return this.#failures.untilRetry(key);
    if (!this.#bases.hasMoved({ ...look, base: remembered.base })) return undefined;
    await this.#options.statuses.changePull(marker.name, pull.number, (before) => before && unplanned(before));
    return { requeueAfterMs: 0 };
  }

  async #forget(key: string): Promise<undefined> {
    this.drop(key);
    this.#shown.delete(key);
    const { reporter, number } = readPullKey(key);
    await this.#options.statuses.changePull(reporter, number, () => undefined);
  }

  /** There is no plan now, and why. A check is only published where one of ours stands, or where somebody is to act. */
  async #leave(look: Look, state: "Skipped" | "Waiting", words: StageWords): Promise<undefined> {
    const { call, key, marker, opened, pull, remembered, reporter } = look;
    this.#runs.drop(key);
    this.#failures.delete(key);
    const { message } = words;
    const isSame = remembered?.head === pull.head.sha;
    if (isSame && remembered.state === state && remembered.message === message) return undefined;
    const isAnnounced = isSame && remembered.state !== "Skipped";
    if (isChecked(reporter.spec) && (state === "Waiting" || isAnnounced))
      await publishStage(opened.forge, pull, marker, words, call);
    await this.#remember(look, { state, message });
    return undefined;
  }

  async #plan(look: Look, why: string): Promise<StepResult | undefined> {
    const { key, reporter, pull } = look;
    const wanted = wantedOf(reporter, pull);
    const outcome = this.#runs.find(key, wanted);
    if (outcome === undefined) return this.#begin(look, wanted, why);
    if (outcome.state === "running") return undefined;
    return outcome.state === "done" ? this.#publish(look, outcome.value) : this.#fail(look, wanted, outcome.error);
  }

  /** What was tried before and failed is tried again in silence: nothing new would be said. */
  async #begin(look: Look, wanted: string, why: string): Promise<undefined> {
    const { call, key, marker, opened, pull, reporter } = look;
    const { clock, logger } = this.#options.context;
    const isAnnounced = this.#failures.has(key, wanted) || why === "failed before";
    if (!isAnnounced) {
      this.#failures.delete(key);
      // First what is remembered: a check that nobody remembers would stay as it is.
      await this.#remember(look, { state: "Waiting", message: "the plan is being made" });
      if (isChecked(reporter.spec)) await publishStage(opened.forge, pull, marker, { stage: "planning" }, call);
    }
    logger.info("began a plan", { reporter: marker.name, pull: pull.number, revision: pull.head.sha, why });
    this.#bases.begin(key, opened);
    this.#runs.start(key, wanted, async (signal) => {
      const startMs = clock.now();
      try {
        const made = await makePullRequestPlan(this.#options.place, reporter, opened, pull, marker, signal);
        this.#options.metrics.made(clock.now() - startMs);
        return made;
      } catch (error) {
        if (!signal.aborted) this.#options.metrics.failed(error);
        else this.#options.metrics.cancelled();
        throw error;
      }
    });
    return undefined;
  }

  async #publish(look: Look, made: MadePlan): Promise<StepResult | undefined> {
    const { call, key, marker, opened, pull, remembered } = look;
    const { clock, logger } = this.#options.context;
    const published = await publishWords(
      opened.forge,
      () => approvedWords(made.words, approvalOf(this.#approvals(marker), pull.number, made.renderHash)),
      { pullRequest: pull.number, marker, head: pull.head.sha, isAnnounced: true },
      call,
    );
    if (published.outcome === "moved" || published.outcome === "closed") {
      this.#options.metrics.cancelled();
      this.#runs.drop(key);
      return { requeueAfterMs: 0 };
    }
    const { outcome, url } = published;
    await this.#tellApproval(look, made);
    const now = rfc3339(clock.now());
    const { base, renderHash, syncs, verdict } = made;
    const since = shownSince(this.#shown.get(key) ?? remembered, renderHash, now);
    if (renderHash !== undefined && since !== undefined) this.#shown.set(key, { renderHash, shownSince: since });
    await this.#remember(look, {
      state: "Planned",
      base,
      message: shortLine(verdict),
      plannedAt: now,
      ...(renderHash === undefined ? {} : { renderHash }),
      ...(since === undefined ? {} : { shownSince: since }),
      ...(syncs.length === 0 ? {} : { syncs: syncs.slice(0, MOST_SYNCS) }),
      ...(url === undefined ? {} : { url }),
    });
    this.#runs.drop(key);
    this.#failures.delete(key);
    logger.info("published a plan", { reporter: marker.name, pull: pull.number, revision: pull.head.sha, outcome });
    return undefined;
  }

  async #fail(look: Look, wanted: string, error: unknown): Promise<StepResult | undefined> {
    const { call, key, marker, opened, pull, remembered, reporter } = look;
    const { clock, logger, events } = this.#options.context;
    const soon = this.#failures.soonAgain(key, wanted, error);
    if (soon !== undefined) {
      this.#runs.drop(key);
      return soon;
    }
    const message = failureMessage(error);
    const isNews = !(
      remembered?.state === "Failed" &&
      remembered.head === pull.head.sha &&
      remembered.message === message
    );
    if (isNews) {
      const words: StageWords = { stage: "failed", message };
      let url: string | undefined;
      if (isChecked(reporter.spec)) await publishStage(opened.forge, pull, marker, words, call);
      else url = await commentFailure(opened.forge, pull, marker, message, call);
      const plannedAt = rfc3339(clock.now());
      await this.#remember(look, { state: "Failed", message, plannedAt, ...(url === undefined ? {} : { url }) });
      events.record(subjectOf(reporter), "Warning", "PlanFailed", `pull request ${pull.number}: ${message}`);
    }
    const times = this.#failures.add(key, wanted, error);
    const fields = {
      reporter: marker.name,
      pull: pull.number,
      revision: pull.head.sha,
      error: messageOf(error),
      times,
    };
    if (error instanceof AppError) logger.warn("plan failed", { ...fields, code: error.code });
    else
      logger.error("plan failed unexpectedly", { ...fields, stack: error instanceof Error ? error.stack : undefined });
    this.#runs.drop(key);
    return this.#failures.untilRetry(key);
  }

  #remember({ marker, pull }: Look, news: EntryNews): Promise<void> {
    return this.#options.statuses.changePull(marker.name, pull.number, (before) => nextEntry(before, pull, news));
  }

  #approvals({ name }: PlanMarker): readonly PlanApproval[] {
    return this.#options.statuses.get(name)?.status?.approvals ?? [];
  }

  /** The status by which a host lets a merge wait for an approval: another head may render to what was approved. */
  async #tellApproval({ call, marker, opened, pull, reporter }: Look, made: MadePlan): Promise<void> {
    if (reporter.spec.commands === undefined) return;
    const { needed, renderHash } = made;
    const approvals = this.#approvals(marker);
    const state = { context: approvalContext(marker.path), needed, pull, renderHash, approvals };
    await opened.forge.setStatus(pull.head.sha, approvalStatus(state), call);
  }
}

/** What a plan is made of: another one is wanted when this differs. */
function wantedOf({ metadata }: Reporter, { base, head }: PullRequest): string {
  return [head.sha, base.branch, metadata.generation ?? 0].join(" ");
}
