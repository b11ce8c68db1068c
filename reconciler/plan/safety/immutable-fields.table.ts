// Fields that servers refuse to change in objects that exist, by group and kind.
// Source: Kubernetes 1.36.3, pkg/apis/{admissionregistration,apps,batch,core,discovery,networking,node,rbac,resource,
// scheduling,storage}/validation/validation.go (Validate…Update, with the defaults of its feature gates) and, for
// definitions, apiextensions-apiserver 0.36.3. `test/e2e/immutable-fields.test.ts` asks a real kube-apiserver.

export interface ImmutableFields {
  /** Paths that may not change, with all below them. */
  readonly fixed: readonly string[];
  /** What may change in spite of that. */
  readonly free?: readonly (string | RegExp)[];
  /**
   * `once`: may be given where there was none. `allocated`: the server gives one where none is given, and keeps it where
   * it is left out; one that is given later is taken to be that one, but for `None`.
   */
  readonly unless?: "once" | "allocated";
  /** What servers take for a field that is not given. */
  readonly defaults?: Readonly<Record<string, unknown>>;
  /** Holds only for objects whose field is one of these, or none of these; `undefined` stands for no such field. */
  readonly where?: {
    readonly path: string;
    readonly is?: readonly unknown[];
    readonly isNot?: readonly unknown[];
    /** Also after the change. */
    readonly stays?: true;
  };
}

/** Quantities that servers refuse to make smaller. */
export const GROWING_FIELDS: Readonly<Record<string, readonly string[]>> = {
  "/PersistentVolumeClaim": ["spec.resources.requests.storage"],
};

const WORKLOAD: ImmutableFields = { fixed: ["spec.selector"] };
const ROLE: ImmutableFields = { fixed: ["roleRef"] };
const REACHABLE = { path: "spec.type", isNot: ["ExternalName"], stays: true } as const;

const VOLUME_SOURCES = [
  ...["awsElasticBlockStore", "azureDisk", "azureFile", "cephfs", "cinder", "csi", "fc", "flexVolume", "flocker"],
  ...["gcePersistentDisk", "glusterfs", "hostPath", "iscsi", "local", "nfs", "photonPersistentDisk", "portworxVolume"],
  ...["quobyte", "rbd", "scaleIO", "storageos", "vsphereVolume"],
].map((name) => `spec.${name}`);

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
      defaults: { "spec.podManagementPolicy": "OrderedReady" },
    },
  ],
  "apps/ControllerRevision": [{ fixed: ["data"] }],
  "batch/Job": [
    {
      fixed: [
        "spec.selector",
        "spec.completionMode",
        "spec.podFailurePolicy",
        "spec.backoffLimitPerIndex",
        "spec.managedBy",
        "spec.successPolicy",
      ],
      defaults: { "spec.completionMode": "NonIndexed" },
    },
    // Those of an indexed Job change together with its parallelism.
    { fixed: ["spec.completions"], where: { path: "spec.completionMode", is: [undefined, "NonIndexed"] } },
    { fixed: ["spec.template"], where: { path: "spec.suspend", is: [undefined, false] } },
    {
      fixed: ["spec.template"],
      free: [
        "spec.template.metadata.annotations",
        "spec.template.metadata.labels",
        "spec.template.spec.affinity.nodeAffinity",
        "spec.template.spec.nodeSelector",
        "spec.template.spec.schedulingGates",
        "spec.template.spec.tolerations",
        /^spec\.template\.spec\.(?:initContainers|containers)\[[^\]]*\]\.resources\b/,
      ],
      where: { path: "spec.suspend", is: [true] },
    },
  ],
  "/ResourceQuota": [{ fixed: ["spec.scopes"] }],
  "/PersistentVolume": [
    { fixed: VOLUME_SOURCES, free: ["spec.csi.controllerExpandSecretRef"] },
    { fixed: ["spec.csi.controllerExpandSecretRef", "spec.nodeAffinity"], unless: "once" },
    { fixed: ["spec.volumeMode"], defaults: { "spec.volumeMode": "Filesystem" } },
  ],
  "/PersistentVolumeClaim": [
    {
      fixed: ["spec"],
      free: [
        "spec.resources.requests.storage",
        "spec.storageClassName",
        "spec.volumeAttributesClassName",
        "spec.volumeName",
      ],
      defaults: { "spec.volumeMode": "Filesystem" },
    },
    // By default one is set later, where there was none.
    { fixed: ["spec.storageClassName", "spec.volumeName"], unless: "once" },
  ],
  "/Service": [
    // A second address or family may come and go.
    {
      fixed: ["spec.clusterIP", "spec.clusterIPs"],
      free: ["spec.clusterIPs[1]"],
      unless: "allocated",
      where: REACHABLE,
    },
    {
      fixed: ["spec.ipFamilies"],
      free: ["spec.ipFamilies[1]"],
      unless: "allocated",
      where: { path: "spec.clusterIP", isNot: ["None"], stays: true },
    },
    { fixed: ["spec.loadBalancerClass"], where: { path: "spec.type", is: ["LoadBalancer"], stays: true } },
    {
      fixed: ["spec.healthCheckNodePort"],
      unless: "allocated",
      where: { path: "spec.externalTrafficPolicy", is: ["Local"], stays: true },
    },
  ],
  "/Pod": [
    {
      fixed: ["spec"],
      free: [
        "spec.activeDeadlineSeconds",
        "spec.schedulingGates",
        "spec.tolerations",
        /^spec\.(?:initContainers|containers)\[[^\]]*\]\.image$/,
      ],
    },
  ],
  "/Secret": [{ fixed: ["type"], defaults: { type: "Opaque" } }],
  "rbac.authorization.k8s.io/RoleBinding": [ROLE],
  "rbac.authorization.k8s.io/ClusterRoleBinding": [ROLE],
  "storage.k8s.io/StorageClass": [
    {
      fixed: ["provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"],
      defaults: { reclaimPolicy: "Delete", volumeBindingMode: "Immediate" },
    },
  ],
  "storage.k8s.io/VolumeAttributesClass": [{ fixed: ["driverName", "parameters"] }],
  "storage.k8s.io/VolumeAttachment": [{ fixed: ["spec"] }],
  "storage.k8s.io/CSIDriver": [
    {
      fixed: ["spec.attachRequired", "spec.volumeLifecycleModes"],
      defaults: { "spec.attachRequired": true, "spec.volumeLifecycleModes": ["Persistent"] },
    },
  ],
  "storage.k8s.io/CSIStorageCapacity": [{ fixed: ["nodeTopology", "storageClassName"] }],
  "scheduling.k8s.io/PriorityClass": [
    { fixed: ["value", "preemptionPolicy"], defaults: { preemptionPolicy: "PreemptLowerPriority" } },
  ],
  "node.k8s.io/RuntimeClass": [{ fixed: ["handler"] }],
  "networking.k8s.io/IngressClass": [{ fixed: ["spec.controller"] }],
  "networking.k8s.io/IPAddress": [{ fixed: ["spec.parentRef"] }],
  "networking.k8s.io/ServiceCIDR": [{ fixed: ["spec.cidrs"], free: ["spec.cidrs[1]"] }],
  "discovery.k8s.io/EndpointSlice": [{ fixed: ["addressType"] }],
  "resource.k8s.io/ResourceClaim": [{ fixed: ["spec"] }],
  "resource.k8s.io/ResourceClaimTemplate": [{ fixed: ["spec"] }],
  "apiextensions.k8s.io/CustomResourceDefinition": [
    { fixed: ["spec.group", "spec.names.plural", "spec.names.kind", "spec.scope"] },
  ],
};
