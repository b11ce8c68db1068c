// Keeps the objects of a folder of a source in the control plane: render, check, apply by phase and wave, prune.
import { DEFAULT_SYNC_INTERVAL, type HookStatus, reconcileRequest, type Sync } from "../../../api/gitops.ts";
import { findCondition, isConditionTrue } from "../../../kube/conditions.ts";
import { equalJson, type KubeObject, refOf } from "../../../kube/object.ts";
import { parseDuration } from "../../../runtime/duration.ts";
import { AppError } from "../../../runtime/errors.ts";
import { type StepResult, WorkQueue } from "../../../runtime/work-queue.ts";
import type { PolicyIndex } from "../../policies/policy-index.ts";
import type { Controller, ControllerContext } from "../context.ts";
import { subjectOf } from "../events.ts";
import { confirmTemplateDeletions } from "../works/confirmed-deletion.ts";
import type { Artifact, ArtifactStore } from "./artifacts.ts";
import { finishSync, newSyncEnd, type SyncEnd } from "./finish-sync.ts";
import { GITOPS_API, keyOf, splitKey } from "./git-repository.ts";
import { failed, progressing, succeeded } from "./gitops-conditions.ts";
import { type SyncRenderer, writeSyncStatus } from "./sync-apply.ts";
import { beginRun } from "./sync-begin.ts";
import { refOfEntry } from "./sync-decisions.ts";
import { SYNC_FINALIZER } from "./sync-deletion.ts";
import { SyncHealth } from "./sync-health.ts";
import { decideFailure, hooksStillRunning } from "./sync-operation.ts";
import { SyncOwners } from "./sync-owners.ts";
import { advanceRun, type Progress, type RunDeps, type SyncRun } from "./sync-run.ts";

/** What deletions left behind is looked for this often. */
const LEFTOVERS_MS = 15_000;

export interface SyncDeps {
  readonly context: ControllerContext;
  readonly renderer: SyncRenderer;
  readonly artifacts: ArtifactStore;
  readonly policies: PolicyIndex;
}

