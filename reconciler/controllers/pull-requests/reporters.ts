// Everything that is done for Reporters: pull requests, reports of drift, approvals, and what webhooks tell.
import type { Controller, ControllerContext } from "../context.ts";
import type { Interpretation } from "../interpretation/interpretation.ts";
import type { GitRepositoryController } from "../sync/git-repository.ts";
import type { DriftOpener } from "./answer-commands.ts";
import { startConfirmApproved } from "./confirm-approved.ts";
import { DriftChanges } from "./drift-changes.ts";
import { startDriftReports } from "./drift-reports.ts";
import { ReporterForges } from "./open-reporter-forge.ts";
import type { Planner, RevisionSource } from "./plan-job.ts";
import { startPullRequestController } from "./pull-requests.ts";
import { ReporterStatuses } from "./reporter-statuses.ts";
import { createWebhookRoutes, type WebhookRoutes } from "./webhook-routes.ts";

/** What Reporters need of the world around them. */
export interface ReporterTools {
  readonly revisions: RevisionSource;
  readonly planner: Planner;
  /** For pull requests about drift: a folder that nothing else is in, and whether repositories may lie on this machine. */
  readonly changes: { readonly root: string; readonly allowLocal: boolean };
  /** Of this program. */
  readonly version: string;
  /** At least 0, below 1. */
  readonly random: () => number;
}

export interface Reporters extends Controller {
  readonly routes: WebhookRoutes;
}

/** Other loops that these ask. */
export interface ReporterPeers {
  readonly interpretation: Interpretation;
  readonly repositories: Pick<GitRepositoryController, "fetchNow">;
}

/** Starts the loops; they need the informers of Reporter, GitRepository and Sync. */
export function startReporters(
  context: ControllerContext,
  { changes, planner, random, revisions, version }: ReporterTools,
  { interpretation, repositories }: ReporterPeers,
): Reporters {
  const forges = new ReporterForges({ context, clock: context.clock, random, limits: { patienceMs: PATIENCE_MS } });
  const statuses = new ReporterStatuses(context);
  const driftChanges = new DriftChanges({ context, interpretation, ...changes });
  const openDrift: DriftOpener = (reporter, opened, pull, wish, call) =>
    driftChanges.open({ ...wish, reporter, opened, pullRequest: pull.number, baseBranch: pull.base.branch }, call);
  const pulls = startPullRequestController({ context, forges, statuses, revisions, planner, openDrift });
  const drift = startDriftReports({ context, forges, statuses, version });
  const approved = startConfirmApproved({ context, forges, statuses });
  return {
    routes: createWebhookRoutes({ context, forges, pulls, fetchNow: (key) => repositories.fetchNow(key) }),
    stop: async () => {
      await Promise.all([pulls.stop(), drift.stop(), approved.stop()]);
      forges.close();
      driftChanges.close();
    },
  };
}

/** A step that waits for a rate limit keeps others from theirs: beyond this the queue waits. */
const PATIENCE_MS = 5_000;
