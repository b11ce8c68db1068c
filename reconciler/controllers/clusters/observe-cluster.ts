// One look at a cluster by the process that drives it: connection, health, what it offers; written to its status.
import type { Cluster, ClusterStatus } from "../../../api/cluster.ts";
import { decideReady, type HealthDecision, type ProbeMemory } from "../../../fleets/cluster-health.ts";
import { enablementsOf, probe, type SeenApis } from "../../../fleets/cluster-status.ts";
import { decodeSecret, type SecretData } from "../../../fleets/connect.ts";
import type { ConnectedMember, Fleet } from "../../../fleets/fleet.ts";
import { RIGHTS_CONDITION, rightsCondition } from "../../../fleets/member-rights.ts";
import { isConflict } from "../../../kube/client/status-error.ts";
import { findCondition, removeCondition, setCondition } from "../../../kube/conditions.ts";
import { createMergePatch } from "../../../kube/merge-patch.ts";
import { type Condition, equalJson } from "../../../kube/object.ts";
import { rfc3339, sleep } from "../../../runtime/clock.ts";
import { AppError, messageOf } from "../../../runtime/errors.ts";
import type { ControllerContext } from "../context.ts";
import { CLUSTER_API, findReady, refOfCluster } from "./cluster-object.ts";

/** How long a cluster that may not list its nodes or pods is waited for before it is ready without numbers. */
const CAPACITY_TIMEOUT_MS = 3_000;
/** The informer is about to tell what somebody else wrote. */
const CONFLICT_RETRY_MS = 50;

export interface Observation extends HealthDecision {
  /** What the probe saw, before damping. */
  readonly isHealthy: boolean;
  /** As it is in the store now. */
  readonly status: ClusterStatus;
}

/**
 * Connects when needed, probes, and writes the status when it is another than published. `memory` is that of the last look.
 * A cluster whose credentials cannot be used is an observation too; throws when the store refuses.
 */
export async function observeCluster(
  context: ControllerContext,
  fleet: Fleet,
  cluster: Cluster,
  memory: ProbeMemory | undefined,
  signal: AbortSignal,
): Promise<Observation> {
  const name = cluster.metadata.name ?? "";
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
  const { clusterThresholds } = context.profile;
  const decision = decideReady(seen, published, memory, clusterThresholds, context.clock.now(), detail);
  const { condition } = decision;
  const isHealthy = seen === "healthy";
  if (connected !== undefined && isHealthy) await fleet.rights.review(name, connected.member.client);
  const collected = await collectStatus(
    context,
    cluster,
    connected,
    isHealthy && condition.status === "True",
    condition,
  );
  // Others write conditions of theirs, too, and may have done so while the cluster was asked.
  const present = context.informers.of<Cluster>(CLUSTER_API, "Cluster").get(undefined, name) ?? cluster;
  const status = withRights(
    { ...present.status, ...collected, conditions: withConditionsOf(present, collected) },
    rightsCondition(name, fleet.rights.missing(name), context.clock.now()),
  );
  if (!equalJson(status, present.status ?? {})) {
    // Of the difference: a resource that no Pod asks for any more must go from the sums.
    const { resourceVersion } = present.metadata;
    const patch = { metadata: { resourceVersion }, status: createMergePatch(present.status ?? {}, status) };
    try {
      const written = await context.client.patch<Cluster>(refOfCluster(name), patch, "merge", {
        subresource: "status",
      });
      context.informers.of<Cluster>(CLUSTER_API, "Cluster").adopt(written);
    } catch (error) {
      if (!isConflict(error)) throw error;
      return { ...decision, publishInMs: CONFLICT_RETRY_MS, isHealthy, status: present.status ?? {} };
    }
  }
  if (published?.status !== condition.status) {
    const { status: ready, reason } = condition;
    context.logger.info("cluster changed readiness", { cluster: name, ready, reason });
  }
  return { ...decision, isHealthy, status };
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

/** What was seen: fields of the status that are told anew. */
async function collectStatus(
  { clock, logger, profile }: ControllerContext,
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
    return { conditions: [...others, ...(known === undefined ? [] : [known]), ready] };
  }
  const { member, capacity } = connected;
  const { mapper } = member.client;
  let seen: SeenApis;
  try {
    await mapper.refresh();
    seen = mapper.present();
  } catch (error) {
    logger.warn("failed to read all APIs of cluster", { cluster: member.name, error: messageOf(error) });
  }
  const { condition, apiEnablements } = enablementsOf(seen, cluster.status?.apiEnablements ?? []);
  const { CustomizedClusterResourceModeling: counts } = profile.featureGates;
  const summary = profile.clusterResourceModeling ? capacity.summary(counts ? cluster.spec.resourceModels : []) : {};
  const conditions = [...others, ...(known === undefined ? [] : [known])];
  return {
    ...summary,
    kubernetesVersion: await serverVersion(connected),
    apiEnablements,
    conditions: [...setCondition(conditions, { ...condition, lastTransitionTime: rfc3339(clock.now()) }), ready],
  };
}

/** The status with what the member refuses, for as long as it does. */
function withRights(status: ClusterStatus, rights: Condition | undefined): ClusterStatus {
  const { conditions } = status;
  if (rights === undefined && findCondition(conditions, RIGHTS_CONDITION) === undefined) return status;
  return {
    ...status,
    conditions: rights === undefined ? removeCondition(conditions, RIGHTS_CONDITION) : setCondition(conditions, rights),
  };
}

const OWN_CONDITIONS: readonly string[] = ["Ready", "CompleteAPIEnablements"];

/** The conditions of `present` with ours as `collected` has them. */
function withConditionsOf(present: Cluster, collected: ClusterStatus): Condition[] {
  const own = (collected.conditions ?? []).filter(({ type }) => OWN_CONDITIONS.includes(type));
  const others = (present.status?.conditions ?? []).filter(({ type }) => !OWN_CONDITIONS.includes(type));
  return [...others, ...own];
}

async function serverVersion(connected: ConnectedMember): Promise<string> {
  const version = await connected.member.client.raw("GET", "/version");
  const text = typeof version === "object" && version !== null && "gitVersion" in version ? version.gitVersion : "";
  return typeof text === "string" ? text : "";
}

async function readSecret(context: ControllerContext, cluster: Cluster): Promise<SecretData> {
  const reference = cluster.spec.secretRef;
  // An agent has its own way into its cluster.
  if (reference === undefined || context.agentOf !== undefined) return {};
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
