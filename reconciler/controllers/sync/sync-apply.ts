// What a Sync does with its folder: render, check everything, apply it stage by stage.
import type { Sync, SyncStatus } from "../../../api/gitops.ts";
import { isInvalid } from "../../../kube/client/status-error.ts";
import { describeRef, equalJson, type KubeObject, refKey, refOf } from "../../../kube/object.ts";
import { AppError, messageOf } from "../../../runtime/errors.ts";
import { mapLimit } from "../../../runtime/parallel.ts";
import type { ControllerContext } from "../context.ts";
import type { Artifact } from "./artifacts.ts";
import { GITOPS_API } from "./git-repository.ts";
import { hasGeneratedName, whyNeedsName, withDistinctNames } from "./hook-names.ts";
import { isContainer } from "./sync-containers.ts";
import { prepareObject } from "./sync-decisions.ts";
import { defines, inStages } from "./sync-steps.ts";
import { readSyncWishes } from "./sync-wishes.ts";

export const FIELD_MANAGER = "flaghoist";

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

/** What became of a group of objects. */
export interface AppliedObject {
  readonly object: KubeObject;
  /** As the server has it now; undefined where nothing was sent, because it is what was sent last. */
  readonly answer: KubeObject | undefined;
}

export interface ApplyOptions {
  /** What was sent last, by `refKey`; kept up to date here. */
  readonly sent: Map<string, KubeObject>;
  readonly signal: AbortSignal;
}

/** Applies objects stage by stage. All of a stage are tried before its failures are thrown as one. */
export async function applyInStages(
  context: ControllerContext,
  sync: Sync,
  objects: readonly KubeObject[],
  rendered: readonly RenderedFile[],
  { sent, signal }: ApplyOptions,
): Promise<AppliedObject[]> {
  const applied: AppliedObject[] = [];
  for (const { objects: group } of inStages(objects)) {
    const failures: { object: KubeObject; error: unknown }[] = [];
    await mapLimit(group, 16, async (object) => {
      try {
        const key = refKey(refOf(object));
        if (equalJson(sent.get(key), object)) {
          applied.push({ object, answer: undefined });
          return;
        }
        // Should it fail, nobody knows what is there.
        sent.delete(key);
        applied.push({ object, answer: await applyObject(context, object, sync, signal) });
        sent.set(key, object);
      } catch (error) {
        if (signal.aborted) throw error;
        failures.push({ object, error });
      }
    });
    if (failures.length > 0) throw applyFailed(rendered, failures);
    // Kinds just defined must be known before their objects are sent.
    if (group.some((object) => object.kind === "CustomResourceDefinition")) await context.client.mapper.refresh();
  }
  return applied;
}

/** Applies one object; one that may be forced and that the server refuses to change is deleted and made anew. */
async function applyObject(
  context: ControllerContext,
  object: KubeObject,
  sync: Sync,
  signal: AbortSignal,
): Promise<KubeObject> {
  const options = { fieldManager: FIELD_MANAGER, force: true, signal };
  const wishes = readSyncWishes(object);
  if (wishes.isOnlyCreated) {
    const live = await context.client.find(refOf(object), signal);
    if (live !== undefined) return live;
  }
  try {
    return await context.client.apply(object, options);
  } catch (error) {
    // What others' data hangs on is never deleted by a word that was said of all objects.
    const mayRecreate = wishes.isForced || (sync.spec.force === true && !holdsData(object));
    if (!mayRecreate || !isInvalid(error) || !messageOf(error).includes("immutable")) throw error;
    const live = await context.client.find(refOf(object), signal);
    if (live === undefined) throw error;
    await context.client.delete(refOf(object), { uid: live.metadata.uid, signal });
    // Finalizers may hold the old object: then the next attempt makes the new one.
    return await context.client.apply(object, options);
  }
}

/** Differs from Flux: with the old object goes what is in it, in every cluster. */
function holdsData(object: KubeObject): boolean {
  return isContainer(object) || object.kind === "PersistentVolumeClaim" || object.kind === "PersistentVolume";
}

/** Renders a Sync's folder and checks every object; throws `AppError`s that name file and line. */
export async function renderSync(
  context: ControllerContext,
  renderer: SyncRenderer,
  sync: Sync,
  artifact: Artifact,
  signal: AbortSignal,
): Promise<{ readonly rendered: readonly RenderedFile[]; readonly objects: readonly KubeObject[] }> {
  const path = (sync.spec.path ?? "").replace(/^\.?\/+|\/+$/g, "").replace(/^\.$/, "");
  const rendered = await renderer.render(artifact, path, {
    renderer: sync.spec.renderer ?? "auto",
    namespace: sync.metadata.namespace ?? "",
    targetNamespace: sync.spec.targetNamespace,
    signal,
  });
  return { rendered, objects: await prepareAll(context, renderer, sync, rendered) };
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
    if (hasGeneratedName(ready)) {
      refuse(origin, whyNeedsName(ready));
      prepared.push(ready);
      continue;
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
  return [...withDistinctNames(prepared)];
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
