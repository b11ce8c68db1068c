// Whether a binding moves by itself, for any of the reasons that its placement names.

import type { FleetIndex } from "../fleet/fleet-index.ts";
import type { Binding } from "../occasion.ts";
import { decideFailBack, type FailBackOptions } from "./fail-back.ts";
import { decideFollowing, type FollowOptions } from "./follow-clusters.ts";
import { earliest, type Relocation } from "./relocation.ts";

/**
 * Following clusters comes first: what must leave does not think of returning. Nothing moves to a cluster whose earlier
 * copy is still reported: once moved, the word of a copy that is being removed would pass for that of its successor.
 */
export function decideRelocation(
  binding: Binding,
  fleet: FleetIndex,
  now: number,
  options: FollowOptions & FailBackOptions,
): Relocation {
  const relocation = decide(binding, fleet, now, options);
  if (relocation.verdict !== "move") return relocation;
  const going = copiesThatGo(binding);
  const target = relocation.clusters.find(({ name }) => going.has(name));
  if (target === undefined) return relocation;
  return {
    verdict: "none",
    reason: `its earlier copy in ${target.name} is not gone yet`,
    ...earliest(relocation.nextMs),
  };
}

/** Clusters that report a copy although the workload is not to run there any more. */
export function copiesThatGo({ spec, status }: Binding): ReadonlySet<string> {
  const going = new Set(status?.aggregatedStatus?.map(({ clusterName }) => clusterName));
  for (const { name } of spec.clusters ?? []) going.delete(name);
  return going;
}

function decide(
  binding: Binding,
  fleet: FleetIndex,
  now: number,
  options: FollowOptions & FailBackOptions,
): Relocation {
  const following = decideFollowing(binding, fleet, now, options);
  if (following.verdict === "move") return following;
  const returning = decideFailBack(binding, fleet, now, options);
  const next = earliest(following.nextMs, returning.nextMs);
  return following.verdict === "stay" && returning.verdict === "none"
    ? { ...following, ...next }
    : { ...returning, ...next };
}
