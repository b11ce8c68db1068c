// policy.karmada.io/v1alpha1: which objects go to which clusters with how many replicas (propagation), and what differs
// in their copies from cluster to cluster (overrides).
import { z } from "zod";
import { tolerationSchema } from "./cluster.ts";
import {
  clusterAffinityFields,
  type fieldSelectorRequirementSchema,
  type fieldSelectorSchema,
} from "./cluster-affinity-fields.ts";
import { overrideExtensionsSchema } from "./override-extensions.ts";
import { placementExtensionsSchema } from "./placement-extensions.ts";
import { anyJson, int32, int64, labelSelectorSchema, objectMeta } from "./schema.ts";

export const POLICY_GROUP = "policy.karmada.io";

export const resourceSelectorSchema = z.strictObject({
  apiVersion: z.string().describe("API version of the selected objects, such as apps/v1."),
  kind: z.string().describe("Kind of the selected objects."),
  labelSelector: labelSelectorSchema.optional().describe("Selects by labels; has no effect beside a name."),
  name: z.string().optional().describe("Selects one object by name; every object of the kind when empty."),
  namespace: z
    .string()
    .optional()
    .describe("Namespace of the objects; the policy's own namespace when a namespaced policy leaves it empty."),
});
export type ResourceSelector = z.infer<typeof resourceSelectorSchema>;

export type FieldSelectorRequirement = z.infer<typeof fieldSelectorRequirementSchema>;
export type FieldSelector = z.infer<typeof fieldSelectorSchema>;

export const clusterAffinitySchema = z.strictObject(clusterAffinityFields);
export type ClusterAffinity = z.infer<typeof clusterAffinitySchema>;

const affinityName = z.string().min(1).max(32).describe("Name of the group, as shown in the status of the binding.");

export const overflowClusterAffinitySchema = z.strictObject({ affinityName, ...clusterAffinityFields });
export type OverflowClusterAffinity = z.infer<typeof overflowClusterAffinitySchema>;

export const clusterAffinityTermSchema = z.strictObject({
  affinityName,
  ...clusterAffinityFields,
  overflowAffinities: z
    .array(overflowClusterAffinitySchema)
    .optional()
    .describe("Groups that take, in this order, the replicas the main group has no room for."),
});
export type ClusterAffinityTerm = z.infer<typeof clusterAffinityTermSchema>;

export const spreadConstraintSchema = z.strictObject({
  maxGroups: z.int().optional().describe("Largest number of groups to use."),
  minGroups: z.int().optional().describe("Smallest number of groups to use; 1 when 0 or absent."),
  spreadByField: z
    .enum(["cluster", "region", "zone", "provider"])
    .optional()
    .describe("Field of the cluster that makes the groups. Where any field is used, one constraint must name cluster."),
  spreadByLabel: z.string().optional().describe("Label of the cluster that makes the groups; excludes spreadByField."),
});
export type SpreadConstraint = z.infer<typeof spreadConstraintSchema>;

export const staticClusterWeightSchema = z.strictObject({
  targetCluster: clusterAffinitySchema.describe("Clusters the weight is for."),
  weight: int64.min(1).describe("Share of each of these clusters."),
});
export type StaticClusterWeight = z.infer<typeof staticClusterWeightSchema>;

export const clusterPreferencesSchema = z.strictObject({
  dynamicWeight: z
    .enum(["AvailableReplicas"])
    .optional()
    .describe("Weighs clusters by the replicas they have room for; wins over staticWeightList."),
  staticWeightList: z
    .array(staticClusterWeightSchema)
    .optional()
    .describe("Fixed weights; a cluster that several entries select has the highest of them."),
});
export type ClusterPreferences = z.infer<typeof clusterPreferencesSchema>;

export const replicaSchedulingStrategySchema = z.strictObject({
  replicaDivisionPreference: z
    .enum(["Aggregated", "Weighted"])
    .optional()
    .describe("Aggregated: as few clusters as have room. Weighted: in proportion to weights; the default."),
  replicaSchedulingType: z
    .enum(["Duplicated", "Divided"])
    .meta({ default: "Divided" })
    .optional()
    .describe("Duplicated: the full number in every cluster. Divided: the number is shared out."),
  weightPreference: clusterPreferencesSchema
    .optional()
    .describe("Weights for the division Weighted; equal weights when absent."),
});
export type ReplicaSchedulingStrategy = z.infer<typeof replicaSchedulingStrategySchema>;

