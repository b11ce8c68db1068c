// Everything that is done for Reporters: pull requests, reports of drift, approvals, and what webhooks tell.
import type { Controller, ControllerContext } from "../context.ts";
import type { GitRepositoryController } from "../sync/git-repository.ts";
import { startConfirmApproved } from "./confirm-approved.ts";
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
  /** Of this program. */
  readonly version: string;
  /** At least 0, below 1. */
  readonly random: () => number;
}

export interface Reporters extends Controller {
  readonly routes: WebhookRoutes;
}

/** Starts the loops; they need the informers of Reporter, GitRepository and Sync. */
export function startReporters(
  context: ControllerContext,
  { planner, random, revisions, version }: ReporterTools,
  repositories: Pick<GitRepositoryController, "fetchNow">,
): Reporters {
  const forges = new ReporterForges({ context, clock: context.clock, random, limits: { patienceMs: PATIENCE_MS } });
  const statuses = new ReporterStatuses(context);
  const openDrift = () => Promise.resolve({ refused: "pull requests about drift are not opened by this version" });
  const pulls = startPullRequestController({ context, forges, statuses, revisions, planner, openDrift });
  const drift = startDriftReports({ context, forges, statuses, version });
  const approved = startConfirmApproved({ context, forges, statuses });
  return {
    routes: createWebhookRoutes({ context, forges, pulls, fetchNow: (key) => repositories.fetchNow(key) }),
    stop: async () => {
      await Promise.all([pulls.stop(), drift.stop(), approved.stop()]);
      forges.close();
    },
  };
}

/** A step that waits for a rate limit keeps others from theirs: beyond this the queue waits. */
const PATIENCE_MS = 5_000;
