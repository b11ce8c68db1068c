// Notices nodes that have fallen silent, and keeps the taints that follow from nodes' conditions.
import type { KubeObject } from "../../../kube/object.ts";
import { rfc3339 } from "../../../runtime/clock.ts";
import { podCondition } from "../controllers/pod-object.ts";
import { attempt, perform, type Reconcile, type Steps, tell } from "../kernel/action.ts";
import type { StateChange } from "../kernel/cluster-state.ts";
import { type Controller, splitKey, type World } from "../kernel/controller.ts";
import {
  conditionsOf,
  GRACE_MS,
  missingLabels,
  NOT_READY,
  type NoExecute,
  readinessOf,
  STARTUP_GRACE_MS,
  taintsOf,
  UNREACHABLE,
  unknownConditions,
  wantedTaints,
} from "./node-conditions.ts";
import { ZoneDisruption } from "./zone-disruption.ts";

const NODES = "nodes";
const LEASES = "coordination.k8s.io/leases";
const LEASE_NAMESPACE = "kube-node-lease";
/** How often the real controller looks at all nodes: what it does, it does at these times. */
const MONITOR_PERIOD_MS = 5_000;

interface Health {
  readonly uid: string;
  /** When the kubelet was last heard of. */
  heardMs: number;
  renewTime: string | undefined;
  heartbeat: string | undefined;
}

/** Taints nodes by their conditions, and gives up those that are silent. */
export function nodeLifecycleController(): Controller {
  const healths = new Map<string, Health>();
  const zones = new ZoneDisruption();
  return {
    name: "node-controller",
    manager: "kube-controller-manager",
    watches: [
      { resource: NODES, keys: (change, world) => noteNode(change, world, healths, zones) },
      {
        resource: LEASES,
        keys: ({ object }, world) => {
          if (object.metadata.namespace === LEASE_NAMESPACE) noteLease(object, world, healths);
          return [];
        },
      },
    ],
    // A kubelet that is not disturbed is heard of, whether it keeps a Lease or not.
    disturbed: (world) => world.state.list(NODES).map((node) => `/${node.metadata.name ?? ""}`),
    *reconcile(key: string, world: World): Reconcile {
      const { name } = splitKey(key);
      const node = world.state.get(NODES, undefined, name);
      const health = healths.get(name);
      if (node === undefined) {
        healths.delete(name);
        if (health !== undefined)
          yield* tellOfNode(name, health.uid, "RemovingNode", `Removing Node ${name} from Controller`);
        return undefined;
      }
      if (health === undefined) {
        const { uid = "" } = node.metadata;
        healths.set(name, firstHealth(node, world));
        yield* tellOfNode(name, uid, "RegisteredNode", `Registered Node ${name} in Controller`);
      }
      const silentMs = silenceOf(node, healths.get(name) ?? firstHealth(node, world), world);
      const graceMs = readinessOf(node) === undefined ? STARTUP_GRACE_MS : GRACE_MS;
      if (silentMs !== undefined && silentMs > graceMs) yield* giveUp(node, world);
      yield* labelAndTaint(name, zones, world);
      return wakeUp(name, silentMs, graceMs, zones, world);
    },
  };
}

function noteNode(change: StateChange, world: World, healths: Map<string, Health>, zones: ZoneDisruption): string[] {
  const { type, object } = change;
  const name = object.metadata.name ?? "";
  const health = healths.get(name);
  const heartbeat = heartbeatOf(object);
  if (health !== undefined && health.heartbeat !== heartbeat) {
    health.heartbeat = heartbeat;
    health.heardMs = world.now();
  }
  const own = `/${name}`;
  const isOther = type === "deleted" ? zones.forget(name) : zones.note(object);
  // When zones are treated otherwise, that concerns all nodes that wait to be given up.
  if (isOther) return [own, ...zones.unready().map((each) => `/${each}`)];
  return type === "updated" && isSameToUs(object, change.previous()) ? [] : [own];
}

/** Heartbeats change nodes all the time. */
function isSameToUs(node: KubeObject, before: KubeObject | undefined): boolean {
  if (before === undefined) return false;
  const facts = (object: KubeObject): string =>
    JSON.stringify([
      object.metadata.labels,
      object["spec"],
      conditionsOf(object).map(({ type, status }) => [type, status]),
    ]);
  return facts(node) === facts(before);
}

function noteLease(lease: KubeObject, world: World, healths: Map<string, Health>): void {
  const health = healths.get(lease.metadata.name ?? "");
  const renewTime = renewTimeOf(lease);
  if (health === undefined || renewTime === health.renewTime) return;
  health.renewTime = renewTime;
  health.heardMs = world.now();
}

function firstHealth(node: KubeObject, world: World): Health {
  const lease = world.state.get(LEASES, LEASE_NAMESPACE, node.metadata.name ?? "");
  const created = Date.parse(node.metadata.creationTimestamp ?? "");
  // As Kubernetes: who has never said anything is silent since it was created.
  const isNew = readinessOf(node) === undefined && lease === undefined && !Number.isNaN(created);
  return {
    uid: node.metadata.uid ?? "",
    heardMs: isNew ? created : world.now(),
    renewTime: lease === undefined ? undefined : renewTimeOf(lease),
    heartbeat: heartbeatOf(node),
  };
}

