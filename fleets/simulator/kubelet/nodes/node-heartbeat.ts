// What a node's kubelet tells of the node itself: its status every five minutes, its lease every ten seconds.
import { isObject, type KubeObject } from "../../../../kube/object.ts";
import { perform, type Steps, tell, type WakeUp } from "../../kernel/action.ts";
import type { World } from "../../kernel/controller.ts";
import { addedNode } from "./added-node.ts";
import { heartbeatConditions, type NodeCondition } from "./node-object.ts";

/** `nodeStatusReportFrequency`: how often a status without news is written. */
const STATUS_PERIOD_MS = 300_000;
/** A quarter of the lease's duration. */
const LEASE_PERIOD_MS = 10_000;
const LEASE_DURATION_S = 40;
const LEASE_NAMESPACE = "kube-node-lease";

/** When the kubelet of each node writes next. Lost with a restart, after which it writes at once, as a kubelet does. */
export class HeartbeatTimes {
  readonly #statusAt = new Map<string, number>();
  readonly #leaseAt = new Map<string, number>();

  forget(node: string): void {
    this.#statusAt.delete(node);
    this.#leaseAt.delete(node);
  }

  /** When the node's status is due; a node's first is one period after it was met, since registering wrote one. */
  statusAt(node: string, nowMs: number): number {
    const at = this.#statusAt.get(node) ?? nowMs + STATUS_PERIOD_MS;
    this.#statusAt.set(node, at);
    return at;
  }

  leaseAt(node: string): number {
    return this.#leaseAt.get(node) ?? 0;
  }

  statusWritten(node: string, nowMs: number): void {
    this.#statusAt.set(node, nowMs + STATUS_PERIOD_MS);
  }

  leaseWritten(node: string, nowMs: number): void {
    this.#leaseAt.set(node, nowMs + LEASE_PERIOD_MS);
  }
}

/** Writes what is due of a node that is up. Answers when it wants to be called again. */
export function* heartbeat(node: KubeObject, times: HeartbeatTimes, world: World): Steps<WakeUp | undefined> {
  const name = node.metadata.name ?? "";
  const now = world.now();
  if (world.traits.heartbeats === false) {
    if (!isKnown(node)) yield* reportStatus(node, world);
    return undefined;
  }
  if (now >= times.leaseAt(name)) {
    yield* renewLease(node, world);
    times.leaseWritten(name, now);
  }
  const statusAt = times.statusAt(name, now);
  if (now >= statusAt || !isKnown(node)) {
    yield* reportStatus(node, world);
    times.statusWritten(name, now);
  }
  const next = Math.min(times.leaseAt(name), times.statusAt(name, now));
  return { afterMs: Math.max(0, next - world.now()) };
}

function* renewLease(node: KubeObject, { state, now }: World): Steps<void> {
  const { name = "", uid = "" } = node.metadata;
  const renewTime = `${new Date(now()).toISOString().slice(0, -1)}000Z`;
  const lease = state.get("coordination.k8s.io/leases", LEASE_NAMESPACE, name);
  if (lease !== undefined) {
    yield* perform({ do: "patch", object: lease, patch: { spec: { renewTime } } });
    return;
  }
  yield* perform({
    do: "create",
    object: {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: {
        name,
        namespace: LEASE_NAMESPACE,
        ownerReferences: [{ apiVersion: "v1", kind: "Node", name, uid }],
      },
      spec: { holderIdentity: name, leaseDurationSeconds: LEASE_DURATION_S, renewTime },
    },
  });
}

/** Writes the status: the conditions with the time of now, and the rest where the Node has come without it. */
function* reportStatus(node: KubeObject, world: World): Steps<void> {
  const now = world.now();
  const before = conditionsOf(node);
  const status = isObject(node["status"]) ? node["status"] : {};
  const isBare = before.length === 0;
  const conditions = heartbeatConditions(before, now);
  const registered = isBare ? addedNode(node, world.traits, now) : undefined;
  if (registered !== undefined && (node["spec"] as { podCIDR?: string } | undefined)?.podCIDR === undefined)
    yield* perform({ do: "patch", object: node, patch: { spec: registered["spec"] } });
  const basis = isObject(registered?.["status"]) ? registered["status"] : {};
  yield* perform({
    do: "patch",
    object: node,
    patch: { status: { ...basis, ...(isBare ? status : {}), conditions } },
    subresource: "status",
  });
  const wasReady = before.find(({ type }) => type === "Ready")?.status;
  if (
    wasReady !== undefined &&
    wasReady !== "True" &&
    conditions.some((each) => each.type === "Ready" && each.status === "True")
  ) {
    const name = node.metadata.name ?? "";
    yield* tell(node, "Normal", "NodeReady", `Node ${name} status is now: NodeReady`);
  }
}

/** Whether all that a kubelet reports is there, and nobody has taken it for lost since. */
function isKnown(node: KubeObject): boolean {
  const conditions = conditionsOf(node);
  return conditions.length > 0 && conditions.every(({ status }) => status !== "Unknown");
}

function conditionsOf(node: KubeObject): NodeCondition[] {
  const status = isObject(node["status"]) ? node["status"] : {};
  return Array.isArray(status["conditions"]) ? (status["conditions"] as NodeCondition[]) : [];
}
