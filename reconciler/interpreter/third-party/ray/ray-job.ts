// Ray: jobs, each on a cluster of its own.

import type { KubeObject } from "../../../../kube/object.ts";
import type { MemberStatus } from "../../aggregation.ts";
import { type Fields, fieldsAt } from "../../field-access.ts";
import type { KindRules } from "../../kind-rules.ts";
import { aggregating, type Report } from "../rules/aggregation.ts";
import { distinctDependencies } from "../rules/dependencies.ts";
import { verbatimOfOne } from "../rules/merging.ts";
import { componentsOfCluster, dependenciesOfTemplates, templatesOfCluster } from "./cluster-spec.ts";

export const RAY_JOB_RULES: KindRules = {
  getComponents: (object) => componentsOfCluster(fieldsAt(object, "spec", "rayClusterSpec"), "spec.rayClusterSpec"),
  interpretHealth: isHealthy,
  aggregateStatus: verbatimOfOne(aggregating(jobStatus)),
  getDependencies: (object) =>
    distinctDependencies(
      dependenciesOfTemplates(object, [
        ...templatesOfCluster(fieldsAt(object, "spec", "rayClusterSpec")),
        fieldsAt(object, "spec", "submitterPodTemplate"),
      ]),
    ),
};

// Of several clusters' states the one with the highest number is told; of equals the first.
const DEPLOYMENT_RANKS: Ranks = {
  "": 0,
  Initializing: 1,
  Waiting: 2,
  Suspending: 3,
  Suspended: 3,
  Retrying: 4,
  Running: 5,
  Complete: 6,
  ValidationFailed: 7,
  Failed: 8,
};
const JOB_RANKS: Ranks = { PENDING: 1, RUNNING: 2, SUCCEEDED: 3, STOPPED: 4, FAILED: 5 };

type Ranks = Readonly<Record<string, number>>;

function isHealthy(object: KubeObject): boolean {
  const { jobDeploymentStatus, jobStatus } = fieldsAt(object, "status");
  return jobDeploymentStatus === "Running" || (jobDeploymentStatus === "Complete" && jobStatus === "SUCCEEDED");
}

function jobStatus({ members }: Report): Fields {
  const deployment = worst(members, "jobDeploymentStatus", DEPLOYMENT_RANKS);
  const withJobs = members.filter(({ status }) => status["jobStatus"] !== "");
  return {
    jobStatus: worst(withJobs, "jobStatus", JOB_RANKS)?.["jobStatus"],
    jobDeploymentStatus: deployment?.["jobDeploymentStatus"],
    reason: deployment?.["reason"],
    message: deployment?.["message"],
  };
}

/** The first status with the state of the highest rank; unknown states have the lowest. */
function worst(members: readonly MemberStatus[], field: string, ranks: Ranks): Fields | undefined {
  let found: Fields | undefined;
  let highest = -1;
  for (const { status } of members) {
    const state = status[field];
    if (state === undefined || state === null) continue;
    const rank = ranks[String(state)] ?? 0;
    if (rank > highest) {
      highest = rank;
      found = status;
    }
  }
  return found;
}
