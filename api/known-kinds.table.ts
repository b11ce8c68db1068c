// Where kinds that are often written wrongly are found. Only used to explain; kinds that are missing here are not refused.

/** Kinds of Kubernetes at the version to use, by name. */
export const KUBERNETES_KINDS: Readonly<Record<string, string>> = {
  ConfigMap: "v1",
  Endpoints: "v1",
  LimitRange: "v1",
  Namespace: "v1",
  PersistentVolume: "v1",
  PersistentVolumeClaim: "v1",
  Pod: "v1",
  PodTemplate: "v1",
  ReplicationController: "v1",
  ResourceQuota: "v1",
  Secret: "v1",
  Service: "v1",
  ServiceAccount: "v1",
  ControllerRevision: "apps/v1",
  DaemonSet: "apps/v1",
  Deployment: "apps/v1",
  ReplicaSet: "apps/v1",
  StatefulSet: "apps/v1",
  HorizontalPodAutoscaler: "autoscaling/v2",
  CronJob: "batch/v1",
  Job: "batch/v1",
  Lease: "coordination.k8s.io/v1",
  EndpointSlice: "discovery.k8s.io/v1",
  FlowSchema: "flowcontrol.apiserver.k8s.io/v1",
  PriorityLevelConfiguration: "flowcontrol.apiserver.k8s.io/v1",
  Ingress: "networking.k8s.io/v1",
  IngressClass: "networking.k8s.io/v1",
  NetworkPolicy: "networking.k8s.io/v1",
  RuntimeClass: "node.k8s.io/v1",
  PodDisruptionBudget: "policy/v1",
  ClusterRole: "rbac.authorization.k8s.io/v1",
  ClusterRoleBinding: "rbac.authorization.k8s.io/v1",
  Role: "rbac.authorization.k8s.io/v1",
  RoleBinding: "rbac.authorization.k8s.io/v1",
  PriorityClass: "scheduling.k8s.io/v1",
  CSIDriver: "storage.k8s.io/v1",
  StorageClass: "storage.k8s.io/v1",
  VolumeAttachment: "storage.k8s.io/v1",
  MutatingWebhookConfiguration: "admissionregistration.k8s.io/v1",
  ValidatingAdmissionPolicy: "admissionregistration.k8s.io/v1",
  ValidatingAdmissionPolicyBinding: "admissionregistration.k8s.io/v1",
  ValidatingWebhookConfiguration: "admissionregistration.k8s.io/v1",
  CustomResourceDefinition: "apiextensions.k8s.io/v1",
  APIService: "apiregistration.k8s.io/v1",
};

/** Groups in which only Kubernetes defines kinds. `extensions` and some versions have been removed since. */
export const KUBERNETES_GROUPS: ReadonlySet<string> = new Set([
  "",
  "extensions",
  ...Object.values(KUBERNETES_KINDS).flatMap((apiVersion) =>
    apiVersion.includes("/") ? [apiVersion.split("/")[0] ?? ""] : [],
  ),
]);

/** Versions in which Kubernetes no longer serves any of the kinds above. */
export const REMOVED_VERSIONS: ReadonlySet<string> = new Set([
  "extensions/v1beta1",
  "apps/v1beta1",
  "apps/v1beta2",
  "autoscaling/v2beta1",
  "autoscaling/v2beta2",
  "batch/v1beta1",
  "batch/v2alpha1",
  "policy/v1beta1",
  "networking.k8s.io/v1beta1",
  "storage.k8s.io/v1beta1",
  "discovery.k8s.io/v1beta1",
  "rbac.authorization.k8s.io/v1alpha1",
  "rbac.authorization.k8s.io/v1beta1",
  "apiextensions.k8s.io/v1beta1",
  "apiregistration.k8s.io/v1beta1",
  "coordination.k8s.io/v1beta1",
  "scheduling.k8s.io/v1beta1",
  "node.k8s.io/v1beta1",
  "flowcontrol.apiserver.k8s.io/v1beta1",
  "flowcontrol.apiserver.k8s.io/v1beta2",
  "flowcontrol.apiserver.k8s.io/v1beta3",
]);

/** Kinds of Karmada that we do not define, by name. */
export const OTHER_KARMADA_KINDS: Readonly<Record<string, string>> = {
  ResourceRegistry: "search.karmada.io/v1alpha1",
  Karmada: "operator.karmada.io/v1alpha1",
};

/** Kinds of Kubernetes without namespace that policies are often meant to select. */
export const CLUSTER_SCOPED_KINDS: ReadonlySet<string> = new Set([
  "APIService",
  "ClusterRole",
  "ClusterRoleBinding",
  "CSIDriver",
  "CustomResourceDefinition",
  "FlowSchema",
  "IngressClass",
  "MutatingWebhookConfiguration",
  "Namespace",
  "PersistentVolume",
  "PriorityClass",
  "PriorityLevelConfiguration",
  "RuntimeClass",
  "StorageClass",
  "ValidatingAdmissionPolicy",
  "ValidatingAdmissionPolicyBinding",
  "ValidatingWebhookConfiguration",
]);
