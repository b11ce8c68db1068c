// Ray: clusters.

import type { KubeObject } from "../../../../kube/object.ts";
import { type Fields, fieldsAt } from "../../field-access.ts";
import type { KindRules } from "../../kind-rules.ts";
import { aggregating, type Report, sumsOf } from "../rules/aggregation.ts";
import { hasConditionWith } from "../rules/conditions.ts";
import { extremeTextOf, firstOf, verbatimOfOne } from "../rules/merging.ts";
import { deviceSumOf, quantitySumOf } from "../rules/quantities.ts";
import { componentsOfCluster } from "./cluster-spec.ts";
import { conditionsOfAll } from "./conditions.ts";

export const RAY_CLUSTER_RULES: KindRules = {
  getComponents: (object) => componentsOfCluster(fieldsAt(object, "spec"), "spec"),
  interpretHealth: isHealthy,
  aggregateStatus: verbatimOfOne(aggregating(clusterStatus)),
};

function isHealthy(object: KubeObject): boolean {
  const status = fieldsAt(object, "status");
  return (
    hasConditionWith(status, "HeadPodReady", "True") &&
    hasConditionWith(status, "RayClusterProvisioned", "True") &&
    !hasConditionWith(status, "RayClusterReplicaFailure", "True")
  );
}

function clusterStatus({ members }: Report): Fields {
  const first = members.find(({ status }) => status["state"] !== undefined && status["state"] !== null)?.status;
  return {
    conditions: conditionsOfAll(members),
    ...sumsOf(members, [
      "readyWorkerReplicas",
      "availableWorkerReplicas",
      "maxWorkerReplicas",
      "minWorkerReplicas",
      "desiredWorkerReplicas",
    ]),
    desiredCPU: quantitySumOf(members, "desiredCPU"),
    desiredGPU: deviceSumOf(members, "desiredGPU"),
    desiredTPU: deviceSumOf(members, "desiredTPU"),
    desiredMemory: quantitySumOf(members, "desiredMemory"),
    lastUpdateTime: extremeTextOf(members, "lastUpdateTime", "last"),
    // Those of the cluster that most likely has the head.
    endpoints: firstOf(members, "endpoints"),
    head: firstOf(members, "head"),
    state: first?.["state"],
    stateTransitionTimes: first?.["stateTransitionTimes"],
  };
}
