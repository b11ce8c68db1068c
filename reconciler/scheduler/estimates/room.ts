// Whether a cluster reports more room than before.

import type { Cluster } from "../../../api/cluster.ts";
import { equalJson } from "../../../kube/object.ts";
import { sameForEstimates } from "../fleet/cluster-record.ts";
import { type Capacity, readCapacity } from "./capacity.ts";

/** True when something may fit now that did not fit before: more of a resource, more pods, or other virtual nodes. */
export function hasMoreRoom(before: Cluster | undefined, after: Cluster): boolean {
  if (before !== undefined && sameForEstimates(before, after)) return false;
  const now = readCapacity(after);
  if (now === undefined) return false;
  const was = before === undefined ? undefined : readCapacity(before);
  return was === undefined || now.pods > was.pods || hasMoreOfSomething(was, now);
}

function hasMoreOfSomething(was: Capacity, now: Capacity): boolean {
  for (const [resource, { milli }] of now.available) {
    const before = was.available.get(resource);
    if (before === undefined ? milli > 0 : milli > before.milli) return true;
  }
  const nodes = ({ models }: Capacity) =>
    models?.map(({ count, resources }) => [count, Object.fromEntries(resources)]) ?? null;
  return !equalJson(nodes(was), nodes(now));
}