export const workloadAffinityTermSchema = z.strictObject({
  groupByLabelKey: z.string().describe("Label of the objects whose equal values make a group."),
});
export type WorkloadAffinityTerm = z.infer<typeof workloadAffinityTermSchema>;
export type WorkloadAntiAffinityTerm = WorkloadAffinityTerm;

export const workloadAffinitySchema = z.strictObject({
  affinity: workloadAffinityTermSchema.optional().describe("Objects of one group go to the same clusters."),
  antiAffinity: workloadAffinityTermSchema.optional().describe("Objects of one group never share a cluster."),
});
export type WorkloadAffinity = z.infer<typeof workloadAffinitySchema>;

export const placementSchema = z.strictObject({
  clusterAffinities: z
    .array(clusterAffinityTermSchema)
    .optional()
    .describe("Groups of clusters of which the first that fits is used; excludes clusterAffinity."),
  clusterAffinity: clusterAffinitySchema.optional().describe("Clusters that may be used; every cluster when absent."),
  clusterTolerations: z.array(tolerationSchema).optional().describe("Taints of clusters that do not matter here."),
  flaghoist: placementExtensionsSchema.optional().describe("What Flaghoist does beyond Karmada; nothing when absent."),
  replicaScheduling: replicaSchedulingStrategySchema
    .optional()
    .describe("How replicas are shared out; the full number in every cluster when absent."),
  spreadConstraints: z
    .array(spreadConstraintSchema)
    .optional()
    .describe("How many clusters, regions, zones or providers to use."),
  workloadAffinity: workloadAffinitySchema.optional().describe("Keeps objects together or apart."),
});
export type Placement = z.infer<typeof placementSchema>;

export const statePreservationRuleSchema = z.strictObject({
  aliasLabelName: z.string().describe("Label under which the value is handed to the new copy."),
  jsonPath: z.string().describe("JSONPath into the status of the old copy, such as {.jobID}."),
});
export type StatePreservationRule = z.infer<typeof statePreservationRuleSchema>;

export const statePreservationSchema = z.strictObject({
  rules: z.array(statePreservationRuleSchema).describe("What to carry over."),
});
export type StatePreservation = z.infer<typeof statePreservationSchema>;

export const decisionConditionsSchema = z.strictObject({
  tolerationSeconds: int32
    .meta({ default: 300 })
    .optional()
    .describe("How long an object may be unhealthy before it moves."),
});
export type DecisionConditions = z.infer<typeof decisionConditionsSchema>;

export const applicationFailoverBehaviorSchema = z.strictObject({
  decisionConditions: decisionConditionsSchema.describe("When an application counts as failed."),
  gracePeriodSeconds: int32
    .optional()
    .describe("Longest time the old copy waits for the new one; only with purgeMode Gracefully, which sets 600."),
  purgeMode: z
    .enum(["Directly", "Gracefully", "Never"])
    .meta({ default: "Gracefully" })
    .optional()
    .describe(
      "Directly: the old copy goes first. Gracefully: it goes once the new one is healthy. Never: a person removes it.",
    ),
  statePreservation: statePreservationSchema.optional().describe("State carried from the old copy to the new one."),
});
export type ApplicationFailoverBehavior = z.infer<typeof applicationFailoverBehaviorSchema>;

export const clusterFailoverBehaviorSchema = z.strictObject({
  purgeMode: z
    .enum(["Directly", "Gracefully"])
    .meta({ default: "Gracefully" })
    .optional()
    .describe("Directly: the old copy goes first. Gracefully: it goes once the new one is healthy."),
  statePreservation: statePreservationSchema.optional().describe("State carried from the old copy to the new one."),
});
export type ClusterFailoverBehavior = z.infer<typeof clusterFailoverBehaviorSchema>;

export const failoverBehaviorSchema = z.strictObject({
  application: applicationFailoverBehaviorSchema
    .optional()
    .describe(
      "Moves the object away from clusters where it is unhealthy; needs propagateDeps. Never moves when absent.",
    ),
  cluster: clusterFailoverBehaviorSchema.optional().describe("How the object leaves a cluster that fails."),
});
export type FailoverBehavior = z.infer<typeof failoverBehaviorSchema>;

export const suspendClustersSchema = z.strictObject({
  clusterNames: z.array(z.string()).optional().describe("Clusters that get no changes."),
});
export type SuspendClusters = z.infer<typeof suspendClustersSchema>;

const suspensionFields = {
  dispatching: z.boolean().optional().describe("Sends no changes to any cluster."),
  dispatchingOnClusters: suspendClustersSchema
    .optional()
    .describe("Sends no changes to these clusters; excludes dispatching."),
};

export const suspensionSchema = z.strictObject(suspensionFields);
export type Suspension = z.infer<typeof suspensionSchema>;

