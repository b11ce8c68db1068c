// The end of a deleted Sync, a turn at a time: its PreDelete hooks, its objects, its PostDelete hooks, then itself.
import {
  DEFAULT_SYNC_INTERVAL,
  DELETION_ASKED_ANNOTATION,
  type Sync,
  type SyncOperation,
} from "../../../api/gitops.ts";
import { describeRef, type KubeObject, type ObjectRef, refKey, refOf } from "../../../kube/object.ts";
import { parseDuration } from "../../../runtime/duration.ts";
import { AppError } from "../../../runtime/errors.ts";
import type { ControllerContext } from "../context.ts";
import { subjectOf } from "../events.ts";
import { confirmTemplateDeletions } from "../works/confirmed-deletion.ts";
import type { Artifact } from "./artifacts.ts";
import { forgetDeletionHooks, loadDeletionHooks, refOfDeletionHooks, saveDeletionHooks } from "./deletion-hooks.ts";
import {
  decideDeletion,
  describeHeldHooks,
  failDeletion,
  isDeletion,
  isNeededByHooks,
  skipsDeletionHooks,
} from "./deletion-operation.ts";
import { GITOPS_API, keyOf } from "./git-repository.ts";
import { hookRef, nameHook } from "./hook-names.ts";
import { renderSync, writeSyncStatus } from "./sync-apply.ts";
import { findFullContainers, isContainer } from "./sync-containers.ts";
import { deletionModeOf, isDeletionConfirmed, laterAskedAt, SYNC_FINALIZER, whyDeletionHeld } from "./sync-deletion.ts";
import { describeUnsettled } from "./sync-health.ts";
import { advanceStepHooks, deleteEndedHooks, findOwnHooks, type HookDeps, hasCopies } from "./sync-hooks.ts";
import { hookOf } from "./sync-operation.ts";
import { deleteOwnObjects, type LeftObject, surveyInventory } from "./sync-prune.ts";
import { type OwnObject, orderDeletions, ownObject, sortByWishes } from "./sync-removals.ts";
import { HANDOVER_MS, type RunDeps } from "./sync-run.ts";
import { planSteps, type SyncStep } from "./sync-steps.ts";

const LOOK_AGAIN_MS = 500;
/** What could not be deleted is tried again this often. */
const LEFTOVERS_MS = 15_000;

export interface EndDeps extends HookDeps, Pick<RunDeps, "renderer" | "owners" | "isAwaitingOthers"> {
  /** What the Sync's source has at present. */
  readonly artifactOf: (sync: Sync) => Artifact | undefined;
}

/** The end of a Sync as far as this process has it in memory; what must not be done twice is in the Sync's status. */
export interface SyncEnd {
  /** By attempt: its hooks, and since when each step waits. */
  readonly hooks: Map<number, readonly SyncStep[]>;
  readonly since: Map<string, number>;
  /** Until then a failed attempt rests. */
  restUntil: number;
  /** Uid of the Sync of which it is known what words on its deletion go by. */
  asked: string | undefined;
}

export function newSyncEnd(): SyncEnd {
  return { hooks: new Map(), since: new Map(), restUntil: 0, asked: undefined };
}

export type EndProgress =
  | { readonly state: "done" }
  | { readonly state: "waiting"; readonly message: string; readonly afterMs: number }
  /** A person has to do something; `afterMs`: it is looked at again by itself, too. */
  | { readonly state: "held"; readonly message: string; readonly afterMs?: number | undefined };

