// Hooks: objects that run once an attempt. They are templates like any other, so policies say in which clusters they run,
// and one has ended when all its copies have.
import type { HookStatus, Sync, SyncOperation } from "../../../api/gitops.ts";
import type { Work } from "../../../api/work.ts";
import { describeRef, type KubeObject, type ObjectRef, refOf } from "../../../kube/object.ts";
import { formatDuration } from "../../../runtime/duration.ts";
import { AppError, messageOf } from "../../../runtime/errors.ts";
import { type AnyBinding, BINDING_API_VERSION } from "../../works/binding.ts";
import { bindingName, EXECUTION_NAMESPACE_PREFIX, workName } from "../../works/naming.ts";
import { WORK_API_VERSION } from "../../works/work.ts";
import type { ControllerContext } from "../context.ts";
import { subjectOf } from "../events.ts";
import { isDeletion } from "./deletion-operation.ts";
import { hookRef, nameHook, OPERATION_ANNOTATION } from "./hook-names.ts";
import { FIELD_MANAGER } from "./sync-apply.ts";
import { belongsTo, inventoryEntry, refOfEntry, SYNC_NAME_LABEL, SYNC_NAMESPACE_LABEL } from "./sync-decisions.ts";
import { describeUnsettled, type ObjectState, runsPods, type SyncHealth, type Unsettled } from "./sync-health.ts";
import { hookOf, withHook } from "./sync-operation.ts";
import { type OwnObject, ownObject } from "./sync-removals.ts";
import type { SyncStep } from "./sync-steps.ts";
import { type Phase, readSyncWishes } from "./sync-wishes.ts";

/** How long a policy that selects an object has to place it before it counts as not placed. */
export const PLACING_MS = 10_000;

export interface HookDeps {
  readonly context: ControllerContext;
  readonly health: SyncHealth;
}

interface HookRequest {
  readonly sync: Sync;
  readonly operation: SyncOperation;
  readonly phase: Phase;
  readonly hook: KubeObject;
  /** How long its step has been going on. */
  readonly elapsedMs: number;
  readonly signal: AbortSignal;
}

/** A hook's object, named and marked for one phase of one attempt. */
function hookObject(hook: KubeObject, operation: SyncOperation, phase: Phase): KubeObject {
  const named = nameHook(hook, operation, phase);
  const annotations = { ...hook.metadata.annotations, [OPERATION_ANNOTATION]: `${operation.id}/${phase}` };
  return { ...named, metadata: { ...named.metadata, annotations } };
}

export interface StepHooksRequest {
  readonly sync: Sync;
  readonly operation: SyncOperation;
  readonly step: SyncStep;
  /** How long the step has been going on. */
  readonly elapsedMs: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Keeps what is known of a hook as soon as it is. */
  readonly record: (operation: SyncOperation) => Promise<void>;
}

/** Brings all hooks of a step further. Answers with those that still run; throws when one failed, or all take too long. */
export async function advanceStepHooks(deps: HookDeps, request: StepHooksRequest): Promise<readonly Unsettled[]> {
  const { sync, step, elapsedMs, timeoutMs, signal, record } = request;
  let { operation } = request;
  const running: Unsettled[] = [];
  const failed: Unsettled[] = [];
  for (const hook of step.hooks) {
    let status: HookStatus;
    try {
      status = await advanceHook(deps, { sync, operation, phase: step.phase, hook, elapsedMs, signal });
    } catch (error) {
      if (signal.aborted || error instanceof AppError) throw error;
      throw new AppError("hook-refused", `hook ${describeRef(hookRef(hook))}: ${messageOf(error)}`, {
        recovery: "retry",
        cause: error,
      });
    }
    operation = withHook(operation, status);
    await record(operation);
    const ref = refOfEntry(status) ?? hookRef(hook);
    if (status.state === "Running") running.push({ ref, why: status.message });
    if (status.state === "Failed") failed.push({ ref, why: status.message });
  }
  if (failed.length > 0 && running.length === 0)
    throw new AppError("hook-failed", `${step.phase} hook ${describeUnsettled(failed)}`, { recovery: "retry" });
  if (running.length > 0 && elapsedMs > timeoutMs)
    throw new AppError(
      "hook-timeout",
      `${step.phase} hook not over after ${formatDuration(timeoutMs)} (spec.timeout): ${describeUnsettled(running)}`,
      { recovery: "retry" },
    );
  return running;
}

