// The record, on a binding, of the placement its clusters were chosen by; and whether the placement has changed since.

import type { Toleration } from "../../api/cluster.ts";
import type { PlacementExtensions } from "../../api/placement-extensions.ts";
import type {
  ClusterAffinity,
  ClusterAffinityTerm,
  OverflowClusterAffinity,
  Placement,
  ReplicaSchedulingStrategy,
} from "../../api/policy.ts";
import type { LabelSelector } from "../../api/schema.ts";

export const APPLIED_PLACEMENT_ANNOTATION = "policy.karmada.io/applied-placement";

/**
 * The placement as text: fields in Karmada's order, empty ones left out, so that equal placements have equal texts and
 * those that Karmada wrote are recognised.
 */
export function formatPlacement(placement: Placement): string {
  // As Go's encoder: what could end a script element in a web page is escaped.
  return JSON.stringify(ordered(placement)).replace(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Beside the affinity groups, of which only the one in use counts. */
const FIELDS_THAT_COUNT = [
  "clusterAffinity",
  "clusterTolerations",
  "spreadConstraints",
  "replicaScheduling",
  "flaghoist",
] as const;

/** Reads the record back; undefined when it is not JSON of an object. */
export function parsePlacement(text: string): Placement | undefined {
  try {
    const value: unknown = JSON.parse(text);
    // Our own record, or Karmada's, of a placement that was valid.
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Placement) : undefined;
  } catch {
    return undefined;
  }
}

/** What of a placement differs from the applied one, so that clusters must be chosen again; undefined when nothing does. */
export function whatChanged(
  placement: Placement,
  applied: string | undefined,
  observedGroup: string | undefined,
): string | undefined {
  if (!applied) return "never applied";
  if (applied === formatPlacement(placement)) return undefined;
  const before = parsePlacement(applied);
  // As Karmada: a record that cannot be read counts as unchanged.
  if (before === undefined) return undefined;
  const old = ordered(before);
  const now = ordered(placement);
  if (same(old, now)) return undefined;
  for (const field of FIELDS_THAT_COUNT) {
    if (!same(old[field], now[field])) return `placement.${field}`;
  }
  return changeOfGroup(before, placement, observedGroup);
}

/** Only the affinity group in use matters: others may be added, reordered or removed. */
function changeOfGroup(before: Placement, now: Placement, observed: string | undefined): string | undefined {
  if (!observed) return "placement.clusterAffinities";
  const find = (placement: Placement): ClusterAffinityTerm | undefined =>
    placement.clusterAffinities?.find((term) => term.affinityName === observed);
  const old = find(before);
  const current = find(now);
  if (old === undefined || current === undefined) return `placement.clusterAffinities: ${observed} is gone`;
  return same(orderedTerm(old), orderedTerm(current)) ? undefined : `placement.clusterAffinities: ${observed}`;
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

type Fields = Record<string, unknown>;

function ordered(placement: Placement): Fields {
  const { clusterAffinity, workloadAffinity } = placement;
  return compact({
    clusterAffinity: clusterAffinity == null ? undefined : orderedAffinity(clusterAffinity),
    clusterAffinities: listOf(placement.clusterAffinities, orderedTerm),
    clusterTolerations: listOf(placement.clusterTolerations, orderedToleration),
    spreadConstraints: listOf(placement.spreadConstraints, (constraint) =>
      compact({
        spreadByField: constraint.spreadByField || undefined,
        spreadByLabel: constraint.spreadByLabel || undefined,
        maxGroups: constraint.maxGroups || undefined,
        minGroups: constraint.minGroups || undefined,
      }),
    ),
    replicaScheduling: placement.replicaScheduling == null ? undefined : orderedStrategy(placement.replicaScheduling),
    workloadAffinity:
      workloadAffinity == null
        ? undefined
        : compact({
            affinity: workloadAffinity.affinity ?? undefined,
            antiAffinity: workloadAffinity.antiAffinity ?? undefined,
          }),
    flaghoist: placement.flaghoist == null ? undefined : orderedExtensions(placement.flaghoist),
  });
}

function orderedTerm(term: ClusterAffinityTerm): Fields {
  return compact({
    affinityName: term.affinityName,
    ...orderedAffinity(term),
    overflowAffinities: listOf(term.overflowAffinities, (entry: OverflowClusterAffinity) =>
      compact({ affinityName: entry.affinityName, ...orderedAffinity(entry) }),
    ),
  });
}

function orderedAffinity(affinity: ClusterAffinity): Fields {
  const { labelSelector, fieldSelector } = affinity;
  return compact({
    labelSelector: labelSelector == null ? undefined : orderedSelector(labelSelector),
    fieldSelector: fieldSelector == null ? undefined : compact({ matchExpressions: orderedExpressions(fieldSelector) }),
    clusterNames: listOf(affinity.clusterNames, (name) => name),
    exclude: listOf(affinity.exclude, (name) => name),
  });
}

function orderedSelector(selector: LabelSelector): Fields {
  const labels = Object.entries(selector.matchLabels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return compact({
    matchLabels: labels.length === 0 ? undefined : Object.fromEntries(labels),
    matchExpressions: orderedExpressions(selector),
  });
}

function orderedExpressions(selector: Pick<LabelSelector, "matchExpressions">): unknown {
  return listOf(selector.matchExpressions, (entry) =>
    compact({ key: entry.key, operator: entry.operator, values: listOf(entry.values, (value) => value) }),
  );
}

function orderedToleration(toleration: Toleration): Fields {
  return compact({
    key: toleration.key || undefined,
    operator: toleration.operator || undefined,
    value: toleration.value || undefined,
    effect: toleration.effect || undefined,
    tolerationSeconds: toleration.tolerationSeconds ?? undefined,
  });
}

function orderedStrategy(strategy: ReplicaSchedulingStrategy): Fields {
  const { weightPreference } = strategy;
  return compact({
    replicaSchedulingType: strategy.replicaSchedulingType || undefined,
    replicaDivisionPreference: strategy.replicaDivisionPreference || undefined,
    weightPreference:
      weightPreference == null
        ? undefined
        : compact({
            staticWeightList: listOf(weightPreference.staticWeightList, (rule) => ({
              targetCluster: orderedAffinity(rule.targetCluster),
              weight: rule.weight,
            })),
            dynamicWeight: weightPreference.dynamicWeight || undefined,
          }),
  });
}

function orderedExtensions(extensions: PlacementExtensions): Fields {
  const { failBack } = extensions;
  return compact({
    failBack:
      failBack == null
        ? undefined
        : compact({ enabled: failBack.enabled, stabilizationSeconds: failBack.stabilizationSeconds }),
    minReplicasPerCluster: extensions.minReplicasPerCluster,
    rescheduleOn: listOf(extensions.rescheduleOn, (change) => change),
    scores: listOf(extensions.scores, ({ expression, name, weight }) => compact({ expression, name, weight })),
    strictSpread: extensions.strictSpread,
  });
}

function listOf<T>(list: readonly T[] | null | undefined, map: (item: T) => unknown): unknown[] | undefined {
  return list == null || list.length === 0 ? undefined : list.map((item) => map(item));
}

function compact(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
