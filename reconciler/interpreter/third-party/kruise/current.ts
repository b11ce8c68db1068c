// OpenKruise as it is now: version v1beta1 of all its workloads, and rules that go beyond those that Karmada ships for
// v1alpha1. Statuses have all that the kinds' own definitions ask for, and what Argo CD judges them by.

import type { KubeObject } from "../../../../kube/object.ts";
import { dependenciesOfPodSpec } from "../../dependencies.ts";
import { type Fields, fieldsAt, listAt, optionalFieldsAt } from "../../field-access.ts";
import type { Dependency, ReplicaDemand } from "../../interpreter.ts";
import type { KindRules, RulesByKind } from "../../kind-rules.ts";
import { retainDeployment } from "../../retain.ts";
import {
  aggregating,
  lastFilledOf,
  observedGenerationOf,
  type Report,
  sumOf,
  sumsOf,
  unchanged,
} from "../rules/aggregation.ts";
import { agreedConditions } from "../rules/agreed-conditions.ts";
import { extremeTextOf } from "../rules/merging.ts";
import { decidingPhase } from "../rules/phases.ts";
import { demandOf, dependenciesOfTemplate } from "../rules/pod-templates.ts";
import { reflecting, reflectingWithGenerations } from "../rules/reflection.ts";
import { ADVANCED_CRON_JOB, BROADCAST_JOB } from "./jobs.ts";
import { KRUISE_ROLLOUT } from "./rollout.ts";
import { SIDECAR_SET } from "./sidecar-set.ts";
import {
  CLONE_SET,
  CLONE_SET_COUNTERS,
  DAEMON_SET,
  DAEMON_SET_COUNTERS,
  STATEFUL_SET,
  STATEFUL_SET_COUNTERS,
  UNITED_DEPLOYMENT,
} from "./workloads.ts";

const AVAILABILITY = "updatedAvailableReplicas";

const BETTER_CLONE_SET: KindRules = {
  ...CLONE_SET,
  retain: retainDeployment,
  // Argo CD takes a CloneSet without `updatedAvailableReplicas` for a paused one.
  ...statusOf({
    counters: CLONE_SET_COUNTERS,
    countsAvailability: true,
    texts: ["updateRevision", "currentRevision", "labelSelector"],
  }),
};

const BETTER_STATEFUL_SET: KindRules = {
  ...STATEFUL_SET,
  retain: retainDeployment,
  ...statusOf({
    counters: STATEFUL_SET_COUNTERS,
    countsAvailability: true,
    texts: ["updateRevision", "currentRevision", "labelSelector"],
  }),
};

const BETTER_DAEMON_SET: KindRules = {
  ...DAEMON_SET,
  ...statusOf({ counters: DAEMON_SET_COUNTERS, texts: ["daemonSetHash"] }),
};

const BETTER_UNITED_DEPLOYMENT: KindRules = {
  ...UNITED_DEPLOYMENT,
  getReplicas: demandOfSubsets,
  getDependencies: (object) => dependenciesOfTemplate(object, podTemplateOfSubsets(object)),
  retain: retainDeployment,
  ...statusOf({
    counters: ["replicas", "readyReplicas", "updatedReplicas", "updatedReadyReplicas", "reservedPods"],
    texts: ["currentRevision", "updatedRevision", "labelSelector"],
  }),
};

const BETTER_SIDECAR_SET: KindRules = {
  ...SIDECAR_SET,
  getDependencies: dependenciesOfAllSidecars,
  ...statusOf({
    counters: ["matchedPods", "updatedPods", "readyPods", "updatedReadyPods"],
    texts: ["latestRevision"],
  }),
};

const BROADCAST_COUNTERS = ["active", "succeeded", "failed", "desired"];

const BETTER_BROADCAST_JOB: KindRules = {
  ...BROADCAST_JOB,
  reflectStatus: reflecting([...BROADCAST_COUNTERS, "conditions", "startTime", "completionTime", "phase"]),
  aggregateStatus: aggregating(broadcastStatus, unchanged),
};

const BETTER_ADVANCED_CRON_JOB: KindRules = {
  ...ADVANCED_CRON_JOB,
  reflectStatus: reflecting(["type", "active", "lastScheduleTime"]),
  aggregateStatus: aggregating(
    ({ members }) => ({
      active: members.flatMap(({ status }) => listAt(status, "active")),
      type: lastFilledOf(members, "type"),
      lastScheduleTime: extremeTextOf(members, "lastScheduleTime", "last"),
    }),
    unchanged,
  ),
};

