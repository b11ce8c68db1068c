// Where a workload was before it was driven out: kept with the binding, so that it finds back.

import type { TargetCluster } from "../../../api/work.ts";
import { fnv1a32 } from "../../../kube/hash.ts";
import { rfc3339 } from "../../../runtime/clock.ts";
import { formatPlacement } from "../applied-placement.ts";
import type { Binding } from "../occasion.ts";

export const HOME_CLUSTERS_ANNOTATION = "scheduling.flaghoist.io/home-clusters";

/** The default of `failBack.stabilizationSeconds`. */
const DEFAULT_STABILIZATION_SECONDS = 300;

interface Home {
  /** When the workload began to leave; RFC 3339. */
  readonly since: string;
  /** Which placement they were chosen by: another one makes them meaningless. */
  readonly placement: string;
  readonly clusters: readonly TargetCluster[];
  /** How long they must have been well, where the placement does not say and the control plane returns what it moved. */
  readonly returnAfterSeconds?: number;
}

/**
 * The annotation to write together with an eviction; undefined when nothing is to be remembered: the placement asks for no
 * return and the control plane does not return what it moves after `returnAfterSeconds`, or the workload is away from home
 * already.
 */
export function rememberHome(
  binding: Binding,
  now: number,
  returnAfterSeconds?: number,
): Readonly<Record<string, string>> | undefined {
  const { spec } = binding;
  const asked = spec.placement?.flaghoist?.failBack;
  if (asked?.enabled === false || (asked == null && returnAfterSeconds === undefined)) return undefined;
  if ((spec.clusters?.length ?? 0) === 0) return undefined;
  const present = new Set((spec.clusters ?? []).map((target) => target.name));
  if (homeClusters(binding)?.every((target) => present.has(target.name)) === false) return undefined;
  const clusters = (spec.clusters ?? []).map(({ name, replicas }) => ({
    name,
    ...(replicas === undefined ? {} : { replicas }),
  }));
  const home: Home = {
    since: rfc3339(now),
    placement: hashOf(binding),
    clusters,
    ...(returnAfterSeconds === undefined ? {} : { returnAfterSeconds }),
  };
  return { [HOME_CLUSTERS_ANNOTATION]: JSON.stringify(home) };
}

/**
 * How long (seconds) better clusters must have been well before the binding returns to them; undefined when it does not
 * return: nothing asks for it, or the placement forbids it.
 */
export function stabilizationOf(binding: Binding): number | undefined {
  const asked = binding.spec.placement?.flaghoist?.failBack;
  if (asked?.enabled === false) return undefined;
  if (asked != null) return asked.stabilizationSeconds ?? DEFAULT_STABILIZATION_SECONDS;
  return homeClusters(binding) === undefined ? undefined : homeOf(binding)?.returnAfterSeconds;
}

/**
 * The targets from before the workload was driven out; undefined when it was not, or when the placement changed or clusters
 * were chosen afresh since.
 */
export function homeClusters(binding: Binding): readonly TargetCluster[] | undefined {
  const home = homeOf(binding);
  if (home === undefined || home.placement !== hashOf(binding)) return undefined;
  const asked = binding.spec.rescheduleTriggeredAt;
  if (asked != null && Date.parse(asked) > Date.parse(home.since)) return undefined;
  return home.clusters;
}

function homeOf({ metadata }: Binding): Home | undefined {
  return readHome(metadata.annotations?.[HOME_CLUSTERS_ANNOTATION]);
}

function hashOf({ spec }: Binding): string {
  return spec.placement == null ? "" : fnv1a32(formatPlacement(spec.placement)).toString(16);
}

/** Undefined for a text that nobody of ours wrote. */
function readHome(text: string | undefined): Home | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isHome(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isHome(value: unknown): value is Home {
  if (typeof value !== "object" || value === null) return false;
  const { since, placement, clusters, returnAfterSeconds = 0 } = value as Partial<Record<keyof Home, unknown>>;
  return (
    typeof since === "string" &&
    !Number.isNaN(Date.parse(since)) &&
    typeof placement === "string" &&
    typeof returnAfterSeconds === "number" &&
    returnAfterSeconds >= 0 &&
    Array.isArray(clusters) &&
    clusters.every((target) => typeof target?.name === "string" && Number.isInteger(target.replicas ?? 0))
  );
}
