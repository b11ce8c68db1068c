// The last decisions with all that the scheduler saw, in memory: what their compact records leave out.

import type { Cluster } from "../../../api/cluster.ts";
import { rfc3339 } from "../../../runtime/clock.ts";
import type { DecisionOptions, SchedulingDecision } from "../decide-scheduling.ts";
import { FleetIndex } from "../fleet/fleet-index.ts";
import type { Binding } from "../occasion.ts";
import { recordScores } from "../schedule.ts";
import { type RecordedDecision, recordAnswer, recordOptions } from "./recorded-decision.ts";

export interface HistoryLimits {
  /** Decisions that are kept, one per binding. */
  readonly decisions: number;
  /** Changes of clusters by which older states of the fleet are found. */
  readonly changes: number;
  /** Roughly what the clusters in these changes may take. */
  readonly bytes: number;
}

export const DEFAULT_LIMITS: HistoryLimits = { decisions: 1_000, changes: 4_000, bytes: 32 * 1024 * 1024 };

interface Change {
  /** The fleet's version after it. */
  readonly version: number;
  readonly name: string;
  readonly before: Cluster | undefined;
  readonly bytes: number;
}

export interface NotedDecision {
  /** As it was decided about. */
  readonly binding: Binding;
  readonly decision: SchedulingDecision;
  readonly options: DecisionOptions;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

interface Entry extends NotedDecision {
  readonly version: number;
}

/** Holds on to the objects it is given; they must not be changed in place. */
export class DecisionHistory {
  readonly #fleet: FleetIndex;
  readonly #limits: HistoryLimits;
  /** From the oldest to the newest; those before `#first` are forgotten. */
  #changes: Change[] = [];
  #first = 0;
  #bytes = 0;
  /** The newest version that can no longer be told. */
  #forgotten = 0;
  readonly #entries = new Map<string, Entry>();

  constructor(fleet: FleetIndex, limits: HistoryLimits = DEFAULT_LIMITS) {
    this.#fleet = fleet;
    this.#limits = limits;
  }

  /** To be called when the index has taken in a change of a cluster that was `before`. */
  changed(name: string, before: Cluster | undefined): void {
    const bytes = before === undefined ? 0 : roughSize(before);
    this.#changes.push({ version: this.#fleet.version, name, before, bytes });
    this.#bytes += bytes;
    while (this.#changes.length - this.#first > this.#limits.changes || this.#bytes > this.#limits.bytes) {
      const oldest = this.#changes[this.#first++] as Change;
      this.#bytes -= oldest.bytes;
      this.#forgotten = oldest.version - 1;
    }
    // The list is cut when half of it is of no use, so that each change costs the same.
    if (this.#first <= this.#limits.changes) return;
    this.#changes = this.#changes.slice(this.#first);
    this.#first = 0;
  }

  /** To be called in the turn in which the decision is made. One that left everything as it was is not kept. */
  note(decision: NotedDecision): void {
    const { clusters, annotations, error } = decision.decision;
    if (clusters === undefined && annotations === undefined && error === undefined) return;
    const { kind, metadata } = decision.binding;
    const key = keyOf(kind, metadata.namespace, metadata.name ?? "");
    this.#entries.delete(key);
    this.#entries.set(key, { ...decision, version: this.#fleet.version });
    if (this.#entries.size <= this.#limits.decisions) return;
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined) this.#entries.delete(oldest);
  }

  /** The last decision about a binding with its true inputs; undefined when it, or the fleet of then, is forgotten. */
  find(
    kind: string,
    namespace: string | undefined,
    name: string,
  ): { readonly binding: Binding; readonly decision: RecordedDecision } | undefined {
    const entry = this.#entries.get(keyOf(kind, namespace, name));
    if (entry?.decision.grouped === undefined) return undefined;
    const clusters = this.#fleetAt(entry.version);
    if (clusters === undefined) return undefined;
    const { binding, decision, now } = entry;
    const { schedulerObservingAffinityName: group, lastScheduledTime } = binding.status ?? {};
    const recorded: RecordedDecision = {
      decidedAt: rfc3339(now),
      occasion: decision.occasion,
      fleetVersion: entry.version,
      spec: binding.spec,
      status: {
        ...(group === undefined ? {} : { schedulerObservingAffinityName: group }),
        ...(lastScheduledTime === undefined ? {} : { lastScheduledTime }),
      },
      clusters,
      options: optionsOf(entry, clusters),
      answer: recordAnswer(entry.decision.grouped),
    };
    return { binding, decision: recorded };
  }

  /** From the present state back through the changes; undefined when they do not reach that far. */
  #fleetAt(version: number): Cluster[] | undefined {
    if (version <= this.#forgotten) return undefined;
    const clusters = new Map(this.#fleet.records.map(({ name, cluster }) => [name, cluster]));
    for (let i = this.#changes.length - 1; i >= this.#first; i--) {
      const change = this.#changes[i] as Change;
      if (change.version <= version) break;
      if (change.before === undefined) clusters.delete(change.name);
      else clusters.set(change.name, change.before);
    }
    return [...clusters.values()].sort((a, b) => ((a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1));
  }
}

function optionsOf({ binding, options }: Entry, clusters: readonly Cluster[]): RecordedDecision["options"] {
  // Expressions may look at what a trace does not keep of a cluster.
  const scores = recordScores(new FleetIndex(clusters), binding.spec, options);
  const names = clusters.map((cluster) => cluster.metadata.name ?? "");
  return recordOptions(scores === undefined ? options : { ...options, recordedScores: scores }, names);
}

function keyOf(kind: string, namespace: string | undefined, name: string): string {
  return `${kind}/${namespace ?? ""}/${name}`;
}

/** Most of a cluster is the list of what it serves. */
function roughSize({ metadata, spec, status }: Cluster): number {
  const served = status?.apiEnablements?.reduce((sum, { resources }) => sum + 80 + 80 * (resources?.length ?? 0), 0);
  const labels = Object.keys(metadata.labels ?? {}).length + Object.keys(metadata.annotations ?? {}).length;
  return 1_500 + (served ?? 0) + 100 * (labels + (spec.taints?.length ?? 0) + (spec.resourceModels?.length ?? 0) * 3);
}
