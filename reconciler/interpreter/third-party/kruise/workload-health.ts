// When a workload of OpenKruise does its work. Unlike those of Kubernetes, it has to have reported a status for that.

import type { KubeObject } from "../../../../kube/object.ts";
import { fieldsAt, optionalFieldsAt } from "../../field-access.ts";
import { numberAt, optionalNumberAt } from "../rules/numbers.ts";

/** CloneSet, StatefulSet, UnitedDeployment: the newest generation is rolled out to all replicas, and all are available. */
export function isRolledOut(object: KubeObject): boolean {
  const status = optionalFieldsAt(object, "status");
  if (status === undefined || !isObserved(object)) return false;
  const wanted = optionalNumberAt(fieldsAt(object, "spec"), "replicas", "spec");
  const updated = numberAt(status, "updatedReplicas");
  // A UnitedDeployment tells only how many are ready.
  const available = optionalNumberAt(status, "availableReplicas", "status") ?? numberAt(status, "readyReplicas");
  return (wanted === undefined || updated >= wanted) && available >= updated;
}

/** DaemonSet: the newest generation is on every node it belongs to, and available there. */
export function isDaemonRolledOut(object: KubeObject): boolean {
  const status = optionalFieldsAt(object, "status");
  if (status === undefined || !isObserved(object)) return false;
  const updated = numberAt(status, "updatedNumberScheduled");
  return updated >= numberAt(status, "desiredNumberScheduled") && numberAt(status, "numberAvailable") >= updated;
}

function isObserved(object: KubeObject): boolean {
  // As Karmada: when neither is known, nothing speaks against it.
  return (fieldsAt(object, "status")["observedGeneration"] ?? null) === (object.metadata.generation ?? null);
}
