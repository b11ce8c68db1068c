// What a node's silence and its conditions mean for its status, taints and labels.
import { isObject, type KubeObject } from "../../../kube/object.ts";
import { rfc3339 } from "../../../runtime/clock.ts";

type ConditionStatus = "True" | "False" | "Unknown";

interface NodeCondition extends Record<string, unknown> {
  readonly type: string;
  readonly status: ConditionStatus;
}

interface NodeTaint {
  readonly key: string;
  readonly value?: string;
  readonly effect: string;
  readonly timeAdded?: string;
}

/** Kubernetes' defaults: a node that was silent for so long is Unknown; one that never said anything has a little more. */
export const GRACE_MS = 50_000;
/** How long a node that has never reported may be silent. */
export const STARTUP_GRACE_MS = 60_000;

/** Taint of nodes that say that they are not ready. */
export const NOT_READY = "node.kubernetes.io/not-ready";
/** Taint of nodes that say nothing. */
export const UNREACHABLE = "node.kubernetes.io/unreachable";
const UNSCHEDULABLE = "node.kubernetes.io/unschedulable";

/** Conditions of the kubelet. That of the network belongs to the cloud's controllers. */
const KUBELET_CONDITIONS = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"] as const;

const TAINT_KEYS: Readonly<Record<string, Partial<Record<ConditionStatus, string>>>> = {
  Ready: { False: NOT_READY, Unknown: UNREACHABLE },
  MemoryPressure: { True: "node.kubernetes.io/memory-pressure" },
  DiskPressure: { True: "node.kubernetes.io/disk-pressure" },
  NetworkUnavailable: { True: "node.kubernetes.io/network-unavailable" },
  PIDPressure: { True: "node.kubernetes.io/pid-pressure" },
};

const OUR_KEYS: ReadonlySet<string> = new Set([
  UNSCHEDULABLE,
  ...Object.values(TAINT_KEYS).flatMap((keys) => Object.values(keys)),
]);

export function conditionsOf(node: KubeObject): readonly NodeCondition[] {
  const conditions = isObject(node["status"]) ? node["status"]["conditions"] : undefined;
  return Array.isArray(conditions) ? (conditions.filter(isObject) as NodeCondition[]) : [];
}

/** The status of the condition Ready; undefined while the node has none. */
export function readinessOf(node: KubeObject): ConditionStatus | undefined {
  return conditionsOf(node).find(({ type }) => type === "Ready")?.status;
}

export function taintsOf(node: KubeObject): readonly NodeTaint[] {
  const taints = isObject(node["spec"]) ? node["spec"]["taints"] : undefined;
  return Array.isArray(taints) ? (taints.filter(isObject) as unknown as NodeTaint[]) : [];
}

/** The conditions of a node that has been silent for too long. Those that are Unknown already stay as they are. */
export function unknownConditions(node: KubeObject, nowMs: number): readonly NodeCondition[] {
  const now = rfc3339(nowMs);
  const conditions = conditionsOf(node).map((condition): NodeCondition => {
    const isOurs = (KUBELET_CONDITIONS as readonly string[]).includes(condition.type);
    if (!isOurs || condition.status === "Unknown") return condition;
    return {
      ...condition,
      status: "Unknown",
      reason: "NodeStatusUnknown",
      message: "Kubelet stopped posting node status.",
      lastTransitionTime: now,
    };
  });
  for (const type of KUBELET_CONDITIONS) {
    if (conditions.some((condition) => condition.type === type)) continue;
    conditions.push({
      type,
      status: "Unknown",
      reason: "NodeStatusNeverUpdated",
      message: "Kubelet never posted node status.",
      lastHeartbeatTime: node.metadata.creationTimestamp ?? now,
      lastTransitionTime: now,
    });
  }
  return conditions;
}

/** What is to happen to a node's taint of effect NoExecute. */
export type NoExecute = "none" | "keep" | typeof NOT_READY | typeof UNREACHABLE;

/**
 * The taints that a node should have: of effect NoSchedule by its conditions and whether it is cordoned, and by `noExecute`.
 * Taints of others stay. Answers the same list when nothing is to change.
 */
export function wantedTaints(node: KubeObject, noExecute: NoExecute, nowMs: number): readonly NodeTaint[] {
  const present = taintsOf(node);
  const keys = conditionsOf(node).flatMap(({ type, status }) => TAINT_KEYS[type]?.[status] ?? []);
  if (isObject(node["spec"]) && node["spec"]["unschedulable"] === true) keys.push(UNSCHEDULABLE);
  const kept = present.filter(({ key, effect }) => {
    if (effect === "NoSchedule") return !OUR_KEYS.has(key) || keys.includes(key);
    if (effect !== "NoExecute" || (key !== NOT_READY && key !== UNREACHABLE)) return true;
    return noExecute === "keep" || noExecute === key;
  });
  const added: NodeTaint[] = [];
  const timeAdded = rfc3339(nowMs);
  const add = (key: string, effect: string): void => {
    if (!kept.some((taint) => taint.key === key && taint.effect === effect)) added.push({ key, effect, timeAdded });
  };
  for (const key of keys) add(key, "NoSchedule");
  if (noExecute !== "none" && noExecute !== "keep") add(noExecute, "NoExecute");
  return kept.length === present.length && added.length === 0 ? present : [...kept, ...added];
}

const SECOND_NAMES: readonly (readonly [string, string])[] = [
  ["kubernetes.io/os", "beta.kubernetes.io/os"],
  ["kubernetes.io/arch", "beta.kubernetes.io/arch"],
];

/** Labels that have an older name must have it too; empty when they do. */
export function missingLabels(node: KubeObject): Readonly<Record<string, string>> {
  const labels = node.metadata.labels ?? {};
  const missing: Record<string, string> = {};
  for (const [name, older] of SECOND_NAMES) {
    const value = labels[name];
    if (value !== undefined && labels[older] !== value) missing[older] = value;
  }
  return missing;
}
