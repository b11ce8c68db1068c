// What tests read of the store and of members.
import type { ResourceBinding, Work } from "../../../api/work.ts";
import type { KubeClient } from "../../../kube/client/kube-client.ts";
import type { Condition, KubeObject } from "../../../kube/object.ts";
import { type Plane, ref } from "./plane.ts";

/** `tokyo-1: 2, paris-1: 2`: where a binding's replicas are ordered, by cluster. */
export function targetsOf(binding: ResourceBinding): Record<string, number | undefined> {
  return Object.fromEntries((binding.spec.clusters ?? []).map(({ name, replicas }) => [name, replicas]));
}

export function readBinding(plane: Plane, namespace: string, name: string): Promise<ResourceBinding> {
  return plane.client.get<ResourceBinding>(ref("work.karmada.io/v1alpha2 ResourceBinding", namespace, name));
}

/** A value deep in an object, by the path of its fields: `at(object, "spec", "replicas")`. */
export function at(object: unknown, ...path: readonly (string | number)[]): unknown {
  let value = object;
  for (const step of path)
    value = typeof value === "object" && value !== null ? (value as Record<string | number, unknown>)[step] : undefined;
  return value;
}

export function readDeployment(client: KubeClient, namespace: string, name = "web"): Promise<KubeObject> {
  return client.get(ref("apps/v1 Deployment", namespace, name));
}

/** Wanted replicas of a Deployment in each member; undefined where it is not. */
export async function orderedReplicas(plane: Plane, namespace: string, name = "web"): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const member of plane.members) {
    const object = await member.client.find(ref("apps/v1 Deployment", namespace, name));
    if (object !== undefined) found[member.name] = at(object, "spec", "replicas");
  }
  return found;
}

/** Sum of available replicas over the members named, all by default. */
export async function availableReplicas(
  plane: Plane,
  namespace: string,
  members = plane.members.map((member) => member.name),
  name = "web",
): Promise<number> {
  let sum = 0;
  for (const member of members) {
    const object = await plane.member(member).client.find(ref("apps/v1 Deployment", namespace, name));
    const available = at(object, "status", "availableReplicas");
    if (typeof available === "number") sum += available;
  }
  return sum;
}

export function conditionOf(object: KubeObject, type: string): Condition | undefined {
  const conditions = at(object, "status", "conditions");
  return Array.isArray(conditions) ? conditions.find((condition: Condition) => condition.type === type) : undefined;
}

export async function readSync(plane: Plane, namespace: string, name: string): Promise<KubeObject> {
  return plane.client.get(ref("gitops.flaghoist.io/v1alpha1 Sync", namespace, name));
}

export async function readRepository(plane: Plane, namespace: string, name: string): Promise<KubeObject> {
  return plane.client.get(ref("gitops.flaghoist.io/v1alpha1 GitRepository", namespace, name));
}

/** The Works of a namespace's bindings, by cluster. */
export async function worksOf(plane: Plane, bindingNamespace: string): Promise<Work[]> {
  const { items } = await plane.client.list<Work>("work.karmada.io/v1alpha1", "Work");
  return items.filter(
    (work) => work.metadata.annotations?.["resourcebinding.karmada.io/namespace"] === bindingNamespace,
  );
}

/** Reasons of the Events about an object, oldest first. */
export async function eventReasons(plane: Plane, namespace: string, kind: string, name: string): Promise<string[]> {
  const { items } = await plane.client.list("v1", "Event", {
    namespace,
    fieldSelector: `involvedObject.kind=${kind},involvedObject.name=${name}`,
  });
  return items
    .sort((a, b) => Number(a.metadata.resourceVersion) - Number(b.metadata.resourceVersion))
    .map((event) => String(event["reason"]));
}
