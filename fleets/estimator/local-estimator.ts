// Karmada's estimator inside of this process: answers from what is watched of the members' nodes and pods.
import type { Component, ReplicaRequirements } from "../../api/work.ts";
import type { KubeClient } from "../../kube/client/kube-client.ts";
import { parseApiVersion } from "../../kube/object.ts";
import { formatLabelSelector, type LabelSelector, matchesLabelSelector, requirementsOf } from "../../kube/selectors.ts";
import { ContentCache } from "../../runtime/content-cache.ts";
import { AppError } from "../../runtime/errors.ts";
import type { ClusterRoom } from "./cluster-room.ts";
import type {
  PendingComponent,
  PendingWorkload,
  ReplicasRequest,
  SetsRequest,
  UnschedulableRequest,
} from "./messages.ts";
import { findNewReplicaSet } from "./new-replica-set.ts";
import { type ComponentRequest, type NodeRequest, readComponentRequests, readNodeRequest } from "./node-request.ts";
import { MOST } from "./place-sets.ts";
import { type QuotaFacts, replicasWithinQuotas, setsWithinQuotas } from "./quota-room.ts";

/** One cluster as far as estimates need it. */
export interface EstimatedCluster {
  readonly client: KubeClient;
  readonly room: ClusterRoom;
  /** Whether all of it was listed once: before, no answer means anything. */
  hasSynced(): boolean;
  /** Quotas of a namespace; none where they are not watched. */
  quotasOf(namespace: string): Iterable<QuotaFacts>;
}

export interface LocalEstimatorOptions {
  /** The cluster's present state; undefined when there is no connection. */
  readonly cluster: (name: string) => EstimatedCluster | undefined;
  /** Whether workloads on their way count (gate SchedulingOvercommitProtection). */
  readonly assumed: boolean;
}

/** Requirements that are remembered, by content. */
const MOST_REQUESTS = 512;
const NO_REQUIREMENTS: ReplicaRequirements = {};

export class LocalEstimator {
  readonly #options: LocalEstimatorOptions;
  /** By what nodes are asked for: the namespace makes no difference there. */
  readonly #requests = new ContentCache<object, NodeRequest>(() => MOST_REQUESTS);
  readonly #byRequirements = new WeakMap<object, NodeRequest>();
  readonly #components = new ContentCache<readonly PendingComponent[], readonly ComponentRequest[]>(
    () => MOST_REQUESTS,
  );

  constructor(options: LocalEstimatorOptions) {
    this.#options = options;
  }

  /** Replicas that the cluster has room for; undefined when nothing (yet) is known of it. */
  replicas({ cluster: name, requirements, assumed }: ReplicasRequest): number | undefined {
    const cluster = this.#known(name);
    if (cluster === undefined) return undefined;
    if (cluster.room.nodeCount === 0) return 0;
    const request = this.#requestOf(requirements ?? NO_REQUIREMENTS);
    const pending = this.#options.assumed ? assumed : [];
    const onNodes = cluster.room.replicas(request, this.#read(pending));
    const namespace = requirements?.namespace ?? "";
    // Differs from Karmada: what has no namespace is subject to no quota, not to those of all namespaces.
    if (onNodes === 0 || namespace === "") return onNodes;
    const quotas = cluster.quotasOf(namespace);
    return Math.min(onNodes, replicasWithinQuotas(quotas, requirements, pendingIn(namespace, pending)));
  }

  /** Whole sets of components that the cluster has room for. Throws `estimate-invalid` for negative replicas. */
  sets({ cluster: name, namespace, components, assumed }: SetsRequest): number | undefined {
    const requests = this.#components.get(components, () => readComponentRequests(components as readonly Component[]));
    const cluster = this.#known(name);
    if (cluster === undefined) return undefined;
    if (cluster.room.nodeCount === 0) return 0;
    if (components.length === 0) return MOST;
    const pending = this.#options.assumed ? assumed : [];
    const onNodes = cluster.room.sets(requests, this.#read(pending));
    if (onNodes === 0 || namespace === "") return onNodes;
    const own = components as readonly Component[];
    return Math.min(onNodes, setsWithinQuotas(cluster.quotasOf(namespace), own, pendingIn(namespace, pending)));
  }

  /**
   * Replicas of a Deployment whose pods found no node for longer than the threshold, by the time `nowMs`; undefined when
   * nothing is known of the cluster. Rejects with `estimate-unsupported` for other kinds and, unless `anyway` is said,
   * with `estimate-no-workload` for a Deployment that is not there; with it that is no matter where no pod waits.
   */
  async unschedulable(
    { cluster: name, workload, thresholdMs }: UnschedulableRequest,
    nowMs: number,
    options: { readonly anyway: boolean; readonly signal: AbortSignal },
  ): Promise<number | undefined> {
    const { apiVersion, kind, namespace } = workload;
    const where = `${kind} ${namespace}/${workload.name}`;
    if (kind !== "Deployment" || parseApiVersion(apiVersion).group !== "apps")
      throw new AppError("estimate-unsupported", `unschedulable replicas are counted of Deployments, not of ${where}`, {
        recovery: "stall",
      });
    const cluster = this.#known(name);
    if (cluster === undefined) return undefined;
    const latest = nowMs - Math.max(0, thresholdMs);
    const waiting = cluster.room.unplaced(namespace).filter((pod) => pod.sinceMs < latest);
    if (waiting.length === 0 && options.anyway) return 0;
    const { client } = cluster;
    const deployment = await client.find({ apiVersion, kind, namespace, name: workload.name }, options.signal);
    if (deployment === undefined)
      throw new AppError("estimate-no-workload", `there is no ${where} in cluster ${name}`, { recovery: "wait" });
    if (waiting.length === 0) return 0;
    // The server has seen to it that a Deployment has a selector.
    const { selector } = deployment["spec"] as { readonly selector: LabelSelector };
    const labelSelector = formatLabelSelector(requirementsOf(selector));
    const { items } = await client.list("apps/v1", "ReplicaSet", { namespace, labelSelector, signal: options.signal });
    const replicaSet = findNewReplicaSet(deployment, items);
    if (replicaSet === undefined) return 0;
    const { uid } = replicaSet.metadata;
    return waiting.filter((pod) => pod.owner === uid && matchesLabelSelector(selector, pod.labels)).length;
  }

  #requestOf(requirements: ReplicaRequirements): NodeRequest {
    let request = this.#byRequirements.get(requirements);
    if (request === undefined) {
      const { resourceRequest, nodeClaim } = requirements;
      request = this.#requests.get([resourceRequest, nodeClaim], () => readNodeRequest(requirements));
      this.#byRequirements.set(requirements, request);
    }
    return request;
  }

  #known(name: string): EstimatedCluster | undefined {
    const cluster = this.#options.cluster(name);
    return cluster?.hasSynced() === true ? cluster : undefined;
  }

  #read(pending: readonly PendingWorkload[]): readonly (readonly ComponentRequest[])[] {
    return pending
      .filter((workload) => workload.components.length > 0)
      .map(({ components }) =>
        this.#components.get(components, () => readComponentRequests(components as readonly Component[])),
      );
  }
}

function pendingIn(namespace: string, pending: readonly PendingWorkload[]): readonly Component[] {
  return pending
    .filter((workload) => workload.namespace === namespace)
    .flatMap((workload) => workload.components as readonly Component[]);
}
