// One attempt of a Sync, a turn at a time: steps by phase and wave, pruning, and what comes after a failure. A turn that
// has to wait is left and looked at again later, so that a Sync that waits keeps nobody from working.
import type { InventoryEntry, Sync, SyncOperation } from "../../../api/gitops.ts";
import { describeRef, type KubeObject, refKey, refOf } from "../../../kube/object.ts";
import { formatDuration } from "../../../runtime/duration.ts";
import { AppError } from "../../../runtime/errors.ts";
import type { ControllerContext } from "../context.ts";
import { subjectOf } from "../events.ts";
import type { Artifact } from "./artifacts.ts";
import { keyOf } from "./git-repository.ts";
import { applyInStages, type RenderedFile, type SyncRenderer, writeSyncStatus } from "./sync-apply.ts";
import { findFullContainers } from "./sync-containers.ts";
import { type AppliedVersion, describeUnsettled, type SyncHealth, type Unsettled } from "./sync-health.ts";
import { advanceStepHooks, deleteEndedHooks, hasCopies, PLACING_MS } from "./sync-hooks.ts";
import type { SyncOwners } from "./sync-owners.ts";
import { deleteOwnObjects, findOwnObjects, type LeftObject } from "./sync-prune.ts";
import { decidePruning, type OwnObject, orderDeletions, sortByWishes } from "./sync-removals.ts";
import type { SyncPlan, SyncStep } from "./sync-steps.ts";

/** How soon a turn that waits is looked at again, in its first seconds and later. */
const LOOK_AGAIN_MS = 250;
const LOOK_AGAIN_LATER_MS = 1_000;
/** How long other Syncs are waited for before objects are deleted that one of them may take over. */
export const HANDOVER_MS = 10_000;

export interface RunDeps {
  readonly context: ControllerContext;
  readonly renderer: SyncRenderer;
  readonly health: SyncHealth;
  readonly owners: SyncOwners;
  /** Whether another Sync, which may take over objects, has not looked yet at what it is to have at this revision. */
  readonly isAwaitingOthers: (sync: Sync, revision: string | undefined) => boolean;
  /** Marks what a person has confirmed, for whoever else guards against mass deletions. */
  readonly confirmDeletion: (objects: readonly OwnObject[], why: string) => Promise<void>;
}

export type Progress =
  | { readonly state: "waiting"; readonly message: string; readonly afterMs: number }
  | { readonly state: "held"; readonly message: string }
  | {
      readonly state: "done";
      readonly digest: string;
      readonly inventory: readonly InventoryEntry[];
      /** What could not be deleted, and of that what the server refused to. */
      readonly left: number;
      readonly refused: number;
    };

/** One thing after the other. */
export type RunPart =
  | { readonly kind: "step"; readonly step: SyncStep; readonly isAwaited: boolean }
  | { readonly kind: "prune" }
  | { readonly kind: "settle" };

/** An attempt as far as this process has it in memory; what must not be done twice is in the Sync's status. */
export interface SyncRun {
  readonly artifact: Artifact;
  readonly generation: number;
  readonly request: string | undefined;
  readonly plan: SyncPlan;
  readonly digest: string;
  readonly rendered: readonly RenderedFile[];
  /** What was sent last, by `refKey`. */
  readonly sent: Map<string, KubeObject>;
  /** Undefined when the same is only applied again: no hook runs, and nothing is waited for between waves. */
  operation: SyncOperation | undefined;
  parts: readonly RunPart[];
  index: number;
  /** When the work of the present part was sent; undefined before. */
  since: number | undefined;
  readonly versions: Map<string, AppliedVersion>;
  /** What the Sync will have once everything is done. */
  readonly wanted: readonly InventoryEntry[];
  pruning: { batches: (readonly OwnObject[])[]; going: readonly OwnObject[]; readonly left: LeftObject[] } | undefined;
  failure: AppError | undefined;
  /** It waits for a person at pruning. */
  isHeld: boolean;
}

