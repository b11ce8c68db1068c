// Nodes of a simulated cluster.
import type { KubeObject } from "../../kube/object.ts";
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
