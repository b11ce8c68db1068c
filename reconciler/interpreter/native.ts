// The rules for the kinds of Kubernetes itself, kind by kind.

import { aggregateIngress, aggregateService } from "./aggregate-addresses.ts";
import { aggregateCronJob, aggregateJob } from "./aggregate-jobs.ts";
import { aggregatePod } from "./aggregate-pods.ts";
import {
  aggregateAutoscaler,
  aggregateDisruptionBudget,
  aggregatePersistentVolume,
  aggregateVolumeClaim,
} from "./aggregate-resources.ts";
import {
  aggregateDaemonSet,
  aggregateDeployment,
  aggregateReplicaSet,
  aggregateStatefulSet,
} from "./aggregate-workloads.ts";
import {
  dependenciesOfCronJob,
  dependenciesOfIngress,
  dependenciesOfPod,
  dependenciesOfServiceImport,
  dependenciesOfStatefulSet,
  dependenciesOfWorkload,
} from "./dependencies.ts";
import {
  hasAddress,
  isClaimBound,
  isDaemonSetHealthy,
  isDisruptionBudgetHealthy,
  isPodHealthy,
  isReplicaSetHealthy,
  isRolledOut,
  isServiceHealthy,
} from "./health.ts";
import type { Interpreter } from "./interpreter.ts";
import { type RulesByKind, rulesLevel } from "./kind-rules.ts";
import {
  reflectAutoscaler,
  reflectDaemonSet,
  reflectDeployment,
  reflectDisruptionBudget,
  reflectJob,
  reflectReplicaSet,
  reflectService,
  reflectStatefulSet,
  reflectWholeStatus,
} from "./reflect-status.ts";
import { replicasOfJob, replicasOfPod, replicasOfWorkload, reviserOf } from "./replicas.ts";
import {
  retainDeployment,
  retainJob,
  retainPersistentVolume,
  retainPod,
  retainSecret,
  retainService,
  retainServiceAccount,
  retainVolumeClaim,
} from "./retain.ts";

export const NATIVE_RULES: RulesByKind = {
  "apps/v1/Deployment": {
    getReplicas: replicasOfWorkload,
    reviseReplica: reviserOf("replicas"),
    retain: retainDeployment,
    getDependencies: dependenciesOfWorkload,
    reflectStatus: reflectDeployment,
    interpretHealth: isRolledOut,
    aggregateStatus: aggregateDeployment,
  },
  "apps/v1/ReplicaSet": {
    getReplicas: replicasOfWorkload,
    reviseReplica: reviserOf("replicas"),
    getDependencies: dependenciesOfWorkload,
    reflectStatus: reflectReplicaSet,
    interpretHealth: isReplicaSetHealthy,
    aggregateStatus: aggregateReplicaSet,
  },
  "apps/v1/StatefulSet": {
    getReplicas: replicasOfWorkload,
    reviseReplica: reviserOf("replicas"),
    getDependencies: dependenciesOfStatefulSet,
    reflectStatus: reflectStatefulSet,
    interpretHealth: isRolledOut,
    aggregateStatus: aggregateStatefulSet,
  },
  "apps/v1/DaemonSet": {
    getDependencies: dependenciesOfWorkload,
    reflectStatus: reflectDaemonSet,
    interpretHealth: isDaemonSetHealthy,
    aggregateStatus: aggregateDaemonSet,
  },
  "batch/v1/Job": {
    getReplicas: replicasOfJob,
    reviseReplica: reviserOf("parallelism"),
    retain: retainJob,
    getDependencies: dependenciesOfWorkload,
    reflectStatus: reflectJob,
    aggregateStatus: aggregateJob,
  },
  "batch/v1/CronJob": { getDependencies: dependenciesOfCronJob, aggregateStatus: aggregateCronJob },
  "v1/Pod": {
    getReplicas: replicasOfPod,
    retain: retainPod,
    getDependencies: dependenciesOfPod,
    interpretHealth: isPodHealthy,
    aggregateStatus: aggregatePod,
  },
  "v1/Service": {
    retain: retainService,
    reflectStatus: reflectService,
    interpretHealth: isServiceHealthy,
    aggregateStatus: aggregateService,
  },
  "networking.k8s.io/v1/Ingress": {
    getDependencies: dependenciesOfIngress,
    interpretHealth: hasAddress,
    aggregateStatus: aggregateIngress,
  },
  "multicluster.x-k8s.io/v1alpha1/ServiceImport": { getDependencies: dependenciesOfServiceImport },
  "v1/ServiceAccount": { retain: retainServiceAccount },
  "v1/Secret": { retain: retainSecret },
  "v1/PersistentVolume": { retain: retainPersistentVolume, aggregateStatus: aggregatePersistentVolume },
  "v1/PersistentVolumeClaim": {
    retain: retainVolumeClaim,
    interpretHealth: isClaimBound,
    aggregateStatus: aggregateVolumeClaim,
  },
  "policy/v1/PodDisruptionBudget": {
    reflectStatus: reflectDisruptionBudget,
    interpretHealth: isDisruptionBudgetHealthy,
    aggregateStatus: aggregateDisruptionBudget,
  },
  "autoscaling/v2/HorizontalPodAutoscaler": {
    reflectStatus: reflectAutoscaler,
    aggregateStatus: aggregateAutoscaler,
  },
};

/** The level of built-in rules. The status of kinds without a rule is collected whole. */
export function nativeLevel(rules: RulesByKind = NATIVE_RULES): Interpreter {
  const level = rulesLevel(rules);
  return {
    ...level,
    hookEnabled: (gvk, operation) => operation === "InterpretStatus" || level.hookEnabled(gvk, operation),
    reflectStatus: (object) =>
      (rules[`${object.apiVersion}/${object.kind}`]?.reflectStatus ?? reflectWholeStatus)(object),
  };
}
