// Keeps the objects of a folder of a source in the control plane: render, check, apply, prune.
import { DEFAULT_SYNC_INTERVAL, type InventoryEntry, reconcileRequest, type Sync } from "../../../api/gitops.ts";
import { type KubeObject, type ObjectRef, refOf } from "../../../kube/object.ts";
import { formatDuration, parseDuration } from "../../../runtime/duration.ts";
import { AppError } from "../../../runtime/errors.ts";
import { type StepResult, WorkQueue } from "../../../runtime/work-queue.ts";
import type { Controller, ControllerContext } from "../context.ts";
import { subjectOf } from "../events.ts";
import type { Artifact, ArtifactStore } from "./artifacts.ts";
import { GITOPS_API, keyOf, splitKey } from "./git-repository.ts";
import { failed, progressing, succeeded } from "./gitops-conditions.ts";
import { applySync, pruneEntries, type SyncRenderer, writeSyncStatus } from "./sync-apply.ts";
import { describeObjects, unsettledObjects } from "./sync-health.ts";

const FINALIZER = "gitops.flaghoist.io/sync-controller";
const HEALTH_CHECK_MS = 1_000;

export function startSyncController(
  context: ControllerContext,
  renderer: SyncRenderer,
  artifacts: ArtifactStore,
): Controller {
  const syncs = context.informers.of<Sync>(GITOPS_API, "Sync");
  const applied = new Map<string, { readonly at: number; readonly digests: Map<string, KubeObject> }>();
  /** Syncs whose applied revision is not up yet, for those that wait for that. */
  const settling = new Map<string, { readonly revision: string; readonly since: number }>();
  const queue = new WorkQueue({ name: "syncs", clock: context.clock, logger: context.logger, workers: 4 }, step);
  syncs.subscribe((change) => {
    queue.add(keyOf(change.object));
    // Dependants wait for readiness.
    for (const other of syncs.all()) if (dependencyKeys(other).includes(keyOf(change.object))) queue.add(keyOf(other));
  });
  artifacts.subscribe((source) => {
    for (const sync of syncs.all()) if (sourceKey(sync) === source) queue.add(keyOf(sync));
  });

  async function step(key: string, signal: AbortSignal): Promise<StepResult | undefined> {
    const sync = syncs.get(...splitKey(key));
    if (sync === undefined) {
      applied.delete(key);
      settling.delete(key);
      return undefined;
    }
    if (sync.metadata.deletionTimestamp !== undefined) {
      await finalize(context, sync);
      return undefined;
    }
    if (sync.spec.suspend === true) return undefined;
    const intervalMs = parseDuration(sync.spec.interval ?? DEFAULT_SYNC_INTERVAL);
    const artifact = artifacts.get(sourceKey(sync));
    const request = reconcileRequest(sync);
    const lastAt = applied.get(key)?.at;
    const dueIn = lastAt === undefined ? 0 : lastAt + intervalMs - context.clock.now();
    if (artifact !== undefined && dueIn > 0 && isDone(sync, artifact, request)) return { requeueAfterMs: dueIn };

    await ensureFinalizer(context, sync);
    const stamp = { nowMs: context.clock.now(), generation: sync.metadata.generation };
    const conditions = sync.status?.conditions ?? [];
    const handled = request === undefined ? {} : { lastHandledReconcileAt: request };
    try {
      waitForDependencies(context, sync);
      if (artifact === undefined) throw sourceNotReady(sync);
      if (sync.status?.lastAttemptedRevision !== artifact.revision) {
        await writeSyncStatus(context, sync, {
          lastAttemptedRevision: artifact.revision,
          conditions: progressing(conditions, `reconciling revision ${artifact.revision}`, stamp),
        });
      }
      const asked = request !== sync.status?.lastHandledReconcileAt;
      const before = settling.get(key);
      const isSettling = before?.revision === artifact.revision && dueIn > 0 && !asked;
      // On request everything is sent again, whatever was sent before.
      const known = dueIn > 0 && !asked ? applied.get(key)?.digests : undefined;
      const timeoutMs = parseDuration(sync.spec.timeout ?? sync.spec.interval ?? DEFAULT_SYNC_INTERVAL);
      const inventory = isSettling
        ? (sync.status?.inventory?.entries ?? [])
        : await applyRevision(key, sync, artifact, { known, timeoutMs, signal });
      if (sync.spec.wait === true) {
        const since = isSettling ? before.since : context.clock.now();
        settling.set(key, { revision: artifact.revision, since });
        // Bindings of what was just applied need a moment to appear.
        const unsettled = isSettling ? unsettledObjects(context, inventory) : undefined;
        if (unsettled === undefined || unsettled.length > 0) {
          return await waitForHealth(sync, { unsettled, since, timeoutMs, inventory });
        }
        settling.delete(key);
      }
      await writeSyncStatus(context, sync, {
        ...handled,
        lastAppliedRevision: artifact.revision,
        lastAppliedObjects: inventory.length,
        lastAttemptedRevision: artifact.revision,
        inventory: { entries: [...inventory] },
        conditions: succeeded(conditions, "ReconciliationSucceeded", `Applied revision: ${artifact.revision}`, stamp),
      });
      if (sync.status?.lastAppliedRevision !== artifact.revision) {
        context.logger.info("applied revision", {
          source: key,
          revision: artifact.revision,
          objects: inventory.length,
        });
        context.events.record(
          subjectOf(sync),
          "Normal",
          "ReconciliationSucceeded",
          `Applied revision: ${artifact.revision}`,
        );
      }
      return { requeueAfterMs: intervalMs };
    } catch (error) {
      if (signal.aborted || !(error instanceof AppError)) throw error;
      settling.delete(key);
      const news = conditions.find((c) => c.type === "Ready")?.message !== error.message;
      // A request is answered when its attempt has ended, well or not.
      await writeSyncStatus(context, sync, { ...handled, conditions: failed(conditions, error, stamp) });
      if (news && error.recovery !== "wait") {
        context.logger.warn("sync failed", { source: key, code: error.code, error: error.message });
        context.events.record(subjectOf(sync), "Warning", "ReconciliationFailed", error.message);
      }
      const retryMs = parseDuration(sync.spec.retryInterval ?? sync.spec.interval ?? DEFAULT_SYNC_INTERVAL);
      return { requeueAfterMs: error.recovery === "stall" ? intervalMs : Math.min(retryMs, error.afterMs ?? 15_000) };
    }
  }

  async function applyRevision(
    key: string,
    sync: Sync,
    artifact: Artifact,
    options: {
      readonly known: ReadonlyMap<string, KubeObject> | undefined;
      readonly timeoutMs: number;
      readonly signal: AbortSignal;
    },
  ): Promise<readonly InventoryEntry[]> {
    const limit = new AbortController();
    const timer = context.clock.after(options.timeoutMs, () => limit.abort());
    try {
      const signal = AbortSignal.any([options.signal, limit.signal]);
      const outcome = await applySync(context, renderer, sync, artifact, options.known, signal);
      applied.set(key, { at: context.clock.now(), digests: outcome.applied });
      if (outcome.held !== undefined) throw new AppError("prune-held", outcome.held, { recovery: "stall" });
      return outcome.inventory;
    } catch (error) {
      if (!limit.signal.aborted || options.signal.aborted) throw error;
      throw new AppError(
        "apply-timeout",
        `applying revision ${artifact.revision} took longer than ${formatDuration(options.timeoutMs)} (spec.timeout)`,
        { recovery: "retry", cause: error },
      );
    } finally {
      timer.cancel();
    }
  }

  /** Says what is waited for, and looks again in a moment; throws when the time for that is over. */
  async function waitForHealth(
    sync: Sync,
    state: {
      readonly unsettled: readonly ObjectRef[] | undefined;
      readonly since: number;
      readonly timeoutMs: number;
      readonly inventory: readonly InventoryEntry[];
    },
  ): Promise<StepResult> {
    const { unsettled = [], since, timeoutMs, inventory } = state;
    const what = unsettled.length === 0 ? "the objects" : describeObjects(unsettled);
    if (unsettled.length > 0 && context.clock.now() - since > timeoutMs) {
      throw new AppError("health-check-failed", `not ready after ${formatDuration(timeoutMs)}: ${what}`, {
        recovery: "retry",
      });
    }
    const stamp = { nowMs: context.clock.now(), generation: sync.metadata.generation };
    await writeSyncStatus(context, sync, {
      inventory: { entries: [...inventory] },
      conditions: progressing(sync.status?.conditions ?? [], `waiting for ${what} to be ready`, stamp),
    });
    return { requeueAfterMs: HEALTH_CHECK_MS };
  }

  return { stop: () => queue.stop() };
}