export function startSyncController({ context, renderer, artifacts, policies }: SyncDeps): Controller {
  const syncs = context.informers.of<Sync>(GITOPS_API, "Sync");
  const owners = new SyncOwners(context);
  const deps: RunDeps = {
    context,
    renderer,
    owners,
    health: new SyncHealth(context, policies),
    isAwaitingOthers,
    confirmDeletion: (objects, why) =>
      confirmTemplateDeletions(
        context,
        objects.map(({ ref }) => ref),
        why,
      ),
  };
  /** When a Sync was last applied whole, and how many objects could not be deleted. */
  const applied = new Map<string, { readonly at: number; readonly left: number }>();
  /** What was sent of each. */
  const sent = new Map<string, Map<string, KubeObject>>();
  const runs = new Map<string, SyncRun>();
  /** Those that render, and so do not know yet what they are to have. */
  const beginning = new Set<string>();
  /** Of those that are being deleted. */
  const ends = new Map<string, SyncEnd>();
  /** Attempts that failed are not repeated sooner because somebody else's status changed. */
  const resting = new Map<string, { readonly until: number; readonly of: string }>();
  const queue = new WorkQueue({ name: "syncs", clock: context.clock, logger: context.logger, workers: 4 }, step);
  syncs.subscribe((change) => {
    const { object } = change;
    const previous = change.type === "updated" ? change.previous : undefined;
    if (previous === undefined || isAskedAnew(previous, object)) queue.add(keyOf(object));
    if (
      equalJson(findCondition(previous?.status?.conditions, "Ready"), findCondition(object.status?.conditions, "Ready"))
    )
      return;
    // Dependants wait for readiness.
    for (const other of syncs.all()) if (dependencyKeys(other).includes(keyOf(object))) queue.add(keyOf(other));
  });
  artifacts.subscribe((source) => {
    for (const sync of syncs.all()) if (sourceKey(sync) === source) queue.add(keyOf(sync));
  });
  owners.subscribe((key) => {
    resting.delete(key);
    queue.add(key);
  });

  async function step(key: string, signal: AbortSignal): Promise<StepResult | undefined> {
    const sync = syncs.get(...splitKey(key));
    if (sync === undefined) {
      for (const memory of [applied, sent, runs, resting, ends]) memory.delete(key);
      return undefined;
    }
    if (sync.metadata.deletionTimestamp !== undefined) return finish(key, sync, signal);
    if (sync.spec.suspend === true) return undefined;
    const intervalMs = parseDuration(sync.spec.interval ?? DEFAULT_SYNC_INTERVAL);
    const artifact = artifacts.get(sourceKey(sync));
    const request = reconcileRequest(sync);
    const last = applied.get(key);
    const dueIn = last === undefined ? 0 : last.at + (last.left > 0 ? LEFTOVERS_MS : intervalMs) - context.clock.now();
    if (artifact !== undefined && dueIn > 0 && isDone(sync, artifact, request)) return { requeueAfterMs: dueIn };
    const rest = resting.get(key);
    const subject = subjectOfRest(sync, artifact);
    if (rest?.of === subject && rest.until > context.clock.now())
      return { requeueAfterMs: rest.until - context.clock.now() };
    resting.delete(key);

    await ensureFinalizer(context, sync);
    const handled = request === undefined ? {} : { lastHandledReconcileAt: request };
    try {
      waitForDependencies(context, sync);
      if (artifact === undefined) throw sourceNotReady(sync);
      const asked = request !== sync.status?.lastHandledReconcileAt;
      const progress = await pass(key, sync, artifact, { asked, request, dueIn, signal });
      if (progress.state === "held") throw new AppError("prune-held", progress.message, { recovery: "stall" });
      if (progress.state === "waiting") {
        await writeConditions(sync, (conditions) => progressing(conditions, progress.message, stampOf(sync)));
        return { requeueAfterMs: progress.afterMs };
      }
      await tellSuccess(key, sync, artifact, progress, handled);
      return { requeueAfterMs: progress.left > 0 ? LEFTOVERS_MS : intervalMs };
    } catch (error) {
      if (signal.aborted || !(error instanceof AppError)) throw error;
      return tellFailure(key, sync, error, handled, subject);
    }
  }

  /** Begins an attempt, or goes on with the present one. */
  async function pass(
    key: string,
    sync: Sync,
    artifact: Artifact,
    options: {
      readonly asked: boolean;
      readonly request: string | undefined;
      readonly dueIn: number;
      readonly signal: AbortSignal;
    },
  ): Promise<Progress> {
    const { asked, dueIn, signal } = options;
    const request = asked ? options.request : undefined;
    const timeoutMs = parseDuration(sync.spec.timeout ?? sync.spec.interval ?? DEFAULT_SYNC_INTERVAL);
    let run = runs.get(key);
    const isCurrent =
      run?.artifact.revision === artifact.revision &&
      run.generation === (sync.metadata.generation ?? 0) &&
      run.request === request &&
      (dueIn > 0 || !run.isHeld);
    if (run === undefined || !isCurrent) {
      runs.delete(key);
      if (sync.status?.lastAttemptedRevision !== artifact.revision) {
        const conditions = sync.status?.conditions ?? [];
        await writeSyncStatus(context, sync, {
          lastAttemptedRevision: artifact.revision,
          conditions: progressing(conditions, `reconciling revision ${artifact.revision}`, stampOf(sync)),
        });
      }
      const earlier = earlierHooks(sync, artifact, timeoutMs);
      if (earlier !== undefined) return earlier;
      // On request everything is sent again, whatever was sent before.
      const known = asked || dueIn <= 0 ? undefined : sent.get(key);
      const memory = known ?? new Map<string, KubeObject>();
      sent.set(key, memory);
      beginning.add(key);
      try {
        run = await beginRun(deps, sync, artifact, { sent: memory, request, signal });
      } finally {
        beginning.delete(key);
      }
      runs.set(key, run);
    }
    const progress = await advanceRun(deps, sync, run, { timeoutMs, signal });
    if (progress.state === "waiting") return progress;
    applied.set(key, { at: context.clock.now(), left: progress.state === "done" ? progress.left : 0 });
    if (progress.state === "done") runs.delete(key);
    return progress;
  }

  /** A hook that another revision began is not cut off by a new one. */
  function earlierHooks(sync: Sync, artifact: Artifact, timeoutMs: number): Progress | undefined {
    const operation = sync.status?.operation;
    if (operation === undefined || operation.revision === artifact.revision) return undefined;
    if (context.clock.now() - Date.parse(operation.startedAt) > timeoutMs) return undefined;
    const running = hooksStillRunning(operation).filter((hook) => isRunning(hook));
    if (running.length === 0) return undefined;
    const names = running.map(({ id }) => id).join(", ");
    return {
      state: "waiting",
      message: `waiting for hooks of revision ${operation.revision} to end: ${names}`,
      afterMs: 1_000,
    };
  }

  function isRunning(hook: HookStatus): boolean {
    const ref = refOfEntry(hook);
    if (ref === undefined) return false;
    const { state } = deps.health.stateOf({ ref, uid: undefined, generation: undefined });
    return state === "pending" || state === "unreachable";
  }

  async function tellSuccess(
    key: string,
    sync: Sync,
    artifact: Artifact,
    { inventory, left, refused, digest }: Progress & { readonly state: "done" },
    handled: { readonly lastHandledReconcileAt?: string },
  ): Promise<void> {
    const { revision } = artifact;
    const rest = refused === 0 ? "" : `; ${refused} ${refused === 1 ? "object" : "objects"} could not be deleted`;
    const message = `Applied revision: ${revision}${rest}`;
    const conditions = succeeded(conditionsOf(sync), "ReconciliationSucceeded", message, stampOf(sync));
    await writeSyncStatus(context, sync, {
      ...handled,
      lastAppliedDigest: digest,
      lastAppliedRevision: revision,
      lastAppliedObjects: inventory.length - left,
      lastAttemptedRevision: revision,
      inventory: { entries: [...inventory] },
      conditions,
    });
    if (sync.status?.lastAppliedRevision === revision) return;
    context.logger.info("applied revision", { source: key, revision, objects: inventory.length });
    context.events.record(subjectOf(sync), "Normal", "ReconciliationSucceeded", message);
  }

  async function tellFailure(
    key: string,
    sync: Sync,
    failure: AppError,
    handled: { readonly lastHandledReconcileAt?: string },
    subject: string,
  ): Promise<StepResult> {
    const run = runs.get(key);
    // What is held goes on from where it is.
    if (failure.code !== "prune-held") runs.delete(key);
    const operation = failure.code === "prune-held" ? undefined : run?.operation;
    const decision = operation === undefined ? undefined : decideFailure(sync, operation, failure);
    const error = decision?.error ?? failure;
    const conditions = conditionsOf(sync);
    const news = findCondition(conditions, "Ready")?.message !== error.message;
    // A request is answered when its attempt has ended, well or not.
    await writeSyncStatus(context, sync, {
      ...handled,
      ...(decision === undefined ? {} : { operation: decision.operation }),
      conditions: failed(conditions, error, stampOf(sync)),
    });
    if (news && error.recovery !== "wait") {
      context.logger.warn("sync failed", { source: key, code: error.code, error: error.message });
      context.events.record(subjectOf(sync), "Warning", "ReconciliationFailed", error.message);
    }
    const intervalMs = parseDuration(sync.spec.interval ?? DEFAULT_SYNC_INTERVAL);
    const retryMs = parseDuration(sync.spec.retryInterval ?? sync.spec.interval ?? DEFAULT_SYNC_INTERVAL);
    const usual = error.recovery === "stall" ? intervalMs : Math.min(retryMs, error.afterMs ?? 15_000);
    const requeueAfterMs = decision?.retryAfterMs ?? usual;
    if (decision !== undefined) resting.set(key, { until: context.clock.now() + requeueAfterMs, of: subject });
    return { requeueAfterMs };
  }

  async function finish(key: string, sync: Sync, signal: AbortSignal): Promise<StepResult | undefined> {
    const end = ends.get(key) ?? newSyncEnd();
    ends.set(key, end);
    const artifactOf = (of: Sync): Artifact | undefined => artifacts.get(sourceKey(of));
    const progress = await finishSync({ ...deps, artifactOf }, sync, end, signal);
    switch (progress.state) {
      case "done":
        return undefined;
      case "waiting":
        await writeConditions(sync, (conditions) => progressing(conditions, progress.message, stampOf(sync)));
        return { requeueAfterMs: progress.afterMs };
      case "held": {
        const error = new AppError("deletion-held", progress.message, { recovery: "stall" });
        const news = findCondition(conditionsOf(sync), "Ready")?.message !== error.message;
        await writeConditions(sync, (conditions) => failed(conditions, error, stampOf(sync)));
        if (news) context.events.record(subjectOf(sync), "Warning", "DeletionHeld", error.message);
        return progress.afterMs === undefined ? undefined : { requeueAfterMs: progress.afterMs };
      }
    }
  }

  function stampOf(sync: Sync): { readonly nowMs: number; readonly generation: number | undefined } {
    return { nowMs: context.clock.now(), generation: sync.metadata.generation };
  }

  function conditionsOf(sync: Sync): NonNullable<NonNullable<Sync["status"]>["conditions"]> {
    return (syncs.get(sync.metadata.namespace, sync.metadata.name ?? "") ?? sync).status?.conditions ?? [];
  }

  async function writeConditions(
    sync: Sync,
    change: (conditions: ReturnType<typeof conditionsOf>) => ReturnType<typeof conditionsOf>,
  ): Promise<void> {
    await writeSyncStatus(context, sync, { conditions: change(conditionsOf(sync)) });
  }

  function isAwaitingOthers(sync: Sync, revision: string | undefined): boolean {
    const nowMs = context.clock.now();
    for (const other of syncs.all()) {
      const key = keyOf(other);
      if (key !== keyOf(sync) && (beginning.has(key) || mayTakeOver(other, sync, revision, nowMs))) return true;
    }
    return false;
  }

  return { stop: () => queue.stop() };
}

