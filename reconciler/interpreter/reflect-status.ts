// Native rules: which part of a copy's status is collected. What no reader needs stays in the cluster.

import { type KubeObject, refOf } from "../../kube/object.ts";
import { TEMPLATE_GENERATION_ANNOTATION } from "../works/metadata-keys.ts";
import { interpreterFailed } from "./errors.ts";
import { type Fields, fieldsAt, integerAt, nonZero, optionalFieldsAt, present, textAt } from "./field-access.ts";
import type { Status } from "./interpreter.ts";
import { encodeJobCondition } from "./job-conditions.ts";
import { encodeServiceLoadBalancer } from "./load-balancer.ts";

/** The whole status; undefined when the object has none. */
export function reflectWholeStatus(object: KubeObject): Status | undefined {
  return optionalFieldsAt(object, "status");
}

export function reflectDeployment(object: KubeObject): Status | undefined {
  return withGenerations(object, (status) => ({
    replicas: nonZero(integerAt(status, "replicas")),
    updatedReplicas: nonZero(integerAt(status, "updatedReplicas")),
    readyReplicas: nonZero(integerAt(status, "readyReplicas")),
    availableReplicas: nonZero(integerAt(status, "availableReplicas")),
    unavailableReplicas: nonZero(integerAt(status, "unavailableReplicas")),
    observedGeneration: nonZero(integerAt(status, "observedGeneration")),
  }));
}

export function reflectReplicaSet(object: KubeObject): Status | undefined {
  return withGenerations(object, (status) => ({
    replicas: integerAt(status, "replicas"),
    readyReplicas: nonZero(integerAt(status, "readyReplicas")),
    availableReplicas: nonZero(integerAt(status, "availableReplicas")),
    observedGeneration: nonZero(integerAt(status, "observedGeneration")),
  }));
}

// As Karmada: the observed generation is not collected, which keeps that of the template from ever following.
export function reflectStatefulSet(object: KubeObject): Status | undefined {
  return withGenerations(object, (status) => ({
    replicas: integerAt(status, "replicas"),
    readyReplicas: nonZero(integerAt(status, "readyReplicas")),
    currentReplicas: nonZero(integerAt(status, "currentReplicas")),
    updatedReplicas: nonZero(integerAt(status, "updatedReplicas")),
    availableReplicas: integerAt(status, "availableReplicas"),
  }));
}

export function reflectDaemonSet(object: KubeObject): Status | undefined {
  return withGenerations(object, (status) => ({
    currentNumberScheduled: integerAt(status, "currentNumberScheduled"),
    numberMisscheduled: integerAt(status, "numberMisscheduled"),
    desiredNumberScheduled: integerAt(status, "desiredNumberScheduled"),
    numberReady: integerAt(status, "numberReady"),
    updatedNumberScheduled: nonZero(integerAt(status, "updatedNumberScheduled")),
    numberAvailable: nonZero(integerAt(status, "numberAvailable")),
    numberUnavailable: nonZero(integerAt(status, "numberUnavailable")),
    observedGeneration: nonZero(integerAt(status, "observedGeneration")),
  }));
}

export function reflectJob(object: KubeObject): Status | undefined {
  const status = optionalFieldsAt(object, "status");
  if (status === undefined) return undefined;
  const conditions = status["conditions"];
  return present({
    active: nonZero(integerAt(status, "active")),
    succeeded: nonZero(integerAt(status, "succeeded")),
    failed: nonZero(integerAt(status, "failed")),
    conditions:
      Array.isArray(conditions) && conditions.length > 0
        ? conditions.map((condition) => encodeJobCondition(fieldsAt(condition)))
        : undefined,
    startTime: status["startTime"] ?? undefined,
    completionTime: status["completionTime"] ?? undefined,
  });
}

/** Only load balancers have a status worth knowing. */
export function reflectService(object: KubeObject): Status | undefined {
  if (textAt(fieldsAt(object, "spec"), "type") !== "LoadBalancer") return undefined;
  const status = optionalFieldsAt(object, "status");
  return status === undefined ? undefined : { loadBalancer: encodeServiceLoadBalancer(status) };
}

export function reflectDisruptionBudget(object: KubeObject): Status | undefined {
  const status = optionalFieldsAt(object, "status");
  if (status === undefined) return undefined;
  const disruptedPods = fieldsAt(status, "disruptedPods");
  return present({
    currentHealthy: integerAt(status, "currentHealthy"),
    desiredHealthy: integerAt(status, "desiredHealthy"),
    disruptionsAllowed: integerAt(status, "disruptionsAllowed"),
    expectedPods: integerAt(status, "expectedPods"),
    disruptedPods: Object.keys(disruptedPods).length === 0 ? undefined : disruptedPods,
  });
}

// `currentMetrics` has to be there for decoders of this kind, though nothing of it is collected.
export function reflectAutoscaler(object: KubeObject): Status | undefined {
  const status = optionalFieldsAt(object, "status");
  if (status === undefined) return undefined;
  return present({
    currentReplicas: nonZero(integerAt(status, "currentReplicas")),
    desiredReplicas: integerAt(status, "desiredReplicas"),
    currentMetrics: null,
  });
}

/**
 * Counters of a status with the generation of the copy and that of the template it was made from, by which aggregation
 * knows whether the copy speaks of the newest template.
 */
function withGenerations(object: KubeObject, counters: (status: Fields) => Fields): Status | undefined {
  const status = optionalFieldsAt(object, "status");
  if (status === undefined) return undefined;
  const reflected = present({
    ...counters(status),
    generation: nonZero(object.metadata.generation ?? 0),
    resourceTemplateGeneration: nonZero(templateGeneration(object)),
  });
  return Object.keys(reflected).length === 0 ? undefined : reflected;
}

function templateGeneration(object: KubeObject): number {
  const text = object.metadata.annotations?.[TEMPLATE_GENERATION_ANNOTATION] ?? "";
  if (!/^[+-]?[0-9]+$/.test(text) || !isInt64(BigInt(text.replace("+", "")))) {
    throw interpreterFailed(
      "InterpretStatus",
      refOf(object),
      `annotation ${TEMPLATE_GENERATION_ANNOTATION} is not an integer: ${JSON.stringify(text)}`,
    );
  }
  return Number(text);
}

function isInt64(value: bigint): boolean {
  return BigInt.asIntN(64, value) === value;
}
