// What one replica asks for, read once into plain numbers.

import type { Component, ReplicaRequirements } from "../../../api/work.ts";
import { quantityFromJson } from "../../../kube/quantity.ts";
import { isScalarResource } from "../../../kube/resource-names.ts";
import { type Amount, readAmount } from "./capacity.ts";

/** Requests of one pod, without those of zero. */
export interface PodRequest {
  readonly resources: readonly (readonly [resource: string, amount: Amount])[];
}

/** One component of a workload with several pod templates. */
export interface ComponentRequest extends PodRequest {
  readonly replicas: number;
}

export function readRequest(requirements: Pick<ReplicaRequirements, "resourceRequest"> | undefined): PodRequest {
  const resources: [string, Amount][] = [];
  for (const [resource, text] of Object.entries(requirements?.resourceRequest ?? {})) {
    const amount = readAmount(quantityFromJson(text));
    if (amount.units > 0) resources.push([resource, amount]);
  }
  return { resources };
}

export function readComponents(components: readonly Component[]): readonly ComponentRequest[] {
  return components.map((component) => ({
    replicas: component.replicas,
    ...readRequest(component.replicaRequirements),
  }));
}

/** The unit in which nodes count a resource: milli for cpu, whole units for all else. */
export function nodeUnits(resource: string, amount: Amount): number {
  return resource === "cpu" ? amount.milli : amount.units;
}

/** Whether nodes keep an account of `resource`. Requests for anything else do not count on nodes. */
export function isCountedOnNodes(resource: string): boolean {
  return resource === "cpu" || resource === "memory" || resource === "ephemeral-storage" || isScalarResource(resource);
}