/** Whether a person, or whoever writes specs, has said something new: what we write of our work is nothing new to us. */
function isAskedAnew(previous: Sync, now: Sync): boolean {
  return (
    previous.metadata.generation !== now.metadata.generation ||
    previous.metadata.deletionTimestamp !== now.metadata.deletionTimestamp ||
    !equalJson(previous.metadata.annotations ?? {}, now.metadata.annotations ?? {})
  );
}

/** A Sync that came this recently may be another in a new guise. */
const NEW_MS = 60_000;

/** Whether a Sync has not looked yet at what it is to have, and so may want what the other is about to delete. */
function mayTakeOver(heir: Sync, sync: Sync, revision: string | undefined, nowMs: number): boolean {
  const { metadata, spec, status } = heir;
  if (spec.suspend === true || metadata.deletionTimestamp !== undefined) return false;
  if (dependencyKeys(heir).includes(keyOf(sync))) return false;
  const attempted = status?.lastAttemptedRevision;
  if (attempted === undefined && nowMs - Date.parse(metadata.creationTimestamp ?? "") < NEW_MS) return true;
  return revision !== undefined && sourceKey(heir) === sourceKey(sync) && attempted !== revision;
}

/** While this stays the same a failed attempt rests. */
function subjectOfRest(sync: Sync, artifact: Artifact | undefined): string {
  return JSON.stringify([artifact?.revision, sync.metadata.generation, sync.metadata.annotations]);
}