export const CURRENT_KRUISE_RULES: RulesByKind = {
  ...inBothVersions("AdvancedCronJob", BETTER_ADVANCED_CRON_JOB),
  ...inBothVersions("BroadcastJob", BETTER_BROADCAST_JOB),
  ...inBothVersions("CloneSet", BETTER_CLONE_SET),
  ...inBothVersions("DaemonSet", BETTER_DAEMON_SET),
  ...inBothVersions("SidecarSet", BETTER_SIDECAR_SET),
  ...inBothVersions("StatefulSet", BETTER_STATEFUL_SET),
  ...inBothVersions("UnitedDeployment", BETTER_UNITED_DEPLOYMENT),
  "rollouts.kruise.io/v1alpha1/Rollout": KRUISE_ROLLOUT,
  "rollouts.kruise.io/v1beta1/Rollout": KRUISE_ROLLOUT,
};

function inBothVersions(kind: string, rules: KindRules): RulesByKind {
  return { [`apps.kruise.io/v1alpha1/${kind}`]: rules, [`apps.kruise.io/v1beta1/${kind}`]: rules };
}

interface StatusRule {
  /** Added up; written as 0 too, as the kinds do. */
  readonly counters: readonly string[];
  /** Newer versions of the kind also tell how many pods are both updated and available. */
  readonly countsAvailability?: boolean;
  /** Names of revisions, hashes and selectors: those that all clusters agree on, else of the last to have one. */
  readonly texts: readonly string[];
}

function statusOf({ counters, texts, countsAvailability = false }: StatusRule): KindRules {
  const extra = countsAvailability ? [AVAILABILITY] : [];
  return {
    reflectStatus: reflectingWithGenerations([...counters, ...extra, ...texts, "observedGeneration", "conditions"]),
    aggregateStatus: aggregating((report) => ({
      observedGeneration: observedGenerationOf(report),
      ...sumsOf(report.members, counters),
      ...(countsAvailability ? availabilityOf(report) : {}),
      // Differs from Karmada: an empty text, as the definitions ask for one, and not the number 0.
      ...Object.fromEntries(texts.map((text) => [text, lastFilledOf(report.members, text) ?? ""])),
      conditions: agreedConditions(report, []),
    })),
  };
}

/** Not told where no cluster counts it, although there are pods: 0 would mean that none of them is available. */
function availabilityOf({ members }: Report): Fields {
  const counts = members.some(({ status }) => (status[AVAILABILITY] ?? undefined) !== undefined);
  return counts || sumOf(members, "replicas") === 0 ? sumsOf(members, [AVAILABILITY]) : { [AVAILABILITY]: undefined };
}

/** A UnitedDeployment describes its pods inside the workload that it makes for each subset. */
function podTemplateOfSubsets(object: KubeObject): Fields {
  const subset = fieldsAt(object, "spec", "template");
  for (const kind of SUBSET_KINDS) {
    const workload = optionalFieldsAt(subset, kind);
    if (workload !== undefined) return fieldsAt(workload, "spec", "template");
  }
  return subset;
}

const SUBSET_KINDS = ["statefulSetTemplate", "advancedStatefulSetTemplate", "cloneSetTemplate", "deploymentTemplate"];

function demandOfSubsets(object: KubeObject): ReplicaDemand {
  const replicas = UNITED_DEPLOYMENT.getReplicas?.(object).replicas ?? 1;
  return demandOf(replicas, podTemplateOfSubsets(object));
}

/** All that containers, volumes and image pulls refer to. */
function dependenciesOfAllSidecars(object: KubeObject): readonly Dependency[] {
  const { containers, initContainers, volumes, imagePullSecrets } = fieldsAt(object, "spec");
  return dependenciesOfPodSpec(object.metadata.namespace, { containers, initContainers, volumes, imagePullSecrets });
}

/** Failed where any has failed, completed once all have, with the times of the first start and the last end. */
function broadcastStatus(report: Report): Fields {
  const { members } = report;
  const phase = decidingPhase(report, {
    order: ["failed", "paused", "running", "completed"],
    silent: "running",
  })?.phase;
  return {
    ...sumsOf(members, BROADCAST_COUNTERS),
    phase: phase ?? "",
    startTime: extremeTextOf(members, "startTime", "first"),
    completionTime: phase === "completed" ? extremeTextOf(members, "completionTime", "last") : undefined,
    conditions: agreedConditions(report, ["Complete"]).filter(
      ({ type, status }) => type !== "Complete" || status === "True",
    ),
  };
}
