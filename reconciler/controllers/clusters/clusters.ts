// Keeps every Cluster object true: connection, health, what it offers; and takes a cluster out when it is deleted.
import type { Cluster, ClusterStatus, Taint } from "../../../api/cluster.ts";
import type { Work } from "../../../api/work.ts";
import { decideReady, type ProbeMemory } from "../../../fleets/cluster-health.ts";
import { apiEnablements, probe } from "../../../fleets/cluster-status.ts";
import { decodeSecret, type SecretData } from "../../../fleets/connect.ts";
import type { ConnectedMember, Fleet } from "../../../fleets/fleet.ts";
import { isAlreadyExists, isConflict, isNotFound } from "../../../kube/client/status-error.ts";
import { createMergePatch } from "../../../kube/merge-patch.ts";
import { type Condition, equalJson, type KubeObject, type ObjectRef } from "../../../kube/object.ts";
import { sleep } from "../../../runtime/clock.ts";
import { AppError, messageOf } from "../../../runtime/errors.ts";
import { type StepResult, WorkQueue } from "../../../runtime/work-queue.ts";
import { changeTaints, NOT_READY_TAINT, taintsForCondition } from "../../failover/condition-taints.ts";
import { executionNamespace } from "../../works/naming.ts";
import type { Controller, ControllerContext } from "../context.ts";
import { subjectOf } from "../events.ts";

const CLUSTER_API = "cluster.karmada.io/v1alpha1";
const FINALIZER = "karmada.io/cluster-controller";
/** How long a cluster that may not list its nodes or pods is waited for before it is ready without numbers. */
const CAPACITY_TIMEOUT_MS = 3_000;
/** The informer is about to tell what somebody else wrote. */
const TAINT_RETRY_MS = 50;

export function startClusterController(context: ControllerContext, fleet: Fleet): Controller {
  const clusters = context.informers.of<Cluster>(CLUSTER_API, "Cluster");
  const memories = new Map<string, ProbeMemory>();
  const queue = new WorkQueue(
    { name: "clusters", clock: context.clock, logger: context.logger, workers: 32, maxBackoffMs: 10_000 },
    step,
  );
  clusters.subscribe((change) => {
    const name = change.object.metadata.name ?? "";
    // Our own status writes must not shorten the interval.
    const specChanged =
      change.type !== "updated" || change.object.metadata.generation !== change.previous.metadata.generation;
    if (specChanged || change.object.metadata.deletionTimestamp !== undefined) queue.add(name);
  });

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

    let connected: ConnectedMember | undefined;
    let detail: string | undefined;
    try {
      connected = await fleet.connect(cluster, await readSecret(context, cluster));
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      detail = messageOf(error);
    }
    const seen = connected === undefined ? "not-configured" : await probeWithin(context, connected, signal);
    const published = findReady(cluster);
    // A cluster that is ready before its room is known would be passed over by whatever asks for room.
    if (connected !== undefined && seen === "healthy" && published?.status !== "True")
      await capacityWithin(context, connected, signal);
    const decision = decideReady(
      seen,
      published,
      memories.get(name),
      context.profile.clusterThresholds,
      context.clock.now(),
      detail,
    );
    memories.set(name, decision.memory);

    const status = await collectStatus(
      cluster,
      connected,
      seen === "healthy" && decision.condition.status === "True",
      decision.condition,
    );
    if (!equalJson(status, cluster.status ?? {})) {
      // Of the difference: a resource that no Pod asks for any more must go from the sums.
      const patch = { status: createMergePatch(cluster.status ?? {}, status) };
      clusters.adopt(
        await context.client.patch<Cluster>(refOfCluster(name), patch, "merge", { subresource: "status" }),
      );
    }
    if (published?.status !== decision.condition.status) {
      context.logger.info("cluster changed readiness", {
        cluster: name,
        ready: decision.condition.status,
        reason: decision.condition.reason,
      });
    }
    const taintInMs = await syncTaints(context, { ...(clusters.get(undefined, name) ?? cluster), status });
    const wait = Math.min(
      taintInMs ?? Number.POSITIVE_INFINITY,
      decision.publishInMs ?? context.profile.clusterStatusIntervalMs,
    );
    return { requeueAfterMs: Math.min(wait, context.profile.clusterStatusIntervalMs) };
  }

  return { stop: () => queue.stop() };
}

