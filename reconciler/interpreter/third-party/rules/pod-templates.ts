// What a pod template inside a custom resource needs.

import type { Toleration } from "../../../../api/cluster.ts";
import type { NodeClaim, NodeSelector, ReplicaRequirements } from "../../../../api/work.ts";
import type { KubeObject } from "../../../../kube/object.ts";
import { canonicalQuantity } from "../../../../kube/quantity.ts";
import { dependenciesOfPodSpec } from "../../dependencies.ts";
import { type Fields, fieldsAt } from "../../field-access.ts";
import type { Dependency, ReplicaDemand } from "../../interpreter.ts";
import { podRequirements } from "../../requirements.ts";
import { withoutEmpties } from "./empties.ts";

/** What a pod of this template needs; undefined for nothing. */
export function requirementsOfTemplate(template: Fields): ReplicaRequirements | undefined {
  return requirementsOfPodSpec(fieldsAt(template, "spec"));
}

/**
 * As `requirementsOfTemplate`, of the spec in it. As Karmada: empty selectors, affinities and tolerations are none, and one
 * that has nothing but such in it is a claim that claims nothing.
 */
export function requirementsOfPodSpec(podSpec: Fields): ReplicaRequirements | undefined {
  // Copies of objects are objects, and leaving optional fields out leaves the type.
  const requirements = podRequirements(withoutEmpties(podSpec) as Fields);
  if (requirements === undefined) return undefined;
  const { nodeClaim, resourceRequest } = requirements;
  return {
    ...(nodeClaim === undefined ? {} : { nodeClaim: cleaned(nodeClaim) }),
    ...(resourceRequest === undefined ? {} : { resourceRequest: rewritten(resourceRequest) }),
  };
}

// As Karmada, whose scripts pass quantities on as texts: a hundred million bytes are `100M`.
function rewritten(request: NonNullable<ReplicaRequirements["resourceRequest"]>): Record<string, string> {
  return Object.fromEntries(Object.entries(request).map(([name, value]) => [name, canonicalQuantity(String(value))]));
}

function cleaned({ hardNodeAffinity, nodeSelector, tolerations }: NodeClaim): NodeClaim {
  const terms = termsOf(hardNodeAffinity);
  const filled = tolerations?.map(withoutEmptyTexts).filter((toleration) => Object.keys(toleration).length > 0) ?? [];
  return {
    ...(terms === undefined ? {} : { hardNodeAffinity: { nodeSelectorTerms: terms } }),
    ...(nodeSelector === undefined ? {} : { nodeSelector }),
    ...(filled.length === 0 ? {} : { tolerations: filled }),
  };
}

/** Undefined where the list of terms was empty to begin with. A term that lost its last expression is none. */
function termsOf(affinity: Partial<NodeSelector> | undefined): NodeSelector["nodeSelectorTerms"] | undefined {
  const terms = affinity?.nodeSelectorTerms;
  // A copy of a list of terms is one. What the first pass empties, the second takes away.
  return terms === undefined ? undefined : (withoutEmpties(withoutEmpties(terms)) as NodeSelector["nodeSelectorTerms"]);
}

// All of its texts may be left out.
function withoutEmptyTexts(toleration: Toleration): Toleration {
  return Object.fromEntries(Object.entries(toleration).filter(([, value]) => value !== "")) as Toleration;
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
