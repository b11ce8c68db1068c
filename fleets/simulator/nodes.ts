// Nodes of a simulated cluster, and the room on them.
import type { KubeObject } from "../../kube/object.ts";
import { parseQuantity, quantityMilliNumber } from "../../kube/quantity.ts";
import type { ClusterTraits } from "./kernel/controller.ts";
import { nodeOfPlan, podAddressesOf } from "./kubelet/nodes/node-object.ts";
import { nodePlansOf } from "./kubelet/nodes/node-pools.ts";

export interface NodeShape {
  readonly cpu: string;
  readonly memory: string;
  readonly pods: number;
  readonly labels?: Readonly<Record<string, string>>;
}

export const DEFAULT_NODE: NodeShape = { cpu: "16", memory: "64Gi", pods: 110 };

/** A ready node of a shape, as its kubelet reports it, for whoever adds one to a cluster by hand. */
export function nodeObject(name: string, shape: NodeShape, nowMs: number): KubeObject {
  const { cpu, memory, pods, labels = {} } = shape;
  const [plan] = nodePlansOf("", [{ name, count: 1, resources: { cpu, memory, pods: String(pods) }, labels }]);
  // Far from the nodes that a cluster starts with, whose addresses go by their place.
  const index = FIRST_ADDED + [...name].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % ADDED, 0);
  return nodeOfPlan({ ...plan!, name, index }, ADDED_TRAITS, podAddressesOf([plan!]), nowMs);
}

const FIRST_ADDED = 2_000;
const ADDED = 1_000;
const ADDED_TRAITS: ClusterTraits = {
  name: "",
  kubernetesVersion: "v1.36.3",
  readyAfterMs: 0,
  jobRunsMs: 0,
  events: true,
};

interface Room {
  milliCpu: number;
  milliMemory: number;
  pods: number;
}

/** Keeps what is free on each node and finds a place for a pod: the node with the most free processor that fits. */
export class NodeRoom {
  readonly #free = new Map<string, Room>();
  readonly #taken = new Map<string, { readonly node: string; readonly room: Room }>();

  addNode(name: string, shape: NodeShape): void {
    this.#free.set(name, {
      milliCpu: quantityMilliNumber(parseQuantity(shape.cpu)),
      milliMemory: quantityMilliNumber(parseQuantity(shape.memory)),
      pods: shape.pods,
    });
  }

  /**
   * The node that takes the pod, or undefined when none has room. The room is taken until `release`; a pod that has a
   * place keeps it, however often it is asked for.
   */
  place(podUid: string, requests: Readonly<Record<string, string>>): string | undefined {
    const known = this.#taken.get(podUid);
    if (known !== undefined) return known.node;
    const need = roomFor(requests);
    let best: string | undefined;
    let bestCpu = -1;
    for (const [name, room] of this.#free) {
      const fits = room.milliCpu >= need.milliCpu && room.milliMemory >= need.milliMemory && room.pods >= 1;
      if (fits && room.milliCpu > bestCpu) {
        best = name;
        bestCpu = room.milliCpu;
      }
    }
    if (best !== undefined) this.occupy(podUid, best, requests);
    return best;
  }

  /** Takes room for a pod that names its node itself, whether there is some or not. */
  occupy(podUid: string, node: string, requests: Readonly<Record<string, string>>): void {
    if (this.#taken.has(podUid)) return;
    const room = roomFor(requests);
    this.#taken.set(podUid, { node, room });
    this.#move(node, room, -1);
  }

  release(podUid: string): void {
    const taken = this.#taken.get(podUid);
    if (taken === undefined) return;
    this.#taken.delete(podUid);
    this.#move(taken.node, taken.room, 1);
  }

  #move(node: string, amount: Room, sign: 1 | -1): void {
    const room = this.#free.get(node);
    if (room === undefined) return;
    room.milliCpu += sign * amount.milliCpu;
    room.milliMemory += sign * amount.milliMemory;
    room.pods += sign * amount.pods;
  }
}

function roomFor(requests: Readonly<Record<string, string>>): Room {
  return {
    milliCpu: quantityMilliNumber(parseQuantity(requests["cpu"] ?? "0")),
    milliMemory: quantityMilliNumber(parseQuantity(requests["memory"] ?? "0")),
    pods: 1,
  };
}