/** Away with the one of the last time, make it, see how it fares. */
async function advanceHook(deps: HookDeps, request: HookRequest): Promise<HookStatus> {
  const { context } = deps;
  const { sync, operation, phase, signal } = request;
  const wanted = hookObject(request.hook, operation, phase);
  const ref = refOf(wanted);
  const entry = inventoryEntry(ref);
  const known = hookOf(operation, entry.id, phase);
  if (known !== undefined && known.state !== "Running") return known;
  const tell = (state: HookStatus["state"], message: string): HookStatus => ({ ...entry, phase, state, message });

  const live = await context.client.find(ref, signal);
  const isMade = live?.metadata.annotations?.[OPERATION_ANNOTATION] === `${operation.id}/${phase}`;
  if (live !== undefined && isMade) {
    if (live.metadata.deletionTimestamp !== undefined) return tell("Running", "is being deleted");
    return judge(deps, request, live, tell);
  }
  if (live !== undefined) {
    if (!belongsTo(live, sync))
      throw new AppError("hook-foreign", `hook ${describeRef(ref)} is there already, and not of this Sync`, {
        recovery: "retry",
      });
    // As Argo CD: when a Sync is deleted, what failed is made again whatever its policy says.
    if (isDeletion(operation) || readSyncWishes(wanted).hookDeletePolicies.includes("BeforeHookCreation")) {
      if (live.metadata.deletionTimestamp === undefined)
        await context.client.delete(ref, { uid: live.metadata.uid, signal });
      return tell("Running", "waits until that of the last time is gone");
    }
  } else if (hasCopies(context, ref)) return tell("Running", "waits until copies of the last time are gone");
  await context.client.apply(wanted, { fieldManager: FIELD_MANAGER, force: true, signal });
  context.logger.info("started hook", { source: operation.id, object: describeRef(ref), phase });
  return tell("Running", "was started");
}

function judge(
  { context, health }: HookDeps,
  { sync, elapsedMs }: HookRequest,
  live: KubeObject,
  tell: (state: HookStatus["state"], message: string) => HookStatus,
): HookStatus {
  const ref = refOf(live);
  const state: ObjectState = health.stateOf({
    ref,
    uid: live.metadata.uid,
    generation: live.metadata.generation,
  });
  if (state.state === "up") return tell("Succeeded", "");
  if (state.state === "failed") return tell("Failed", state.why);
  if (state.state !== "unplaced") return tell("Running", state.why);
  if (elapsedMs < PLACING_MS && health.isSelected(live)) return tell("Running", "is being placed");
  if (!runsPods(live)) return tell("Succeeded", "");
  const words = describeUnplaced(ref);
  context.events.record(subjectOf(sync), "Warning", "HookNotPlaced", `hook ${describeRef(ref)} ${words}`);
  return tell("Running", words);
}

/** Why a hook does not run, and what to do. */
export function describeUnplaced(ref: ObjectRef): string {
  const policy = ref.namespace === undefined ? "ClusterPropagationPolicy" : "PropagationPolicy";
  const where = ref.namespace === undefined ? "" : ` of namespace ${ref.namespace}`;
  return (
    `is placed by no policy, so that it can run nowhere: add apiVersion ${ref.apiVersion}, kind ${ref.kind}, name ${ref.name} ` +
    `to spec.resourceSelectors of a ${policy}${where}`
  );
}

