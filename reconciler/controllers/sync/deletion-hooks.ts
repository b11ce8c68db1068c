// Hooks that run when a Sync is deleted, kept beside it from the revision that was applied last: when it is deleted, its
// folder, its source or both have often gone already. Differs from Argo CD, which renders them then, and waits for ever
// where it cannot.
import type { DeletionHook, Sync } from "../../../api/gitops.ts";
import { isNotFound } from "../../../kube/client/status-error.ts";
import { equalJson, isObject, type KubeObject, type ObjectRef } from "../../../kube/object.ts";
import { CLAIMED_BY_LABEL } from "../../policies/considered.ts";
import type { ControllerContext } from "../context.ts";
import { GITOPS_API } from "./git-repository.ts";
import { hookRef } from "./hook-names.ts";
import { FIELD_MANAGER, writeSyncStatus } from "./sync-apply.ts";
import { inventoryEntry } from "./sync-decisions.ts";
import type { SyncStep } from "./sync-steps.ts";

/** Keeps policies from taking it for a template. */
const OWNER = "flaghoist-sync";
const SECRET_TYPE = "gitops.flaghoist.io/deletion-hooks";
const SUFFIX = "-deletion-hooks";
const MAX_NAME = 253;

/** Where the hooks of a Sync are kept; a Secret, because a hook can be one. */
export function refOfDeletionHooks({ metadata: { name = "", namespace } }: Sync): ObjectRef {
  const prefix = name.slice(0, MAX_NAME - SUFFIX.length);
  return { apiVersion: "v1", kind: "Secret", namespace, name: `${prefix}${SUFFIX}` };
}

/** Keeps what a revision says; the status tells of it, so that nobody has to look for what was never there. */
export async function saveDeletionHooks(
  context: ControllerContext,
  sync: Sync,
  steps: readonly SyncStep[],
): Promise<void> {
  const known = sync.status?.deletionHooks ?? [];
  const told = steps.flatMap(({ phase, hooks }) =>
    hooks.map((hook): DeletionHook => ({ ...inventoryEntry(hookRef(hook)), phase: phaseOf(phase) })),
  );
  if (told.length === 0 && known.length === 0) return;
  const ref = refOfDeletionHooks(sync);
  if (told.length > 0) {
    const hooks = [...new Set(steps.flatMap((step) => step.hooks))];
    const stored = await context.client.find(ref);
    if (stored === undefined || !equalJson(hooksOf(stored), hooks))
      await context.client.apply(secretOf(sync, hooks), { fieldManager: FIELD_MANAGER, force: true });
  }
  if (!equalJson(known, told)) await writeSyncStatus(context, sync, { deletionHooks: told });
  if (told.length === 0) await forgetDeletionHooks(context, sync);
}

/** Undefined when they are gone or unreadable. */
export async function loadDeletionHooks(
  context: ControllerContext,
  sync: Sync,
): Promise<readonly KubeObject[] | undefined> {
  const stored = await context.client.find(refOfDeletionHooks(sync));
  return stored === undefined ? undefined : hooksOf(stored);
}

export async function forgetDeletionHooks(context: ControllerContext, sync: Sync): Promise<void> {
  const ref = refOfDeletionHooks(sync);
  const stored = await context.client.find(ref);
  if (stored?.["type"] !== SECRET_TYPE) return;
  try {
    await context.client.delete(ref, { uid: stored.metadata.uid });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

function phaseOf(phase: SyncStep["phase"]): DeletionHook["phase"] {
  return phase === "PostDelete" ? "PostDelete" : "PreDelete";
}

function secretOf(sync: Sync, hooks: readonly KubeObject[]): KubeObject {
  const { name = "", uid = "" } = sync.metadata;
  const { apiVersion, kind, ...ref } = refOfDeletionHooks(sync);
  const owner = { apiVersion: GITOPS_API, kind: "Sync", name, uid, controller: true, blockOwnerDeletion: false };
  return {
    apiVersion,
    kind,
    metadata: {
      name: ref.name,
      ...(ref.namespace === undefined ? {} : { namespace: ref.namespace }),
      labels: { [CLAIMED_BY_LABEL]: OWNER },
      ownerReferences: [owner],
    },
    type: SECRET_TYPE,
    data: { hooks: Buffer.from(JSON.stringify(hooks)).toString("base64") },
  };
}

function hooksOf(stored: KubeObject): readonly KubeObject[] | undefined {
  const { data } = stored;
  const text = stored["type"] === SECRET_TYPE && isObject(data) ? data["hooks"] : undefined;
  if (typeof text !== "string") return undefined;
  try {
    const hooks: unknown = JSON.parse(Buffer.from(text, "base64").toString());
    // Written by us; who may write it may as well make these objects.
    return Array.isArray(hooks) && hooks.every(isObject) ? (hooks as unknown as KubeObject[]) : undefined;
  } catch {
    return undefined;
  }
}
