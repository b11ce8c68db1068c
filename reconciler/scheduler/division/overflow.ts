// Affinity groups with overflow: a group's own clusters are filled first, then its overflow affinities in turn.

import { SchedulingError } from "../scheduling-error.ts";
import type { Assignment, AssignmentRequest } from "./assign.ts";
import { assignReplicas } from "./assign.ts";

/** Divides tier by tier: each takes what it has room for, the next what is left. */
export function assignByTiers(request: AssignmentRequest): readonly Assignment[] | SchedulingError {
  const { candidates, selected } = request;
  const byTier = new Map<number, number[]>();
  for (const position of Array.from(selected)) {
    const tier = candidates.tier(position);
    const list = byTier.get(tier);
    if (list === undefined) byTier.set(tier, [position]);
    else list.push(position);
  }
  const result: Assignment[] = [];
  let left = request.replicas;
  for (const [tier, positions] of [...byTier].sort(([a], [b]) => a - b)) {
    const room = positions.reduce((sum, position) => sum + candidates.available(position), 0);
    const replicas = Math.min(left, room);
    const part = assignReplicas({ ...request, selected: positions, replicas, tier });
    if (part instanceof SchedulingError) return part;
    result.push(...part);
    left -= replicas;
    // As Karmada: only now, so that the first tier is asked even for nothing.
    if (left <= 0) break;
  }
  if (left > 0) {
    return new SchedulingError("Unschedulable", "Clusters available replicas are not enough to schedule.");
  }
  return result;
}
