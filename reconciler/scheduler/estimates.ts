// The estimates one binding is scheduled with: shared tables, lowered by what only this call knows.

import type { ResourceBindingSpec } from "../../api/work.ts";
import type { EstimateTable } from "./estimate-tables.ts";
import type { FleetIndex } from "./fleet-index.ts";
import type { SchedulerGates, SchedulingOptions } from "./options.ts";
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
  const components = spec.components ?? [];
  const tables = fleet.estimates(gates.CustomizedClusterResourceModeling);
  // Nothing is estimated for what has no replicas: every cluster takes it.
  if ((spec.replicas ?? 0) === 0 && components.length === 0) return tables.unlimited();
  const table = sets ? tables.sets(components) : tables.replicas(spec.replicaRequirements);
  const assumed = gates.SchedulingOvercommitProtection ? options?.assumedWorkloads : undefined;
  if ((options?.estimates?.length ?? 0) === 0 && (assumed?.size ?? 0) === 0) return table;

  const own = table.values.slice();
  for (const [cluster, workloads] of assumed ?? []) {
    const position = fleet.position(cluster);
    if (position === undefined) continue;
    const { capacity } = fleet.records[position] as (typeof fleet.records)[number];
    own[position] = estimateBesideAssumed(
      capacity,
      workloads,
      sets ? { components } : { requirements: spec.replicaRequirements },
      { resourceModels: gates.CustomizedClusterResourceModeling },
    );
  }
  for (const estimate of options?.estimates ?? []) {
    for (const [position, record] of fleet.records.entries()) {
      const replicas = estimate.replicasOf(record.name);
      if (replicas !== undefined && replicas >= 0 && replicas < (own[position] as number)) own[position] = replicas;
    }
  }
  return own;
}
