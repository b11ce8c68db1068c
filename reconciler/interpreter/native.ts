// The rules for the kinds of Kubernetes itself, kind by kind.

import { formatApiVersion, type GroupVersionKind, type KubeObject } from "../../kube/object.ts";
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
import { interpreterNotFound } from "./errors.ts";
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
import type { Interpreter, InterpreterLevel, InterpreterOperation } from "./interpreter.ts";
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

/** What is known of one kind. An absent rule means that the operation does not apply to the kind. */
export type KindRules = Partial<
  Pick<
    Interpreter,
    | "getReplicas"
    | "reviseReplica"
    | "retain"
    | "getDependencies"
    | "reflectStatus"
    | "interpretHealth"
    | "aggregateStatus"
  >
>;

export type RulesByKind = Readonly<Record<string, KindRules>>;

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

const METHODS: Readonly<Record<InterpreterOperation, keyof KindRules | undefined>> = {
  InterpretReplica: "getReplicas",
  InterpretComponent: undefined,
  ReviseReplica: "reviseReplica",
  Retain: "retain",
  InterpretDependency: "getDependencies",
  InterpretStatus: "reflectStatus",
  InterpretHealth: "interpretHealth",
  AggregateStatus: "aggregateStatus",
};

/** The level of built-in rules. The status of kinds without a rule is collected whole. */
export function nativeLevel(rules: RulesByKind = NATIVE_RULES): InterpreterLevel {
  function ruleOf<M extends keyof KindRules>(object: KubeObject, method: M): NonNullable<KindRules[M]> {
    const rule = rules[`${object.apiVersion}/${object.kind}`]?.[method];
    if (rule === undefined) throw interpreterNotFound(method, object.apiVersion, object.kind);
    return rule;
  }
  return {
    hookEnabled: (gvk, operation) => operation === "InterpretStatus" || hasRule(rules, gvk, operation),
    getReplicas: (object) => ruleOf(object, "getReplicas")(object),
    reviseReplica: (object, replicas) => ruleOf(object, "reviseReplica")(object, replicas),
    retain: (desired, observed) => ruleOf(desired, "retain")(desired, observed),
    getDependencies: (object) => ruleOf(object, "getDependencies")(object),
    reflectStatus: (object) =>
      (rules[`${object.apiVersion}/${object.kind}`]?.reflectStatus ?? reflectWholeStatus)(object),
    interpretHealth: (object) => ruleOf(object, "interpretHealth")(object),
    aggregateStatus: (object, items, now) => ruleOf(object, "aggregateStatus")(object, items, now),
  };
}

function hasRule(rules: RulesByKind, gvk: GroupVersionKind, operation: InterpreterOperation): boolean {
  const method = METHODS[operation];
  if (method === undefined) return false;
  return rules[`${formatApiVersion(gvk.group, gvk.version)}/${gvk.kind}`]?.[method] !== undefined;
}