/** Brings the end of a deleted Sync further, and lets it go once all is done. */
export async function finishSync(deps: EndDeps, sync: Sync, end: SyncEnd, signal: AbortSignal): Promise<EndProgress> {
  const { context } = deps;
  if (!(sync.metadata.finalizers ?? []).includes(SYNC_FINALIZER)) return { state: "done" };
  if (deletionModeOf(sync) !== "orphan") {
    const pending = await takeAlong(deps, sync, end, signal);
    if (pending !== undefined) return pending;
  }
  if ((sync.status?.deletionHooks ?? []).length > 0) await forgetDeletionHooks(context, sync);
  const current = (await context.client.find<Sync>(refOf(sync))) ?? sync;
  const finalizers = (current.metadata.finalizers ?? []).filter((finalizer) => finalizer !== SYNC_FINALIZER);
  const { resourceVersion, uid } = current.metadata;
  if (uid !== sync.metadata.uid) return { state: "done" };
  await context.client.patch(refOf(sync), { metadata: { resourceVersion, finalizers } }, "merge");
  return { state: "done" };
}

/** Undefined: everything that goes with the Sync is gone. */
async function takeAlong(
  deps: EndDeps,
  deleted: Sync,
  end: SyncEnd,
  signal: AbortSignal,
): Promise<EndProgress | undefined> {
  const { context } = deps;
  await recordAsked(context, deleted, end);
  const survey = await surveyInventory(context, deleted, deleted.status?.inventory?.entries ?? []);
  const own = await handOver(deps, deleted, survey.own);
  if ("state" in own) return own;
  const { gone } = survey;
  const { name = "", namespace } = deleted.metadata;
  const sync = context.informers.of<Sync>(GITOPS_API, "Sync").get(namespace, name) ?? deleted;
  const { deletable, toConfirm } = sortByWishes(own, "deletion");
  const held = whyDeletionHeld(sync, toConfirm, context.clock.now());
  if (held !== undefined) return { state: "held", message: held };
  if (isDeletionConfirmed(sync, context.clock.now()))
    await confirmTemplateDeletions(
      context,
      deletable.map(({ ref }) => ref),
      `deletion of Sync ${keyOf(sync)}`,
    );
  const hooks = await hooksToRun(deps, sync, end, { hasObjects: own.length > 0, signal });
  if ("state" in hooks) return hooks;
  const before = await advancePhase(deps, sync, end, { hooks, phase: "PreDelete", signal });
  if (before !== undefined) return before;
  const postDelete = hooks.steps.filter(({ phase }) => phase === "PostDelete").flatMap((step) => step.hooks);
  const templates = postDelete.map((hook) => ({ ...hook, metadata: { ...hook.metadata, name: hookRef(hook).name } }));
  // Containers go when what is in them is gone, so that it shows what else there is.
  const last = deletable.filter(({ live }) => isContainer(live) || isNeededByHooks(live, templates));
  const first = [...deletable.filter((object) => !last.includes(object)), ...(await earlierHooks(deps, sync, hooks))];
  const deleting = await deleteInOrder(deps, sync, end, { objects: first, gone, waits: postDelete.length > 0 });
  if (deleting !== undefined) return deleting;
  const after = await advancePhase(deps, sync, end, { hooks, phase: "PostDelete", signal });
  if (after !== undefined) return after;
  if (hooks.operation !== undefined) await deleteEndedHooks(deps, sync, hooks.operation, postDelete);
  const full = await findFullContainers(context.client, last);
  for (const { ref, why } of full.values())
    context.events.record(subjectOf(sync), "Normal", "DeletionSkipped", `${describeRef(ref)} is kept: ${why}`);
  const objects = last.filter(({ ref }) => !full.has(refKey(ref)));
  return deleteInOrder(deps, sync, end, { objects, gone: [], waits: false });
}

/** Before anything is decided: what words on the deletion go by must be the same for the next process. */
async function recordAsked({ clock, client, informers }: ControllerContext, sync: Sync, end: SyncEnd): Promise<void> {
  const { uid, resourceVersion } = sync.metadata;
  if (end.asked === uid) return;
  const askedAt = laterAskedAt(sync, clock.now());
  if (askedAt !== undefined) {
    const metadata = { resourceVersion, annotations: { [DELETION_ASKED_ANNOTATION]: askedAt } };
    informers.of<Sync>(GITOPS_API, "Sync").adopt(await client.patch<Sync>(refOf(sync), { metadata }, "merge"));
  }
  end.asked = uid;
}

