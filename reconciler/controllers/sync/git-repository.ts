// Follows Git repositories: fetches when due, keeps the last good revision whatever happens.
import {
  DEFAULT_SOURCE_INTERVAL,
  DEFAULT_SOURCE_TIMEOUT,
  type GitRepository,
  reconcileRequest,
} from "../../../api/gitops.ts";
import { decodeSecret, type SecretData } from "../../../fleets/connect.ts";
import { equalJson, type KubeObject } from "../../../kube/object.ts";
import { rfc3339 } from "../../../runtime/clock.ts";
import { parseDuration } from "../../../runtime/duration.ts";
import { AppError } from "../../../runtime/errors.ts";
import { type StepResult, WorkQueue } from "../../../runtime/work-queue.ts";
import { nextRun } from "../../../sources/schedule.ts";
import type { Controller, ControllerContext } from "../context.ts";
import { subjectOf } from "../events.ts";
import type { Artifact, ArtifactStore } from "./artifacts.ts";
import { failed, succeeded } from "./gitops-conditions.ts";

export const GITOPS_API = "gitops.flaghoist.io/v1alpha1";

/** Fetches one repository; throws `AppError`s with codes `git-…`. Answers with the same revision when nothing is new. */
export interface GitFetcher {
  fetch(repository: GitRepository, secret: SecretData | undefined, signal: AbortSignal): Promise<FetchedRevision>;
  forget(key: string): Promise<void>;
  /** Removes what is kept of repositories that are not among these. */
  sweep(repositories: Iterable<GitRepository>): void;
}

export interface FetchedRevision extends Artifact {
  /** History was rewritten: the new revision does not descend from the one before. */
  readonly forced: boolean;
  readonly warnings: readonly string[];
}

export interface GitRepositoryController extends Controller {
  /** Fetches a repository without waiting until it is due. */
  fetchNow(key: string): void;
}

export function startGitRepositoryController(
  context: ControllerContext,
  fetcher: GitFetcher,
  artifacts: ArtifactStore,
): GitRepositoryController {
  const repositories = context.informers.of<GitRepository>(GITOPS_API, "GitRepository");
  const lastRuns = new Map<
    string,
    { readonly at: number; readonly generation: number | undefined; readonly ok: boolean }
  >();
  /** Those that something was pushed to. */
  const pushed = new Set<string>();
  const queue = new WorkQueue(
    { name: "git-repositories", clock: context.clock, logger: context.logger, workers: 8 },
    step,
  );
  fetcher.sweep(repositories.all());
  repositories.subscribe((change) => queue.add(keyOf(change.object)));

  async function step(key: string, signal: AbortSignal): Promise<StepResult | undefined> {
    const repository = repositories.get(...splitKey(key));
    if (repository === undefined || repository.metadata.deletionTimestamp !== undefined) {
      lastRuns.delete(key);
      pushed.delete(key);
      artifacts.delete(key);
      if (repository === undefined) await fetcher.forget(key);
      return undefined;
    }
    if (repository.spec.suspend === true) return undefined;
    const last = lastRuns.get(key);
    const request = reconcileRequest(repository);
    const sameSpec = last?.generation === repository.metadata.generation;
    const isPushed = pushed.delete(key);
    const due = isPushed
      ? context.clock.now()
      : dueAt(repository, sameSpec ? last?.at : undefined, context.clock.now());
    if (due !== undefined && due > context.clock.now()) return { requeueAfterMs: due - context.clock.now() };
    if (due === undefined) return undefined;

    lastRuns.set(key, { at: context.clock.now(), generation: repository.metadata.generation, ok: false });
    const handled = request === undefined ? {} : { lastHandledReconcileAt: request };
    const stamp = { nowMs: context.clock.now(), generation: repository.metadata.generation };
    const conditions = repository.status?.conditions ?? [];
    try {
      const revision = await fetchWithin(context, repository, fetcher, signal);
      const before = artifacts.get(key);
      artifacts.put(key, revision);
      if (before?.revision !== revision.revision) announce(context, repository, revision);
      const artifact =
        repository.status?.artifact?.revision === revision.revision
          ? repository.status.artifact
          : { revision: revision.revision, lastUpdateTime: rfc3339(context.clock.now()) };
      const message = `stored artifact for revision '${revision.revision}'`;
      await writeStatus(context, repository, {
        artifact,
        conditions: succeeded(conditions, "Succeeded", message, stamp),
        ...handled,
      });
      const next = dueAt(
        { ...repository, status: { ...repository.status, ...handled } },
        context.clock.now(),
        context.clock.now(),
      );
      return next === undefined ? undefined : { requeueAfterMs: Math.max(1, next - context.clock.now()) };
    } catch (error) {
      if (signal.aborted || !(error instanceof AppError)) throw error;
      const news = conditions.find((c) => c.type === "Ready")?.message !== error.message;
      await writeStatus(context, repository, { conditions: failed(conditions, error, stamp), ...handled });
      if (news) {
        context.logger.warn("fetch failed", { source: key, code: error.code, error: error.message });
        context.events.record(subjectOf(repository), "Warning", "GitOperationFailed", error.message);
      }
      const next = dueAt(
        { ...repository, status: { ...repository.status, ...handled } },
        context.clock.now(),
        context.clock.now(),
      );
      const retry = error.recovery === "retry" ? 15_000 : Number.POSITIVE_INFINITY;
      return {
        requeueAfterMs: Math.min(retry, Math.max(1, (next ?? Number.POSITIVE_INFINITY) - context.clock.now()), 600_000),
      };
    }
  }

  return {
    fetchNow: (key) => {
      pushed.add(key);
      queue.add(key);
    },
    stop: () => queue.stop(),
  };
}

