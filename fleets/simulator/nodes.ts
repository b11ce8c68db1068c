// Nodes of a simulated cluster.
import type { KubeObject } from "../../kube/object.ts";
import type { ClusterTraits } from "./kernel/controller.ts";
import { addedNode } from "./kubelet/nodes/added-node.ts";

/** What each node of a cluster has. */
export interface NodeShape {
  readonly cpu: string;
  readonly memory: string;
  readonly pods: number;
  readonly labels?: Readonly<Record<string, string>>;
}

/** The shape of nodes of which nothing is said. */
export const DEFAULT_NODE: NodeShape = { cpu: "16", memory: "64Gi", pods: 110 };

/** A ready node of a shape, as its kubelet reports it, for whoever adds one to a cluster by hand. */
export function nodeObject(name: string, shape: NodeShape, nowMs: number): KubeObject {
  const { cpu, memory, pods, labels = {} } = shape;
  const capacity = { cpu, memory, pods: String(pods) };
  const node = { apiVersion: "v1", kind: "Node", metadata: { name, labels: { ...labels } }, status: { capacity } };
  return addedNode(node, ADDED_TRAITS, nowMs);
}

const ADDED_TRAITS: ClusterTraits = {
  name: "",
  kubernetesVersion: "v1.36.3",
  readyAfterMs: 0,
  jobRunsMs: 0,
  events: true,
};
