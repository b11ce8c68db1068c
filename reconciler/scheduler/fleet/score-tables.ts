// Scores for a whole fleet, computed once per list of expressions, and then only for clusters that changed.

import type { PlacementScore } from "../../../api/placement-extensions.ts";
import { ContentCache } from "../../../runtime/content-cache.ts";
import type { ClusterRecord } from "./cluster-record.ts";
import { readResource, type ScoredResource, scoreCluster, totalScore } from "./scores.ts";

/** Sums of scores by position of the cluster. They change in place, and say which. */
export interface ScoreTable {
  readonly values: Float64Array;
  /** Positions whose sum changed, in order, with repetitions. */
  readonly changes: number[];
}

interface Entry extends ScoreTable {
  readonly scores: readonly PlacementScore[];
  readonly resource: ScoredResource;
  /** How much of the log is in `values`. */
  seen: number;
}

/** Lists of expressions that are remembered, or pairs of such a list and an object that it looks at. */
const MAX_TABLES = 256;
const ANY: ScoredResource = { apiVersion: "", kind: "", name: "" };

export class ScoreTables {
  readonly #records: readonly ClusterRecord[];
  readonly #tables = new ContentCache<readonly [readonly PlacementScore[], ScoredResource], Entry>(() => MAX_TABLES);
  readonly #shared = new ContentCache<readonly PlacementScore[], Entry>(() => MAX_TABLES);
  /** Positions of clusters that changed in anything, in order. */
  readonly #log: number[] = [];

  /** `records` change in place; `noteChange` says where. */
  constructor(records: readonly ClusterRecord[]) {
    this.#records = records;
  }

  /** Answers false when so much changed that it is better to start anew. */
  noteChange(position: number): boolean {
    return this.#log.push(position) < 1000 + 8 * this.#records.length;
  }

  /** The table for these expressions; shared by all objects unless they look at `resource`. */
  of(scores: readonly PlacementScore[], resource: ScoredResource): ScoreTable {
    if (!readResource(scores)) return this.#catchUp(this.#shared.get(scores, () => this.#make(scores, ANY)));
    const { apiVersion, kind, namespace = "", name } = resource;
    const asked = { apiVersion, kind, namespace, name };
    return this.#catchUp(this.#tables.get([scores, asked], () => this.#make(scores, asked)));
  }

  #make(scores: readonly PlacementScore[], resource: ScoredResource): Entry {
    const values = Float64Array.from(this.#records, ({ cluster }) =>
      totalScore(scoreCluster(scores, cluster, resource)),
    );
    return { values, changes: [], scores, resource, seen: this.#log.length };
  }

  #catchUp(entry: Entry): ScoreTable {
    for (; entry.seen < this.#log.length; entry.seen++) {
      const position = this.#log[entry.seen] as number;
      const { cluster } = this.#records[position] as ClusterRecord;
      const value = totalScore(scoreCluster(entry.scores, cluster, entry.resource));
      if (value === entry.values[position]) continue;
      entry.values[position] = value;
      entry.changes.push(position);
    }
    return entry;
  }
}
