import type { ClusterFacts, NodeFacts } from "../../api/fleet-targets.ts";
import { isObject, type KubeObject } from "../../kube/object.ts";
import type { ServerState } from "../apiserver/server.ts";
import type { Disturbances } from "./kernel/disturbances.ts";

interface ClusterPlace extends Omit<ClusterFacts, "zones" | "nodes"> {
  /** Where nodes are that say nothing else. */
  readonly zone: string | undefined;
}

/** What targets of faults go by, from the present Nodes: with what they had before any fault. */
export function clusterFacts(place: ClusterPlace, state: ServerState, disturbances: Disturbances): ClusterFacts {
  const { zone, ...rest } = place;
  const nodes = state.list("nodes").map(({ object }) => nodeFacts(object, zone, disturbances));
  const zones = [...nodes.map((node) => node.zone), zone].filter((each) => each !== undefined);
  return { ...rest, nodes, zones: [...new Set(zones)] };
}

function nodeFacts(node: KubeObject, zone: string | undefined, disturbances: Disturbances): NodeFacts {
  const name = node.metadata.name ?? "";
  const capacity = disturbances.wholeResourcesOf(name)?.capacity ?? nodeResources(node).capacity;
  return { name, zone: node.metadata.labels?.["topology.kubernetes.io/zone"] ?? zone, capacity };
}

/** What a Node says it has and gives. */
export function nodeResources(node: KubeObject): {
  readonly capacity: Readonly<Record<string, string>>;
  readonly allocatable: Readonly<Record<string, string>>;
} {
  const status = isObject(node["status"]) ? node["status"] : {};
  return { capacity: quantities(status["capacity"]), allocatable: quantities(status["allocatable"]) };
}

function quantities(value: unknown): Readonly<Record<string, string>> {
  if (!isObject(value)) return {};
  return Object.fromEntries(Object.entries(value).map(([resource, quantity]) => [resource, String(quantity)]));
}
