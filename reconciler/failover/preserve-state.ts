// State of an evicted copy that its successor is told.

import type { StatePreservation } from "../../api/policy.ts";
import type { AggregatedStatusItem } from "../../api/work.ts";
import { compileJsonPathTemplate } from "../../kube/jsonpath.ts";
import { AppError } from "../../runtime/errors.ts";

/**
 * The labels for the new copy, read from the old one's status. Throws `failover-state-missing` when there is no status
 * yet, and whatever a path that finds nothing throws: the eviction is tried again.
 */
export function preserveState(
  preservation: StatePreservation,
  item: AggregatedStatusItem | undefined,
): Record<string, string> {
  if (item?.status === undefined) {
    throw new AppError("failover-state-missing", "the old copy has no status, so its state cannot be handed on", {
      recovery: "retry",
    });
  }
  const { status } = item;
  return Object.fromEntries(
    preservation.rules.map((rule) => [rule.aliasLabelName, compileJsonPathTemplate(rule.jsonPath).render(status)]),
  );
}