function isDone(sync: Sync, artifact: Artifact, request: string | undefined): boolean {
  const status = sync.status;
  return (
    status?.lastAppliedRevision === artifact.revision &&
    status.observedGeneration === sync.metadata.generation &&
    status.lastHandledReconcileAt === request &&
    isConditionTrue(status.conditions, "Ready")
  );
}

function waitForDependencies(context: ControllerContext, sync: Sync): void {
  const syncs = context.informers.of<Sync>(GITOPS_API, "Sync");
  for (const key of dependencyKeys(sync)) {
    const other = syncs.get(...splitKey(key));
    const ready = isConditionTrue(other?.status?.conditions, "Ready");
    if (!ready || other?.status?.observedGeneration !== other?.metadata.generation) {
      throw new AppError("dependency-not-ready", `dependency '${key}' is not ready`, {
        recovery: "wait",
        afterMs: 5_000,
      });
    }
  }
}

function sourceNotReady(sync: Sync): AppError {
  return new AppError("source-not-ready", `source GitRepository/${sourceKey(sync)} has no revision yet`, {
    recovery: "wait",
    afterMs: 10_000,
  });
}

function sourceKey(sync: Sync): string {
  const { namespace, name } = sync.spec.sourceRef;
  return `${namespace ?? sync.metadata.namespace ?? ""}/${name}`;
}

function dependencyKeys(sync: Sync): string[] {
  return (sync.spec.dependsOn ?? []).map(
    ({ namespace, name }) => `${namespace ?? sync.metadata.namespace ?? ""}/${name}`,
  );
}

async function ensureFinalizer(context: ControllerContext, sync: Sync): Promise<void> {
  const finalizers = sync.metadata.finalizers ?? [];
  if (finalizers.includes(SYNC_FINALIZER)) return;
  const patch = {
    metadata: { resourceVersion: sync.metadata.resourceVersion, finalizers: [...finalizers, SYNC_FINALIZER] },
  };
  context.informers.of<Sync>(GITOPS_API, "Sync").adopt(await context.client.patch<Sync>(refOf(sync), patch, "merge"));
}
