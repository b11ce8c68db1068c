// After the merge of a pull request whose plan was approved: gives the Syncs the word that their held deletions wait for.
import { CONFIRM_PRUNE_ANNOTATION, type Sync } from "../../../api/gitops.ts";
import type { PlanApproval, Reporter } from "../../../api/reporter.ts";
import { isConflict, isNotFound } from "../../../kube/client/status-error.ts";
import { refOf } from "../../../kube/object.ts";
import { AppError } from "../../../runtime/errors.ts";
import { type StepResult, WorkQueue } from "../../../runtime/work-queue.ts";
import { cleanLine, cutText } from "../../reports/clean-text.ts";
import { hashDigits } from "../../reports/words.ts";
import type { Controller, ControllerContext } from "../context.ts";
import { subjectOf } from "../events.ts";
import { GITOPS_API, keyOf, splitKey } from "../sync/git-repository.ts";
import { type ApprovedHold, approvedHold, askedWord, endedApprovals, mayConfirm, withSpent } from "./approved-hold.ts";
import type { ReporterForges } from "./open-reporter-forge.ts";
import type { ReporterStatuses } from "./reporter-statuses.ts";

export interface ConfirmApprovedOptions {
  readonly context: Pick<ControllerContext, "client" | "clock" | "events" | "informers" | "logger">;
  readonly forges: Pick<ReporterForges, "open">;
  readonly statuses: Pick<ReporterStatuses, "change">;
}

/** Hosts may serve a commit a moment before they call its pull request merged. */
const NOT_MERGED_MS = 30_000;

/**
 * Confirms what was approved, and nothing else. That an approval was used is recorded after the word is given: whoever is
 * interrupted between finds the word where it is to be.
 */
export function startConfirmApproved({ context, forges, statuses }: ConfirmApprovedOptions): Controller {
  const { client, clock, events, informers, logger } = context;
  const syncs = informers.of<Sync>(GITOPS_API, "Sync");
  const reporters = informers.of<Reporter>(GITOPS_API, "Reporter");
  const queue = new WorkQueue({ name: "approved-deletions", clock, logger, workers: 2, minBackoffMs: 5_000 }, step);

  syncs.subscribe(({ object, type }) => {
    if (type !== "deleted" && isConcerned(object)) queue.add(keyOf(object));
  });
  reporters.subscribe(({ object, type }) => {
    if (type === "deleted" || (object.status?.approvals ?? []).length === 0) return;
    for (const sync of syncs.all()) if (mayConfirm(object, sync) && isConcerned(sync)) queue.add(keyOf(sync));
  });

  function isConcerned(sync: Sync): boolean {
    return askedWord(sync) !== undefined || concerning(sync).some((one) => endedApprovals(sync, one).length > 0);
  }

  function concerning(sync: Sync): Reporter[] {
    return [...reporters.all()].filter((reporter) => mayConfirm(reporter, sync));
  }

  async function step(key: string, signal: AbortSignal): Promise<StepResult | undefined> {
    const sync = syncs.get(...splitKey(key));
    if (sync === undefined || sync.metadata.deletionTimestamp !== undefined) return undefined;
    for (const reporter of concerning(sync)) await spend(sync, reporter, endedApprovals(sync, reporter));
    const hold = approvedHold(sync, concerning(sync), clock.now());
    if (hold === undefined) return undefined;
    const { forge } = await forges.open(hold.reporter);
    const { state } = await forge.pullRequest(hold.approval.pullRequest, { signal });
    if (state === "open") return { requeueAfterMs: NOT_MERGED_MS };
    if (state === "merged" && (await confirm(sync, hold))) await tell(sync, hold, forge.repository);
    return undefined;
  }

  /** False: the Sync is another one by now, of which a step of its own decides. */
  async function confirm(sync: Sync, { word }: ApprovedHold): Promise<boolean> {
    const { resourceVersion } = sync.metadata;
    const patch = { metadata: { resourceVersion, annotations: { [CONFIRM_PRUNE_ANNOTATION]: word } } };
    try {
      syncs.adopt(await client.patch<Sync>(refOf(sync), patch, "merge", { fieldManager: "flaghoist" }));
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      if (!isConflict(error)) throw error;
      throw new AppError("sync-changed", `Sync ${keyOf(sync)} changed meanwhile`, { recovery: "retry", cause: error });
    }
  }

  async function tell(sync: Sync, { approval, reporter, revision }: ApprovedHold, repository: string): Promise<void> {
    const { by, pullRequest, renderHash } = approval;
    const hash = hashDigits(renderHash).slice(0, 12);
    const who = cutText(cleanLine(by), 100);
    const words = `deletions of revision ${revision} are confirmed: ${who} approved them in pull request ${pullRequest} of ${repository} (render hash ${hash})`;
    events.record(subjectOf(sync), "Normal", "PruneApproved", words);
    const about = { source: keyOf(sync), revision, reporter: keyOf(reporter), pull: pullRequest, by: who };
    logger.info("confirmed approved deletions", about);
    await spend(sync, reporter, [approval]);
  }

  async function spend(sync: Sync, reporter: Reporter, ended: readonly PlanApproval[]): Promise<void> {
    if (ended.length === 0) return;
    await statuses.change(keyOf(reporter), ({ status }) => ({
      approvals: withSpent(status?.approvals ?? [], ended, sync),
    }));
  }

  return { stop: () => queue.stop() };
}
