// Which of a cluster's objects go first: what others need to exist.
import { gvkOf, type KubeObject } from "../../kube/object.ts";

/** Kinds that others need, the most needed first. All else follows in the order in which it came. */
const FIRST: readonly (readonly string[])[] = [
  ["apiextensions.k8s.io/CustomResourceDefinition"],
  ["/Namespace"],
  ["/ResourceQuota", "/LimitRange", "scheduling.k8s.io/PriorityClass", "storage.k8s.io/StorageClass"],
  [
    "/ServiceAccount",
    "rbac.authorization.k8s.io/ClusterRole",
    "rbac.authorization.k8s.io/Role",
    "rbac.authorization.k8s.io/ClusterRoleBinding",
    "rbac.authorization.k8s.io/RoleBinding",
  ],
  ["/ConfigMap", "/Secret", "/PersistentVolume", "/PersistentVolumeClaim"],
];

const PRIORITIES = new Map(FIRST.flatMap((kinds, index) => kinds.map((kind) => [kind, FIRST.length - index] as const)));

/** Higher goes first among what waits for the same cluster; 0 for whatever nobody waits for. */
export function applyPriority(manifest: KubeObject): number {
  const { group, kind } = gvkOf(manifest);
  return PRIORITIES.get(`${group}/${kind}`) ?? 0;
}
