// Which clusters and nodes of a simulated fleet a fault's target means.
import type { FaultTarget, NodeTarget } from "./fleet-faults.ts";

/** What targets go by of a node. */
export interface NodeFacts {
  readonly name: string;
  readonly zone?: string | undefined;
  /** Quantities by resource, as nothing reduces them. */
  readonly capacity: Readonly<Record<string, string>>;
}

/** What targets go by of a cluster. */
export interface ClusterFacts {
  readonly name: string;
  readonly region?: string | undefined;
  readonly provider?: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  /** Where it has nodes. */
  readonly zones: readonly string[];
  /** `v1.36.3` */
  readonly kubernetesVersion: string;
  readonly nodes: readonly NodeFacts[];
  /** Names of backups that were taken of it. */
  readonly backups?: readonly string[];
}

/** Whether a name fits a pattern in which * stands for any letters, or none. */
export function matchesPattern(pattern: string, name: string): boolean {
  if (!pattern.includes("*")) return pattern === name;
  const [first = "", ...rest] = pattern.split("*");
  const last = rest.pop() ?? "";
  if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last)) return false;
  let at = first.length;
  const end = name.length - last.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found < 0 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}

/** Whether some name may fit both patterns; true when that is hard to tell. */
export function patternsMeet(one: string, other: string): boolean {
  if (!one.includes("*")) return matchesPattern(other, one);
  if (!other.includes("*")) return matchesPattern(one, other);
  const [[start1 = ""], [start2 = ""]] = [one.split("*"), other.split("*")];
  const [end1 = "", end2 = ""] = [one.split("*").at(-1), other.split("*").at(-1)];
  return (start1.startsWith(start2) || start2.startsWith(start1)) && (end1.endsWith(end2) || end2.endsWith(end1));
}

/** The clusters that a target means, in the order of the fleet. */
export function targetClusters<T extends ClusterFacts>(target: FaultTarget, clusters: readonly T[]): T[] {
  const { clusters: names, region, provider, zone, labels } = target;
  return clusters.filter(
    (cluster) =>
      (names === undefined || names.some((name) => matchesPattern(name, cluster.name))) &&
      (region === undefined || cluster.region === region) &&
      (provider === undefined || cluster.provider === provider) &&
      (zone === undefined || cluster.zones.includes(zone)) &&
      Object.entries(labels ?? {}).every(([key, value]) => cluster.labels[key] === value),
  );
}

/** The nodes of one of a target's clusters that it means, in the order of the cluster. */
export function targetNodes(target: NodeTarget, cluster: ClusterFacts): NodeFacts[] {
  const { nodes: names, zone } = target;
  return cluster.nodes.filter(
    (node) =>
      (names === undefined || names.some((name) => matchesPattern(name, node.name))) &&
      (zone === undefined || node.zone === zone),
  );
}

/** What a target says, in words: `region eu-west, clusters paris-*`. */
export function targetWords(target: NodeTarget): string {
  const { clusters, region, provider, zone, labels, nodes } = target;
  return [
    ...(clusters === undefined ? [] : [`clusters ${clusters.join(", ")}`]),
    ...(region === undefined ? [] : [`region ${region}`]),
    ...(provider === undefined ? [] : [`provider ${provider}`]),
    ...(zone === undefined ? [] : [`zone ${zone}`]),
    ...(labels === undefined
      ? []
      : [
          `labels ${Object.entries(labels)
            .map(([key, value]) => `${key}=${value}`)
            .join(", ")}`,
        ]),
    ...(nodes === undefined ? [] : [`nodes ${nodes.join(", ")}`]),
  ].join("; ");
}