/** A binding's suspension: the policy's, and that of scheduling, which queue systems set. */
export const bindingSuspensionSchema = z.strictObject({
  ...suspensionFields,
  scheduling: z.boolean().optional().describe("Chooses no clusters until a queue lets the object through."),
});

export const schedulePrioritySchema = z.strictObject({
  priorityClassName: z.string().describe("Name of the class that has the value."),
  priorityClassSource: z
    .enum(["KubePriorityClass"])
    .describe("Where the class is found: a scheduling.k8s.io/v1 PriorityClass of the control plane."),
});
export type SchedulePriority = z.infer<typeof schedulePrioritySchema>;

const conflictResolutionValue = z.enum(["Abort", "Overwrite"]).meta({ default: "Abort" });
export type ConflictResolution = z.infer<typeof conflictResolutionValue>;

export const conflictResolutionSchema = conflictResolutionValue
  .optional()
  .describe(
    "When a cluster already has the object from elsewhere. Abort: leave it and report. Overwrite: take it over.",
  );

export const propagationSpecSchema = z.strictObject({
  activationPreference: z
    .enum(["Lazy"])
    .optional()
    .describe(
      "Lazy: a change of the policy takes effect only with the next change of each object. At once when empty.",
    ),
  association: z.boolean().optional().describe("Superseded by propagateDeps; has no effect."),
  conflictResolution: conflictResolutionSchema,
  dependentOverrides: z
    .array(z.string())
    .optional()
    .describe("Override policies that must exist before anything is sent."),
  failover: failoverBehaviorSchema.optional().describe("How the objects move away from failures."),
  placement: placementSchema.optional().describe("Which clusters, and how many replicas in each."),
  preemption: z
    .enum(["Always", "Never"])
    .meta({ default: "Never" })
    .optional()
    .describe("Always: takes objects from policies of lower priority; needs the names of the objects."),
  preserveResourcesOnDeletion: z
    .boolean()
    .optional()
    .describe("Leaves the copies in the clusters when the object is deleted here."),
  priority: int32.meta({ default: 0 }).optional().describe("The higher priority wins where several policies match."),
  propagateDeps: z
    .boolean()
    .optional()
    .describe("Sends along what the objects refer to, such as ConfigMaps and Secrets."),
  resourceSelectors: z.array(resourceSelectorSchema).min(1).describe("Objects the policy is for."),
  schedulePriority: schedulePrioritySchema.optional().describe("Place in the queue of the scheduler."),
  schedulerName: z
    .string()
    .meta({ default: "default-scheduler" })
    .optional()
    .describe("Scheduler that chooses the clusters; cannot be changed."),
  suspension: suspensionSchema.optional().describe("Holds back changes."),
});
export type PropagationSpec = z.infer<typeof propagationSpecSchema>;

export const propagationPolicySchema = z
  .strictObject({
    apiVersion: z.string(),
    kind: z.literal("PropagationPolicy"),
    metadata: objectMeta,
    spec: propagationSpecSchema.describe("What goes where."),
  })
  .describe("Sends objects of its namespace to clusters.");
export type PropagationPolicy = z.infer<typeof propagationPolicySchema>;

export const clusterPropagationPolicySchema = z
  .strictObject({
    apiVersion: z.string(),
    kind: z.literal("ClusterPropagationPolicy"),
    metadata: objectMeta,
    spec: propagationSpecSchema.describe("What goes where."),
  })
  .describe("Sends objects of any namespace, and those without one, to clusters.");
export type ClusterPropagationPolicy = z.infer<typeof clusterPropagationPolicySchema>;

const changeOperator = z.enum(["add", "remove", "replace"]);
/** What an overrider does at its place. */
export type OverriderOperator = z.infer<typeof changeOperator>;

export const plaintextOverriderSchema = z.strictObject({
  operator: changeOperator.describe("What to do at the path."),
  path: z.string().describe("JSON pointer into the object, such as /spec/replicas."),
  value: anyJson.optional().describe("New value for add and replace."),
});
export type PlaintextOverrider = z.infer<typeof plaintextOverriderSchema>;

export const imagePredicateSchema = z.strictObject({
  path: z.string().describe("JSON pointer to the text that holds the image."),
});
export type ImagePredicate = z.infer<typeof imagePredicateSchema>;

export const imageOverriderSchema = z.strictObject({
  component: z.enum(["Registry", "Repository", "Tag"]).describe("Part of the image reference that changes."),
  operator: changeOperator.describe("What to do with the part."),
  predicate: imagePredicateSchema
    .optional()
    .describe("Where the image is; when absent, every container of the workload kinds of Kubernetes."),
  value: z.string().optional().describe("Text for add and replace."),
});
export type ImageOverrider = z.infer<typeof imageOverriderSchema>;

