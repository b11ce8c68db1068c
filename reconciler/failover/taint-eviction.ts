// Which bindings a cluster's NoExecute taints drive out, and when.

import type { Cluster, Taint, Toleration } from "../../api/cluster.ts";
import type { Placement } from "../../api/policy.ts";
import { tolerates } from "../../kube/taints.ts";
import { APPLIED_PLACEMENT_ANNOTATION, parsePlacement } from "../scheduler/applied-placement.ts";
import type { Binding } from "../scheduler/occasion.ts";
import type { EvictionRequest, PurgeMode } from "./evict.ts";
import { preserveState } from "./preserve-state.ts";

/** Who evicts because of taints, in the tasks of such moves. */
export const TAINT_MANAGER = "TaintManager";

export type TaintEviction =
  /** Nothing to drive out: no such taints, or not a target, or tolerated for ever. */
  | { readonly verdict: "stay"; readonly reason: string }
  /** Tolerated for a while: look again at `atMs`. */
  | { readonly verdict: "later"; readonly atMs: number; readonly taints: readonly Taint[] }
  | { readonly verdict: "evict"; readonly request: EvictionRequest; readonly taints: readonly Taint[] }
  /** The placement that was applied cannot be read: again with back-off. */
  | { readonly verdict: "error"; readonly reason: string };

export interface TaintEvictionOptions {
  /** How copies leave when the policy does not say. */
  readonly purgeMode: "Directly" | "Gracefully";
  /** Karmada's gate StatefulFailoverInjection: the new copy is told what the policy wants of the old one's status. */
  readonly statefulInjection?: boolean;
}

/**
 * Decides for one binding and one cluster at `now` (milliseconds). What counts is the placement as it was applied. Throws
 * what `preserveState` throws, when the old copy does not say what its successor is to be told.
 */
export function decideTaintEviction(
  binding: Binding,
  cluster: Cluster,
  now: number,
  options: TaintEvictionOptions = { purgeMode: "Gracefully" },
): TaintEviction {
  const name = cluster.metadata.name ?? "";
  const target = binding.spec.clusters?.find((entry) => entry.name === name);
  if (target === undefined) return { verdict: "stay", reason: `${name} is no target` };
  if (binding.metadata.deletionTimestamp != null) return { verdict: "stay", reason: "the binding is being deleted" };
  const taints = (cluster.spec.taints ?? []).filter((taint) => taint.effect === "NoExecute");
  if (taints.length === 0) return { verdict: "stay", reason: `${name} has no NoExecute taint` };
  const placement = readApplied(binding);
  if (placement === undefined) {
    return { verdict: "error", reason: `annotation ${APPLIED_PLACEMENT_ANNOTATION} is missing or no JSON` };
  }
  const tolerated = toleratedUntil(taints, placement.clusterTolerations, now);
  if (tolerated === Number.POSITIVE_INFINITY) return { verdict: "stay", reason: "the taints are tolerated" };
  if (tolerated > now) return { verdict: "later", atMs: tolerated, taints };
  const preservedLabelState = options.statefulInjection === true ? preservedLabelsOf(binding, name) : undefined;
  const request = {
    cluster: name,
    purgeMode: purgeModeOf(binding, options),
    producer: TAINT_MANAGER,
    reason: "TaintUntolerated",
    ...(preservedLabelState === undefined ? {} : { preservedLabelState }),
  };
  return { verdict: "evict", request, taints };
}

function preservedLabelsOf({ spec, status }: Binding, cluster: string): Record<string, string> | undefined {
  const preservation = spec.failover?.cluster?.statePreservation;
  if (preservation == null || preservation.rules.length === 0) return undefined;
  return preserveState(
    preservation,
    status?.aggregatedStatus?.find((item) => item.clusterName === cluster),
  );
}

function readApplied(binding: Binding): Placement | undefined {
  const text = binding.metadata.annotations?.[APPLIED_PLACEMENT_ANNOTATION];
  return text === undefined || text === "" ? undefined : parsePlacement(text);
}

function purgeModeOf(binding: Binding, options: TaintEvictionOptions): PurgeMode {
  const behavior = binding.spec.failover?.cluster;
  return behavior == null ? options.purgeMode : (behavior.purgeMode ?? "Gracefully");
}

/**
 * Until when (milliseconds) the taints are tolerated: `now` when some taint is not at all, or its time is over; infinite
 * when no toleration in use ends. For each taint the first matching toleration is in use.
 */
export function toleratedUntil(
  taints: readonly Taint[],
  tolerations: readonly Toleration[] | undefined,
  now: number,
): number {
  const used = new Set<Toleration>();
  for (const taint of taints) {
    const first = tolerations?.find((toleration) => tolerates(toleration, taint));
    if (first === undefined) return now;
    used.add(first);
  }
  let end = Number.POSITIVE_INFINITY;
  for (const toleration of used) {
    if (toleration.tolerationSeconds == null) continue;
    for (const taint of taints) {
      if (taint.timeAdded === undefined || !tolerates(toleration, taint)) continue;
      end = Math.min(end, Date.parse(taint.timeAdded) + toleration.tolerationSeconds * 1000);
    }
  }
  return Math.max(end, now);
}
