// The estimates one binding is scheduled with: shared tables, lowered by what only this call knows.

import type { ResourceBindingSpec } from "../../../api/work.ts";
import type { FleetIndex } from "../fleet/fleet-index.ts";
import type { SchedulerGates, SchedulingOptions } from "../options.ts";
import type { EstimateTable } from "./estimate-tables.ts";
import { estimateBesideAssumed } from "./overcommit.ts";

/**
 * Replicas, or component sets where the workload is placed as a whole, that each cluster has room for: a table shared
 * with other bindings, or values of this one's own.
 */
export function estimateFor(
  fleet: FleetIndex,
  spec: ResourceBindingSpec,
  sets: boolean,
  gates: SchedulerGates,
  options: SchedulingOptions | undefined,
): EstimateTable | Int32Array {
  const table = sharedEstimates(fleet, spec, sets, gates);
  const assumed = gates.SchedulingOvercommitProtection ? options?.assumedWorkloads : undefined;
  if (estimatesNothing(spec) || ((options?.estimates?.length ?? 0) === 0 && (assumed?.size ?? 0) === 0)) return table;
  const own = table.values.slice();
  for (const source of ownSources(fleet, spec, sets, gates, options)) {
    for (const [position, replicas] of source.replicas) {
      if (replicas < (own[position] as number)) own[position] = replicas;
    }
  }
  return own;
}

/** What the clusters report of themselves, shared by all bindings that ask for the same. */
export function sharedEstimates(
  fleet: FleetIndex,
  spec: ResourceBindingSpec,
  sets: boolean,
  gates: SchedulerGates,
): EstimateTable {
  const tables = fleet.estimates(gates.CustomizedClusterResourceModeling);
  if (estimatesNothing(spec)) return tables.unlimited();
  return sets ? tables.sets(spec.components ?? []) : tables.replicas(spec.replicaRequirements);
}

/** Nothing is estimated for what has no replicas: every cluster takes it. */
export function estimatesNothing(spec: ResourceBindingSpec): boolean {
  return (spec.replicas ?? 0) === 0 && (spec.components?.length ?? 0) === 0;
}

/** One that may know of less room than the clusters report. */
export interface EstimateSource {
  /** For people: `estimator member1`, `workloads on their way`. */
  readonly name: string;
  /** What it says, by position, where it says anything. */
  readonly replicas: ReadonlyMap<number, number>;
}

export const ASSUMED_SOURCE = "workloads on their way";

/** Those that this call was told of, in the order in which they are asked. */
export function* ownSources(
  fleet: FleetIndex,
  spec: ResourceBindingSpec,
  sets: boolean,
  gates: SchedulerGates,
  options: SchedulingOptions | undefined,
): Generator<EstimateSource> {
  const assumed = gates.SchedulingOvercommitProtection ? options?.assumedWorkloads : undefined;
  const beside = new Map<number, number>();
  for (const [cluster, workloads] of assumed ?? []) {
    const position = fleet.position(cluster);
    if (position === undefined) continue;
    const { capacity } = fleet.records[position] as (typeof fleet.records)[number];
    const replicas = estimateBesideAssumed(
      capacity,
      workloads,
      sets ? { components: spec.components ?? [] } : { requirements: spec.replicaRequirements },
      { resourceModels: gates.CustomizedClusterResourceModeling },
    );
    beside.set(position, replicas);
  }
  if (beside.size > 0) yield { name: ASSUMED_SOURCE, replicas: beside };
  for (const [index, estimate] of (options?.estimates ?? []).entries()) {
    const replicas = new Map<number, number>();
    for (const [position, record] of fleet.records.entries()) {
      const own = estimate.replicasOf(record.name);
      if (own !== undefined && own >= 0) replicas.set(position, own);
    }
    yield { name: estimate.name ?? `estimator ${index + 1}`, replicas };
  }
}
