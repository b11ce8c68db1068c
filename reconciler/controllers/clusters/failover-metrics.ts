// Figures of evictions by the names that karmada-controller-manager has for them, and those of our guard.
import type { Metrics } from "../../../runtime/metrics.ts";

/** From one millisecond on, each twice the one before. */
const LATENCIES = Array.from({ length: 15 }, (_, index) => 0.001 * 2 ** index);

/** The queues of evictions by Karmada's names. */
export type EvictionQueueName = "binding-eviction" | "cluster-binding-eviction";

/** What waits to be evicted, by cluster. */
export type WaitingEvictions = Iterable<{
  readonly cluster: string;
  readonly kind: "ResourceBinding" | "ClusterResourceBinding";
  readonly count: number;
}>;

/** The one of each control plane. */
export class FailoverMetrics {
  readonly #latency;
  readonly #total;
  #depths: () => Iterable<readonly [EvictionQueueName, number]> = () => [];
  #waiting: () => WaitingEvictions = () => [];
  #guard: () => { readonly lost: number; readonly held: number } = () => ({ lost: 0, held: 0 });

  constructor(metrics: Metrics) {
    this.#latency = metrics.histogram({
      name: "eviction_processing_latency_seconds",
      help: "Latency of processing an eviction task in seconds",
      labels: ["name"] as const,
      buckets: LATENCIES,
    });
    this.#total = metrics.counter({
      name: "eviction_processing_total",
      help: "Total number of evictions processed",
      labels: ["name", "result"] as const,
    });
    metrics.readings(
      { name: "eviction_queue_depth", help: "Current depth of the eviction queue", labels: ["name"] as const },
      () => [...this.#depths()].map(([name, depth]) => [{ name }, depth] as const),
    );
    metrics.readings(
      {
        name: "eviction_kind_total",
        help: "Number of resources in the eviction queue by resource kind",
        labels: ["member_cluster", "resource_kind"] as const,
      },
      () =>
        [...this.#waiting()].map(
          ({ cluster, kind, count }) => [{ member_cluster: cluster, resource_kind: kind }, count] as const,
        ),
    );
    metrics.readings(
      { name: "failover_lost_clusters", help: "Clusters that were ready and do not answer.", labels: [] as const },
      () => [[{}, this.#guard().lost]],
    );
    metrics.readings(
      {
        name: "failover_held_clusters",
        help: "Lost clusters whose workloads stay, because too much of the fleet is lost or a person asks for it.",
        labels: [] as const,
      },
      () => [[{}, this.#guard().held]],
    );
  }

  /** Tells where to ask for what waits. */
  watchQueues(depths: () => Iterable<readonly [EvictionQueueName, number]>, waiting: () => WaitingEvictions): void {
    this.#depths = depths;
    this.#waiting = waiting;
  }

  watchGuard(guard: () => { readonly lost: number; readonly held: number }): void {
    this.#guard = guard;
  }

  processed(name: EvictionQueueName, failed: boolean, seconds: number): void {
    this.#latency.of({ name }).observe(seconds);
    this.#total.of({ name, result: failed ? "error" : "success" }).add(1);
  }
}
