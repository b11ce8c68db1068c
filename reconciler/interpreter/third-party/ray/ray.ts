// Ray: clusters, and the jobs and services that run on clusters of their own.

import type { RulesByKind } from "../../kind-rules.ts";
import { RAY_CLUSTER_RULES } from "./ray-cluster.ts";
import { RAY_JOB_RULES } from "./ray-job.ts";
import { RAY_SERVICE_RULES } from "./ray-service.ts";

export const RAY_RULES: RulesByKind = {
  "ray.io/v1/RayCluster": RAY_CLUSTER_RULES,
  "ray.io/v1/RayJob": RAY_JOB_RULES,
  "ray.io/v1/RayService": RAY_SERVICE_RULES,
};
