// Estimates for a whole fleet, computed once per set of requirements and fleet.

import type { Component, ReplicaRequirements } from "../../api/work.ts";
import type { ClusterRecord } from "./cluster-record.ts";
import { ContentCache } from "./content-cache.ts";
import { type EstimatorOptions, estimateReplicas, estimateSets, UNLIMITED } from "./estimator.ts";
import type { EstimateTable } from "./plan.ts";
import { readComponents, readRequest } from "./requirements.ts";

export class EstimateTables {
  readonly #records: readonly ClusterRecord[];
  readonly #options: EstimatorOptions;
  readonly #replicas = new ContentCache<ReplicaRequirements, EstimateTable>(512);
  readonly #sets = new ContentCache<readonly Component[], EstimateTable>(512);
  #pods: EstimateTable | undefined;
  #unlimited: EstimateTable | undefined;

  constructor(records: readonly ClusterRecord[], options: EstimatorOptions) {
    this.#records = records;
    this.#options = options;
  }

  /** Replicas of a workload that fit; without requirements only pods count. */
  replicas(requirements: ReplicaRequirements | undefined): EstimateTable {
    if (requirements == null) {
      this.#pods ??= this.#fill((record) => estimateReplicas(record.capacity, undefined, this.#options));
      return this.#pods;
    }
    return this.#replicas.get(requirements, () => {
      const request = readRequest(requirements);
      return this.#fill((record) => estimateReplicas(record.capacity, request, this.#options));
    });
  }

  /** Whole sets of components that fit. */
  sets(components: readonly Component[]): EstimateTable {
    return this.#sets.get(components, () => {
      const requests = readComponents(components);
      return this.#fill((record) => estimateSets(record.capacity, requests, this.#options));
    });
  }

  /** No limit anywhere: for what has no replicas. */
  unlimited(): EstimateTable {
    this.#unlimited ??= this.#fill(() => UNLIMITED);
    return this.#unlimited;
  }

  #fill(estimate: (record: ClusterRecord) => number): EstimateTable {
    return Int32Array.from(this.#records, estimate);
  }
}