/**
 * Brings the taints in line with the Ready condition. With failover, a cluster that stays not ready gets a taint that
 * drives workloads out; it goes with the recovery. Answers when such a taint falls due.
 */
async function syncTaints(context: ControllerContext, cluster: Cluster): Promise<number | undefined> {
  const { failover, unreachableTaintAfterMs } = context.profile;
  const now = context.clock.now();
  const change = taintsForCondition(cluster);
  const evicting: Taint = { key: NOT_READY_TAINT, effect: "NoExecute" };
  const ready = findReady(cluster);
  let dueInMs: number | undefined;
  let { add, remove } = change;
  if (ready?.status === "True") remove = [...remove, evicting];
  else if (failover && unreachableTaintAfterMs !== undefined && ready !== undefined) {
    dueInMs = Date.parse(ready.lastTransitionTime) + unreachableTaintAfterMs - now;
    if (dueInMs <= 0) {
      dueInMs = undefined;
      add = [...add, evicting];
    }
  }
  const taints = changeTaints(cluster.spec.taints, { add, remove }, now);
  if (taints === undefined) return dueInMs;
  const { name = "", resourceVersion } = cluster.metadata;
  let patched: Cluster;
  try {
    // Of the version that the list was made from: people and taint policies write there too.
    patched = await context.client.patch<Cluster>(
      refOfCluster(name),
      { metadata: { resourceVersion }, spec: { taints } },
      "merge",
      { fieldManager: "flaghoist" },
    );
  } catch (error) {
    if (isConflict(error)) return TAINT_RETRY_MS;
    throw error;
  }
  context.informers.of<Cluster>(CLUSTER_API, "Cluster").adopt(patched);
  const text = taints.map((taint) => `${taint.key}:${taint.effect}`).join(", ");
  context.events.record(
    subjectOf(cluster),
    "Normal",
    "TaintClusterSucceed",
    `Taints are now: ${text === "" ? "none" : text}.`,
  );
  context.logger.info("tainted cluster", { cluster: name, taints: text });
  return dueInMs;
}

async function probeWithin(
  context: ControllerContext,
  connected: ConnectedMember,
  signal: AbortSignal,
): Promise<"healthy" | "unhealthy" | "offline"> {
  const timeout = new AbortController();
  const timer = context.clock.after(context.profile.clusterProbeTimeoutMs, () =>
    timeout.abort(new Error("the health end point did not answer in time")),
  );
  try {
    const seen = await probe(connected.member, AbortSignal.any([signal, timeout.signal]));
    return seen === "not-configured" ? "offline" : seen;
  } catch (error) {
    if (signal.aborted) throw error;
    return "offline";
  } finally {
    timer.cancel();
  }
}

async function capacityWithin(
  context: ControllerContext,
  connected: ConnectedMember,
  signal: AbortSignal,
): Promise<void> {
  const timeout = new AbortController();
  const given = sleep(context.clock, CAPACITY_TIMEOUT_MS, AbortSignal.any([signal, timeout.signal])).catch(() => {});
  await Promise.race([connected.capacity.synced(), given]);
  timeout.abort();
}

async function collectStatus(
  cluster: Cluster,
  connected: ConnectedMember | undefined,
  full: boolean,
  ready: Condition,
): Promise<ClusterStatus> {
  const others = (cluster.status?.conditions ?? []).filter(
    (condition) => condition.type !== "Ready" && condition.type !== "CompleteAPIEnablements",
  );
  const known = (cluster.status?.conditions ?? []).find((condition) => condition.type === "CompleteAPIEnablements");
  if (!full || connected === undefined) {
    return { ...cluster.status, conditions: [...others, ...(known === undefined ? [] : [known]), ready] };
  }
  const { member, capacity } = connected;
  await member.client.mapper.refresh();
  const resources = await member.client.mapper.all();
  const complete: Condition = {
    type: "CompleteAPIEnablements",
    status: resources.length > 0 ? "True" : "False",
    reason: resources.length > 0 ? "Complete" : "Empty",
    message: resources.length > 0 ? "cluster's API enablements are complete" : "cluster's API enablements are empty",
    lastTransitionTime: ready.lastTransitionTime,
  };
  if (known?.status === complete.status) complete.lastTransitionTime = known.lastTransitionTime;
  return {
    ...cluster.status,
    ...capacity.summary(),
    kubernetesVersion: await serverVersion(connected),
    apiEnablements: apiEnablements(resources),
    conditions: [...others, complete, ready],
  };
}