export interface AdvanceOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Goes on until something has to be waited for. Throws what failed, once hooks for failures have run. */
export async function advanceRun(deps: RunDeps, sync: Sync, run: SyncRun, options: AdvanceOptions): Promise<Progress> {
  for (;;) {
    const part = run.parts[run.index];
    if (part === undefined) break;
    let progress: Progress | undefined;
    try {
      await tellPart(deps, sync, run, part);
      progress = await takePart(deps, sync, run, part, options);
    } catch (error) {
      if (options.signal.aborted || !(error instanceof AppError)) throw error;
      if (run.failure === undefined && run.operation !== undefined && run.plan.onFailure.length > 0) {
        run.failure = error;
        run.parts = run.plan.onFailure.map((step) => ({ kind: "step", step, isAwaited: true }));
        run.index = 0;
        run.since = undefined;
        continue;
      }
      // What fails after a failure is of less interest than what failed first.
      throw run.failure ?? error;
    }
    run.isHeld = progress?.state === "held";
    if (progress !== undefined) return progress;
    run.index++;
    run.since = undefined;
  }
  if (run.failure !== undefined) throw run.failure;
  if (run.operation !== undefined) {
    await deleteEndedHooks(deps, sync, run.operation, run.plan.hooks);
    await writeOperation(deps, sync, run, { ...run.operation, phase: "Succeeded", message: "" });
  }
  const left = run.pruning?.left ?? [];
  return {
    state: "done",
    digest: run.digest,
    inventory: [...run.wanted, ...left.map(({ entry }) => entry)],
    left: left.length,
    refused: left.filter(({ why }) => why !== undefined).length,
  };
}

async function tellPart(deps: RunDeps, sync: Sync, run: SyncRun, part: RunPart): Promise<void> {
  if (run.operation === undefined || part.kind !== "step") return;
  const { phase, wave } = part.step;
  await writeOperation(deps, sync, run, { ...run.operation, phase, wave });
}

async function writeOperation(deps: RunDeps, sync: Sync, run: SyncRun, operation: SyncOperation): Promise<void> {
  run.operation = operation;
  await writeSyncStatus(deps.context, sync, { operation });
}

/** Undefined: the part is done. */
async function takePart(
  deps: RunDeps,
  sync: Sync,
  run: SyncRun,
  part: RunPart,
  options: AdvanceOptions,
): Promise<Progress | undefined> {
  switch (part.kind) {
    case "step":
      return takeStep(deps, sync, run, part, options);
    case "prune":
      return takePrune(deps, sync, run, options);
    case "settle": {
      run.since ??= deps.context.clock.now();
      return waitForObjects(deps, sync, run, run.plan.objects, options);
    }
  }
}

async function takeStep(
  deps: RunDeps,
  sync: Sync,
  run: SyncRun,
  { step, isAwaited }: RunPart & { readonly kind: "step" },
  options: AdvanceOptions,
): Promise<Progress | undefined> {
  if (run.since === undefined) await applyStep(deps, sync, run, step, options);
  run.since ??= deps.context.clock.now();
  const { operation, since } = run;
  if (operation !== undefined) {
    const elapsedMs = deps.context.clock.now() - since;
    const record = (next: SyncOperation): Promise<void> => writeOperation(deps, sync, run, next);
    const running = await advanceStepHooks(deps, { sync, operation, step, elapsedMs, record, ...options });
    if (running.length > 0) return waiting(`waiting for ${step.phase} hook ${describeUnsettled(running)}`, elapsedMs);
  }
  return isAwaited ? waitForObjects(deps, sync, run, step.objects, options) : undefined;
}

async function applyStep(
  { context }: RunDeps,
  sync: Sync,
  run: SyncRun,
  step: SyncStep,
  { timeoutMs, signal: stopped }: AdvanceOptions,
): Promise<void> {
  const limit = new AbortController();
  const timer = context.clock.after(timeoutMs, () => limit.abort());
  const signal = AbortSignal.any([stopped, limit.signal]);
  try {
    const applied = await applyInStages(context, sync, step.objects, run.rendered, { sent: run.sent, signal });
    for (const { object, answer } of applied) {
      const ref = refOf(object);
      const { uid, generation } = answer?.metadata ?? {};
      run.versions.set(refKey(ref), { ref, uid, generation });
    }
  } catch (error) {
    if (!limit.signal.aborted || stopped.aborted) throw error;
    throw new AppError(
      "apply-timeout",
      `applying revision ${run.artifact.revision} took longer than ${formatDuration(timeoutMs)} (spec.timeout)`,
      { recovery: "retry", cause: error },
    );
  } finally {
    timer.cancel();
  }
}

