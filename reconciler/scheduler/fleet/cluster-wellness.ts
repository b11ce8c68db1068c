// How long clusters have been as they are, from the times that their conditions carry: so that it survives a restart.

import type { Cluster } from "../../../api/cluster.ts";

/** The Ready condition as decisions that wait look at it. */
export interface Readiness {
  readonly ready: boolean;
  /** Since when (milliseconds) without a break; infinite when the condition does not say. */
  readonly since: number;
}

/** Clusters are asked about again for every binding that may move. */
const known = new WeakMap<Cluster, Readiness>();

/** Undefined for a cluster of which nothing was reported yet. The object must not be changed in place later. */
export function readReadiness(cluster: Cluster): Readiness | undefined {
  let readiness = known.get(cluster);
  if (readiness === undefined) {
    readiness = parseReadiness(cluster);
    if (readiness !== undefined) known.set(cluster, readiness);
  }
  return readiness;
}

function parseReadiness(cluster: Cluster): Readiness | undefined {
  const condition = cluster.status?.conditions?.find((one) => one.type === "Ready");
  if (condition === undefined) return undefined;
  const since = Date.parse(condition.lastTransitionTime ?? "");
  return { ready: condition.status === "True", since: Number.isNaN(since) ? Number.POSITIVE_INFINITY : since };
}

export function isReady(cluster: Cluster): boolean {
  return readReadiness(cluster)?.ready === true;
}
