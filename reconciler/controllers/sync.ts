// Keeps the objects of a folder of a source in the control plane: render, check, apply, prune.
import {
  DEFAULT_SYNC_INTERVAL,
  type InventoryEntry,
  reconcileRequest,
  type Sync,
  type SyncStatus,
} from "../../api/gitops.ts";
import { describeRef, equalJson, type KubeObject, refKey, refOf } from "../../kube/object.ts";
import { parseDuration } from "../../runtime/duration.ts";
import { AppError, messageOf } from "../../runtime/errors.ts";
import { mapLimit } from "../../runtime/parallel.ts";
import { type StepResult, WorkQueue } from "../../runtime/work-queue.ts";
import type { Artifact, ArtifactStore } from "./artifacts.ts";
import type { Controller, ControllerContext } from "./context.ts";
import { subjectOf } from "./events.ts";
import { GITOPS_API, keyOf, splitKey } from "./git-repository.ts";
import { failed, progressing, succeeded } from "./gitops-conditions.ts";
import { belongsTo, entriesOf, inStages, planPrune, prepareObject, refOfEntry } from "./sync-decisions.ts";

const FINALIZER = "gitops.flaghoist.io/sync-controller";
const FIELD_MANAGER = "flaghoist";

export interface RenderedFile {
  readonly object: KubeObject;
  /** Where the object is written, for messages: `apps/web.yaml:3`. */
  readonly origin: string;
}

/** Renders a folder of a revision; throws `AppError`s with file and line in the message. */
export interface SyncRenderer {
  render(artifact: Artifact, path: string, options: SyncRenderOptions): Promise<readonly RenderedFile[]>;
  /** Why an object cannot be accepted, before anything is applied; undefined when it can. */
  check(object: KubeObject): string | undefined;
}

export interface SyncRenderOptions {
  readonly renderer: "auto" | "plain" | "kustomize";
  readonly targetNamespace: string | undefined;
  readonly signal: AbortSignal;
}

export function startSyncController(
  context: ControllerContext,
  renderer: SyncRenderer,
  artifacts: ArtifactStore,
): Controller {
  const syncs = context.informers.of<Sync>(GITOPS_API, "Sync");
  const applied = new Map<string, { readonly at: number; readonly digests: Map<string, KubeObject> }>();
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
        await writeStatus(context, sync, {
          lastAttemptedRevision: artifact.revision,
          conditions: progressing(conditions, `reconciling revision ${artifact.revision}`, stamp),
        });
      }
      const digests = await reconcile(
        context,
        renderer,
        sync,
        artifact,
        dueIn > 0 ? applied.get(key)?.digests : undefined,
        signal,
      );
      applied.set(key, { at: context.clock.now(), digests: digests.applied });
      if (digests.held !== undefined) throw new AppError("prune-held", digests.held, { recovery: "stall" });
      await writeStatus(context, sync, {
        ...handled,
        lastAppliedRevision: artifact.revision,
        lastAttemptedRevision: artifact.revision,
        inventory: { entries: digests.inventory },
        conditions: succeeded(conditions, "ReconciliationSucceeded", `Applied revision: ${artifact.revision}`, stamp),
      });
      if (sync.status?.lastAppliedRevision !== artifact.revision) {
        context.logger.info("applied revision", {
          source: key,
          revision: artifact.revision,
          objects: digests.inventory.length,
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
      const news = conditions.find((c) => c.type === "Ready")?.message !== error.message;
      // A request is answered when its attempt has ended, well or not.
      await writeStatus(context, sync, { ...handled, conditions: failed(conditions, error, stamp) });
      if (news && error.recovery !== "wait") {
        context.logger.warn("sync failed", { source: key, code: error.code, error: error.message });
        context.events.record(subjectOf(sync), "Warning", "ReconciliationFailed", error.message);
      }
      const retryMs = parseDuration(sync.spec.retryInterval ?? sync.spec.interval ?? DEFAULT_SYNC_INTERVAL);
      return { requeueAfterMs: error.recovery === "stall" ? intervalMs : Math.min(retryMs, error.afterMs ?? 15_000) };
    }
  }

  return { stop: () => queue.stop() };
}

interface Outcome {
  readonly applied: Map<string, KubeObject>;
  readonly inventory: InventoryEntry[];
  readonly held: string | undefined;
}

/**
 * One pass. Everything is rendered and checked before the first write; a failed apply leaves the inventory holding both
 * what was there and what is new, so that nothing is forgotten.
 */
