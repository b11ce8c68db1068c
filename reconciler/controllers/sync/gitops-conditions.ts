// The conditions of GitRepository and Sync, with Flux's meaning: Ready is the last outcome; Reconciling and Stalled
// are present only while they hold.
import { setCondition } from "../../../kube/conditions.ts";
import type { Condition } from "../../../kube/object.ts";
import { rfc3339 } from "../../../runtime/clock.ts";
import { AppError, messageOf, reasonOf } from "../../../runtime/errors.ts";

interface Stamp {
  readonly nowMs: number;
  readonly generation: number | undefined;
}

function condition(
  type: string,
  status: Condition["status"],
  reason: string,
  message: string,
  stamp: Stamp,
): Condition {
  return {
    type,
    status,
    reason,
    message,
    lastTransitionTime: rfc3339(stamp.nowMs),
    ...(stamp.generation === undefined ? {} : { observedGeneration: stamp.generation }),
  };
}

function without(conditions: readonly Condition[], ...types: readonly string[]): Condition[] {
  return conditions.filter((other) => !types.includes(other.type));
}

/** All is as wished. */
export function succeeded(
  conditions: readonly Condition[],
  reason: string,
  message: string,
  stamp: Stamp,
): Condition[] {
  return setCondition(
    without(conditions, "Reconciling", "Stalled"),
    condition("Ready", "True", reason, message, stamp),
  );
}

/** Work is going on; Ready keeps its last outcome, or is Unknown the first time. */
export function progressing(conditions: readonly Condition[], message: string, stamp: Stamp): Condition[] {
  const kept = without(conditions, "Stalled");
  const next = setCondition(kept, condition("Reconciling", "True", "Progressing", message, stamp));
  return kept.some((other) => other.type === "Ready")
    ? next
    : setCondition(next, condition("Ready", "Unknown", "Progressing", message, stamp));
}

/** The attempt failed. A failure that needs a person is Stalled; any other is tried again and stays Reconciling. */
export function failed(conditions: readonly Condition[], error: unknown, stamp: Stamp): Condition[] {
  const reason = error instanceof AppError ? reasonOf(error.code) : "InternalError";
  const message = messageOf(error);
  const ready = condition("Ready", "False", reason, message, stamp);
  if (error instanceof AppError && error.recovery === "stall") {
    return setCondition(
      setCondition(without(conditions, "Reconciling"), ready),
      condition("Stalled", "True", reason, message, stamp),
    );
  }
  return setCondition(
    setCondition(without(conditions, "Stalled"), ready),
    condition("Reconciling", "True", "ProgressingWithRetry", message, stamp),
  );
}
