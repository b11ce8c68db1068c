// OpenKruise: SidecarSet, which puts containers into the pods of others.

import type { KubeObject } from "../../../../kube/object.ts";
import { dependencyOn } from "../../dependencies.ts";
import { type Fields, fieldsAt, objectsAt, optionalFieldsAt } from "../../field-access.ts";
import type { Dependency, Status } from "../../interpreter.ts";
import type { KindRules } from "../../kind-rules.ts";
import { configMapNames, secretNames } from "../../pod-references.ts";
import { aggregatingAnew, sumsOf } from "../rules/aggregation.ts";
import { withoutEmpties } from "../rules/empties.ts";

const COUNTERS = ["matchedPods", "updatedPods", "readyPods"];

export const SIDECAR_SET: KindRules = {
  // It has no pods of its own.
  getReplicas: () => ({ replicas: 0 }),
  retain: (desired) => desired,
  interpretHealth: isInjected,
  reflectStatus: reflectCounters,
  aggregateStatus: aggregatingAnew(({ members }) => sumsOf(members, COUNTERS)),
  getDependencies: dependenciesOfSidecars,
};

function reflectCounters(object: KubeObject): Status {
  const status = optionalFieldsAt(object, "status");
  if (status === undefined) return {};
  // A copy of an object is one.
  return withoutEmpties(Object.fromEntries(COUNTERS.map((counter) => [counter, counterOf(status, counter)]))) as Status;
}

// As Karmada: a text is not read as a number.
function counterOf(status: Fields, counter: string): unknown {
  const value = status[counter] ?? 0;
  return value === false ? 0 : value;
}

/** Every pod that it is for has the newest containers; there may be none. */
function isInjected(object: KubeObject): boolean {
  const status = optionalFieldsAt(object, "status");
  if (status === undefined) return false;
  const matched = counterOf(status, "matchedPods");
  return matched === 0 || counterOf(status, "updatedPods") === matched;
}

/** As Karmada: of the volumes only those that hold one of the two, and no image pull secrets. */
function dependenciesOfSidecars(object: KubeObject): readonly Dependency[] {
  const spec = fieldsAt(object, "spec");
  const volumes = objectsAt(spec, "volumes").map(({ configMap, secret, projected }) => ({
    configMap,
    secret,
    projected,
  }));
  const sidecars = { containers: objectsAt(spec, "containers"), volumes };
  const { namespace } = object.metadata;
  return [
    ...configMapNames(sidecars).map((name) => dependencyOn("ConfigMap", namespace, name)),
    ...secretNames(sidecars).map((name) => dependencyOn("Secret", namespace, name)),
  ];
}