async function reconcile(
  context: ControllerContext,
  renderer: SyncRenderer,
  sync: Sync,
  artifact: Artifact,
  known: ReadonlyMap<string, KubeObject> | undefined,
  signal: AbortSignal,
): Promise<Outcome> {
  const path = (sync.spec.path ?? "").replace(/^\.?\/+|\/+$/g, "").replace(/^\.$/, "");
  const rendered = await renderer.render(artifact, path, {
    renderer: sync.spec.renderer ?? "auto",
    targetNamespace: sync.spec.targetNamespace,
    signal,
  });
  const objects = await prepareAll(context, renderer, sync, rendered);
  const wanted = entriesOf(objects);
  const plan = planPrune(sync, wanted, artifact.revision);
  if (objects.length === 0 && plan.held !== undefined)
    return { applied: new Map(), inventory: wanted, held: plan.held };

  // Recorded before the writes: were the process killed between them, nothing applied would be unknown.
  const before = sync.status?.inventory?.entries ?? [];
  const ids = new Set(wanted.map((entry) => entry.id));
  const union = [...wanted, ...before.filter((entry) => !ids.has(entry.id))];
  if (union.length !== before.length) await writeStatus(context, sync, { inventory: { entries: union } });

  const applied = new Map<string, KubeObject>();
  for (const { objects: group } of inStages(objects)) {
    const failures: { object: KubeObject; error: unknown }[] = [];
    await mapLimit(group, 16, async (object) => {
      const key = refKey(refOf(object));
      try {
        if (!equalJson(known?.get(key), object)) {
          await context.client.apply(object, { fieldManager: FIELD_MANAGER, force: true, signal });
        }
        applied.set(key, object);
      } catch (error) {
        if (signal.aborted) throw error;
        failures.push({ object, error });
      }
    });
    if (failures.length > 0) throw applyFailed(rendered, failures);
    // Kinds just defined must be known before their objects are sent.
    if (group.some((object) => object.kind === "CustomResourceDefinition")) await context.client.mapper.refresh();
  }
  if (plan.held !== undefined) return { applied, inventory: union, held: plan.held };
  const left = await prune(context, sync, plan.prune);
  return { applied, inventory: [...wanted, ...left], held: undefined };
}

async function prepareAll(
  context: ControllerContext,
  renderer: SyncRenderer,
  sync: Sync,
  rendered: readonly RenderedFile[],
): Promise<KubeObject[]> {
  const prepared: KubeObject[] = [];
  const seen = new Map<string, string>();
  for (const { object, origin } of rendered) {
    const problem = renderer.check(object);
    if (problem !== undefined) throw new AppError("object-invalid", `${origin}: ${problem}`, { recovery: "stall" });
    const definedHere = rendered.some((other) => defines(other.object, object));
    const info = await context.client.mapper.find(object.apiVersion, object.kind);
    if (info === undefined && !definedHere) {
      throw new AppError("object-invalid", `${origin}: ${await unknownKind(context, object)}`, { recovery: "retry" });
    }
    const namespaced = info?.namespaced ?? object.metadata.namespace !== undefined;
    const ready = prepareObject(object, sync, namespaced);
    const key = refKey(refOf(ready));
    const twin = seen.get(key);
    if (twin !== undefined) {
      throw new AppError("object-duplicate", `${origin}: ${describeRef(refOf(ready))} is also in ${twin}`, {
        recovery: "stall",
      });
    }
    seen.set(key, origin);
    prepared.push(ready);
  }
  return prepared;
}

async function unknownKind(context: ControllerContext, object: KubeObject): Promise<string> {
  try {
    await context.client.mapper.get(object.apiVersion, object.kind);
    return "unknown kind";
  } catch (error) {
    return messageOf(error);
  }
}

function defines(definition: KubeObject, object: KubeObject): boolean {
  if (definition.kind !== "CustomResourceDefinition") return false;
  const spec = definition["spec"] as { group?: string; names?: { kind?: string } } | undefined;
  return spec?.names?.kind === object.kind && object.apiVersion.startsWith(`${spec.group}/`);
}

/** Deletes what is no longer wanted and still ours. Answers with what could not be deleted: it stays in the inventory. */
async function prune(
  context: ControllerContext,
  sync: Sync,
  entries: readonly InventoryEntry[],
): Promise<InventoryEntry[]> {
  const left: InventoryEntry[] = [];
  for (const entry of entries) {
    const ref = refOfEntry(entry);
    if (ref === undefined || (await context.client.mapper.find(ref.apiVersion, ref.kind)) === undefined) continue;
    try {
      const live = await context.client.find(ref);
      if (live === undefined || !belongsTo(live, sync)) continue;
      await context.client.delete(ref, { uid: live.metadata.uid });
      context.logger.info("pruned object", { source: keyOf(sync), object: describeRef(ref) });
    } catch (error) {
      context.events.record(subjectOf(sync), "Warning", "PruneFailed", `${describeRef(ref)}: ${messageOf(error)}`);
      left.push(entry);
    }
  }
  return left;
}

function applyFailed(
  rendered: readonly RenderedFile[],
  failures: readonly { object: KubeObject; error: unknown }[],
): AppError {
  const lines = failures.slice(0, 5).map(({ object, error }) => {
    const origin = rendered.find(
      (file) => file.object.kind === object.kind && file.object.metadata.name === object.metadata.name,
    )?.origin;
    return `${describeRef(refOf(object))}${origin === undefined ? "" : ` (${origin})`}: ${messageOf(error)}`;
  });
  const more = failures.length > lines.length ? `; and ${failures.length - lines.length} more` : "";
  return new AppError("apply-failed", lines.join("; ") + more, { recovery: "retry", cause: failures[0]?.error });
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

async function writeStatus(context: ControllerContext, sync: Sync, changes: Partial<SyncStatus>): Promise<void> {
  const syncs = context.informers.of<Sync>(GITOPS_API, "Sync");
  const current = syncs.get(sync.metadata.namespace, sync.metadata.name ?? "") ?? sync;
  const status = { ...current.status, ...changes, observedGeneration: sync.metadata.generation };
  if (equalJson(current.status ?? {}, status)) return;
  syncs.adopt(await context.client.patch<Sync>(refOf(sync), { status }, "merge", { subresource: "status" }));
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
    const left = await prune(context, sync, [...(sync.status?.inventory?.entries ?? [])].reverse());
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
