// The room on the nodes of one cluster, kept current change by change, and what fits into it.
import { type Amounts, addAmounts, countFits, NO_AMOUNTS, remainingAmounts } from "./amounts.ts";
import { NodeOrder } from "./node-order.ts";
import type { ComponentRequest, NodeRequest, NodeTraits } from "./node-request.ts";
import { MOST, SetPlacement } from "./place-sets.ts";
import type { NodeDetails, PodDetails, UnplacedPod } from "./pod-facts.ts";

/** Numbers kept for answers that are asked for again, by all of a cluster's requests together. */
const MOST_NUMBERS = 250_000;

interface Node {
  readonly traits: NodeTraits;
  readonly allocatable: Amounts;
  /** Position in the tables of answers. */
  readonly position: number;
  /** What is free: derived, renewed by whoever changes the node or its pods. */
  room: Amounts;
}

/** The answer to one request: replicas by position of the node. */
interface Answer {
  readonly fits: Float64Array;
  total: number;
  /** How much of the log of changed positions is in it. */
  seen: number;
}

export class ClusterRoom {
  readonly #nodes: (Node | undefined)[] = [];
  readonly #byName = new Map<string, Node>();
  readonly #order = new NodeOrder<Node>();
  readonly #freePositions: number[] = [];
  /** What pods take, by node; also of nodes that are not known (yet). */
  readonly #taken = new Map<string, Amounts>();
  readonly #pods = new Map<string, PodDetails>();
  readonly #unplaced = new Map<string, Map<string, UnplacedPod>>();
  /** Positions that changed, in order. */
  #log: number[] = [];
  readonly #answers = new Map<NodeRequest, Answer>();
  readonly #sets = new Map<readonly ComponentRequest[], { readonly version: number; readonly sets: number }>();
  #version = 0;

  /** Rises with every change that may change an answer. */
  get version(): number {
    return this.#version;
  }

  get nodeCount(): number {
    return this.#byName.size;
  }

  get podCount(): number {
    return this.#pods.size;
  }

