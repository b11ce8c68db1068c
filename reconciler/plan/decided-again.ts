// The trace of single decisions of a world. The river itself leaves traces out: they cost more than what they explain.
import type { Cluster } from "../../api/cluster.ts";
import type { Policy } from "../policies/policy-index.ts";
import type { SchedulingTrace } from "../scheduler/explanation/trace.ts";
import { FleetIndex } from "../scheduler/fleet/fleet-index.ts";
import { scheduleInGroups } from "../scheduler/schedule-in-groups.ts";
import type { DecidedWorld } from "./compare-worlds.ts";
import { withDefinedKinds } from "./definitions.ts";
import { findBinding, type Outcome } from "./river.ts";
import { isOfKind } from "./safety/reviewed-change.ts";

/** Decides single objects of a world once more, with all that was weighed. */
export class DecidedAgain {
  readonly #decided: DecidedWorld;
  #serving: { readonly clusters: ReadonlyMap<string, Cluster>; readonly fleet: FleetIndex } | undefined;

  constructor(decided: DecidedWorld) {
    this.#decided = decided;
  }

  get policies(): readonly Policy[] {
    return this.#decided.world.policies;
  }

  /** As it was when objects were placed: with the kinds that definitions of this world bring. */
  cluster(name: string): Cluster | undefined {
    return this.#fleet().clusters.get(name);
  }

  /** Undefined where no placement decides about the object. */
  trace({ policy, binding, template }: Outcome): SchedulingTrace | undefined {
    if (policy === undefined || binding?.spec.placement == null) return undefined;
    const { clusters: _, ...spec } = binding.spec;
    const present = findBinding(this.#decided.world, template)?.spec.clusters;
    return scheduleInGroups({
      spec: present === undefined ? spec : { ...spec, clusters: present },
      status: binding.status,
      fleet: this.#fleet().fleet,
      options: { explain: true },
    }).result.trace;
  }

  #fleet(): { readonly clusters: ReadonlyMap<string, Cluster>; readonly fleet: FleetIndex } {
    if (this.#serving === undefined) {
      const { outcomes, world } = this.#decided;
      const definitions = [...outcomes.values()]
        .filter(({ ref }) => isOfKind(ref, "apiextensions.k8s.io/CustomResourceDefinition"))
        .flatMap(({ copies }) => copies);
      const clusters = withDefinedKinds(world.clusters, definitions);
      this.#serving = {
        clusters: new Map(clusters.map((cluster) => [cluster.metadata.name ?? "", cluster])),
        fleet: new FleetIndex(clusters),
      };
    }
    return this.#serving;
  }
}
