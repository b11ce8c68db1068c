// Labels, annotations and finalizers that Karmada writes on bindings, Works and the copies in member clusters.

export const POLICY_ID_LABEL = "propagationpolicy.karmada.io/permanent-id";
export const CLUSTER_POLICY_ID_LABEL = "clusterpropagationpolicy.karmada.io/permanent-id";
export const POLICY_NAMESPACE_ANNOTATION = "propagationpolicy.karmada.io/namespace";
export const POLICY_NAME_ANNOTATION = "propagationpolicy.karmada.io/name";
export const CLUSTER_POLICY_NAME_ANNOTATION = "clusterpropagationpolicy.karmada.io/name";

export const BINDING_ID_LABEL = "resourcebinding.karmada.io/permanent-id";
export const CLUSTER_BINDING_ID_LABEL = "clusterresourcebinding.karmada.io/permanent-id";
export const BINDING_NAMESPACE_ANNOTATION = "resourcebinding.karmada.io/namespace";
export const BINDING_NAME_ANNOTATION = "resourcebinding.karmada.io/name";
export const CLUSTER_BINDING_NAME_ANNOTATION = "clusterresourcebinding.karmada.io/name";
export const DEPENDENCIES_ANNOTATION = "resourcebinding.karmada.io/dependencies";
export const DEPENDED_BY_LABEL_PREFIX = "resourcebinding.karmada.io/depended-by-";

export const WORK_ID_LABEL = "work.karmada.io/permanent-id";
export const WORK_NAMESPACE_ANNOTATION = "work.karmada.io/namespace";
export const WORK_NAME_ANNOTATION = "work.karmada.io/name";
export const CONFLICT_RESOLUTION_ANNOTATION = "work.karmada.io/conflict-resolution";

export const TEMPLATE_UID_ANNOTATION = "resourcetemplate.karmada.io/uid";
export const TEMPLATE_GENERATION_ANNOTATION = "resourcetemplate.karmada.io/generation";
export const MANAGED_ANNOTATIONS_ANNOTATION = "resourcetemplate.karmada.io/managed-annotations";
export const MANAGED_LABELS_ANNOTATION = "resourcetemplate.karmada.io/managed-labels";
export const RETAIN_REPLICAS_LABEL = "resourcetemplate.karmada.io/retain-replicas";

/** On every copy in a member cluster: objects without it are somebody else's. */
export const MANAGED_LABEL = "karmada.io/managed";
export const MANAGED_LABEL_VALUE = "true";

export const APPLIED_OVERRIDES_ANNOTATION = "policy.karmada.io/applied-overrides";
export const APPLIED_CLUSTER_OVERRIDES_ANNOTATION = "policy.karmada.io/applied-cluster-overrides";

export const BINDING_FINALIZER = "karmada.io/binding-controller";
export const CLUSTER_BINDING_FINALIZER = "karmada.io/cluster-resource-binding-controller";
export const DEPENDENCIES_FINALIZER = "karmada.io/binding-dependencies-distributor";
export const WORK_FINALIZER = "karmada.io/execution-controller";

/** Ours, on bindings: replicas that clusters keep although they are to have fewer, as JSON by cluster. */
export const HELD_REPLICAS_ANNOTATION = "scheduling.flaghoist.io/held-replicas";