/** Whether the binding or a Work of a deleted object is still there. */
export function hasCopies(context: ControllerContext, ref: ObjectRef): boolean {
  const kind = ref.namespace === undefined ? "ClusterResourceBinding" : "ResourceBinding";
  const binding = context.informers
    .of<AnyBinding>(BINDING_API_VERSION, kind)
    .get(ref.namespace, bindingName(ref.kind, ref.name));
  if (binding?.spec.resource.kind === ref.kind && binding.spec.resource.apiVersion === ref.apiVersion) return true;
  const works = context.informers.of<Work>(WORK_API_VERSION, "Work");
  const name = workName(ref.kind, ref.name, ref.namespace ?? "");
  const clusters = context.informers.of("cluster.karmada.io/v1alpha1", "Cluster");
  for (const cluster of clusters.all())
    if (works.get(`${EXECUTION_NAMESPACE_PREFIX}${cluster.metadata.name ?? ""}`, name) !== undefined) return true;
  return false;
}

/** Deletes hooks whose policy asks for that, now that the attempt is over. Failing to is no failure of the attempt. */
export async function deleteEndedHooks(
  { context }: HookDeps,
  sync: Sync,
  operation: SyncOperation,
  hooks: readonly KubeObject[],
): Promise<void> {
  for (const hook of hooks) {
    const policies = readSyncWishes(hook).hookDeletePolicies;
    for (const { id, state, phase } of operation.hooks) {
      const ref = refOf(nameHook(hook, operation, phase));
      const goes =
        (state === "Succeeded" && policies.includes("HookSucceeded")) ||
        (state === "Failed" && policies.includes("HookFailed"));
      if (!goes || inventoryEntry(ref).id !== id) continue;
      const live = await context.client.find(ref);
      if (live === undefined || !belongsTo(live, sync) || live.metadata.deletionTimestamp !== undefined) continue;
      await context.client.delete(ref, { uid: live.metadata.uid });
    }
  }
}

/** Hooks beside those of the source whose kinds are looked through for what is left of earlier times. */
const USUAL_KINDS: readonly (readonly [apiVersion: string, kind: string])[] = [
  ["batch/v1", "Job"],
  ["v1", "Pod"],
];

/** Objects that a Sync made as hooks, of the usual kinds and of those of `hooks`. */
export async function findOwnHooks(
  { client }: ControllerContext,
  sync: Sync,
  hooks: readonly KubeObject[],
): Promise<readonly OwnObject[]> {
  const recorded = sync.status?.operation?.hooks.map((hook) => refOfEntry(hook)) ?? [];
  const kinds = new Map<string, readonly [string, string]>();
  for (const { apiVersion, kind } of [...hooks, ...recorded.filter((ref) => ref !== undefined)])
    kinds.set(`${apiVersion} ${kind}`, [apiVersion, kind]);
  for (const each of USUAL_KINDS) kinds.set(each.join(" "), each);
  const { name, namespace } = sync.metadata;
  const labelSelector = `${SYNC_NAME_LABEL}=${name},${SYNC_NAMESPACE_LABEL}=${namespace}`;
  const found: OwnObject[] = [];
  for (const [apiVersion, kind] of kinds.values()) {
    if ((await client.mapper.find(apiVersion, kind)) === undefined) continue;
    const { items } = await client.list(apiVersion, kind, { labelSelector });
    for (const item of items) {
      const live = { ...item, apiVersion, kind };
      if (live.metadata.annotations?.[OPERATION_ANNOTATION] !== undefined && isMadeByUs(live))
        found.push(ownObject(live));
    }
  }
  return found;
}

/** A copy that somebody made of a hook has its labels, too. */
function isMadeByUs({ metadata: { managedFields = [] } }: KubeObject): boolean {
  return managedFields.some(({ manager, operation }) => manager === FIELD_MANAGER && operation === "Apply");
}
