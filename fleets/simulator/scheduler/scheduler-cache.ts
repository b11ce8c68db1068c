// What the scheduler remembers of a cluster: nodes with their Pods. Kept up to date change by change; made anew from the
// cluster's state it is the same.
import type { KubeObject } from "../../../kube/object.ts";
import type { Labels } from "./affinity-terms.ts";
import { LabelGroups } from "./label-groups.ts";
import { NodeInfo, readNode } from "./node-info.ts";
import type { PodFacts } from "./pod-facts.ts";

/** The nodes and Pods of a cluster, as the scheduler counts them. */
export class SchedulerCache {
  readonly #infos = new Map<string, NodeInfo>();
  readonly #nodeOfPod = new Map<string, NodeInfo>();
  readonly #namespaces = new Map<string, Labels>();
  /** Pods for which a node is being made free, by the node. */
  readonly #nominated = new Map<string, Map<string, PodFacts>>();
  readonly #nominatedTo = new Map<string, string>();
  readonly groups = new LabelGroups();
  readonly #withAffinity = new Set<NodeInfo>();
  #list: readonly NodeInfo[] | undefined;
  /** Changes whenever an answer of the scheduler may. */
  version = 0;

  /** All nodes, by name. */
  nodes(): readonly NodeInfo[] {
    this.#list ??= [...this.#infos.values()]
      .filter((info) => info.facts !== undefined)
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    return this.#list;
  }

  /** The node of that name, unless there is none. */
  node(name: string): NodeInfo | undefined {
    const info = this.#infos.get(name);
    return info?.facts === undefined ? undefined : info;
  }

  /** Nodes on which Pods with terms of affinity or anti-affinity run. */
  *nodesWithAffinity(): Iterable<NodeInfo> {
    for (const info of this.#withAffinity) if (info.facts !== undefined) yield info;
  }

  /** The Pod as it was put last, when it is on a node. */
  podOn(uid: string): PodFacts | undefined {
    return this.#nodeOfPod.get(uid)?.pods.get(uid);
  }

  /** Adds a node, or puts its new state in place of the old. */
  setNode(node: KubeObject): void {
    this.version++;
    const name = node.metadata.name ?? "";
    const info = this.#info(name);
    if (info.facts === undefined) this.#list = undefined;
    info.facts = readNode(node);
  }

  deleteNode(name: string): void {
    const info = this.#infos.get(name);
    if (info === undefined) return;
    this.version++;
    this.#list = undefined;
    info.facts = undefined;
    if (info.pods.size === 0) this.#infos.delete(name);
  }

  /** Puts a Pod on a node, whether it is bound to it already or about to be. */
  setPod(pod: PodFacts, node: string): void {
    this.deletePod(pod.uid);
    this.version++;
    const info = this.#info(node);
    info.add(pod);
    this.#nodeOfPod.set(pod.uid, info);
    this.groups.add(pod, node, 1);
    if (info.affinity.size + info.antiAffinity.size > 0) this.#withAffinity.add(info);
  }

  /** Takes note of a Pod's new state where nothing differs that counts. */
  refreshPod(pod: PodFacts): void {
    this.#nodeOfPod.get(pod.uid)?.refresh(pod);
  }

  deletePod(uid: string): void {
    const info = this.#nodeOfPod.get(uid);
    const pod = info?.pods.get(uid);
    if (info === undefined || pod === undefined) return;
    this.version++;
    info.remove(uid);
    this.#nodeOfPod.delete(uid);
    this.groups.add(pod, info.name, -1);
    if (info.affinity.size + info.antiAffinity.size === 0) this.#withAffinity.delete(info);
    if (info.pods.size === 0 && info.facts === undefined) this.#infos.delete(info.name);
  }

  /** Remembers which node is being made free for a Pod; undefined: none. */
  nominate(pod: PodFacts, node: string | undefined): void {
    const before = this.#nominatedTo.get(pod.uid);
    if (before === undefined && node === undefined) return;
    this.version++;
    if (before !== undefined) this.#nominated.get(before)?.delete(pod.uid);
    if (node === undefined) {
      this.#nominatedTo.delete(pod.uid);
      return;
    }
    this.#nominatedTo.set(pod.uid, node);
    const pods = this.#nominated.get(node) ?? new Map<string, PodFacts>();
    this.#nominated.set(node, pods);
    pods.set(pod.uid, pod);
  }

  nominatedTo(node: string): Iterable<PodFacts> {
    return this.#nominatedTo.size === 0 ? [] : (this.#nominated.get(node)?.values() ?? []);
  }

  setNamespace(name: string, labels: Labels | undefined): void {
    this.version++;
    if (labels === undefined) this.#namespaces.delete(name);
    else this.#namespaces.set(name, labels);
  }

  namespaceLabels(name: string): Labels {
    return this.#namespaces.get(name) ?? {};
  }

  #info(name: string): NodeInfo {
    const info = this.#infos.get(name) ?? new NodeInfo(name);
    this.#infos.set(name, info);
    return info;
  }
}
