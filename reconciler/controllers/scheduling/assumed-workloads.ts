// Workloads that were given to clusters lately and are not yet in what these report. For gate SchedulingOvercommitProtection.
import type { AggregatedStatusItem, ResourceBinding, TargetCluster } from "../../../api/work.ts";
import type { Clock } from "../../../runtime/clock.ts";
import type { DecisionOptions } from "../../scheduler/decide-scheduling.ts";
import { whyIgnored } from "../../scheduler/occasion.ts";
import type { AssumedComponent, AssumedWorkload } from "../../scheduler/options.ts";
import { isWorkload } from "../../scheduler/workload.ts";
import { type AnyBinding, BINDING_API_VERSION } from "../../works/binding.ts";
import type { ControllerContext } from "../context.ts";
import { bindingKey } from "./binding-key.ts";
import type { DecisionMemory } from "./decision-memory.ts";

/** As Karmada: what has not become healthy by then is in the reports of its cluster, or never will be. */
const ASSUMED_FOR_MS = 300_000;

interface Assumed {
  readonly expiresAt: number;
  readonly byCluster: Map<string, AssumedWorkload>;
}

/**
 * Each result counts from its decision on, for five minutes after the last one of its binding, in every cluster until the
 * workload becomes healthy there, leaves, or its binding goes. As Karmada, only bindings with a namespace count.
 */
export class AssumedWorkloads implements DecisionMemory {
  readonly #clock: Clock;
  /** By binding; the one that was decided last stands last. */
  readonly #bindings = new Map<string, Assumed>();
  /** What was assumed of a binding before the result that is being written. */
  readonly #before = new Map<string, Assumed | undefined>();
  /** The same by cluster, then by binding. */
  readonly #clusters = new Map<string, Map<string, AssumedWorkload>>();
  /** The same as decisions are told; those of `#changed` are out of date. */
  readonly #lists = new Map<string, readonly AssumedWorkload[]>();
  readonly #changed = new Set<string>();
  readonly #listeners: ((cluster: string) => void)[] = [];

  constructor(context: ControllerContext) {
    this.#clock = context.clock;
    const { schedulerName } = context.profile.scheduling;
    context.informers.of<ResourceBinding>(BINDING_API_VERSION, "ResourceBinding").subscribe((change) => {
      const key = bindingKey(change.object);
      if (!this.#bindings.has(key)) return;
      if (change.type === "deleted" || whyIgnored(change.object, schedulerName) !== undefined) {
        this.#replace(key, undefined);
      } else if (change.type === "updated") {
        const { previous, object } = change;
        for (const cluster of newlyHealthy(previous.status?.aggregatedStatus, object.status?.aggregatedStatus))
          this.#release(key, cluster);
      }
    });
  }

  onRoom(listener: (cluster: string) => void): void {
    this.#listeners.push(listener);
  }

  optionsFor(): Partial<DecisionOptions> {
    const now = this.#clock.now();
    for (const [key, { expiresAt }] of this.#bindings) {
      if (expiresAt > now) break;
      this.#replace(key, undefined);
    }
    for (const cluster of this.#changed) {
      const workloads = this.#clusters.get(cluster);
      if (workloads === undefined) this.#lists.delete(cluster);
      else this.#lists.set(cluster, [...workloads.values()]);
    }
    this.#changed.clear();
    return { assumedWorkloads: this.#lists };
  }

  decided(binding: AnyBinding, clusters: readonly TargetCluster[]): void {
    if (binding.kind !== "ResourceBinding" || !isWorkload(binding.spec)) return;
    const key = bindingKey(binding);
    this.#before.set(key, this.#bindings.get(key));
    const { namespace } = binding.spec.resource;
    const byCluster = new Map<string, AssumedWorkload>();
    for (const target of clusters) {
      const components = componentsOf(binding, target);
      byCluster.set(target.name, { ...(namespace === undefined ? {} : { namespace }), components });
    }
    this.#replace(key, { expiresAt: this.#clock.now() + ASSUMED_FOR_MS, byCluster });
  }

  ended(binding: AnyBinding, stored: AnyBinding | undefined): void {
    const key = bindingKey(binding);
    if (stored === undefined && this.#before.has(key)) this.#replace(key, this.#before.get(key));
    this.#before.delete(key);
  }

  #release(key: string, cluster: string): void {
    this.#bindings.get(key)?.byCluster.delete(cluster);
    if (this.#bindings.get(key)?.byCluster.size === 0) this.#bindings.delete(key);
    this.#leave(key, cluster);
    this.#tellRoom(cluster);
  }

  #tellRoom(cluster: string): void {
    for (const listener of this.#listeners) listener(cluster);
  }

  #replace(key: string, assumed: Assumed | undefined): void {
    for (const cluster of this.#bindings.get(key)?.byCluster.keys() ?? []) {
      this.#leave(key, cluster);
      if (assumed?.byCluster.has(cluster) !== true) this.#tellRoom(cluster);
    }
    this.#bindings.delete(key);
    if (assumed === undefined || assumed.byCluster.size === 0) return;
    this.#bindings.set(key, assumed);
    for (const [cluster, workload] of assumed.byCluster) {
      const workloads = this.#clusters.get(cluster);
      if (workloads === undefined) this.#clusters.set(cluster, new Map([[key, workload]]));
      else workloads.set(key, workload);
      this.#changed.add(cluster);
    }
  }

  #leave(key: string, cluster: string): void {
    const workloads = this.#clusters.get(cluster);
    if (workloads?.delete(key) === true) this.#changed.add(cluster);
    if (workloads?.size === 0) this.#clusters.delete(cluster);
  }
}

/** What a target is to run: all components, or the replicas of the only template as one. */
function componentsOf({ spec }: AnyBinding, target: TargetCluster): readonly AssumedComponent[] {
  const own = spec.components?.length
    ? spec.components
    : [{ name: spec.resource.name, replicas: target.replicas ?? 0, replicaRequirements: spec.replicaRequirements }];
  return own.map(({ name, replicas, replicaRequirements }) => {
    const { resourceRequest } = replicaRequirements ?? {};
    return { name, replicas, ...(resourceRequest == null ? {} : { replicaRequirements: { resourceRequest } }) };
  });
}

function newlyHealthy(
  before: readonly AggregatedStatusItem[] | undefined,
  now: readonly AggregatedStatusItem[] | undefined,
): string[] {
  const were = new Set(
    (before ?? []).filter(({ health }) => health === "Healthy").map(({ clusterName }) => clusterName),
  );
  return (now ?? [])
    .filter(({ clusterName, health }) => health === "Healthy" && !were.has(clusterName))
    .map(({ clusterName }) => clusterName);
}
