// Keeps every Cluster object true: what drives it is looked at, and taken out when it is deleted.
import type { Cluster } from "../../../api/cluster.ts";
import type { ProbeMemory } from "../../../fleets/cluster-health.ts";
import type { Fleet } from "../../../fleets/fleet.ts";
import type { Change } from "../../../kube/client/informer.ts";
import { isAlreadyExists } from "../../../kube/client/status-error.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { type StepResult, WorkQueue } from "../../../runtime/work-queue.ts";
import { executionNamespace } from "../../works/naming.ts";
import type { Controller, ControllerContext } from "../context.ts";
import { CLUSTER_API, drives, findReady, refOfCluster } from "./cluster-object.ts";
import { observeCluster } from "./observe-cluster.ts";
import { CLUSTER_FINALIZER, removeCluster } from "./remove-cluster.ts";

export { findReady };

/**
 * The control plane's loop over all clusters. Those in Push mode it also looks at; those in Pull mode tell of themselves,
 * and are never connected to.
 */
export function startClusterController(context: ControllerContext, fleet: Fleet): Controller {
  const clusters = context.informers.of<Cluster>(CLUSTER_API, "Cluster");
  const memories = new Map<string, ProbeMemory>();
  const queue = new WorkQueue(
    { name: "clusters", clock: context.clock, logger: context.logger, workers: 32, maxBackoffMs: 10_000 },
    step,
  );
  clusters.subscribe((change) => {
    if (isNews(change)) queue.add(change.object.metadata.name ?? "");
  });
  fleet.rights.subscribe((name) => queue.add(name));

  async function step(name: string, signal: AbortSignal): Promise<StepResult | undefined> {
    const cluster = clusters.get(undefined, name);
    if (cluster === undefined) {
      memories.delete(name);
      await fleet.disconnect(name);
      return undefined;
    }
    if (cluster.metadata.deletionTimestamp !== undefined) return removeCluster(context, fleet, cluster);
    await ensureFinalizer(context, cluster);
    await ensureExecutionNamespace(context, name);
    const { clusterStatusIntervalMs } = context.profile;
    let dueInMs = clusterStatusIntervalMs;
    if (drives(context.agentOf, cluster)) {
      const seen = await observeCluster(context, fleet, cluster, memories.get(name), signal);
      memories.set(name, seen.memory);
      dueInMs = Math.min(dueInMs, seen.publishInMs ?? dueInMs);
    } else {
      memories.delete(name);
      await fleet.disconnect(name);
    }
    return { requeueAfterMs: dueInMs };
  }

  return { stop: () => queue.stop() };
}

/** Status writes must not shorten the interval. */
function isNews(change: Change<Cluster>): boolean {
  const { object } = change;
  if (change.type !== "updated" || object.metadata.deletionTimestamp !== undefined) return true;
  return object.metadata.generation !== change.previous.metadata.generation;
}

async function ensureFinalizer(context: ControllerContext, cluster: Cluster): Promise<void> {
  const finalizers = cluster.metadata.finalizers ?? [];
  if (finalizers.includes(CLUSTER_FINALIZER)) return;
  const patch = {
    metadata: { resourceVersion: cluster.metadata.resourceVersion, finalizers: [...finalizers, CLUSTER_FINALIZER] },
  };
  await context.client.patch(refOfCluster(cluster.metadata.name ?? ""), patch, "merge");
}

async function ensureExecutionNamespace(context: ControllerContext, clusterName: string): Promise<void> {
  const name = executionNamespace(clusterName);
  const namespaces = context.informers.of("v1", "Namespace");
  if (namespaces.get(undefined, name) !== undefined) return;
  const namespace: KubeObject = {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name, labels: { "karmada.io/system": "true" } },
  };
  try {
    namespaces.adopt(await context.client.create(namespace, { fieldManager: "flaghoist" }));
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}
