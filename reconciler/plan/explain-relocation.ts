// What is about to move by itself, or would if it could: for placements that follow clusters, or return to them.
import type { Cluster } from "../../api/cluster.ts";
import { formatDuration } from "../../runtime/duration.ts";
import { FleetIndex } from "../scheduler/fleet/fleet-index.ts";
import { decideRelocation } from "../scheduler/relocation/decide-relocation.ts";
import { stabilizationOf } from "../scheduler/relocation/home-clusters.ts";
import type { AnyBinding } from "../works/binding.ts";

/** A sentence, or none when the workload is where it belongs; `now` in milliseconds. */
export function explainRelocation(stored: AnyBinding | undefined, clusters: readonly Cluster[], now: number): string[] {
  if (stored === undefined) return [];
  const follows = (stored.spec.placement?.flaghoist?.rescheduleOn?.length ?? 0) > 0;
  if (!follows && stabilizationOf(stored) === undefined) return [];
  const relocation = decideRelocation(stored, new FleetIndex(clusters), now, {});
  if (relocation.verdict === "none" && relocation.away !== true) return [];
  if (relocation.verdict === "move") return [`It is about to move: ${relocation.reason}.`];
  const { reason, nextMs } = relocation;
  const again = nextMs === undefined ? "" : `; asked again in ${formatDuration(Math.max(0, nextMs - now))}`;
  return [`${reason.slice(0, 1).toUpperCase()}${reason.slice(1)}${again} (spec.placement.flaghoist).`];
}
