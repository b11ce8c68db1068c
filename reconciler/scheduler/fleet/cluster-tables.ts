// What the parts of placements say of every cluster, computed once per part and then only for clusters that change.

import type { Toleration } from "../../../api/cluster.ts";
import type { ClusterAffinity, FieldSelector, Placement } from "../../../api/policy.ts";
import type { LabelSelector } from "../../../api/schema.ts";
import { firstUntolerated } from "../../../kube/taints.ts";
import { ContentCache } from "../../../runtime/content-cache.ts";
import { clusterMatches } from "../../policies/cluster-affinity.ts";
import { type ClusterRecord, servesApi } from "./cluster-record.ts";

/** Parts that are remembered of each sort. */
const MAX_PARTS = 512;

/** One yes or no per cluster, by position. */
interface Verdicts {
  readonly values: Uint8Array;
  readonly ask: (record: ClusterRecord) => boolean;
  /** How much of the log of changes is in `values`. */
  seen: number;
}

/**
 * Placements differ, but their parts repeat: the same label selector, the same tolerations. What is asked for here is
 * shared, and must be copied before it is changed.
 */
export class ClusterTables {
  readonly #records: readonly ClusterRecord[];
  readonly #positionOf: (name: string) => number | undefined;
  readonly #log: readonly number[];
  readonly #byLabels = new ContentCache<LabelSelector, Verdicts>(() => MAX_PARTS);
  readonly #byFields = new ContentCache<FieldSelector, Verdicts>(() => MAX_PARTS);
  readonly #tainted = new ContentCache<readonly Toleration[], Verdicts>(() => MAX_PARTS);
  readonly #named = new Map<string, Verdicts>();

  /** `records` change in place; `log` tells the positions, in order. */
  constructor(
    records: readonly ClusterRecord[],
    positionOf: (name: string) => number | undefined,
    log: readonly number[],
  ) {
    this.#records = records;
    this.#positionOf = positionOf;
    this.#log = log;
  }

  /** 1 where the affinity selects the cluster, as `clusterMatches` answers. A copy. */
  selected(affinity: ClusterAffinity): Uint8Array {
    const { clusterNames, exclude, labelSelector, fieldSelector } = affinity;
    const values = new Uint8Array(this.#records.length);
    if (clusterNames != null && clusterNames.length > 0) {
      for (const position of this.#positionsOf(clusterNames)) values[position] = 1;
    } else {
      values.fill(1);
    }
    if (labelSelector != null) keepIf(values, this.#verdicts(this.#byLabels, labelSelector, labelsMatch));
    if (fieldSelector != null) keepIf(values, this.#verdicts(this.#byFields, fieldSelector, fieldsMatch));
    for (const position of this.#positionsOf(exclude ?? [])) values[position] = 0;
    return values;
  }

  /** 1 where a taint keeps workloads away that has none of these tolerations. */
  tainted(tolerations: readonly Toleration[] | undefined): Uint8Array {
    return this.#verdicts(
      this.#tainted,
      tolerations ?? NO_TOLERATIONS,
      (list) => (record) => firstUntolerated(record.taints, list) !== undefined,
    );
  }

  /** 1 where the cluster serves the kind, as far as it reported. */
  serving(apiVersion: string, kind: string): Uint8Array {
    return this.#known(`serves ${apiVersion} ${kind}`, ({ cluster }) => servesApi(cluster, apiVersion, kind));
  }

  /** 1 where the cluster is going away. */
  deleting(): Uint8Array {
    return this.#known("deleting", (record) => record.deleting);
  }

  /** For each property that a spread constraint of the placement needs: 1 where the cluster has none. */
  lacking(placement: Placement): readonly Uint8Array[] {
    const fields = new Set((placement.spreadConstraints ?? []).map((constraint) => constraint.spreadByField));
    const byField = SPREAD_PROPERTIES.filter(({ field }) => fields.has(field)).map(({ field, lacks }) =>
      this.#known(`lacks ${field}`, lacks),
    );
    if (placement.flaghoist?.strictSpread !== true) return byField;
    const labels = new Set((placement.spreadConstraints ?? []).map((constraint) => constraint.spreadByLabel ?? ""));
    const byLabel = [...labels]
      .filter((key) => key !== "")
      .map((key) => this.#known(`lacks label ${key}`, ({ cluster }) => cluster.metadata.labels?.[key] === undefined));
    return [...byField, ...byLabel];
  }

  #positionsOf(names: readonly string[]): number[] {
    return names.map((name) => this.#positionOf(name)).filter((position) => position !== undefined);
  }

  #verdicts<K extends object>(
    cache: ContentCache<K, Verdicts>,
    part: K,
    asking: (part: K) => (record: ClusterRecord) => boolean,
  ): Uint8Array {
    return this.#current(cache.get(part, (own) => this.#make(asking(own))));
  }

  #known(name: string, ask: (record: ClusterRecord) => boolean): Uint8Array {
    let verdicts = this.#named.get(name);
    if (verdicts === undefined) {
      verdicts = this.#make(ask);
      this.#named.set(name, verdicts);
    }
    return this.#current(verdicts);
  }

  #make(ask: (record: ClusterRecord) => boolean): Verdicts {
    return { values: Uint8Array.from(this.#records, (record) => Number(ask(record))), ask, seen: this.#log.length };
  }

  #current(verdicts: Verdicts): Uint8Array {
    for (; verdicts.seen < this.#log.length; verdicts.seen++) {
      const position = this.#log[verdicts.seen] as number;
      verdicts.values[position] = Number(verdicts.ask(this.#records[position] as ClusterRecord));
    }
    return verdicts.values;
  }
}

const NO_TOLERATIONS: readonly Toleration[] = [];

const SPREAD_PROPERTIES: readonly {
  readonly field: "provider" | "region" | "zone";
  readonly lacks: (record: ClusterRecord) => boolean;
}[] = [
  { field: "provider", lacks: ({ cluster }) => !cluster.spec.provider },
  { field: "region", lacks: ({ cluster }) => !cluster.spec.region },
  { field: "zone", lacks: ({ cluster }) => !cluster.spec.zones?.length },
];

function labelsMatch(labelSelector: LabelSelector): (record: ClusterRecord) => boolean {
  return (record) => clusterMatches(record.cluster, { labelSelector });
}

function fieldsMatch(fieldSelector: FieldSelector): (record: ClusterRecord) => boolean {
  return (record) => clusterMatches(record.cluster, { fieldSelector });
}

function keepIf(values: Uint8Array, other: Uint8Array): void {
  for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) & (other[i] as number);
}
