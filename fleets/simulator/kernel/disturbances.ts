// Faults inside a cluster, as its controllers meet them. Who sets them is `faults/`.
import { type Loss, remainingResources } from "../../../api/fleet-capacity.ts";
import { matchesPattern } from "../../../api/fleet-targets.ts";

/** How containers of an image fail. */
export type ImageFault = "pull-fails" | "crashes";

/** A rolling upgrade of the cluster. */
export interface UpgradePlan {
  /** `v1.37.0` */
  readonly to: string;
  /** From an empty node to its return. */
  readonly nodePauseMs: number;
  /** How long evictions of a node's Pods are tried before they are deleted. */
  readonly drainTimeoutMs: number;
  /** So many nodes at a time. */
  readonly maxUnavailable: number;
}

/** One thing that is wrong. As long as two of a kind are there, ending one changes nothing that the other does. */
export type Disturbance =
  /** The node is lost: no lease, no status, nothing starts or stops there. */
  | { readonly kind: "node-down"; readonly node: string }
  /** Its kubelet does not reach the API; containers run on. */
  | { readonly kind: "node-cut-off"; readonly node: string }
  /** Patterns in which * stands for any letters. */
  | { readonly kind: "image"; readonly pattern: string; readonly fault: ImageFault }
  /** Disks are so many times slower than usual; on all nodes where none is named. */
  | { readonly kind: "slow-disk"; readonly node?: string; readonly factor: number }
  | { readonly kind: "loss"; readonly node: string; readonly by: Loss }
  | { readonly kind: "upgrade"; readonly plan: UpgradePlan };

/** What a node has and gives when nothing reduces it. */
interface NodeResources {
  readonly capacity: Readonly<Record<string, string>>;
  readonly allocatable: Readonly<Record<string, string>>;
}

/** What is wrong inside one cluster at the moment. */
export class Disturbances {
  readonly #present = new Set<Disturbance>();
  readonly #ends = new Map<string, () => void>();
  readonly #listeners = new Set<() => void>();
  /** Of nodes that lost, or once lost, resources. */
  readonly #whole = new Map<string, NodeResources>();
  #silent = new Set<string>();

  /** Adds what goes wrong together; the returned function takes exactly that away. */
  begin(disturbances: readonly Disturbance[]): () => void {
    // Copies: the same description may be there twice.
    const added = disturbances.map((each) => ({ ...each }));
    for (const each of added) this.#present.add(each);
    this.#changed();
    return () => {
      const before = this.#present.size;
      for (const each of added) this.#present.delete(each);
      if (this.#present.size !== before) this.#changed();
    };
  }

  /** Whether the node's kubelet is silent: no lease, no status, and nothing it does is seen. */
  isNodeDown(node: string): boolean {
    return this.#silent.has(node);
  }

  /** Whether containers of a node whose kubelet is silent run on, because only the network is gone. */
  isNodeCutOff(node: string): boolean {
    return this.isNodeDown(node) && !this.#of("node-down").some((each) => each.node === node);
  }

  /** How containers of the image fail; undefined when they do not. */
  imageFault(image: string): ImageFault | undefined {
    return this.#of("image").find(({ pattern }) => matchesPattern(pattern, image))?.fault;
  }

  /** How many times slower disks are that no node is named for. */
  get diskSlowness(): number {
    return Math.max(1, ...this.#of("slow-disk").flatMap(({ node, factor }) => (node === undefined ? [factor] : [])));
  }

  /** How many times slower the disks of a node are. */
  diskSlownessOn(node: string): number {
    const named = this.#of("slow-disk").flatMap((each) => (each.node === node ? [each.factor] : []));
    return Math.max(this.diskSlowness, ...named);
  }

  /** What the node has to show in place of `present`; undefined when nothing ever took any of it. */
  resourcesOf(node: string): NodeResources | undefined {
    const whole = this.#whole.get(node);
    if (whole === undefined) return undefined;
    const losses = this.#of("loss").flatMap((each) => (each.node === node ? [each.by] : []));
    return {
      capacity: remainingResources(whole.capacity, losses),
      allocatable: remainingResources(whole.allocatable, losses),
    };
  }

  /** What the node has when nothing reduces it, where that is known from before a loss. */
  wholeResourcesOf(node: string): NodeResources | undefined {
    return this.#whole.get(node);
  }

  /** Remembers what a node has, before it loses any of it. */
  rememberWhole(node: string, resources: NodeResources): void {
    if (!this.#whole.has(node)) this.#whole.set(node, resources);
  }

  get upgrade(): UpgradePlan | undefined {
    return this.#of("upgrade").at(-1)?.plan;
  }

  setNodeDown(node: string, down: boolean): void {
    this.#set(`node ${node}`, down ? { kind: "node-down", node } : undefined);
  }

  setImageFault(pattern: string, fault: ImageFault | undefined): void {
    this.#set(`image ${pattern}`, fault === undefined ? undefined : { kind: "image", pattern, fault });
  }

  setDiskSlowness(factor: number): void {
    this.#set("disk", factor === 1 ? undefined : { kind: "slow-disk", factor });
  }

  /** Calls `listener` whenever something begins, changes or ends. Ends with the returned function. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #of<K extends Disturbance["kind"]>(kind: K): Extract<Disturbance, { kind: K }>[] {
    return [...this.#present].filter((each): each is Extract<Disturbance, { kind: K }> => each.kind === kind);
  }

  #set(key: string, disturbance: Disturbance | undefined): void {
    this.#ends.get(key)?.();
    this.#ends.delete(key);
    if (disturbance !== undefined) this.#ends.set(key, this.begin([disturbance]));
  }

  #changed(): void {
    this.#silent = new Set([...this.#of("node-down"), ...this.#of("node-cut-off")].map(({ node }) => node));
    for (const listener of [...this.#listeners]) listener();
  }
}
