// Native rules: how the statuses of workloads add up.

import type { KubeObject } from "../../kube/object.ts";
import { type Aggregate, type MemberStatus, reportedStatuses } from "./aggregation.ts";
import { type Fields, fieldsAt, integerAt } from "./field-access.ts";

interface CounterRule {
  readonly counters: readonly string[];
  /** Counters that the kind writes even when they are 0. */
  readonly always: readonly string[];
  /** What else the kind's status holds, which stays as it is. */
  readonly kept: readonly string[];
  /** True when the member has caught up with the template. */
  readonly hasCaughtUp: (member: Fields, templateGeneration: number) => boolean;
}

export const aggregateDeployment: Aggregate = counterAggregation({
  counters: ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "unavailableReplicas"],
  always: [],
  kept: ["terminatingReplicas", "conditions", "collisionCount"],
  hasCaughtUp: followsTemplate,
});

export const aggregateReplicaSet: Aggregate = counterAggregation({
  counters: ["replicas", "readyReplicas", "availableReplicas"],
  always: ["replicas"],
  kept: ["fullyLabeledReplicas", "terminatingReplicas", "conditions"],
  hasCaughtUp: followsTemplate,
});

export const aggregateDaemonSet: Aggregate = counterAggregation({
  counters: [
    "currentNumberScheduled",
    "numberMisscheduled",
    "desiredNumberScheduled",
    "numberReady",
    "updatedNumberScheduled",
    "numberAvailable",
    "numberUnavailable",
  ],
  always: ["currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady"],
  kept: ["conditions", "collisionCount"],
  hasCaughtUp: followsTemplate,
});

const STATEFUL_SET_COUNTERS = {
  counters: ["replicas", "readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"],
  always: ["replicas", "availableReplicas"],
  kept: ["currentRevision", "updateRevision", "conditions", "collisionCount"],
};

// As Karmada: the template's generation is compared with the member's own, not with the template's.
export const aggregateStatefulSet: Aggregate = counterAggregation({
  ...STATEFUL_SET_COUNTERS,
  hasCaughtUp: (member) => {
    const generation = integerAt(member, "generation");
    return (
      integerAt(member, "observedGeneration") >= generation &&
      integerAt(member, "resourceTemplateGeneration") >= generation
    );
  },
});

/** The same rule as for the other workloads; needs the observed generation to be collected. */
export const aggregateStatefulSetByTemplate: Aggregate = counterAggregation({
  ...STATEFUL_SET_COUNTERS,
  hasCaughtUp: followsTemplate,
});

function followsTemplate(member: Fields, templateGeneration: number): boolean {
  return (
    integerAt(member, "observedGeneration") >= integerAt(member, "generation") &&
    integerAt(member, "resourceTemplateGeneration") >= templateGeneration
  );
}

/**
 * Adds counters up and leaves the rest of the status alone. The template counts as observed once every cluster has
 * caught up, those that report nothing included.
 */
function counterAggregation(rule: CounterRule): Aggregate {
  return (object, items) => {
    const members = reportedStatuses(items);
    const old = fieldsAt(object, "status");
    const generation = object.metadata.generation ?? 0;
    const caughtUp = members.filter(({ status }) => rule.hasCaughtUp(status, generation)).length === items.length;
    const totals: Record<string, number> = {
      observedGeneration: caughtUp ? generation : integerAt(old, "observedGeneration"),
    };
    for (const counter of rule.counters) totals[counter] = sumOf(members, counter);
    return Object.entries(totals).every(([key, value]) => integerAt(old, key) === value)
      ? object
      : withCounters(object, old, totals, rule);
  };
}

function withCounters(
  object: KubeObject,
  old: Fields,
  totals: Readonly<Record<string, number>>,
  { always, kept }: CounterRule,
): KubeObject {
  const status: Record<string, unknown> = {};
  for (const key of kept) {
    // A count of collisions is a pointer in Go, and there even when it is 0.
    if (old[key] != null && (old[key] !== 0 || key !== "fullyLabeledReplicas")) status[key] = old[key];
  }
  for (const [key, value] of Object.entries(totals)) {
    if (value !== 0 || always.includes(key)) status[key] = value;
  }
  return { ...object, status };
}

/** The sum of one counter over all clusters. */
export function sumOf(members: readonly MemberStatus[], counter: string): number {
  return members.reduce((sum, { status }) => sum + integerAt(status, counter), 0);
}
