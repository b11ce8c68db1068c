// Whether a binding moves by itself, for any of the reasons that its placement names.

import type { FleetIndex } from "../fleet/fleet-index.ts";
import type { Binding } from "../occasion.ts";
import { decideFailBack, type FailBackOptions } from "./fail-back.ts";
import { decideFollowing, type FollowOptions } from "./follow-clusters.ts";
import { earliest, type Relocation } from "./relocation.ts";

/** Following clusters comes first: what must leave does not think of returning. */
export function decideRelocation(
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
