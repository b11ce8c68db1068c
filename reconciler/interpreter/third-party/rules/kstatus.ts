// How far an object is, read from the conditions that most controllers keep: as `flux get`, kpt and Helm read it.

import type { KubeObject } from "../../../../kube/object.ts";
import { type Fields, fieldsAt, optionalIntegerAt } from "../../field-access.ts";
import { conditionsOf, findCondition } from "./conditions.ts";

/** `Failed` needs a person; `InProgress` goes on by itself. */
export type Progress = "Current" | "InProgress" | "Failed";

/**
 * As kstatus: the generation must have been observed, Reconciling and Stalled must not be True, and Ready must be True
 * where there is one. Throws `interpreter-field-malformed`.
 */
export function progressOf(object: KubeObject): Progress {
  const status = fieldsAt(object, "status");
  if (!hasObserved(status, object.metadata.generation ?? 0)) return "InProgress";
  if (isTrue(status, "Reconciling")) return "InProgress";
  if (isTrue(status, "Stalled")) return "Failed";
  const ready = findCondition(status, "Ready");
  return ready === undefined || ready["status"] === "True" ? "Current" : "InProgress";
}

/** A rule for kinds that say themselves when they are fine: current, and every condition of these types True. */
export function isCurrentWith(...types: readonly string[]): (object: KubeObject) => boolean {
  return (object) =>
    progressOf(object) === "Current" && types.every((type) => isTrue(fieldsAt(object, "status"), type));
}

/**
 * Whether a status is about this generation of its object, as far as it says: some kinds tell it beside their conditions,
 * some in them (in Ready above others), some not at all.
 */
export function hasObserved(status: Fields, generation: number): boolean {
  const observed = optionalIntegerAt(status, "observedGeneration") ?? observedByConditions(status);
  return observed === undefined || observed >= generation;
}

function observedByConditions(status: Fields): number | undefined {
  const ready = findCondition(status, "Ready");
  const told = (ready === undefined ? conditionsOf(status) : [ready])
    .map((condition) => optionalIntegerAt(condition, "observedGeneration"))
    .filter((generation) => generation !== undefined);
  return told.length === 0 ? undefined : Math.max(...told);
}

/** True when the status has a condition of this type that is True. */
export function isTrue(status: Fields, type: string): boolean {
  return findCondition(status, type)?.["status"] === "True";
}
