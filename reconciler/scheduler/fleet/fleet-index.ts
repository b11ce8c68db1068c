// The fleet as the scheduler holds it: clusters by position, with what placements and workloads make of them remembered.

import type { Cluster } from "../../../api/cluster.ts";
import type { Placement } from "../../../api/policy.ts";
import type { ObjectReference } from "../../../api/work.ts";
import { ContentCache } from "../../../runtime/content-cache.ts";
import { compareNames } from "../division/webster.ts";
import { EstimateTables } from "../estimates/estimate-tables.ts";
import { type ClusterRecord, readCluster, sameForEstimates, sameForFilters } from "./cluster-record.ts";
import { ClusterTables } from "./cluster-tables.ts";
import { PlacementPlan } from "./plan.ts";
import { ScoreTables } from "./score-tables.ts";

/** Entries of remembered placements, one per placement and cluster, before they are forgotten to save memory. */
const MAX_PLAN_ENTRIES = 4_000_000;

/**
 * All clusters, sorted by name. What is computed from them is kept until a change of a cluster makes it stale: a report
 * of capacity leaves the filters' answers alone. Objects given are kept and must not be changed in place.
 */
export class FleetIndex {
  #records: ClusterRecord[];
  #positions: Map<string, number>;
  #version = 1;
  #filtersVersion = 1;
  readonly #plans = new ContentCache<Placement, Map<string, PlacementPlan>>(() =>
    Math.min(4096, Math.ceil(MAX_PLAN_ENTRIES / (this.#records.length + 1))),
  );
  /** Positions of clusters that changed in what filters look at, in order. */
  #log: number[] = [];
  #clusterTables: ClusterTables;
  #tables: EstimateTables | undefined;
  #tablesWithoutModels: EstimateTables | undefined;
  #scores: ScoreTables | undefined;

  constructor(clusters: Iterable<Cluster> = []) {
    const byName = new Map<string, ClusterRecord>();
    for (const cluster of clusters) byName.set(cluster.metadata.name ?? "", readCluster(cluster));
    this.#records = [...byName.values()].sort((a, b) => compareNames(a.name, b.name));
    this.#positions = positionsOf(this.#records);
    this.#clusterTables = this.#makeTables();
  }

  /** Grows with every change that may change a decision. */
  get version(): number {
    return this.#version;
  }

  /** Grows with every change that may change what filters and affinities say. */
  get filtersVersion(): number {
    return this.#filtersVersion;
  }

  /** Every cluster, sorted by name; the index in this list is the cluster's position. Changes in place. */
  get records(): readonly ClusterRecord[] {
    return this.#records;
  }

  position(name: string): number | undefined {
    return this.#positions.get(name);
  }

  /** Adds the cluster or replaces the one of the same name. Answers whether a decision may change. */
  set(cluster: Cluster): boolean {
    const name = cluster.metadata.name ?? "";
    const position = this.#positions.get(name);
    if (position === undefined) {
      this.#reorder([...this.#records, readCluster(cluster)]);
      return true;
    }
    const before = (this.#records[position] as ClusterRecord).cluster;
    if (before === cluster) return false;
    const filtersChange = !sameForFilters(before, cluster);
    const estimatesChange = !sameForEstimates(before, cluster);
    // In place: plans hold on to the list, and read in the log where they must look again.
    this.#records[position] = estimatesChange
      ? readCluster(cluster)
      : readCluster(cluster, this.#records[position]?.capacity);
    // Expressions may look at anything.
    const scoresChange = this.#scores !== undefined;
    if (this.#scores?.noteChange(position) === false) this.#scores = undefined;
    if (!filtersChange && !estimatesChange && !scoresChange) return false;
    this.#version++;
    if (filtersChange) this.#filtersVersion++;
    // When so much changed, it is better to start anew.
    if (filtersChange && this.#log.push(position) > 1000 + 8 * this.#records.length) this.#forgetFilters();
    if (estimatesChange) {
      if (this.#tables?.noteReport(position) === false) this.#tables = undefined;
      if (this.#tablesWithoutModels?.noteReport(position) === false) this.#tablesWithoutModels = undefined;
    }
    return true;
  }

  /** Takes the cluster out; answers whether it was there. */
  delete(name: string): boolean {
    if (!this.#positions.has(name)) return false;
    this.#reorder(this.#records.filter((record) => record.name !== name));
    return true;
  }

  /** The plan for bindings with this placement and kind of resource while `groupName` is the affinity group in use. */
  plan(
    placement: Placement,
    resource: Pick<ObjectReference, "apiVersion" | "kind">,
    groupName: string,
    workload: boolean,
  ): PlacementPlan {
    const plans = this.#plans.get(placement, () => new Map());
    const key = `${resource.apiVersion} ${resource.kind} ${workload} ${groupName}`;
    let plan = plans.get(key);
    if (plan === undefined) {
      const { apiVersion, kind } = resource;
      plan = new PlacementPlan({
        records: this.#records,
        tables: this.#clusterTables,
        log: this.#log,
        placement,
        resource: { apiVersion, kind },
        groupName,
        workload,
      });
      plans.set(key, plan);
    }
    return plan.catchUp();
  }

  /** Estimates from what the clusters report, with or without resource models. */
  estimates(resourceModels: boolean): EstimateTables {
    if (resourceModels) {
      this.#tables ??= new EstimateTables(this.#records, { resourceModels: true });
      return this.#tables;
    }
    this.#tablesWithoutModels ??= new EstimateTables(this.#records, { resourceModels: false });
    return this.#tablesWithoutModels;
  }

  /** What the expressions of placements say of the clusters. */
  scores(): ScoreTables {
    this.#scores ??= new ScoreTables(this.#records);
    return this.#scores;
  }

  #forgetFilters(): void {
    this.#filtersVersion++;
    this.#plans.clear();
    this.#log = [];
    this.#clusterTables = this.#makeTables();
  }

  #makeTables(): ClusterTables {
    return new ClusterTables(this.#records, (name) => this.#positions.get(name), this.#log);
  }

  #reorder(records: ClusterRecord[]): void {
    this.#records = records.sort((a, b) => compareNames(a.name, b.name));
    this.#positions = positionsOf(this.#records);
    this.#version++;
    this.#forgetFilters();
    this.#tables = undefined;
    this.#tablesWithoutModels = undefined;
    this.#scores = undefined;
  }
}

function positionsOf(records: readonly ClusterRecord[]): Map<string, number> {
  return new Map(records.map((record, position) => [record.name, position]));
}