function isDone(sync: Sync, artifact: Artifact, request: string | undefined): boolean {
  const status = sync.status;
  return (
    status?.lastAppliedRevision === artifact.revision &&
    status.observedGeneration === sync.metadata.generation &&
    status.lastHandledReconcileAt === request &&
    status.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True") === true
  );
}

function waitForDependencies(context: ControllerContext, sync: Sync): void {
  const syncs = context.informers.of<Sync>(GITOPS_API, "Sync");
  for (const key of dependencyKeys(sync)) {
    const other = syncs.get(...splitKey(key));
    const ready =
      other?.status?.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True") ===
      true;
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
  if (finalizers.includes(FINALIZER)) return;
  const patch = {
    metadata: { resourceVersion: sync.metadata.resourceVersion, finalizers: [...finalizers, FINALIZER] },
  };
  context.informers.of<Sync>(GITOPS_API, "Sync").adopt(await context.client.patch<Sync>(refOf(sync), patch, "merge"));
}

/** A deleted Sync takes along what it put there, unless it does not prune. */
async function finalize(context: ControllerContext, sync: Sync): Promise<void> {
  if (!(sync.metadata.finalizers ?? []).includes(FINALIZER)) return;
  if (sync.spec.prune !== false && sync.spec.suspend !== true) {
    const left = await pruneEntries(context, sync, [...(sync.status?.inventory?.entries ?? [])].reverse());
    if (left.length > 0)
      throw new AppError("prune-failed", `${left.length} objects of Sync ${keyOf(sync)} could not be deleted`, {
        recovery: "retry",
      });
  }
  const finalizers = (sync.metadata.finalizers ?? []).filter((finalizer) => finalizer !== FINALIZER);
  await context.client.patch(
    refOf(sync),
    { metadata: { resourceVersion: sync.metadata.resourceVersion, finalizers } },
    "merge",
  );
}