/**
 * Leaves to other Syncs what they wait for, as when a Sync got another name; answers with the rest. From then on it is
 * theirs, whatever happens to this process.
 */
async function handOver(
  { context, owners, isAwaitingOthers, artifactOf }: EndDeps,
  sync: Sync,
  own: readonly OwnObject[],
): Promise<readonly OwnObject[] | EndProgress> {
  const sinceMs = context.clock.now() - Date.parse(sync.metadata.deletionTimestamp ?? "");
  const revision = artifactOf(sync)?.revision ?? sync.status?.lastAttemptedRevision;
  const handed = own.filter(({ entry }) => owners.waiterFor(entry.id, keyOf(sync)) !== undefined);
  if (handed.length > 0) {
    const ids = new Set(handed.map(({ entry }) => entry.id));
    for (const { ref, entry } of handed) {
      const words = `${describeRef(ref)} is handed over to Sync ${owners.waiterFor(entry.id, keyOf(sync))}`;
      context.events.record(subjectOf(sync), "Normal", "HandedOver", words);
    }
    const entries = (sync.status?.inventory?.entries ?? []).filter(({ id }) => !ids.has(id));
    // What lives on under another name is not prepared for its end.
    const hooks = handed.length === own.length ? { deletionHooks: [] } : {};
    await writeSyncStatus(context, sync, { ...hooks, inventory: { entries } });
  }
  const rest = own.filter((object) => !handed.includes(object));
  if (rest.length === 0 || sinceMs >= HANDOVER_MS || !isAwaitingOthers(sync, revision)) return rest;
  const message = "deleting: waiting for other Syncs, which may take over what is deleted here";
  return { state: "waiting", message, afterMs: LOOK_AGAIN_MS };
}

interface RunningHooks {
  readonly steps: readonly SyncStep[];
  /** Undefined without hooks. */
  operation: SyncOperation | undefined;
}

/** The hooks that a deleted Sync has to run, and the attempt that it is at. */
async function hooksToRun(
  deps: EndDeps,
  sync: Sync,
  end: SyncEnd,
  { hasObjects, signal }: { readonly hasObjects: boolean; readonly signal: AbortSignal },
): Promise<RunningHooks | EndProgress> {
  const { context } = deps;
  const none = { steps: [], operation: undefined };
  const { status } = sync;
  if ((status?.deletionHooks ?? []).length === 0 || skipsDeletionHooks(sync, context.clock.now())) return none;
  // What was never there needs no preparation to go.
  if (!hasObjects && status?.lastAppliedRevision === undefined && !isDeletion(status?.operation)) return none;
  const decision = decideDeletion(sync, context.clock.now());
  const { operation } = decision;
  if (decision.kind === "give-up")
    return { state: "held", message: describeHeldHooks(sync, phaseOf(operation, sync), operation, true) };
  const isAsked = operation.request !== status?.operation?.request;
  if (decision.isRetry && !isAsked && end.restUntil > context.clock.now())
    return {
      state: "held",
      message: describeHeldHooks(sync, phaseOf(operation, sync), status?.operation ?? operation, false),
      afterMs: end.restUntil - context.clock.now(),
    };
  const known = end.hooks.get(operation.attempt);
  const found = known ?? (await findHooks(deps, sync, decision.isRetry, signal));
  if (found === undefined) {
    const { namespace, name } = refOfDeletionHooks(sync);
    const message = `its hooks are not known any more: Secret ${namespace}/${name} is gone`;
    return {
      state: "held",
      message: describeHeldHooks(sync, phaseOf(operation, sync), { ...operation, message }, false),
      afterMs: LEFTOVERS_MS,
    };
  }
  end.hooks.set(operation.attempt, found);
  await writeSyncStatus(context, sync, { operation });
  return { steps: found, operation };
}

