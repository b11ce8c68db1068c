// The order of groups and versions, as kube-apiserver 1.36 gives it in its APIServices.

export interface Priority {
  /** Groups with higher numbers come first. */
  readonly group: number;
  /** Versions with higher numbers come first in their group. */
  readonly version: number;
}

const GROUPS: Readonly<Record<string, number>> = {
  // It has no APIService, and comes first.
  "apiregistration.k8s.io": 20000,
  "": 18000,
  apps: 17800,
  "events.k8s.io": 17750,
  "authentication.k8s.io": 17700,
  "authorization.k8s.io": 17600,
  autoscaling: 17500,
  batch: 17400,
  "certificates.k8s.io": 17300,
  "networking.k8s.io": 17200,
  policy: 17100,
  "rbac.authorization.k8s.io": 17000,
  "storage.k8s.io": 16800,
  "admissionregistration.k8s.io": 16700,
  "apiextensions.k8s.io": 16700,
  "scheduling.k8s.io": 16600,
  "coordination.k8s.io": 16500,
  "node.k8s.io": 16300,
  "discovery.k8s.io": 16200,
  "resource.k8s.io": 16200,
  "flowcontrol.apiserver.k8s.io": 16100,
};
const VERSIONS: Readonly<Record<string, number>> = {
  "/v1": 1,
  "autoscaling/v2": 30,
  "flowcontrol.apiserver.k8s.io/v1": 21,
  "resource.k8s.io/v1": 21,
};
const BUILTIN_VERSION = 15;
const CUSTOM: Priority = { group: 1000, version: 100 };

/** The priority of a group-version that the server serves itself; groups without a place of their own are custom. */
export function localPriority(group: string, version: string): Priority {
  const known = GROUPS[group];
  if (known === undefined) return CUSTOM;
  return { group: known, version: VERSIONS[`${group}/${version}`] ?? BUILTIN_VERSION };
}

/** True for groups of Kubernetes itself. */
export function isBuiltinGroup(group: string): boolean {
  return group in GROUPS;
}
