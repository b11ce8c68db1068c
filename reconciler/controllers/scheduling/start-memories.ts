// The memories of decisions that this control plane keeps.

import type { ControllerContext } from "../context.ts";
import { AffinityMembers } from "./affinity-members.ts";
import { AssumedWorkloads } from "./assumed-workloads.ts";
import type { DecisionMemory } from "./decision-memory.ts";

/** What earlier decisions are remembered for, by the gates that are on. */
export function startMemories(
  context: ControllerContext,
  assumed: AssumedWorkloads | undefined = startAssumedWorkloads(context),
): readonly DecisionMemory[] {
  const { WorkloadAffinity } = context.profile.featureGates;
  return [...(WorkloadAffinity ? [new AffinityMembers(context)] : []), ...(assumed === undefined ? [] : [assumed])];
}

/** What is on its way to each cluster; undefined when the gate for it is off. */
export function startAssumedWorkloads(context: ControllerContext): AssumedWorkloads | undefined {
  return context.profile.featureGates.SchedulingOvercommitProtection ? new AssumedWorkloads(context) : undefined;
}
