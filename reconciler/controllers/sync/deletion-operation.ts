// What is done with the hooks of a Sync that is deleted, as pure functions: attempts, holds and what people are told.
import {
  REQUESTED_AT_ANNOTATION,
  reconcileRequest,
  SKIP_DELETION_HOOKS_ANNOTATION,
  type Sync,
  type SyncOperation,
} from "../../../api/gitops.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { rfc3339 } from "../../../runtime/clock.ts";
import { AppError } from "../../../runtime/errors.ts";
import { deletionAskedAt, isSaidOfDeletion } from "./sync-deletion.ts";
import { decideFailure } from "./sync-operation.ts";
import { defines, isMeantFor } from "./sync-steps.ts";

const ID_PREFIX = "delete-";

/** Whether an operation is the deletion of its Sync. */
export function isDeletion(operation: SyncOperation | undefined): operation is SyncOperation {
  return operation?.id.startsWith(ID_PREFIX) === true;
}

/** Whether a person wants a deleted Sync to go without its hooks. */
export function skipsDeletionHooks(sync: Sync, nowMs: number): boolean {
  return isSaidOfDeletion(sync, SKIP_DELETION_HOOKS_ANNOTATION, nowMs);
}

export type DeletionDecision =
  | { readonly kind: "run"; readonly operation: SyncOperation; readonly isRetry: boolean }
  /** Its hooks failed too often: a person tries again, or lets it go without them. */
  | { readonly kind: "give-up"; readonly operation: SyncOperation };

/**
 * Which attempt at its hooks a deleted Sync is at. As Argo CD: those that failed are made again, those that succeeded
 * stand. The whole deletion has one beginning, so that generated names stay what they are.
 */
export function decideDeletion(sync: Sync, nowMs: number): DeletionDecision {
  const last = sync.status?.operation;
  const request = reconcileRequest(sync) ?? "";
  if (!isDeletion(last)) {
    const operation: SyncOperation = {
      attempt: 1,
      digest: sync.status?.lastAppliedDigest ?? "",
      generation: sync.metadata.generation ?? 0,
      hooks: [],
      id: idOf(sync, 1),
      message: "",
      phase: "PreDelete",
      request,
      revision: sync.status?.lastAttemptedRevision ?? "",
      startedAt: rfc3339(nowMs),
      wave: 0,
    };
    return { kind: "run", operation, isRetry: false };
  }
  if (last.phase === "Failed" && last.request === request) return { kind: "give-up", operation: last };
  if (last.phase !== "Failed" && last.phase !== "Retrying") return { kind: "run", operation: last, isRetry: false };
  const attempt = last.attempt + 1;
  const hooks = last.hooks.filter(({ state }) => state === "Succeeded");
  const operation: SyncOperation = { ...last, attempt, hooks, id: idOf(sync, attempt), phase: "PreDelete", request };
  return { kind: "run", operation, isRetry: true };
}

function idOf({ metadata: { uid = "" } }: Sync, attempt: number): string {
  return `${ID_PREFIX}${uid.slice(0, 8)}-${attempt}`;
}

export interface DeletionFailure {
  readonly operation: SyncOperation;
  /** Undefined: not by itself. */
  readonly retryAfterMs: number | undefined;
}

/** After a hook failed; `phase` is the one that it was in. */
export function failDeletion(sync: Sync, operation: SyncOperation, message: string): DeletionFailure {
  const decision = decideFailure(sync, operation, new AppError("hook-failed", message, { recovery: "retry" }));
  return { operation: decision.operation, retryAfterMs: decision.retryAfterMs };
}

/** What people are told of a deletion that a hook holds up. */
export function describeHeldHooks(
  sync: Sync,
  phase: "PreDelete" | "PostDelete",
  { message, attempt }: Pick<SyncOperation, "message" | "attempt">,
  isOver: boolean,
): string {
  const { name, namespace } = sync.metadata;
  const what =
    phase === "PreDelete"
      ? `nothing of Sync ${namespace}/${name} is deleted`
      : `Sync ${namespace}/${name} stays, though its objects are deleted`;
  const times = isOver ? `, given up after ${attempt} ${attempt === 1 ? "attempt" : "attempts"}` : "";
  const annotate = `kubectl annotate sync ${name} -n ${namespace} --overwrite`;
  return (
    `held: ${message}; ${what}${times}. To try again: ${annotate} ${REQUESTED_AT_ANNOTATION}="$(date)". ` +
    `To delete it without its hooks: ${annotate} ${SKIP_DELETION_HOOKS_ANNOTATION}=${deletionAskedAt(sync)}`
  );
}

/** Whether hooks that run once all else is deleted could not run without an object: it goes after them. */
export function isNeededByHooks(object: KubeObject, hooks: readonly KubeObject[]): boolean {
  const isNamespace = object.kind === "Namespace" && object.apiVersion === "v1";
  return hooks.some(
    (hook) =>
      (isNamespace && object.metadata.name === hook.metadata.namespace) ||
      isMeantFor(object, hook) ||
      defines(object, hook),
  );
}
