// What a pod template inside a custom resource needs.

import type { ReplicaRequirements } from "../../../../api/work.ts";
import type { KubeObject } from "../../../../kube/object.ts";
import { dependenciesOfPodSpec } from "../../dependencies.ts";
import { type Fields, fieldsAt } from "../../field-access.ts";
import type { Dependency, ReplicaDemand } from "../../interpreter.ts";
import { podRequirements } from "../../requirements.ts";
import { withoutEmpties } from "./empties.ts";

/** What a pod of this template needs, with empty selectors and affinities counted as none; undefined for nothing. */
export function requirementsOfTemplate(template: Fields): ReplicaRequirements | undefined {
  return requirementsOfPodSpec(fieldsAt(template, "spec"));
}

/** As `requirementsOfTemplate`, of the spec in it. */
export function requirementsOfPodSpec(podSpec: Fields): ReplicaRequirements | undefined {
  // A copy of an object is one, and what remains of requirements has their type.
  const requirements = podRequirements(withoutEmpties(podSpec) as Fields);
  return requirements === undefined ? undefined : (withoutEmpties(requirements) as ReplicaRequirements);
}

/** `replicas` of pods of this template. */
export function demandOf(replicas: number, template: Fields): ReplicaDemand {
  const requirements = requirementsOfTemplate(template);
  return requirements === undefined ? { replicas } : { replicas, requirements };
}

/**
 * What pods of this template cannot do without. As Karmada: an object that names no namespace is taken to be in
 * `default`.
 */
export function dependenciesOfTemplate(object: KubeObject, template: Fields): readonly Dependency[] {
  return dependenciesOfPodSpec(object.metadata.namespace ?? "default", fieldsAt(template, "spec"));
}