async function serverVersion(connected: ConnectedMember): Promise<string> {
  const version = await connected.member.client.raw("GET", "/version");
  const text = typeof version === "object" && version !== null && "gitVersion" in version ? version.gitVersion : "";
  return typeof text === "string" ? text : "";
}

async function readSecret(context: ControllerContext, cluster: Cluster): Promise<SecretData> {
  const reference = cluster.spec.secretRef;
  if (reference === undefined) return {};
  const secret = await context.client.find({ apiVersion: "v1", kind: "Secret", ...reference });
  if (secret === undefined) {
    throw new AppError(
      "cluster-not-configured",
      `spec.secretRef of cluster ${cluster.metadata.name} names Secret ${reference.namespace}/${reference.name}, which does not exist`,
      { recovery: "retry" },
    );
  }
  return decodeSecret(secret);
}

export function findReady(cluster: Cluster): Condition | undefined {
  return cluster.status?.conditions?.find((condition) => condition.type === "Ready");
}

function refOfCluster(name: string): ObjectRef {
  return { apiVersion: CLUSTER_API, kind: "Cluster", name };
}

async function ensureFinalizer(context: ControllerContext, cluster: Cluster): Promise<void> {
  const finalizers = cluster.metadata.finalizers ?? [];
  if (finalizers.includes(FINALIZER)) return;
  const patch = {
    metadata: { resourceVersion: cluster.metadata.resourceVersion, finalizers: [...finalizers, FINALIZER] },
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

/**
 * Takes a deleted cluster out: its Works go first (and with them what they put into the member, if it still answers),
 * then the execution namespace; the Cluster object is let go when no binding targets it any more.
 */
async function removeCluster(
  context: ControllerContext,
  fleet: Fleet,
  cluster: Cluster,
): Promise<StepResult | undefined> {
  const name = cluster.metadata.name ?? "";
  if (!(cluster.metadata.finalizers ?? []).includes(FINALIZER)) return undefined;
  const namespace = executionNamespace(name);
  const works = [...context.informers.of<Work>("work.karmada.io/v1alpha1", "Work").all()].filter(
    (work) => work.metadata.namespace === namespace,
  );
  for (const work of works) {
    if (work.metadata.deletionTimestamp !== undefined) continue;
    await context.client.delete({
      apiVersion: work.apiVersion,
      kind: work.kind,
      namespace,
      name: work.metadata.name ?? "",
    });
  }
  if (works.length > 0) return { requeueAfterMs: 500 };
  await context.client.delete({ apiVersion: "v1", kind: "Namespace", name: namespace });
  const stillTargeted = ["ResourceBinding", "ClusterResourceBinding"].some((kind) => {
    const bindings = context.informers.of("work.karmada.io/v1alpha2", kind);
    return [...bindings.all()].some((binding) => targets(binding, name));
  });
  if (stillTargeted) return { requeueAfterMs: 500 };
  await fleet.disconnect(name);
  try {
    const finalizers = (cluster.metadata.finalizers ?? []).filter((finalizer) => finalizer !== FINALIZER);
    await context.client.patch(
      refOfCluster(name),
      { metadata: { resourceVersion: cluster.metadata.resourceVersion, finalizers } },
      "merge",
    );
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  context.events.record(
    subjectOf(cluster),
    "Normal",
    "RemoveExecutionSpaceSucceed",
    `Removed execution space(${namespace}).`,
  );
  return undefined;
}

function targets(binding: KubeObject, clusterName: string): boolean {
  const spec = binding["spec"] as { clusters?: readonly { name: string }[] } | undefined;
  return spec?.clusters?.some((cluster) => cluster.name === clusterName) === true;
}