/** A failed attempt is repeated with what the source says by now, where it can be had: a mended hook is of use at once. */
async function findHooks(
  deps: EndDeps,
  sync: Sync,
  isRetry: boolean,
  signal: AbortSignal,
): Promise<readonly SyncStep[] | undefined> {
  const artifact = deps.artifactOf(sync);
  const stored = isRetry ? undefined : await loadDeletionHooks(deps.context, sync);
  if (stored === undefined && artifact !== undefined) {
    try {
      const { objects } = await renderSync(deps.context, deps.renderer, sync, artifact, signal);
      const { onDeletion } = planSteps(objects);
      if (onDeletion.length > 0) {
        await saveDeletionHooks(deps.context, sync, onDeletion);
        return onDeletion;
      }
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      deps.context.logger.warn("rendered no hooks", { source: keyOf(sync), code: error.code, error: error.message });
    }
  }
  const kept = stored ?? (await loadDeletionHooks(deps.context, sync));
  return kept === undefined ? undefined : planSteps(kept).onDeletion;
}

function phaseOf({ hooks }: SyncOperation, { status }: Sync): "PreDelete" | "PostDelete" {
  const before = (status?.deletionHooks ?? []).filter(({ phase }) => phase === "PreDelete");
  const done = hooks.filter(({ phase, state }) => phase === "PreDelete" && state === "Succeeded");
  return done.length < before.length ? "PreDelete" : "PostDelete";
}

interface PhaseRequest {
  readonly hooks: RunningHooks;
  readonly phase: "PreDelete" | "PostDelete";
  readonly signal: AbortSignal;
}

/** Undefined: all hooks of the phase have succeeded, wave by wave. */
async function advancePhase(
  deps: EndDeps,
  sync: Sync,
  end: SyncEnd,
  { hooks, phase, signal }: PhaseRequest,
): Promise<EndProgress | undefined> {
  const { context } = deps;
  const record = async (next: SyncOperation): Promise<void> => {
    hooks.operation = next;
    await writeSyncStatus(context, sync, { operation: next });
  };
  for (const step of hooks.steps) {
    const { operation } = hooks;
    if (operation === undefined || step.phase !== phase || isOver(step, operation)) continue;
    const key = `${operation.attempt} ${phase} ${step.wave}`;
    const since = end.since.get(key) ?? context.clock.now();
    end.since.set(key, since);
    const elapsedMs = context.clock.now() - since;
    const present = { ...operation, phase, wave: step.wave };
    await record(present);
    const timeoutMs = parseDuration(sync.spec.timeout ?? sync.spec.interval ?? DEFAULT_SYNC_INTERVAL);
    try {
      const running = await advanceStepHooks(deps, {
        sync,
        operation: present,
        step,
        elapsedMs,
        timeoutMs,
        signal,
        record,
      });
      if (running.length === 0) continue;
      const message = `deleting: waiting for ${phase} hook ${describeUnsettled(running)}`;
      return { state: "waiting", message, afterMs: LOOK_AGAIN_MS };
    } catch (error) {
      if (signal.aborted || !(error instanceof AppError)) throw error;
      const { operation: failed, retryAfterMs } = failDeletion(sync, hooks.operation ?? present, error.message);
      await record(failed);
      await deleteEndedHooks(deps, sync, failed, step.hooks);
      end.restUntil = retryAfterMs === undefined ? 0 : context.clock.now() + retryAfterMs;
      return {
        state: "held",
        message: describeHeldHooks(sync, phase, failed, failed.phase === "Failed"),
        afterMs: retryAfterMs,
      };
    }
  }
  return undefined;
}

function isOver({ hooks, phase }: SyncStep, operation: SyncOperation): boolean {
  return hooks.every((hook) => {
    const { entry } = ownObject(nameHook(hook, operation, phase));
    return hookOf(operation, entry.id, phase)?.state === "Succeeded";
  });
}

