// What estimators keep of nodes and pods: a large cluster's objects would fill the memory.
import { isObject, type KubeObject } from "../../kube/object.ts";
import type { Taint } from "../../kube/taints.ts";
import { type Amounts, type QuantityList, readAmounts } from "./amounts.ts";
import type { NodeTraits } from "./node-request.ts";
import { type PodArithmetic, podAmounts } from "./pod-amounts.ts";

export interface NodeDetails {
  readonly traits: NodeTraits;
  readonly allocatable: Amounts;
}

export interface PodDetails {
  /** The node that the pod takes room of; undefined while it has none, and when it has ended. */
  readonly node: string | undefined;
  /** Shared by all pods that ask for the same. */
  readonly amounts: Amounts;
  /** Only of a pod that no node has room for: */
  readonly unplaced: UnplacedPod | undefined;
}

export interface UnplacedPod {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** UID of the controller that made it. */
  readonly owner: string;
  /** When the scheduler first found no node for it, in milliseconds since the epoch. */
  readonly sinceMs: number;
}

export function readNodeDetails(node: KubeObject): NodeDetails {
  const spec = isObject(node["spec"]) ? node["spec"] : {};
  const status = isObject(node["status"]) ? node["status"] : {};
  const taints = Array.isArray(spec["taints"]) ? spec["taints"].filter(isObject) : [];
  return {
    traits: {
      name: node.metadata.name ?? "",
      labels: node.metadata.labels ?? {},
      taints: taints.map(readTaint),
      unschedulable: spec["unschedulable"] === true,
    },
    allocatable: readAmounts(isObject(status["allocatable"]) ? (status["allocatable"] as QuantityList) : undefined),
  };
}

function readTaint({ key, value, effect }: Record<string, unknown>): Taint {
  return { key: String(key ?? ""), value: String(value ?? ""), effect: String(effect ?? "") };
}

/** Different amounts that pods of a cluster ask for; more than these are not shared. */
const MOST_SHAPES = 10_000;

/** Reads pods of one cluster, and shares what they have in common. */
export class PodReader {
  readonly #arithmetic: PodArithmetic;
  readonly #shapes = new Map<string, Amounts>();
  readonly #nodeNames = new Map<string, string>();

  constructor(arithmetic: PodArithmetic) {
    this.#arithmetic = arithmetic;
  }

  read(pod: KubeObject): PodDetails {
    const spec = isObject(pod["spec"]) ? pod["spec"] : {};
    const status = isObject(pod["status"]) ? pod["status"] : {};
    const hasEnded = status["phase"] === "Succeeded" || status["phase"] === "Failed";
    const node = typeof spec["nodeName"] === "string" && spec["nodeName"] !== "" ? spec["nodeName"] : undefined;
    return {
      node: hasEnded || node === undefined ? undefined : this.#sharedName(node),
      amounts: this.#shared({ ...podAmounts(spec, this.#arithmetic), pods: 1 }),
      unplaced: hasEnded ? undefined : readUnplaced(pod, status),
    };
  }

  #shared(amounts: Amounts): Amounts {
    const scalars = amounts.scalars === undefined ? "" : JSON.stringify([...amounts.scalars]);
    const key = `${amounts.cpu} ${amounts.memory} ${amounts.storage} ${scalars}`;
    return shareIn(this.#shapes, key, amounts);
  }

  /** Each pod's JSON brings its own copy of the name. */
  #sharedName(name: string): string {
    return shareIn(this.#nodeNames, name, name);
  }
}

function shareIn<T>(pool: Map<string, T>, key: string, value: T): T {
  const known = pool.get(key);
  if (known !== undefined) return known;
  if (pool.size < MOST_SHAPES) pool.set(key, value);
  return value;
}

function readUnplaced(pod: KubeObject, status: Readonly<Record<string, unknown>>): UnplacedPod | undefined {
  const conditions = Array.isArray(status["conditions"]) ? status["conditions"].filter(isObject) : [];
  const scheduled = conditions.find((condition) => condition["type"] === "PodScheduled");
  if (scheduled?.["status"] !== "False" || scheduled["reason"] !== "Unschedulable") return undefined;
  const { namespace = "", labels = {}, ownerReferences = [] } = pod.metadata;
  const owner = ownerReferences.find((reference) => reference.controller === true)?.uid ?? "";
  const sinceMs = Date.parse(String(scheduled["lastTransitionTime"]));
  // A time that is missing is Go's zero time: long ago.
  return { namespace, labels, owner, sinceMs: Number.isNaN(sinceMs) ? 0 : sinceMs };
}
