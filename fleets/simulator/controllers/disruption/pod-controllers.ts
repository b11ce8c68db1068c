// Who controls Pods, and how many of them it wants.
import type { KubeObject, OwnerReference } from "../../../../kube/object.ts";
import { parseApiVersion } from "../../../../kube/object.ts";
import type { ClusterState } from "../../kernel/cluster-state.ts";
import { controllerOf } from "../../kernel/controller.ts";
import { isScale, scaleOf } from "../scales.ts";

/** What the controllers of some Pods want. */
interface PodControllers {
  /** Pods that all controllers want together. */
  readonly scale: number;
  /** Pods that nobody controls. */
  readonly unmanaged: readonly string[];
}

/** Finds the controllers of the Pods; answers why that is not possible. */
export function podControllersOf(pods: readonly KubeObject[], state: ClusterState): PodControllers | string {
  const scales = new Map<string, number>();
  const unmanaged: string[] = [];
  for (const pod of pods) {
    const owner = controllerOf(pod);
    if (owner === undefined) {
      unmanaged.push(pod.metadata.name ?? "");
      continue;
    }
    if (scales.has(owner.uid)) continue;
    const namespace = pod.metadata.namespace ?? "";
    const found = deploymentOf(owner, namespace, state) ?? sizeOf(owner, namespace, state);
    if (typeof found === "string") return found;
    if (found === undefined) return `found no controllers for pod "${pod.metadata.name}"`;
    scales.set(found.uid, found.size);
  }
  return { scale: [...scales.values()].reduce((sum, scale) => sum + scale, 0), unmanaged };
}

interface Size {
  readonly uid: string;
  readonly size: number;
}

/** The Deployment of a ReplicaSet stands for it. */
function deploymentOf(owner: OwnerReference, namespace: string, state: ClusterState): Size | undefined {
  if (owner.kind !== "ReplicaSet" || parseApiVersion(owner.apiVersion).group !== "apps") return undefined;
  const set = state.get("apps/replicasets", namespace, owner.name);
  const above = set?.metadata.uid === owner.uid ? controllerOf(set) : undefined;
  if (above === undefined) return undefined;
  const found = sizeOf(above, namespace, state);
  return typeof found === "string" ? undefined : found;
}

function sizeOf(owner: OwnerReference, namespace: string, state: ClusterState): Size | string | undefined {
  const scale = scaleOf(owner, namespace, state);
  if (isScale(scale))
    return scale.object.metadata.uid === owner.uid ? { uid: owner.uid, size: scale.wanted } : undefined;
  switch (scale.why) {
    case "absent":
      return undefined;
    case "not scalable":
      return `${scale.resource} does not implement the scale subresource`;
    case "unknown kind":
      return `no matches for kind "${owner.kind}" in version "${owner.apiVersion}"`;
  }
}