/** How long the kubelet has been silent; undefined when it is not, or nobody would notice. */
function silenceOf(node: KubeObject, health: Health, world: World): number | undefined {
  const name = node.metadata.name ?? "";
  const hasLease = world.state.get(LEASES, LEASE_NAMESPACE, name) !== undefined;
  const isDown = world.disturbances.isNodeDown(name);
  if (!hasLease && !isDown && readinessOf(node) !== undefined) {
    // Nodes without a Lease have a kubelet that says nothing as long as nothing is wrong.
    health.heardMs = world.now();
    return undefined;
  }
  return world.now() - health.heardMs;
}

function* giveUp(node: KubeObject, world: World): Steps<void> {
  const before = readinessOf(node);
  if (before === "Unknown") return;
  const status = { ...(node["status"] as object), conditions: unknownConditions(node, world.now()) };
  yield* perform({ do: "update", object: { ...node, status }, subresource: "status" });
  if (before !== "True") return;
  const { name = "", uid = "" } = node.metadata;
  yield* tell(nodeRef(name, uid), "Normal", "NodeNotReady", `Node ${name} status is now: NodeNotReady`);
  for (const { metadata } of world.state.podsOn(name))
    yield* markNotReady(metadata.namespace, metadata.name ?? "", world);
}

function* markNotReady(namespace: string | undefined, name: string, world: World): Steps<void> {
  const pod = world.state.get("pods", namespace, name);
  if (pod === undefined || podCondition(pod, "Ready")?.status !== "True") return;
  const status = pod["status"] as { readonly conditions: readonly Record<string, unknown>[] };
  // As Kubernetes: the rest of the condition stays as the kubelet wrote it.
  const unready = { status: "False", lastTransitionTime: rfc3339(world.now()) };
  const conditions = status.conditions.map((each) => (each["type"] === "Ready" ? { ...each, ...unready } : each));
  const outcome = yield* attempt({
    do: "update",
    object: { ...pod, status: { ...status, conditions } },
    subresource: "status",
  });
  if (outcome.ok) yield* tell(pod, "Warning", "NodeNotReady", "Node is not ready");
}

function* labelAndTaint(name: string, zones: ZoneDisruption, world: World): Steps<void> {
  const node = world.state.get(NODES, undefined, name);
  if (node === undefined) return;
  const now = world.now();
  const labels = missingLabels(node);
  const noExecute = noExecuteOf(node, zones, now);
  const taints = wantedTaints(node, noExecute, now);
  const isTainted = taints !== taintsOf(node) && JSON.stringify(taints) !== JSON.stringify(taintsOf(node));
  if (Object.keys(labels).length === 0 && !isTainted) return;
  const patch = {
    ...(Object.keys(labels).length === 0 ? {} : { metadata: { labels } }),
    ...(isTainted ? { spec: { taints: taints.length === 0 ? null : taints } } : {}),
  };
  yield* perform({ do: "patch", object: node, patch });
  const isGivenUp = noExecute === NOT_READY || noExecute === UNREACHABLE;
  if (isGivenUp && !hasNoExecute(node)) zones.spend(name, now);
}

function hasNoExecute(node: KubeObject): boolean {
  return taintsOf(node).some(({ key, effect }) => effect === "NoExecute" && (key === NOT_READY || key === UNREACHABLE));
}

function noExecuteOf(node: KubeObject, zones: ZoneDisruption, nowMs: number): NoExecute {
  const readiness = readinessOf(node);
  if (readiness === undefined) return "keep";
  // As Kubernetes: when every node is gone, it is probably us who is cut off.
  if (readiness === "True" || zones.isEverythingDown) return "none";
  const wanted = readiness === "False" ? NOT_READY : UNREACHABLE;
  // One that is given up already only changes its reason; others wait for their turn.
  if (hasNoExecute(node)) return wanted;
  return zones.waitMs(node.metadata.name ?? "", nowMs) === 0 ? wanted : "keep";
}

function wakeUp(
  name: string,
  silentMs: number | undefined,
  graceMs: number,
  zones: ZoneDisruption,
  world: World,
): { readonly afterMs: number } | undefined {
  const node = world.state.get(NODES, undefined, name);
  if (node === undefined) return undefined;
  const now = world.now();
  const waits: number[] = [];
  if (silentMs !== undefined && readinessOf(node) !== "Unknown") waits.push(nextLook(now + graceMs - silentMs) - now);
  const waitMs = zones.waitMs(name, now);
  const isReady = readinessOf(node) === "True" || readinessOf(node) === undefined;
  if (!isReady && !hasNoExecute(node) && waitMs !== undefined && waitMs > 0) waits.push(waitMs);
  return waits.length === 0 ? undefined : { afterMs: Math.max(1, Math.min(...waits)) };
}

/** The first time at which the real controller would notice what has come to be by `ms`. */
function nextLook(ms: number): number {
  return (Math.floor(ms / MONITOR_PERIOD_MS) + 1) * MONITOR_PERIOD_MS;
}

function heartbeatOf(node: KubeObject): string | undefined {
  const time = conditionsOf(node).find(({ type }) => type === "Ready")?.["lastHeartbeatTime"];
  return typeof time === "string" ? time : undefined;
}

function renewTimeOf(lease: KubeObject): string | undefined {
  const time = (lease["spec"] as { renewTime?: unknown } | undefined)?.renewTime;
  return typeof time === "string" ? time : undefined;
}

function tellOfNode(name: string, uid: string, reason: string, message: string): Steps<void> {
  return tell(nodeRef(name, uid), "Normal", reason, `Node ${name} event: ${message}`);
}

/** As Kubernetes names nodes in Events. */
function nodeRef(name: string, uid: string): KubeObject {
  return { apiVersion: "v1", kind: "Node", metadata: { name, uid } };
}
