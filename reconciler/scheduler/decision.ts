import type { Placement } from "../../api/policy.ts";
import type { ResourceBindingSpec } from "../../api/work.ts";
import type { Candidates } from "./fleet/candidates.ts";
import type { FleetIndex } from "./fleet/fleet-index.ts";
import type { PlacementPlan } from "./fleet/plan.ts";
import type { SchedulingOptions } from "./options.ts";

/** One decision in the making. */
export interface Decision {
  readonly spec: ResourceBindingSpec;
  readonly placement: Placement;
  readonly fleet: FleetIndex;
  readonly plan: PlacementPlan;
  readonly options: SchedulingOptions | undefined;
  /** The affinity group in use; empty when the placement has none. */
  readonly groupName: string;
  readonly fresh: boolean;
  /** Current targets that are in the fleet: replicas by position, in the binding's order. */
  readonly previous: ReadonlyMap<number, number>;
  /** Bits of the filters that refuse the cluster at a position, for this binding. */
  readonly refusalsAt: (position: number) => number;
  readonly candidates: Candidates;
}
