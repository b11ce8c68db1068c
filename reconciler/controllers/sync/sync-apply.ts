// One pass of a Sync: render, check everything, apply it stage by stage, prune what is gone.
import type { InventoryEntry, Sync, SyncStatus } from "../../../api/gitops.ts";
import { isInvalid } from "../../../kube/client/status-error.ts";
import { describeRef, equalJson, type KubeObject, refKey, refOf } from "../../../kube/object.ts";
import { AppError, messageOf } from "../../../runtime/errors.ts";
import { mapLimit } from "../../../runtime/parallel.ts";
import type { ControllerContext } from "../context.ts";
import { subjectOf } from "../events.ts";
import type { Artifact } from "./artifacts.ts";
import { GITOPS_API, keyOf } from "./git-repository.ts";
import { belongsTo, entriesOf, inStages, planPrune, prepareObject, refOfEntry } from "./sync-decisions.ts";

const FIELD_MANAGER = "flaghoist";

export interface RenderedFile {
  readonly object: KubeObject;
  /** Where the object is written, for messages: `apps/web.yaml:3`. */
  readonly origin: string;
}

/** Renders a folder of a revision; throws `AppError`s with file and line in the message. */
export interface SyncRenderer {
  render(artifact: Artifact, path: string, options: SyncRenderOptions): Promise<readonly RenderedFile[]>;
  /** Why an object cannot be accepted in place of the stored one, before anything is applied; undefined when it can. */
  check(object: KubeObject, stored?: KubeObject): string | undefined;
}

export interface SyncRenderOptions {
  readonly renderer: "auto" | "plain" | "kustomize";
  readonly targetNamespace: string | undefined;
  /** Of the Sync: what it may name elsewhere can hang on that. */
  readonly namespace: string;
  readonly signal: AbortSignal;
}

/** What one pass did. */
export interface SyncOutcome {
  readonly applied: Map<string, KubeObject>;
  readonly inventory: InventoryEntry[];
  readonly held: string | undefined;
}

/**
 * One pass. Everything is rendered and checked before the first write; a failed apply leaves the inventory holding both
 * what was there and what is new, so that nothing is forgotten.
 */
export async function applySync(
  context: ControllerContext,
  renderer: SyncRenderer,
  sync: Sync,
  artifact: Artifact,
  known: ReadonlyMap<string, KubeObject> | undefined,
  signal: AbortSignal,
): Promise<SyncOutcome> {
  const path = (sync.spec.path ?? "").replace(/^\.?\/+|\/+$/g, "").replace(/^\.$/, "");
  const rendered = await renderer.render(artifact, path, {
    renderer: sync.spec.renderer ?? "auto",
    namespace: sync.metadata.namespace ?? "",
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
  if (union.length !== before.length) await writeSyncStatus(context, sync, { inventory: { entries: union } });

  const applied = new Map<string, KubeObject>();
  for (const { objects: group } of inStages(objects)) {
    const failures: { object: KubeObject; error: unknown }[] = [];
    await mapLimit(group, 16, async (object) => {
      const key = refKey(refOf(object));
      try {
        if (!equalJson(known?.get(key), object)) {
          await applyObject(context, object, sync.spec.force === true, signal);
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
  const left = await pruneEntries(context, sync, plan.prune);
  return { applied, inventory: [...wanted, ...left], held: undefined };
}

/** Applies one object; with `recreate`, one that the server refuses to change is deleted and made anew. */
async function applyObject(
  context: ControllerContext,
  object: KubeObject,
  recreate: boolean,
  signal: AbortSignal,
): Promise<void> {
  const options = { fieldManager: FIELD_MANAGER, force: true, signal };
  try {
    await context.client.apply(object, options);
  } catch (error) {
    if (!recreate || !isInvalid(error) || !messageOf(error).includes("immutable")) throw error;
    const live = await context.client.find(refOf(object), signal);
    if (live === undefined) throw error;
    await context.client.delete(refOf(object), { uid: live.metadata.uid, signal });
    // Finalizers may hold the old object: then the next attempt makes the new one.
    await context.client.apply(object, options);
  }
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
    refuse(origin, renderer.check(object));
    const definedHere = rendered.some((other) => defines(other.object, object));
    const info = await context.client.mapper.find(object.apiVersion, object.kind);
    const namespaced = info?.namespaced ?? object.metadata.namespace !== undefined;
    const ready = prepareObject(object, sync, namespaced);
    // Again where it belongs, and against what it changes.
    refuse(origin, renderer.check(ready, storedOf(context, ready)));
    if (info === undefined && !definedHere) {
      throw new AppError("object-invalid", `${origin}: ${await unknownKind(context, object)}`, { recovery: "retry" });
    }
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

function refuse(origin: string, problem: string | undefined): void {
  if (problem !== undefined) throw new AppError("object-invalid", `${origin}: ${problem}`, { recovery: "stall" });
}

/** As the cache has it: only kinds that some loop watches have rules about changes. */
function storedOf(context: ControllerContext, { apiVersion, kind, metadata }: KubeObject): KubeObject | undefined {
  return context.informers.known(apiVersion, kind)?.get(metadata.namespace, metadata.name ?? "");
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
export async function pruneEntries(
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

/** Merges changes into a Sync's status; nothing is sent when it says so already. */
export async function writeSyncStatus(
  context: ControllerContext,
  sync: Sync,
  changes: Partial<SyncStatus>,
): Promise<void> {
  const syncs = context.informers.of<Sync>(GITOPS_API, "Sync");
  const current = syncs.get(sync.metadata.namespace, sync.metadata.name ?? "") ?? sync;
  const status = { ...current.status, ...changes, observedGeneration: sync.metadata.generation };
  if (equalJson(current.status ?? {}, status)) return;
  syncs.adopt(await context.client.patch<Sync>(refOf(sync), { status }, "merge", { subresource: "status" }));
}
