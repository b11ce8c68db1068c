// Native rules: when a copy in a member cluster does its work.

import type { KubeObject } from "../../kube/object.ts";
import { fieldsAt, integerAt, objectsAt, optionalIntegerAt, textAt } from "./field-access.ts";

/** Deployment and StatefulSet: rolled out to the newest generation, and all of it available. */
export function isRolledOut(object: KubeObject): boolean {
  const status = fieldsAt(object, "status");
  const wanted = optionalIntegerAt(fieldsAt(object, "spec"), "replicas");
  const updated = integerAt(status, "updatedReplicas");
  return (
    isObserved(object) &&
    (wanted === undefined || updated >= wanted) &&
    integerAt(status, "availableReplicas") >= updated
  );
}

export function isReplicaSetHealthy(object: KubeObject): boolean {
  const wanted = optionalIntegerAt(fieldsAt(object, "spec"), "replicas");
  return (
    isObserved(object) && (wanted === undefined || integerAt(fieldsAt(object, "status"), "availableReplicas") >= wanted)
  );
}

export function isDaemonSetHealthy(object: KubeObject): boolean {
  const status = fieldsAt(object, "status");
  const updated = integerAt(status, "updatedNumberScheduled");
  return (
    isObserved(object) &&
    updated >= integerAt(status, "desiredNumberScheduled") &&
    integerAt(status, "numberAvailable") >= updated
  );
}

/** Services without a load balancer have nothing to wait for. */
export function isServiceHealthy(object: KubeObject): boolean {
  return textAt(fieldsAt(object, "spec"), "type") !== "LoadBalancer" || hasAddress(object);
}

/** True when a load balancer has given the object a host name or an address. */
export function hasAddress(object: KubeObject): boolean {
  return objectsAt(fieldsAt(object, "status", "loadBalancer"), "ingress").some(
    (entry) => textAt(entry, "hostname") !== "" || textAt(entry, "ip") !== "",
  );
}

export function isClaimBound(object: KubeObject): boolean {
  return textAt(fieldsAt(object, "status"), "phase") === "Bound";
}

export function isPodHealthy(object: KubeObject): boolean {
  const status = fieldsAt(object, "status");
  const phase = textAt(status, "phase");
  if (phase === "Succeeded") return true;
  return (
    phase === "Running" &&
    objectsAt(status, "conditions").some(
      (condition) => textAt(condition, "type") === "Ready" && textAt(condition, "status") === "True",
    )
  );
}

export function isDisruptionBudgetHealthy(object: KubeObject): boolean {
  const status = fieldsAt(object, "status");
  return integerAt(status, "currentHealthy") >= integerAt(status, "desiredHealthy");
}

function isObserved(object: KubeObject): boolean {
  return integerAt(fieldsAt(object, "status"), "observedGeneration") === (object.metadata.generation ?? 0);
}
