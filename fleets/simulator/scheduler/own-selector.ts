// Which Pods are of the same kind as one: those of its Services and its set.
import { isObject, type KubeObject } from "../../../kube/object.ts";
import type { LabelRequirement } from "../../../kube/selectors.ts";
import { readSelector } from "./affinity-terms.ts";
import type { PodFacts } from "./pod-facts.ts";

interface Owners {
  get(resource: string, namespace: string | undefined, name: string): KubeObject | undefined;
  list(resource: string, namespace?: string): KubeObject[];
}

const SETS: Readonly<Record<string, string>> = {
  "apps/v1 ReplicaSet": "apps/replicasets",
  "apps/v1 StatefulSet": "apps/statefulsets",
  "v1 ReplicationController": "replicationcontrollers",
};

/** Empty when the Pod belongs to none. */
export function ownSelector(pod: PodFacts, owners: Owners): readonly LabelRequirement[] {
  const requirements: LabelRequirement[] = [];
  const seen = new Set<string>();
  const addLabels = (labels: Readonly<Record<string, unknown>>): void => {
    for (const [key, value] of Object.entries(labels)) {
      if (seen.has(key)) continue;
      seen.add(key);
      requirements.push({ key, operator: "=", values: [String(value)] });
    }
  };
  for (const service of owners.list("services", pod.namespace)) {
    const selector = isObject(service["spec"]) ? service["spec"]["selector"] : undefined;
    if (!isObject(selector)) continue;
    if (Object.entries(selector).every(([key, value]) => pod.labels[key] === value)) addLabels(selector);
  }
  const owner = pod.object.metadata.ownerReferences?.find((each) => each.controller === true);
  const resource = owner === undefined ? undefined : SETS[`${owner.apiVersion} ${owner.kind}`];
  const set = resource === undefined ? undefined : owners.get(resource, pod.namespace, owner?.name ?? "");
  const selector = set !== undefined && isObject(set["spec"]) ? set["spec"]["selector"] : undefined;
  if (isObject(selector)) {
    // ReplicationControllers have plain labels.
    if (resource === "replicationcontrollers") addLabels(selector);
    else requirements.push(...(readSelector(selector) ?? []));
  }
  return requirements;
}