async function fetchWithin(
  context: ControllerContext,
  repository: GitRepository,
  fetcher: GitFetcher,
  signal: AbortSignal,
): Promise<FetchedRevision> {
  const reference = repository.spec.secretRef;
  let secret: SecretData | undefined;
  if (reference !== undefined) {
    const namespace = repository.metadata.namespace;
    const object = await context.client.find({ apiVersion: "v1", kind: "Secret", namespace, name: reference.name });
    if (object === undefined) {
      throw new AppError(
        "git-secret-missing",
        `spec.secretRef names Secret ${namespace}/${reference.name}, which does not exist`,
        { recovery: "retry" },
      );
    }
    secret = decodeSecret(object);
  }
  const timeout = new AbortController();
  const limit = parseDuration(repository.spec.timeout ?? DEFAULT_SOURCE_TIMEOUT);
  const timer = context.clock.after(limit, () =>
    timeout.abort(
      new AppError(
        "git-timeout",
        `the fetch took longer than spec.timeout (${repository.spec.timeout ?? DEFAULT_SOURCE_TIMEOUT})`,
        { recovery: "retry" },
      ),
    ),
  );
  try {
    return await fetcher.fetch(repository, secret, AbortSignal.any([signal, timeout.signal]));
  } finally {
    timer.cancel();
  }
}

function dueAt(repository: GitRepository, lastRunMs: number | undefined, nowMs: number): number | undefined {
  const { interval, schedule, timeZone } = repository.spec;
  const intervalText = interval ?? (schedule === undefined ? DEFAULT_SOURCE_INTERVAL : undefined);
  return nextRun(
    {
      name: keyOf(repository),
      intervalMs: intervalText === undefined ? undefined : parseDuration(intervalText),
      cron: schedule,
      timeZone,
      requestedAt: reconcileRequest(repository),
      handledRequest: repository.status?.lastHandledReconcileAt,
    },
    lastRunMs,
    nowMs,
  );
}

function announce(context: ControllerContext, repository: GitRepository, revision: FetchedRevision): void {
  const { forced, warnings, subject } = revision;
  context.logger.info("fetched revision", { source: keyOf(repository), revision: revision.revision, forced });
  const rewritten = forced ? " (history was rewritten)" : "";
  context.events.record(
    subjectOf(repository),
    forced ? "Warning" : "Normal",
    "NewArtifact",
    `stored artifact for commit '${subject}'${rewritten}`,
  );
  for (const warning of warnings) context.events.record(subjectOf(repository), "Warning", "SourceWarning", warning);
}

async function writeStatus(
  context: ControllerContext,
  repository: GitRepository,
  changes: Partial<GitRepository["status"]>,
): Promise<void> {
  const status = { ...repository.status, ...changes, observedGeneration: repository.metadata.generation };
  if (equalJson(repository.status ?? {}, status)) return;
  const ref = {
    apiVersion: GITOPS_API,
    kind: "GitRepository",
    namespace: repository.metadata.namespace,
    name: repository.metadata.name ?? "",
  };
  const written = await context.client.patch<GitRepository>(ref, { status }, "merge", { subresource: "status" });
  context.informers.of<GitRepository>(GITOPS_API, "GitRepository").adopt(written);
}

export function keyOf(object: KubeObject): string {
  return `${object.metadata.namespace ?? ""}/${object.metadata.name ?? ""}`;
}

export function splitKey(key: string): [namespace: string, name: string] {
  const slash = key.indexOf("/");
  return [key.slice(0, slash), key.slice(slash + 1)];
}
