// OpenKruise: the workloads that Kubernetes has under the same or a similar name.

import type { KubeObject } from "../../../../kube/object.ts";
import { type Fields, fieldsAt } from "../../field-access.ts";
import type { Dependency, ReplicaDemand } from "../../interpreter.ts";
import type { KindRules } from "../../kind-rules.ts";
import { aggregating, lastFilledOf, observedGenerationOf, type Report, sumsOf } from "../rules/aggregation.ts";
import { lastConditionsByType } from "../rules/conditions.ts";
import { revising } from "../rules/fields.ts";
import { optionalNumberAt } from "../rules/numbers.ts";
import { demandOf, dependenciesOfTemplate } from "../rules/pod-templates.ts";
import { reflectingWithGenerations } from "../rules/reflection.ts";
import { isDaemonRolledOut, isRolledOut } from "./workload-health.ts";

const REPLICAS = ["replicas", "readyReplicas", "updatedReplicas", "availableReplicas"];
const REVISIONS = ["updateRevision", "currentRevision"];

const REPLICATED: KindRules = {
  getReplicas: replicasOf,
  reviseReplica: revising("spec", "replicas"),
  interpretHealth: isRolledOut,
  getDependencies: dependenciesOf,
};

/** What a CloneSet counts, of what Karmada collects. */
export const CLONE_SET_COUNTERS = [...REPLICAS, "updatedReadyReplicas", "expectedUpdatedReplicas"];
const CLONE_SET_TEXTS = [...REVISIONS, "labelSelector"];

export const CLONE_SET: KindRules = {
  ...REPLICATED,
  reflectStatus: reflectingWithGenerations([...CLONE_SET_COUNTERS, ...CLONE_SET_TEXTS, "observedGeneration"]),
  aggregateStatus: aggregating(
    countersWithTexts(CLONE_SET_COUNTERS, CLONE_SET_TEXTS, ""),
    countersOnly(CLONE_SET_COUNTERS),
  ),
};

/** What a StatefulSet counts, of what Karmada collects. */
export const STATEFUL_SET_COUNTERS = [...REPLICAS, "currentReplicas", "updatedReadyReplicas"];

export const STATEFUL_SET: KindRules = {
  ...REPLICATED,
  reflectStatus: reflectingWithGenerations([...STATEFUL_SET_COUNTERS, ...REVISIONS, "observedGeneration"]),
  aggregateStatus: aggregating(countersWithTexts(STATEFUL_SET_COUNTERS, REVISIONS, "")),
};

const UNITED_DEPLOYMENT_COUNTERS = [...REPLICAS, "unavailableReplicas"];

export const UNITED_DEPLOYMENT: KindRules = {
  ...REPLICATED,
  reflectStatus: reflectingWithGenerations([...UNITED_DEPLOYMENT_COUNTERS, "observedGeneration", "conditions"]),
  aggregateStatus: aggregating((report) => {
    const conditions = lastConditionsByType(report.members);
    return {
      observedGeneration: observedGenerationOf(report, false),
      ...sumsOf(report.members, UNITED_DEPLOYMENT_COUNTERS),
      ...(conditions.length === 0 ? {} : { conditions }),
    };
  }),
};

/** What a DaemonSet counts. */
export const DAEMON_SET_COUNTERS = [
  "currentNumberScheduled",
  "numberMisscheduled",
  "desiredNumberScheduled",
  "numberReady",
  "updatedNumberScheduled",
  "numberAvailable",
  "numberUnavailable",
];

export const DAEMON_SET: KindRules = {
  getDependencies: dependenciesOf,
  interpretHealth: isDaemonRolledOut,
  reflectStatus: reflectingWithGenerations([...DAEMON_SET_COUNTERS, "daemonSetHash", "observedGeneration"]),
  // As Karmada: without any hash the field is the number 0.
  aggregateStatus: aggregating(countersWithTexts(DAEMON_SET_COUNTERS, ["daemonSetHash"], 0)),
};

/** Adds the counters up, and of each text takes that of the last member to have one. */
function countersWithTexts(
  counters: readonly string[],
  texts: readonly string[],
  none: "" | 0,
): (report: Report) => Fields {
  return (report) => ({
    ...countersOnly(counters)(report),
    ...Object.fromEntries(texts.map((text) => [text, lastFilledOf(report.members, text) ?? none])),
  });
}

function countersOnly(counters: readonly string[]): (report: Report) => Fields {
  return (report) => ({ observedGeneration: observedGenerationOf(report), ...sumsOf(report.members, counters) });
}

/** One, where the author leaves it open: OpenKruise's own webhook then fills that in. */
function replicasOf(object: KubeObject): ReplicaDemand {
  const spec = fieldsAt(object, "spec");
  return demandOf(Math.trunc(optionalNumberAt(spec, "replicas", "spec") ?? 1), fieldsAt(spec, "template"));
}

function dependenciesOf(object: KubeObject): readonly Dependency[] {
  return dependenciesOfTemplate(object, fieldsAt(object, "spec", "template"));
}
