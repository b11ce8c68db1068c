// Takes a cluster's nodes to another version, one after the other, as an upgrade with `kubectl drain` does.
import { isObject, type KubeObject } from "../../../kube/object.ts";
import { rfc3339 } from "../../../runtime/clock.ts";
import { attempt, perform, remove, type Steps, type WakeUp } from "../kernel/action.ts";
import { type Controller, controllerOf, type World } from "../kernel/controller.ts";
import type { UpgradePlan } from "../kernel/disturbances.ts";

/** When the node was cordoned for its upgrade. */
const BEGAN = "simulator.flaghoist.io/upgrade-began";
/** When its last Pod was gone. */
const EMPTY = "simulator.flaghoist.io/upgrade-empty";
/** As `kubectl drain` tries an eviction again that a budget forbids. */
const EVICT_AGAIN_MS = 5_000;
const LOOK_AGAIN_MS = 1_000;
const MIRROR = "kubernetes.io/config.mirror";

type NodeStep =
  /** Cordon it. */
  | { readonly do: "begin"; readonly node: KubeObject }
  /** Evict, or delete, what is on it. */
  | { readonly do: "drain"; readonly node: KubeObject; readonly byForce: boolean }
  | { readonly do: "finish"; readonly node: KubeObject }
  /** Uncordon a node that no upgrade is about any more. */
  | { readonly do: "give-up"; readonly node: KubeObject };

interface UpgradeDecision {
  readonly steps: readonly NodeStep[];
  readonly afterMs: number | undefined;
}

/** What to do next of an upgrade; `isEmpty` says whether nothing is left on a node that a drain would take away. */
function decideUpgrade(
  nodes: readonly KubeObject[],
  plan: UpgradePlan | undefined,
  nowMs: number,
  isEmpty: (node: string) => boolean,
): UpgradeDecision {
  const begun = nodes.filter((node) => timeOf(node, BEGAN) !== undefined);
  if (plan === undefined) return { steps: begun.map((node) => ({ do: "give-up", node })), afterMs: undefined };
  const waits: number[] = [];
  const steps: NodeStep[] = [];
  for (const node of begun) {
    const emptyMs = timeOf(node, EMPTY);
    if (emptyMs !== undefined) {
      const leftMs = emptyMs + plan.nodePauseMs - nowMs;
      if (leftMs > 0) waits.push(leftMs);
      else steps.push({ do: "finish", node });
      continue;
    }
    const byForce = nowMs - (timeOf(node, BEGAN) ?? nowMs) >= plan.drainTimeoutMs;
    steps.push({ do: "drain", node, byForce });
    waits.push(isEmpty(node.metadata.name ?? "") ? plan.nodePauseMs : LOOK_AGAIN_MS);
  }
  const room = plan.maxUnavailable - begun.length;
  const next = nodes.filter((node) => !begun.includes(node) && kubeletVersionOf(node) !== plan.to);
  for (const node of next.slice(0, Math.max(0, room))) {
    steps.push({ do: "begin", node });
    waits.push(0);
  }
  return { steps, afterMs: waits.length === 0 ? undefined : Math.min(...waits) };
}

/** The version that a Node's kubelet reports. */
export function kubeletVersionOf(node: KubeObject): string | undefined {
  const info = isObject(node["status"]) ? node["status"]["nodeInfo"] : undefined;
  return isObject(info) ? String(info["kubeletVersion"]) : undefined;
}

/** Whether a node is being upgraded at the moment. */
function isBeingUpgraded(node: KubeObject): boolean {
  return timeOf(node, BEGAN) !== undefined;
}

function timeOf(node: KubeObject, annotation: string): number | undefined {
  const text = node.metadata.annotations?.[annotation];
  return text === undefined ? undefined : Date.parse(text);
}

/** Carries out the upgrade that a fault has begun. */
export function upgradeController(): Controller {
  return {
    name: "cluster-upgrade",
    manager: "cluster-upgrade",
    // Nodes that an upgrade left behind are found when controllers start anew.
    watches: [
      {
        resource: "nodes",
        keys: ({ object }, { disturbances }) =>
          disturbances.upgrade !== undefined || isBeingUpgraded(object) ? ["nodes"] : [],
      },
      {
        resource: "pods",
        keys: (change, { disturbances }) =>
          disturbances.upgrade !== undefined && change.type === "deleted" ? ["nodes"] : [],
      },
    ],
    disturbed: () => ["nodes"],
    *reconcile(_key, world) {
      const { state, disturbances } = world;
      const isEmpty = (node: string): boolean => podsToMove(world, node).length === 0;
      const decision = decideUpgrade(state.list("nodes"), disturbances.upgrade, world.now(), isEmpty);
      let afterMs = decision.afterMs;
      for (const step of decision.steps) {
        const wakeUp = yield* carryOutStep(step, disturbances.upgrade, world);
        if (wakeUp !== undefined) afterMs = Math.min(afterMs ?? wakeUp.afterMs, wakeUp.afterMs);
      }
      return afterMs === undefined ? undefined : { afterMs };
    },
  };
}

function* carryOutStep(step: NodeStep, plan: UpgradePlan | undefined, world: World): Steps<WakeUp | undefined> {
  const { node } = step;
  const now = rfc3339(world.now());
  switch (step.do) {
    case "begin":
      yield* perform({
        do: "patch",
        object: node,
        patch: { metadata: { annotations: { [BEGAN]: now } }, spec: { unschedulable: true } },
      });
      return { afterMs: 0 };
    case "drain":
      return yield* drain(step, world, now);
    case "finish": {
      const nodeInfo = { kubeletVersion: plan?.to };
      yield* perform({ do: "patch", object: node, patch: { status: { nodeInfo } }, subresource: "status" });
      yield* perform({ do: "patch", object: node, patch: RELEASE });
      return { afterMs: 0 };
    }
    case "give-up":
      yield* perform({ do: "patch", object: node, patch: RELEASE });
      return undefined;
  }
}

const RELEASE = { metadata: { annotations: { [BEGAN]: null, [EMPTY]: null } }, spec: { unschedulable: null } };

function* drain(
  { node, byForce }: Extract<NodeStep, { do: "drain" }>,
  world: World,
  now: string,
): Steps<WakeUp | undefined> {
  const pods = podsToMove(world, node.metadata.name ?? "");
  if (pods.length === 0) {
    yield* perform({ do: "patch", object: node, patch: { metadata: { annotations: { [EMPTY]: now } } } });
    return undefined;
  }
  let isForbidden = false;
  for (const pod of pods) {
    if (pod.metadata.deletionTimestamp !== undefined) continue;
    if (byForce) {
      yield* remove(pod);
      continue;
    }
    const outcome = yield* attempt({ do: "evict", pod });
    if (outcome.ok || outcome.error.status.code === 404) continue;
    if (outcome.error.status.code !== 429) throw outcome.error;
    isForbidden = true;
  }
  return { afterMs: isForbidden ? EVICT_AGAIN_MS : LOOK_AGAIN_MS };
}

/** As `kubectl drain --ignore-daemonsets`: Pods of DaemonSets and of the kubelet itself stay. */
function podsToMove({ state }: World, node: string): KubeObject[] {
  return state
    .podsOn(node)
    .filter((pod) => controllerOf(pod)?.kind !== "DaemonSet" && pod.metadata.annotations?.[MIRROR] === undefined);
}