  setNode(details: NodeDetails): void {
    const { name } = details.traits;
    const before = this.#byName.get(name);
    const position = before?.position ?? this.#freePositions.pop() ?? this.#nodes.length;
    const room = remainingAmounts(details.allocatable, this.#taken.get(name) ?? NO_AMOUNTS);
    const node: Node = { traits: details.traits, allocatable: details.allocatable, position, room };
    this.#nodes[position] = node;
    this.#byName.set(name, node);
    this.#order.set(node);
    this.#note(position);
  }

  deleteNode(name: string): void {
    const node = this.#byName.get(name);
    if (node === undefined) return;
    this.#byName.delete(name);
    this.#order.delete(name);
    this.#nodes[node.position] = undefined;
    this.#freePositions.push(node.position);
    this.#note(node.position);
  }

  /** `uid` tells pods apart, also those that had the same name one after the other. */
  setPod(uid: string, details: PodDetails): void {
    const before = this.#pods.get(uid);
    this.#pods.set(uid, details);
    this.#setUnplaced(uid, before?.unplaced, details.unplaced);
    // Most changes of a pod change nothing here.
    if (before?.node === details.node && before?.amounts === details.amounts) return;
    this.#take(before, -1);
    this.#take(details, 1);
  }

  deletePod(uid: string): void {
    const before = this.#pods.get(uid);
    if (before === undefined) return;
    this.#pods.delete(uid);
    this.#setUnplaced(uid, before.unplaced, undefined);
    this.#take(before, -1);
  }

  /** Pods of a namespace that no node has room for. */
  unplaced(namespace: string): readonly UnplacedPod[] {
    return [...(this.#unplaced.get(namespace)?.values() ?? [])];
  }

  /**
   * Replicas that the nodes take, each node by itself. The answer to the same `request` is kept; after changes only what
   * changed is counted again. With `pending`, sets that are on their way here take their room first.
   */
  replicas(request: NodeRequest, pending: readonly (readonly ComponentRequest[])[] = []): number {
    if (pending.length > 0) return this.#placementBeside(pending).countFits(request);
    let answer = this.#answers.get(request);
    if (answer === undefined || answer.fits.length < this.#nodes.length) {
      this.#answers.delete(request);
      answer = this.#count(request);
      this.#remember(request, answer);
    }
    for (; answer.seen < this.#log.length; answer.seen++) {
      const position = this.#log[answer.seen] as number;
      const fits = this.#fitsAt(position, request);
      answer.total += fits - (answer.fits[position] as number);
      answer.fits[position] = fits;
    }
    return Math.min(answer.total, MOST);
  }

  /** Whole sets that the nodes take, first fit, after those in `pending`. The answer is kept until the cluster changes. */
  sets(components: readonly ComponentRequest[], pending: readonly (readonly ComponentRequest[])[] = []): number {
    if (this.#byName.size === 0) return 0;
    if (pending.length > 0) return this.#placementBeside(pending).place(components, MOST);
    const known = this.#sets.get(components);
    if (known?.version === this.#version) return known.sets;
    const sets = new SetPlacement(this.#order.list()).place(components, MOST);
    this.#sets.delete(components);
    this.#sets.set(components, { version: this.#version, sets });
    dropOldest(this.#sets, 64);
    return sets;
  }

  #placementBeside(pending: readonly (readonly ComponentRequest[])[]): SetPlacement {
    const placement = new SetPlacement(this.#order.list());
    for (const components of pending) placement.place(components, 1);
    return placement;
  }

  #count(request: NodeRequest): Answer {
    // Some room for nodes to come.
    const fits = new Float64Array(this.#nodes.length + 16);
    let total = 0;
    for (let position = 0; position < this.#nodes.length; position++) {
      const count = this.#fitsAt(position, request);
      fits[position] = count;
      total += count;
    }
    return { fits, total, seen: this.#log.length };
  }

  #remember(request: NodeRequest, answer: Answer): void {
    this.#answers.set(request, answer);
    dropOldest(this.#answers, Math.max(4, Math.floor(MOST_NUMBERS / answer.fits.length)));
  }

  #fitsAt(position: number, request: NodeRequest): number {
    const node = this.#nodes[position];
    return node === undefined || !request.accepts(node.traits) ? 0 : countFits(node.room, request.amounts);
  }

  #take(pod: PodDetails | undefined, factor: 1 | -1): void {
    if (pod?.node === undefined) return;
    const taken = addAmounts(this.#taken.get(pod.node) ?? NO_AMOUNTS, pod.amounts, factor);
    if (taken.pods === 0) this.#taken.delete(pod.node);
    else this.#taken.set(pod.node, taken);
    const node = this.#byName.get(pod.node);
    if (node === undefined) return;
    node.room = remainingAmounts(node.allocatable, taken);
    this.#note(node.position);
  }

  #note(position: number): void {
    this.#version++;
    this.#log.push(position);
    if (this.#log.length < 1000 + 4 * this.#nodes.length) return;
    // Counting anew costs less than going through a longer log.
    this.#log = [];
    this.#answers.clear();
  }

  #setUnplaced(uid: string, before: UnplacedPod | undefined, after: UnplacedPod | undefined): void {
    if (before !== undefined) {
      const pods = this.#unplaced.get(before.namespace);
      pods?.delete(uid);
      if (pods?.size === 0) this.#unplaced.delete(before.namespace);
    }
    if (after === undefined) return;
    const pods = this.#unplaced.get(after.namespace);
    if (pods === undefined) this.#unplaced.set(after.namespace, new Map([[uid, after]]));
    else pods.set(uid, after);
  }
}

function dropOldest<K, V>(map: Map<K, V>, most: number): void {
  for (const key of map.keys()) {
    if (map.size <= most) return;
    map.delete(key);
  }
}
