// Fields that servers refuse to change in objects that exist, by group and kind.
// Source: the validation of Kubernetes 1.34 (pkg/apis/*/validation) and its API reference.

export interface ImmutableFields {
  /** Paths that may not change, with all below them. */
  readonly fixed: readonly string[];
  /** What may change in spite of that. */
  readonly free?: readonly string[];
  /** May be given where there was none. */
  readonly mayBeSet?: true;
}

const WORKLOAD: ImmutableFields = { fixed: ["spec.selector"] };
const ROLE: ImmutableFields = { fixed: ["roleRef"] };

export const IMMUTABLE_FIELDS: Readonly<Record<string, readonly ImmutableFields[]>> = {
  "apps/Deployment": [WORKLOAD],
  "apps/ReplicaSet": [WORKLOAD],
  "apps/DaemonSet": [WORKLOAD],
  "apps/StatefulSet": [
    {
      fixed: ["spec"],
      free: [
        "spec.replicas",
        "spec.ordinals",
        "spec.template",
        "spec.updateStrategy",
        "spec.revisionHistoryLimit",
        "spec.persistentVolumeClaimRetentionPolicy",
        "spec.minReadySeconds",
      ],
    },
  ],
  "batch/Job": [
    {
      fixed: [
        "spec.selector",
        "spec.template",
        "spec.completionMode",
        "spec.podFailurePolicy",
        "spec.backoffLimitPerIndex",
        "spec.managedBy",
        "spec.successPolicy",
        "spec.podReplacementPolicy",
      ],
    },
  ],
  "/PersistentVolumeClaim": [{ fixed: ["spec"], free: ["spec.resources", "spec.volumeAttributesClassName"] }],
  "/Service": [{ fixed: ["spec.clusterIP", "spec.clusterIPs"], mayBeSet: true }],
  "/Pod": [
    {
      fixed: ["spec"],
      free: ["spec.activeDeadlineSeconds", "spec.tolerations", "spec.terminationGracePeriodSeconds"],
    },
  ],
  "/Secret": [{ fixed: ["type"] }],
  "rbac.authorization.k8s.io/RoleBinding": [ROLE],
  "rbac.authorization.k8s.io/ClusterRoleBinding": [ROLE],
  "storage.k8s.io/StorageClass": [{ fixed: ["provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"] }],
  "storage.k8s.io/VolumeAttributesClass": [{ fixed: ["driverName", "parameters"] }],
  "scheduling.k8s.io/PriorityClass": [{ fixed: ["value", "preemptionPolicy"] }],
  "node.k8s.io/RuntimeClass": [{ fixed: ["handler"] }],
  "networking.k8s.io/IngressClass": [{ fixed: ["spec.controller"] }],
  "discovery.k8s.io/EndpointSlice": [{ fixed: ["addressType"] }],
  "apiextensions.k8s.io/CustomResourceDefinition": [
    { fixed: ["spec.group", "spec.names.plural", "spec.names.kind", "spec.scope"] },
  ],
};

/** Images of containers are all that may change in the containers of a pod. */
export const POD_IMAGE = /^spec\.(?:initContainers|containers)\[[^\]]*\]\.image$/;
