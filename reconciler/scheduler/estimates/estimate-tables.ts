// Estimates for a whole fleet, computed once per set of requirements, and then only for clusters that report anew.

import type { Component, ReplicaRequirements } from "../../../api/work.ts";
import { ContentCache } from "../../../runtime/content-cache.ts";
import { mergeMoved, sortByRoom } from "../fleet/candidates.ts";
import type { ClusterRecord } from "../fleet/cluster-record.ts";
import { type EstimatorOptions, estimateReplicas, estimateSets, UNLIMITED } from "./estimator.ts";
import { readComponents, readRequest } from "./requirements.ts";

/** Estimates by position of the cluster. They change in place, and say which. */
export class EstimateTable {
  readonly values: Int32Array;
  /** Positions whose estimate changed, in order, with repetitions. */
  readonly changes: number[] = [];
  readonly #estimate: (record: ClusterRecord) => number;
  #seen: number;
  #byRoom: Int32Array | undefined;
  #ordered = 0;

  /** `seen`: how much of the log of reports is in `records` already. */
  constructor(records: readonly ClusterRecord[], estimate: (record: ClusterRecord) => number, seen: number) {
    this.values = Int32Array.from(records, estimate);
    this.#estimate = estimate;
    this.#seen = seen;
  }

  /** Estimates again what was reported since. */
  catchUp(records: readonly ClusterRecord[], log: readonly number[]): this {
    for (; this.#seen < log.length; this.#seen++) {
      const position = log[this.#seen] as number;
      const estimate = this.#estimate(records[position] as ClusterRecord);
      if (estimate === this.values[position]) continue;
      this.values[position] = estimate;
      this.changes.push(position);
    }
    return this;
  }

  /** Every position, roomiest first, then by position. */
  byRoom(): Int32Array {
    if (this.#byRoom === undefined) {
      this.#byRoom = sortByRoom(Int32Array.from(this.values.keys()), this.values);
    } else if (this.#ordered < this.changes.length) {
      const compare = (a: number, b: number): number =>
        (this.values[b] as number) - (this.values[a] as number) || a - b;
      const changed = new Set(this.changes.slice(this.#ordered));
      this.#byRoom = mergeMoved(this.#byRoom, changed, [...changed].sort(compare), compare);
    }
    this.#ordered = this.changes.length;
    return this.#byRoom;
  }
}

export class EstimateTables {
  readonly #records: readonly ClusterRecord[];
  readonly #options: EstimatorOptions;
  readonly #replicas = new ContentCache<ReplicaRequirements, EstimateTable>(() => 512);
  readonly #sets = new ContentCache<readonly Component[], EstimateTable>(() => 512);
  /** Positions of clusters that reported another capacity, in order. */
  readonly #log: number[] = [];
  #pods: EstimateTable | undefined;
  #unlimited: EstimateTable | undefined;

  /** `records` may change in place; `noteReport` says where. */
  constructor(records: readonly ClusterRecord[], options: EstimatorOptions) {
    this.#records = records;
    this.#options = options;
  }

  /** Answers false when so much changed that it is better to start anew. */
  noteReport(position: number): boolean {
    return this.#log.push(position) < 1000 + 8 * this.#records.length;
  }

  /** Replicas of a workload that fit; without requirements only pods count. */
  replicas(requirements: ReplicaRequirements | undefined): EstimateTable {
    if (requirements == null) {
      this.#pods ??= this.#make((record) => estimateReplicas(record.capacity, undefined, this.#options));
      return this.#pods.catchUp(this.#records, this.#log);
    }
    const table = this.#replicas.get(requirements, () => {
      const request = readRequest(requirements);
      return this.#make((record) => estimateReplicas(record.capacity, request, this.#options));
    });
    return table.catchUp(this.#records, this.#log);
  }

  /** Whole sets of components that fit. */
  sets(components: readonly Component[]): EstimateTable {
    const table = this.#sets.get(components, () => {
      const requests = readComponents(components);
      return this.#make((record) => estimateSets(record.capacity, requests, this.#options));
    });
    return table.catchUp(this.#records, this.#log);
  }

  /** No limit anywhere: for what has no replicas. */
  unlimited(): EstimateTable {
    this.#unlimited ??= this.#make(() => UNLIMITED);
    return this.#unlimited;
  }

  #make(estimate: (record: ClusterRecord) => number): EstimateTable {
    return new EstimateTable(this.#records, estimate, this.#log.length);
  }
}
