// How an attempt of a Sync begins: everything is rendered, checked and planned before the first object is applied.
import type { Sync } from "../../../api/gitops.ts";
import { describeRef, equalJson, type KubeObject, refKey, refOf } from "../../../kube/object.ts";
import { AppError } from "../../../runtime/errors.ts";
import type { ControllerContext } from "../context.ts";
import { subjectOf } from "../events.ts";
import type { Artifact } from "./artifacts.ts";
import { saveDeletionHooks } from "./deletion-hooks.ts";
import { keyOf } from "./git-repository.ts";
import { type RenderedFile, renderSync, writeSyncStatus } from "./sync-apply.ts";
import { inventoryEntry, planPrune } from "./sync-decisions.ts";
import { digestOf } from "./sync-digest.ts";
import { decideOperation } from "./sync-operation.ts";
import type { SyncOwners } from "./sync-owners.ts";
import { planInventory } from "./sync-removals.ts";
import type { RunDeps, RunPart, SyncRun } from "./sync-run.ts";
import { isMeantFor, planSteps, type SyncPlan } from "./sync-steps.ts";

/**
 * Renders, checks and plans; writes nothing but the inventory, which names everything before it is applied: were the
 * process killed in between, nothing applied would be unknown.
 */
export async function beginRun(
  deps: RunDeps,
  sync: Sync,
  artifact: Artifact,
  options: {
    readonly sent: Map<string, KubeObject>;
    readonly request: string | undefined;
    readonly signal: AbortSignal;
  },
): Promise<SyncRun> {
  const { context, owners } = deps;
  const key = keyOf(sync);
  const { rendered, objects } = await renderSync(context, deps.renderer, sync, artifact, options.signal);
  forgetOthers(options.sent, objects);
  const plan = planSteps(objects, { isNeededBy: (policy, hook) => isNeededBy(context, policy, hook) });
  for (const { object, words } of plan.problems)
    context.events.record(
      subjectOf(sync),
      "Warning",
      "AnnotationIgnored",
      `${describeRef(refOf(object))}: ${words}; treated as if it were not there`,
    );
  const digest = await digestOf(objects);
  const generation = sync.metadata.generation ?? 0;
  const subject = { revision: artifact.revision, digest, generation, request: options.request };
  const decision = decideOperation(sync, subject, context.clock.now());
  if (decision.kind === "give-up") throw new AppError("retry-limit-reached", decision.message, { recovery: "stall" });

  const before = sync.status?.inventory?.entries ?? [];
  const { wanted, recorded } = planInventory(plan, before);
  if (wanted.length === 0) {
    const { held } = planPrune(sync, wanted, artifact.revision, { digest });
    if (held !== undefined) {
      // Approvals are of a digest: which one is held has to be told, as it is of what holds deletions further on.
      if (decision.kind === "run") await writeSyncStatus(context, sync, { operation: decision.operation });
      throw new AppError("prune-held", held, { recovery: "stall" });
    }
  }
  refuseOthersObjects(owners, key, plan.objects, rendered);
  owners.claim(key, wanted, before);
  await saveDeletionHooks(context, sync, plan.onDeletion);
  if (!equalJson(recorded.map(({ id }) => id).sort(), before.map(({ id }) => id).sort()))
    await writeSyncStatus(context, sync, { inventory: { entries: [...recorded] } });
  const operation = decision.kind === "run" ? decision.operation : undefined;
  return {
    artifact,
    generation,
    request: options.request,
    plan,
    digest,
    rendered,
    sent: options.sent,
    operation,
    parts: partsOf(plan, operation !== undefined, sync.spec.wait === true),
    index: 0,
    since: undefined,
    versions: new Map(),
    wanted,
    pruning: undefined,
    failure: undefined,
    isHeld: false,
  };
}

/** What is not rendered now may be deleted or become somebody else's: should it come again, it is sent again. */
function forgetOthers(sent: Map<string, KubeObject>, objects: readonly KubeObject[]): void {
  const present = new Set(objects.map((object) => refKey(refOf(object))));
  for (const key of sent.keys()) if (!present.has(key)) sent.delete(key);
}

/** As Argo CD: a single step without hooks is not waited for; ours: nor is the last one, unless the Sync says `wait`. */
function partsOf(plan: SyncPlan, isAwaited: boolean, wait: boolean): readonly RunPart[] {
  const steps = isAwaited ? plan.steps : plan.steps.map((step) => ({ ...step, hooks: [] }));
  const parts = steps
    .filter((step) => step.objects.length + step.hooks.length > 0)
    .map((step, index, all): RunPart & { readonly kind: "step" } => ({
      kind: "step",
      step,
      isAwaited: isAwaited && (index < all.length - 1 || step.hooks.length > 0),
    }));
  const after = parts.findIndex(({ step }) => step.phase === "PostSync");
  const cut = after < 0 ? parts.length : after;
  return [
    ...parts.slice(0, cut),
    { kind: "prune" },
    ...parts.slice(cut),
    ...(wait ? [{ kind: "settle" } as const] : []),
  ];
}

function isNeededBy(context: ControllerContext, policy: KubeObject, hook: KubeObject): boolean {
  const { apiVersion, kind, metadata } = policy;
  if (context.informers.known(apiVersion, kind)?.get(metadata.namespace, metadata.name ?? "") !== undefined)
    return false;
  return isMeantFor(policy, hook);
}

function refuseOthersObjects(
  owners: SyncOwners,
  key: string,
  objects: readonly KubeObject[],
  rendered: readonly RenderedFile[],
): void {
  const taken: string[] = [];
  for (const object of objects) {
    const ref = refOf(object);
    const { id } = inventoryEntry(ref);
    const owner = owners.ownerOf(id, key);
    if (owner === undefined) continue;
    owners.want(id, key);
    const origin = rendered.find(
      (file) => file.object.kind === ref.kind && file.object.metadata.name === ref.name,
    )?.origin;
    taken.push(`${origin === undefined ? "" : `${origin}: `}${describeRef(ref)} is applied by Sync ${owner}`);
  }
  if (taken.length === 0) return;
  const more = taken.length > 5 ? `; and ${taken.length - 5} more` : "";
  throw new AppError(
    "object-of-another-sync",
    `${taken.slice(0, 5).join("; ")}${more}; Sync ${key} must not apply ${taken.length === 1 ? "it" : "them"} as well: ` +
      "remove from one of them what both have",
    { recovery: "retry" },
  );
}
