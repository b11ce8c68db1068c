// Nodes of a simulated cluster, and the room on them.
import type { KubeObject } from "../../kube/object.ts";
import { parseQuantity, quantityMilliNumber } from "../../kube/quantity.ts";
import { rfc3339 } from "../../runtime/clock.ts";

export interface NodeShape {
  readonly cpu: string;
  readonly memory: string;
  readonly pods: number;
  readonly labels?: Readonly<Record<string, string>>;
}

export const DEFAULT_NODE: NodeShape = { cpu: "16", memory: "64Gi", pods: 110 };

export function nodeObject(name: string, shape: NodeShape, nowMs: number): KubeObject {
  const capacity = { cpu: shape.cpu, memory: shape.memory, pods: String(shape.pods) };
  const time = rfc3339(nowMs);
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name,
      labels: {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        ...shape.labels,
      },
    },
    status: {
      capacity,
      allocatable: capacity,
      conditions: [
        {
          type: "Ready",
          status: "True",
          reason: "KubeletReady",
          message: "kubelet is posting ready status",
          lastHeartbeatTime: time,
          lastTransitionTime: time,
        },
      ],
      nodeInfo: { kubeletVersion: "v1.36.3", osImage: "simulated", architecture: "amd64", operatingSystem: "linux" },
    },
  };
}

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
