// What a Sync remembers of an attempt across restarts, and what it makes of the last one, as pure functions.
import { DEFAULT_RETRY, type HookStatus, type Sync, type SyncOperation } from "../../../api/gitops.ts";
import { rfc3339 } from "../../../runtime/clock.ts";
import { parseDuration } from "../../../runtime/duration.ts";
import { AppError } from "../../../runtime/errors.ts";

/** What is to be applied, as far as it tells one operation from another. */
export interface OperationSubject {
  readonly revision: string;
  readonly digest: string;
  readonly generation: number;
  /** Request by annotation; undefined when it was answered already. */
  readonly request: string | undefined;
}

export type OperationDecision =
  /** Hooks run and waves are waited for; `operation` is the new one, or the present one that goes on. */
  | { readonly kind: "run"; readonly operation: SyncOperation }
  /** The same was applied whole before: it is applied again without a stop. */
  | { readonly kind: "repeat" }
  /** It failed too often; a person, new content or a request starts it again. */
  | { readonly kind: "give-up"; readonly message: string };

/**
 * What the content to apply is to a Sync. As Argo CD: an operation belongs to what was rendered, so that commits that
 * change nothing here run no hook; a person's request always does.
 */
export function decideOperation(sync: Sync, subject: OperationSubject, nowMs: number): OperationDecision {
  const last = sync.status?.operation;
  const isSame =
    last !== undefined &&
    last.digest === subject.digest &&
    last.generation === subject.generation &&
    (subject.request === undefined || last.request === subject.request);
  if (isSame && last.phase === "Failed") {
    return {
      kind: "give-up",
      message: `${last.message} (given up after ${last.attempt} ${last.attempt === 1 ? "attempt" : "attempts"}; a new revision or a request tries again)`,
    };
  }
  if (subject.request === undefined && sync.status?.lastAppliedDigest === subject.digest) {
    // A change of the Sync's spec alone is applied again, and runs nothing. After an unfinished attempt at something else
    // nobody knows what is there.
    if (last === undefined || last.phase === "Succeeded") return { kind: "repeat" };
  }
  if (isSame && last.phase !== "Succeeded" && last.phase !== "Retrying")
    return { kind: "run", operation: { ...last, revision: subject.revision } };
  const attempt = isSame && last.phase === "Retrying" ? last.attempt + 1 : 1;
  return {
    kind: "run",
    operation: {
      attempt,
      digest: subject.digest,
      generation: subject.generation,
      hooks: [],
      id: `${subject.digest.slice(0, 8)}-${nowMs.toString(36)}-${attempt}`,
      message: "",
      phase: "PreSync",
      request: subject.request ?? "",
      revision: subject.revision,
      startedAt: rfc3339(nowMs),
      wave: 0,
    },
  };
}

/** Hooks of an earlier operation that still run: none is begun before they have ended. */
export function hooksStillRunning(operation: SyncOperation | undefined): readonly HookStatus[] {
  return operation?.hooks.filter(({ state }) => state === "Running") ?? [];
}

/** The operation with what is known of one hook. */
export function withHook(operation: SyncOperation, hook: HookStatus): SyncOperation {
  const others = operation.hooks.filter(({ id, phase }) => id !== hook.id || phase !== hook.phase);
  return { ...operation, hooks: [...others, hook] };
}

export function hookOf(operation: SyncOperation, id: string, phase: string): HookStatus | undefined {
  return operation.hooks.find((hook) => hook.id === id && hook.phase === phase);
}

export interface FailureDecision {
  readonly operation: SyncOperation;
  /** What is told of the failure. */
  readonly error: AppError;
  /** Undefined: as the Sync's intervals say. */
  readonly retryAfterMs: number | undefined;
}

/** Whether a failed attempt is repeated, and when. */
export function decideFailure(sync: Sync, operation: SyncOperation, error: AppError): FailureDecision {
  const { retry, retryInterval } = sync.spec;
  const isOfHook = error.code.startsWith("hook-");
  const isCounted = retry !== undefined || isOfHook;
  const limit = isCounted ? (retry?.limit ?? DEFAULT_RETRY.limit) : -1;
  const isOver = limit >= 0 && operation.attempt > limit;
  const next: SyncOperation = {
    ...operation,
    phase: isOver ? "Failed" : "Retrying",
    message: error.message,
    hooks: operation.hooks.map((hook) =>
      hook.state === "Running" ? { ...hook, state: "Failed", message: error.message } : hook,
    ),
  };
  if (isOver) {
    const times = operation.attempt === 1 ? "attempt" : "attempts";
    const message = `${error.message} (given up after ${operation.attempt} ${times}; a new revision or a request tries again)`;
    return {
      operation: next,
      error: new AppError(error.code, message, { recovery: "stall", cause: error }),
      retryAfterMs: undefined,
    };
  }
  const usesBackoff = retry !== undefined || (isOfHook && retryInterval === undefined);
  return { operation: next, error, retryAfterMs: usesBackoff ? backoffMs(sync, operation.attempt) : undefined };
}

function backoffMs(sync: Sync, attempt: number): number {
  const { backoff } = sync.spec.retry ?? {};
  const first = parseDuration(backoff?.duration ?? DEFAULT_RETRY.duration);
  const most = parseDuration(backoff?.maxDuration ?? DEFAULT_RETRY.maxDuration);
  return Math.min(most, first * (backoff?.factor ?? DEFAULT_RETRY.factor) ** (attempt - 1));
}
