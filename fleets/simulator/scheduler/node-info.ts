// A node and the Pods on it, as the scheduler counts them.
import { isObject, type KubeObject } from "../../../kube/object.ts";
import type { Taint } from "../../../kube/taints.ts";
import { type Amounts, addAmounts, NO_AMOUNTS } from "../../estimator/amounts.ts";
import { readNodeDetails } from "../../estimator/pod-facts.ts";
import type { AffinityTerms, Labels } from "./affinity-terms.ts";
import type { HostPort, PodFacts } from "./pod-facts.ts";

/** What is known of a node itself. */
export interface NodeFacts {
  readonly name: string;
  readonly object: KubeObject;
  readonly labels: Labels;
  readonly taints: readonly Taint[];
  readonly isUnschedulable: boolean;
  readonly allocatable: Amounts;
}

/** What the scheduler looks at of a Node. */
export function readNode(node: KubeObject): NodeFacts {
  const { traits, allocatable } = readNodeDetails(node);
  return {
    name: traits.name,
    object: node,
    labels: traits.labels,
    taints: traits.taints,
    isUnschedulable: traits.unschedulable,
    allocatable,
  };
}

/** Whether scheduling depends on what differs: heartbeats change nodes all the time. */
export function isSameToScheduler(a: KubeObject, b: KubeObject): boolean {
  const facts = ({ metadata: { labels }, spec, status }: KubeObject): string =>
    JSON.stringify([labels, spec, isObject(status) ? status["allocatable"] : undefined]);
  return facts(a) === facts(b);
}

/** A node with the Pods on it, as filters and scores see it. */
export class NodeInfo {
  /** Undefined while Pods name a node that is not there. */
  facts: NodeFacts | undefined;
  readonly name: string;
  readonly pods = new Map<string, PodFacts>();
  /** The terms of its Pods, and how many have each. */
  readonly affinity = new Map<AffinityTerms, number>();
  readonly antiAffinity = new Map<AffinityTerms, number>();
  requested: Amounts = NO_AMOUNTS;
  nonZeroRequested: Amounts = NO_AMOUNTS;
  readonly #ports = new Map<string, HostPort[]>();

  constructor(name: string, facts?: NodeFacts) {
    this.name = name;
    this.facts = facts;
  }

  add(pod: PodFacts): void {
    this.pods.set(pod.uid, pod);
    this.#count(pod, 1);
    if (pod.spec.hostPorts.length > 0) this.#ports.set(pod.uid, [...pod.spec.hostPorts]);
  }

  /** Puts a Pod's new state in place of the old where nothing differs that counts. */
  refresh(pod: PodFacts): void {
    if (this.pods.has(pod.uid)) this.pods.set(pod.uid, pod);
  }

  remove(uid: string): void {
    const pod = this.pods.get(uid);
    if (pod === undefined) return;
    this.pods.delete(uid);
    this.#ports.delete(uid);
    this.#count(pod, -1);
  }

  /** Whether one of the ports is taken: by the same address, or where one of the two means all addresses. */
  hasConflict(ports: readonly HostPort[]): boolean {
    if (this.#ports.size === 0) return false;
    for (const taken of this.#ports.values())
      for (const each of taken) if (ports.some((port) => isSamePort(port, each))) return true;
    return false;
  }

  /** A copy to try things out on. */
  copy(): NodeInfo {
    const copy = new NodeInfo(this.name, this.facts);
    for (const pod of this.pods.values()) copy.add(pod);
    return copy;
  }

  #count({ spec }: PodFacts, factor: 1 | -1): void {
    this.requested = addAmounts(this.requested, spec.amounts, factor);
    this.nonZeroRequested = addAmounts(this.nonZeroRequested, spec.nonZero, factor);
    countTerms(this.affinity, spec.affinity, factor);
    countTerms(this.antiAffinity, spec.antiAffinity, factor);
  }
}

function countTerms(counts: Map<AffinityTerms, number>, terms: AffinityTerms, change: 1 | -1): void {
  if (terms.required.length + terms.preferred.length === 0) return;
  const count = (counts.get(terms) ?? 0) + change;
  if (count > 0) counts.set(terms, count);
  else counts.delete(terms);
}

const EVERY_ADDRESS = "0.0.0.0";

/** Whether two ports cannot both be had. */
export function isSamePort(a: HostPort, b: HostPort): boolean {
  return (
    a.port === b.port &&
    a.protocol === b.protocol &&
    (a.ip === b.ip || a.ip === EVERY_ADDRESS || b.ip === EVERY_ADDRESS)
  );
}