/** Waits until objects are up everywhere. Clusters that do not answer are waited for as long as `timeout` and no longer. */
function waitForObjects(
  { context, health }: RunDeps,
  sync: Sync,
  run: SyncRun,
  objects: readonly KubeObject[],
  { timeoutMs }: AdvanceOptions,
): Progress | undefined {
  const elapsedMs = context.clock.now() - (run.since ?? 0);
  const pending: Unsettled[] = [];
  const unreachable: Unsettled[] = [];
  const failed: Unsettled[] = [];
  for (const object of objects) {
    const ref = refOf(object);
    const state = health.stateOf(run.versions.get(refKey(ref)) ?? { ref, uid: undefined, generation: undefined });
    if (state.state === "unplaced") {
      // What was just applied needs a moment to be placed.
      if (elapsedMs < PLACING_MS && health.isSelected(object)) pending.push({ ref, why: "is being placed" });
    } else if (state.state === "failed") failed.push({ ref, why: state.why });
    else if (state.state === "unreachable") unreachable.push({ ref, why: state.why });
    else if (state.state === "pending") pending.push({ ref, why: state.why });
  }
  if (failed.length > 0) throw new AppError("health-check-failed", describeUnsettled(failed), { recovery: "retry" });
  const all = [...pending, ...unreachable];
  if (all.length === 0) return undefined;
  if (elapsedMs <= timeoutMs) return waiting(`waiting for ${describeUnsettled(all)}`, elapsedMs);
  if (pending.length > 0)
    throw new AppError(
      "health-check-failed",
      `not ready after ${formatDuration(timeoutMs)}: ${describeUnsettled(pending)}`,
      { recovery: "retry" },
    );
  context.events.record(
    subjectOf(sync),
    "Warning",
    "WentOnWithoutCluster",
    `waited ${formatDuration(timeoutMs)} and went on without clusters that are not ready: ${describeUnsettled(unreachable)}`,
  );
  return undefined;
}

async function takePrune(
  deps: RunDeps,
  sync: Sync,
  run: SyncRun,
  { timeoutMs }: AdvanceOptions,
): Promise<Progress | undefined> {
  const { context } = deps;
  run.since ??= context.clock.now();
  const elapsedMs = context.clock.now() - run.since;
  if (run.pruning === undefined) {
    const planned = await planPruning(deps, sync, run, elapsedMs);
    if ("state" in planned) return planned;
    run.pruning = { batches: [...orderDeletions(planned.objects)], going: [], left: [] };
  }
  const { pruning } = run;
  for (;;) {
    const going = pruning.going.filter(({ ref }) => hasCopies(context, ref));
    if (going.length > 0 && elapsedMs <= timeoutMs) {
      const objects = going.map(({ ref }) => ({ ref, why: "is being deleted" }));
      return waiting(`waiting until what was pruned is gone: ${describeUnsettled(objects)}`, elapsedMs);
    }
    const batch = pruning.batches.shift();
    if (batch === undefined) return undefined;
    pruning.left.push(...(await deleteOwnObjects(context, sync, batch)));
    // Of the last ones nobody has to see the end.
    pruning.going = pruning.batches.length === 0 ? [] : batch;
  }
}

async function planPruning(
  deps: RunDeps,
  sync: Sync,
  run: SyncRun,
  elapsedMs: number,
): Promise<Progress | { readonly objects: readonly OwnObject[] }> {
  const { context, owners } = deps;
  const { revision } = run.artifact;
  const key = keyOf(sync);
  const keep = new Set(run.wanted.map(({ id }) => id));
  const gone = (sync.status?.inventory?.entries ?? []).filter(({ id }) => !keep.has(id));
  if (gone.length === 0 || sync.spec.prune === false) return { objects: [] };
  if (elapsedMs < HANDOVER_MS && deps.isAwaitingOthers(sync, revision))
    return waiting("waiting for other Syncs of the same source, which may take over what is deleted here", elapsedMs);
  const own = await findOwnObjects(context, sync, gone);
  const heirOf = ({ id }: InventoryEntry): string | undefined => owners.waiterFor(id, key);
  const going = sortByWishes(own, "prune").deletable.filter(({ entry }) => heirOf(entry) === undefined);
  const { deletable, kept, handedOver, held, isConfirmed } = decidePruning({
    sync,
    wanted: run.wanted,
    digest: run.digest,
    own,
    full: await findFullContainers(context.client, going),
    revision,
    heirOf,
    ...(run.operation === undefined ? {} : { askedAtMs: Date.parse(run.operation.startedAt) }),
  });
  const tell = (reason: string, words: string): void => {
    context.events.record(subjectOf(sync), "Normal", reason, words);
  };
  for (const { object, heir } of handedOver)
    tell("HandedOver", `${describeRef(object.ref)} is handed over to Sync ${heir}`);
  for (const { ref, why } of kept) tell("PruneSkipped", `${describeRef(ref)} is kept: ${why}`);
  if (held !== undefined) return { state: "held", message: held };
  if (isConfirmed) await deps.confirmDeletion(deletable, `Sync ${key}, revision ${revision}`);
  return { objects: deletable };
}

function waiting(message: string, elapsedMs: number): Progress {
  return { state: "waiting", message, afterMs: elapsedMs < 5_000 ? LOOK_AGAIN_MS : LOOK_AGAIN_LATER_MS };
}