export const commandArgsOverriderSchema = z.strictObject({
  containerName: z.string().describe("Container that changes."),
  operator: z.enum(["add", "remove"]).describe("add appends, remove takes away."),
  value: z.array(z.string()).optional().describe("Words to append or take away."),
});
export type CommandArgsOverrider = z.infer<typeof commandArgsOverriderSchema>;

export const labelAnnotationOverriderSchema = z.strictObject({
  operator: changeOperator.describe("What to do with the keys."),
  value: z.record(z.string(), z.string()).describe("Keys and values; for remove the values do not matter."),
});
export type LabelAnnotationOverrider = z.infer<typeof labelAnnotationOverriderSchema>;

export const fieldPatchOperationSchema = z.strictObject({
  operator: changeOperator.describe("What to do at the path."),
  subPath: z.string().describe("JSON pointer into the document inside the field."),
  value: anyJson.optional().describe("New value for add and replace."),
});
export type JSONPatchOperation = z.infer<typeof fieldPatchOperationSchema>;
export type YAMLPatchOperation = JSONPatchOperation;

export const fieldOverriderSchema = z.strictObject({
  fieldPath: z.string().describe("JSON pointer to a text field that holds a document, such as /data/config.yaml."),
  json: z.array(fieldPatchOperationSchema).optional().describe("Changes, when the document is JSON."),
  yaml: z.array(fieldPatchOperationSchema).optional().describe("Changes, when the document is YAML."),
});
export type FieldOverrider = z.infer<typeof fieldOverriderSchema>;

/** The overriders of one rule; they apply in a fixed order: image, command, args, labels, annotations, field, plaintext. */
export const overridersSchema = z.strictObject({
  annotationsOverrider: z.array(labelAnnotationOverriderSchema).optional().describe("Changes annotations."),
  argsOverrider: z.array(commandArgsOverriderSchema).optional().describe("Changes the arguments of containers."),
  commandOverrider: z.array(commandArgsOverriderSchema).optional().describe("Changes the commands of containers."),
  fieldOverrider: z
    .array(fieldOverriderSchema)
    .optional()
    .describe("Changes JSON or YAML documents held in text fields."),
  imageOverrider: z.array(imageOverriderSchema).optional().describe("Changes image references."),
  labelsOverrider: z.array(labelAnnotationOverriderSchema).optional().describe("Changes labels."),
  plaintext: z.array(plaintextOverriderSchema).optional().describe("Changes any field by its path."),
});
export type Overriders = z.infer<typeof overridersSchema>;

export const ruleWithClusterSchema = z.strictObject({
  overriders: overridersSchema.describe("Changes for these clusters."),
  targetCluster: clusterAffinitySchema.optional().describe("Clusters the rule is for; every cluster when absent."),
});
export type RuleWithCluster = z.infer<typeof ruleWithClusterSchema>;

export const overrideSpecSchema = z.strictObject({
  flaghoist: overrideExtensionsSchema.optional().describe("What Flaghoist does beyond Karmada."),
  overriders: overridersSchema.optional().describe("Superseded by overrideRules, and excluded by it."),
  overrideRules: z.array(ruleWithClusterSchema).optional().describe("Changes by cluster, applied in this order."),
  resourceSelectors: z
    .array(resourceSelectorSchema)
    .optional()
    .describe("Objects the policy is for; every object when absent."),
  targetCluster: clusterAffinitySchema.optional().describe("Superseded by overrideRules, and excluded by it."),
});
export type OverrideSpec = z.infer<typeof overrideSpecSchema>;

export const overridePolicySchema = z
  .strictObject({
    apiVersion: z.string(),
    kind: z.literal("OverridePolicy"),
    metadata: objectMeta,
    spec: overrideSpecSchema.describe("What differs where."),
  })
  .describe("Changes the copies of objects of its namespace, cluster by cluster.");
export type OverridePolicy = z.infer<typeof overridePolicySchema>;

export const clusterOverridePolicySchema = z
  .strictObject({
    apiVersion: z.string(),
    kind: z.literal("ClusterOverridePolicy"),
    metadata: objectMeta,
    spec: overrideSpecSchema.describe("What differs where."),
  })
  .describe("Changes the copies of objects of any namespace, and those without one, cluster by cluster.");
export type ClusterOverridePolicy = z.infer<typeof clusterOverridePolicySchema>;
