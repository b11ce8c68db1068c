// Which replicas of a workload serve in a simulated fleet at this moment, whatever anybody was told of it.
import type { Fault } from "../../api/fleet-faults.ts";
import { targetClusters, targetNodes } from "../../api/fleet-targets.ts";
import type { SimulatedCluster } from "../../fleets/simulator/simulated-cluster.ts";
import { findCondition } from "../../kube/conditions.ts";
import { type Condition, isObject, type KubeObject } from "../../kube/object.ts";
import { type LabelSelector, matchesLabelSelector } from "../../kube/selectors.ts";
import type { Serving } from "./availability.ts";

/** Clusters and nodes without power. */
export interface Dark {
  readonly clusters: ReadonlySet<string>;
  readonly nodes: ReadonlySet<string>;
}

/** What an outage of this target leaves without power. */
export function darkBy(target: Fault["target"], clusters: Iterable<SimulatedCluster>): Dark {
  const concerned = targetClusters(
    target,
    [...clusters].map((cluster) => cluster.facts),
  );
  const { zone } = target;
  const whole = concerned.filter((facts) => zone === undefined || facts.zones.every((each) => each === zone));
  const nodes = concerned.flatMap((facts) => targetNodes(target, facts).map((node) => node.name));
  return { clusters: new Set(whole.map((facts) => facts.name)), nodes: new Set(nodes) };
}

/**
 * Counts the ready Pods of `workload` in each cluster. A Pod on a node without power does not serve, although its cluster
 * takes a while to say so.
 */
export function servingReplicas(
  workload: KubeObject,
  clusters: Iterable<SimulatedCluster>,
  dark: Dark | undefined,
): Serving {
  const selector = isObject(workload["spec"]) ? (workload["spec"]["selector"] as LabelSelector | undefined) : undefined;
  const serving: Record<string, number> = {};
  if (selector === undefined) return serving;
  for (const { name, server } of clusters) {
    if (dark?.clusters.has(name) === true) continue;
    let ready = 0;
    for (const { object: pod } of server.state.list("pods")) {
      if (pod.metadata.namespace !== workload.metadata.namespace || pod.metadata.deletionTimestamp !== undefined)
        continue;
      if (!matchesLabelSelector(selector, pod.metadata.labels)) continue;
      const spec = isObject(pod["spec"]) ? pod["spec"] : {};
      if (typeof spec["nodeName"] !== "string" || dark?.nodes.has(spec["nodeName"]) === true) continue;
      if (isReady(pod)) ready++;
    }
    if (ready > 0) serving[name] = ready;
  }
  return serving;
}

function isReady(pod: KubeObject): boolean {
  const status = isObject(pod["status"]) ? pod["status"] : {};
  // Every server keeps conditions of Pods in this form.
  return findCondition(status["conditions"] as Condition[] | undefined, "Ready")?.status === "True";
}
