// A Node that somebody adds to a cluster that is there already. Pure.
import { isObject, type KubeObject } from "../../../../kube/object.ts";
import type { ClusterTraits } from "../../kernel/controller.ts";
import { nodeOfPlan, podAddressesOf } from "./node-object.ts";
import { nodePlansOf } from "./node-pools.ts";

/** Far from the nodes that a cluster starts with, whose addresses go by their place. */
const FIRST_ADDED = 2_000;
const ADDED = 1_000;

/** The Node as its kubelet would register it: with the resources that it says it has, and addresses by its name. */
export function addedNode(node: KubeObject, traits: ClusterTraits, nowMs: number): KubeObject {
  const { name = "", labels = {} } = node.metadata;
  const status = isObject(node["status"]) ? node["status"] : {};
  const capacity = isObject(status["capacity"]) ? status["capacity"] : {};
  const resources = Object.fromEntries(Object.entries(capacity).map(([key, value]) => [key, String(value)]));
  const [plan] = nodePlansOf("", [{ name, count: 1, resources, labels }]);
  const index = FIRST_ADDED + [...name].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % ADDED, 0);
  return nodeOfPlan({ ...plan!, name, index }, traits, podAddressesOf([plan!]), nowMs);
}