/** Hooks of earlier operations, and PreDelete hooks that are over: as Argo CD, they go with the objects. */
async function earlierHooks(
  { context }: EndDeps,
  sync: Sync,
  { steps, operation }: RunningHooks,
): Promise<readonly OwnObject[]> {
  const hooks = steps.flatMap((step) => step.hooks);
  const own = await findOwnHooks(context, sync, hooks);
  const ours = own.filter(({ live }) => !isOfPhase(live, operation, "PostDelete"));
  return sortByWishes(
    ours.map(({ live }) => ownObject(live)),
    "deletion",
  ).deletable;
}

function isOfPhase(live: KubeObject, operation: SyncOperation | undefined, phase: string): boolean {
  const made = operation?.hooks.filter((hook) => hook.phase === phase) ?? [];
  return made.some(({ id }) => id === ownObject(live).entry.id);
}

interface DeletionRequest {
  readonly objects: readonly OwnObject[];
  /** Objects of the inventory that are deleted already. */
  readonly gone: readonly ObjectRef[];
  /** Whether the end of the last ones is waited for. */
  readonly waits: boolean;
}

/** Deletes in reverse waves, each once the copies of the one before are gone; undefined when all is deleted. */
async function deleteInOrder(
  { context }: EndDeps,
  sync: Sync,
  end: SyncEnd,
  { objects, gone, waits }: DeletionRequest,
): Promise<EndProgress | undefined> {
  const isAwaited = waits || deletionModeOf(sync) === "wait";
  const going = gone.filter((ref) => hasCopies(context, ref));
  const batches = orderDeletions(objects);
  if (
    going.length > 0 &&
    (batches.length > 0 || isAwaited) &&
    !isTooLong(context.clock.now(), sync, end, going, isAwaited)
  )
    return waitingFor(going);
  const left: LeftObject[] = [];
  for (const [index, batch] of batches.entries()) {
    left.push(...(await deleteOwnObjects(context, sync, batch)));
    const deleted = batch.filter((object) => !left.some(({ ref }) => ref === object.ref)).map(({ ref }) => ref);
    const copies = deleted.filter((ref) => hasCopies(context, ref));
    if (copies.length > 0 && (isAwaited || index < batches.length - 1)) return waitingFor(copies);
  }
  const refused = left.filter(({ why }) => why !== undefined);
  if (refused.length > 0) {
    const named = refused.slice(0, 5).map(({ ref, why }) => `${describeRef(ref)} (${why})`);
    const more = refused.length > named.length ? `; and ${refused.length - named.length} more` : "";
    const message = `held: ${refused.length} ${refused.length === 1 ? "object" : "objects"} of Sync ${keyOf(sync)} could not be deleted: ${named.join("; ")}${more}`;
    return { state: "held", message, afterMs: LEFTOVERS_MS };
  }
  return isAwaited && left.length > 0 ? waitingFor(left.map(({ ref }) => ref)) : undefined;
}

/** Between waves clusters that do not answer are waited for so long and no longer; for the end of all, as long as it takes. */
function isTooLong(nowMs: number, sync: Sync, end: SyncEnd, going: readonly ObjectRef[], isAwaited: boolean): boolean {
  if (isAwaited) return false;
  const key = `deleting ${going.map(describeRef).sort().join()}`;
  const since = end.since.get(key) ?? nowMs;
  end.since.set(key, since);
  return nowMs - since > parseDuration(sync.spec.timeout ?? sync.spec.interval ?? DEFAULT_SYNC_INTERVAL);
}

function waitingFor(refs: readonly ObjectRef[]): EndProgress {
  const objects = refs.map((ref) => ({ ref, why: "is being deleted" }));
  return {
    state: "waiting",
    message: `deleting: waiting until all is gone: ${describeUnsettled(objects)}`,
    afterMs: LOOK_AGAIN_MS,
  };
}
