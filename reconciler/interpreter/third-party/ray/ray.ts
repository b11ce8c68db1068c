// Ray: clusters, and the jobs and services that run on clusters of their own.

import { fieldsAt } from "../../field-access.ts";
import type { RulesByKind } from "../../kind-rules.ts";
import { distinctDependencies } from "../rules/dependencies.ts";
import { dependenciesOfTemplates, templatesOfCluster } from "./cluster-spec.ts";
import { RAY_CLUSTER_RULES } from "./ray-cluster.ts";
import { RAY_JOB_RULES } from "./ray-job.ts";
import { byLargestRemainder, RAY_SERVICE_RULES, withWorkers } from "./ray-service.ts";

export const RAY_RULES: RulesByKind = {
  "ray.io/v1/RayCluster": RAY_CLUSTER_RULES,
  "ray.io/v1/RayJob": RAY_JOB_RULES,
  "ray.io/v1/RayService": RAY_SERVICE_RULES,
};

/**
 * Differs from Karmada: what the pods of a cluster refer to is known, and a service's workers are shared out so that no
 * group gets less than none.
 */
export const MORE_RAY_RULES: RulesByKind = {
  "ray.io/v1/RayCluster": {
    ...RAY_CLUSTER_RULES,
    getDependencies: (object) =>
      distinctDependencies(dependenciesOfTemplates(object, templatesOfCluster(fieldsAt(object, "spec")))),
  },
  "ray.io/v1/RayService": {
    ...RAY_SERVICE_RULES,
    reviseReplica: (object, replicas) => withWorkers(object, replicas, byLargestRemainder),
  },
};
