// work.karmada.io: what the control plane decided for an object (bindings) and what it sends to a cluster (works).
import { z } from "zod";
import { tolerationSchema } from "./cluster.ts";
import {
  bindingSuspensionSchema,
  conflictResolutionSchema,
  failoverBehaviorSchema,
  placementSchema,
} from "./policy.ts";
import { anyObject, conditionSchema, int32, int64, objectMeta, quantity, time } from "./schema.ts";

export const WORK_GROUP = "work.karmada.io";

const atomicStrings = z.array(z.string()).meta({ "x-kubernetes-list-type": "atomic" });

export const objectReferenceSchema = z.strictObject({
  apiVersion: z.string().describe("API version of the object."),
  kind: z.string().describe("Kind of the object."),
  name: z.string().describe("Name of the object."),
  namespace: z.string().optional().describe("Namespace of the object; empty for objects without one."),
  resourceVersion: z.string().optional().describe("Version of the object that the binding was made from."),
  uid: z.string().optional().describe("UID of the object."),
});
export type ObjectReference = z.infer<typeof objectReferenceSchema>;

export const nodeSelectorRequirementSchema = z.strictObject({
  key: z.string().describe("Label or field of the node."),
  operator: z.string().describe("In, NotIn, Exists, DoesNotExist, Gt or Lt."),
  values: atomicStrings.optional().describe("Values the key is compared with."),
});
export type NodeSelectorRequirement = z.infer<typeof nodeSelectorRequirementSchema>;

const nodeRequirements = z.array(nodeSelectorRequirementSchema).meta({ "x-kubernetes-list-type": "atomic" });

export const nodeSelectorTermSchema = z
  .strictObject({
    matchExpressions: nodeRequirements.optional().describe("Requirements on labels."),
    matchFields: nodeRequirements.optional().describe("Requirements on fields."),
  })
  .meta({ "x-kubernetes-map-type": "atomic" });
export type NodeSelectorTerm = z.infer<typeof nodeSelectorTermSchema>;

export const nodeSelectorSchema = z
  .strictObject({
    nodeSelectorTerms: z
      .array(nodeSelectorTermSchema)
      .meta({ "x-kubernetes-list-type": "atomic" })
      .describe("Terms of which one must hold."),
  })
  .meta({ "x-kubernetes-map-type": "atomic" });
export type NodeSelector = z.infer<typeof nodeSelectorSchema>;

export const nodeClaimSchema = z.strictObject({
  hardNodeAffinity: nodeSelectorSchema.optional().describe("Node affinity that must hold."),
  nodeSelector: z.record(z.string(), z.string()).optional().describe("Labels a node must have."),
  tolerations: z.array(tolerationSchema).optional().describe("Taints of nodes that do not matter."),
});
export type NodeClaim = z.infer<typeof nodeClaimSchema>;

const replicaNeeds = {
  nodeClaim: nodeClaimSchema.optional().describe("Nodes a replica can run on."),
  priorityClassName: z.string().optional().describe("Priority class of the pods."),
  resourceRequest: z.record(z.string(), quantity).optional().describe("What one replica asks for."),
};

export const replicaRequirementsSchema = z.strictObject({
  namespace: z.string().optional().describe("Namespace the pods run in, for its quotas."),
  ...replicaNeeds,
});
export type ReplicaRequirements = z.infer<typeof replicaRequirementsSchema>;

export const componentReplicaRequirementsSchema = z.strictObject(replicaNeeds);
export type ComponentReplicaRequirements = z.infer<typeof componentReplicaRequirementsSchema>;

export const componentSchema = z.strictObject({
  name: z.string().max(32).describe("Name of the component, unique in the object."),
  replicaRequirements: componentReplicaRequirementsSchema.optional().describe("What one replica needs."),
  replicas: int32.describe("Wanted replicas of the component."),
});
export type Component = z.infer<typeof componentSchema>;

export const targetComponentSchema = z.strictObject({
  name: z.string().describe("Name of the component."),
  replicas: int32.describe("Replicas of the component in this cluster."),
});
export type TargetComponent = z.infer<typeof targetComponentSchema>;

export const targetClusterSchema = z.strictObject({
  components: z.array(targetComponentSchema).optional().describe("Replicas by component."),
  name: z.string().describe("Name of the cluster."),
  replicas: int32.optional().describe("Replicas in this cluster."),
});
export type TargetCluster = z.infer<typeof targetClusterSchema>;

export const bindingSnapshotSchema = z.strictObject({
  clusters: z.array(targetClusterSchema).optional().describe("Clusters of the referring object."),
  name: z.string().describe("Name of the binding of the referring object."),
  namespace: z.string().optional().describe("Namespace of that binding."),
});
export type BindingSnapshot = z.infer<typeof bindingSnapshotSchema>;

export const gracefulEvictionTaskSchema = z.strictObject({
  clustersBeforeFailover: z.array(z.string()).optional().describe("Clusters the object was on before it moved."),
  creationTimestamp: time.optional().describe("When the task began."),
  fromCluster: z.string().describe("Cluster the object leaves."),
  gracePeriodSeconds: int32.optional().describe("Longest time the old copy waits for the new one."),
  message: z.string().max(1024).optional().describe("Why, for people."),
  preservedLabelState: z
    .record(z.string(), z.string())
    .optional()
    .describe("State of the old copy, as labels for the new one."),
  producer: z.string().describe("Who asked for the move."),
  purgeMode: z.enum(["Directly", "Gracefully", "Never"]).optional().describe("How the old copy goes."),
  reason: z
    .string()
    .min(1)
    .max(32)
    .regex(/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/)
    .describe("Why, as one word in CamelCase."),
  replicas: int32.optional().describe("Replicas the cluster had."),
  suppressDeletion: z
    .boolean()
    .optional()
    .describe("true: the old copy stays until this is changed. false: it goes now."),
});
export type GracefulEvictionTask = z.infer<typeof gracefulEvictionTaskSchema>;

/** Priority of a binding in the queue of the scheduler. */
export const bindingSchedulePrioritySchema = z.strictObject({
  priority: int32.meta({ default: 0 }).optional().describe("The higher goes first."),
});
export type BindingSchedulePriority = z.infer<typeof bindingSchedulePrioritySchema>;

export type BindingSuspension = z.infer<typeof bindingSuspensionSchema>;

export const workloadAffinityGroupsSchema = z.strictObject({
  affinityGroup: z.string().optional().describe("Group that keeps together, as key=value."),
  antiAffinityGroup: z.string().optional().describe("Group that keeps apart, as key=value."),
});
export type WorkloadAffinityGroups = z.infer<typeof workloadAffinityGroupsSchema>;

export const resourceBindingSpecSchema = z.strictObject({
  clusters: z.array(targetClusterSchema).optional().describe("Chosen clusters, with replicas."),
  components: z.array(componentSchema).optional().describe("Parts of an object with several pod templates."),
  conflictResolution: conflictResolutionSchema,
  failover: failoverBehaviorSchema.optional().describe("How the object moves away from failures."),
  gracefulEvictionTasks: z.array(gracefulEvictionTaskSchema).optional().describe("Moves under way."),
  placement: placementSchema.optional().describe("The placement of the policy."),
  preserveResourcesOnDeletion: z
    .boolean()
    .optional()
    .describe("Leaves the copies in the clusters when the object is deleted here."),
  propagateDeps: z.boolean().optional().describe("Sends along what the object refers to."),
  replicaRequirements: replicaRequirementsSchema.optional().describe("What one replica needs."),
  replicas: int32.optional().describe("Wanted replicas over all clusters."),
  requiredBy: z.array(bindingSnapshotSchema).optional().describe("Objects that refer to this one, and where they are."),
  rescheduleTriggeredAt: time.optional().describe("A later time than the last scheduling asks for a fresh choice."),
  resource: objectReferenceSchema.describe("The object the binding is for."),
  schedulePriority: bindingSchedulePrioritySchema.optional().describe("Place in the queue of the scheduler."),
  schedulerName: z.string().optional().describe("Scheduler that chooses the clusters."),
  suspension: bindingSuspensionSchema.optional().describe("Holds back changes or the choice of clusters."),
  workloadAffinityGroups: workloadAffinityGroupsSchema
    .optional()
    .describe("Groups of the object under the placement's workloadAffinity."),
});
export type ResourceBindingSpec = z.infer<typeof resourceBindingSpecSchema>;

const healthSchema = z.enum(["Healthy", "Unhealthy", "Unknown"]);
/** What an interpreter says of a copy; Unknown when the kind has no rule or the copy was not seen. */
export type ResourceHealth = z.infer<typeof healthSchema>;

export const aggregatedStatusItemSchema = z.strictObject({
  applied: z.boolean().optional().describe("The cluster has the wanted copy."),
  appliedMessage: z.string().optional().describe("Why the copy could not be applied."),
  clusterName: z.string().describe("Name of the cluster."),
  health: healthSchema.optional().describe("Health of the copy."),
  status: anyObject.optional().describe("Status of the copy, as far as it is collected."),
});
export type AggregatedStatusItem = z.infer<typeof aggregatedStatusItemSchema>;

export const resourceBindingStatusSchema = z.strictObject({
  aggregatedStatus: z.array(aggregatedStatusItemSchema).optional().describe("The copies, cluster by cluster."),
  conditions: z.array(conditionSchema).optional().describe("Scheduled and FullyApplied."),
  lastScheduledTime: time.optional().describe("When clusters were last chosen."),
  schedulerObservedGeneration: int64.optional().describe("Generation the scheduler has dealt with."),
  schedulerObservingAffinityName: z.string().optional().describe("Group of clusterAffinities in use."),
});
export type ResourceBindingStatus = z.infer<typeof resourceBindingStatusSchema>;

export const resourceBindingSchema = z
  .strictObject({
    apiVersion: z.string(),
    kind: z.literal("ResourceBinding"),
    metadata: objectMeta,
    spec: resourceBindingSpecSchema.describe("What was decided."),
    status: resourceBindingStatusSchema.optional().describe("What came of it."),
  })
  .describe("Where an object with a namespace goes.");
export type ResourceBinding = z.infer<typeof resourceBindingSchema>;

export const clusterResourceBindingSchema = z
  .strictObject({
    apiVersion: z.string(),
    kind: z.literal("ClusterResourceBinding"),
    metadata: objectMeta,
    spec: resourceBindingSpecSchema.describe("What was decided."),
    status: resourceBindingStatusSchema.optional().describe("What came of it."),
  })
  .describe("Where an object without a namespace goes.");
export type ClusterResourceBinding = z.infer<typeof clusterResourceBindingSchema>;

/** One object of a Work; stored whole, with fields no schema knows. */
export const manifestSchema = anyObject.describe("An object as the cluster is to have it.");
export type Manifest = z.infer<typeof manifestSchema>;

export const workloadTemplateSchema = z.strictObject({
  manifests: z.array(manifestSchema).optional().describe("Objects for the cluster."),
});
export type WorkloadTemplate = z.infer<typeof workloadTemplateSchema>;

export const workSpecSchema = z.strictObject({
  preserveResourcesOnDeletion: z.boolean().optional().describe("Leaves the objects in the cluster when the Work goes."),
  suspendDispatching: z.boolean().optional().describe("Sends no changes to the cluster."),
  workload: workloadTemplateSchema.optional().describe("What the cluster is to have."),
});
export type WorkSpec = z.infer<typeof workSpecSchema>;

export const resourceIdentifierSchema = z.strictObject({
  group: z.string().optional().describe("API group of the object."),
  kind: z.string().describe("Kind of the object."),
  name: z.string().describe("Name of the object."),
  namespace: z.string().optional().describe("Namespace of the object."),
  ordinal: z.int().describe("Place of the object in the list of manifests."),
  resource: z.string().describe("Plural name of the kind."),
  version: z.string().describe("API version within the group."),
});
export type ResourceIdentifier = z.infer<typeof resourceIdentifierSchema>;

export const manifestStatusSchema = z.strictObject({
  health: healthSchema.optional().describe("Health of the object."),
  identifier: resourceIdentifierSchema.describe("The object."),
  status: anyObject.optional().describe("Status of the object in the cluster."),
});
export type ManifestStatus = z.infer<typeof manifestStatusSchema>;

export const workStatusSchema = z.strictObject({
  conditions: z
    .array(conditionSchema)
    .optional()
    .describe("Applied, Available, Progressing, Degraded and Dispatching."),
  manifestStatuses: z.array(manifestStatusSchema).optional().describe("The objects as the cluster has them."),
});
export type WorkStatus = z.infer<typeof workStatusSchema>;

export const workSchema = z
  .strictObject({
    apiVersion: z.string(),
    kind: z.literal("Work"),
    metadata: objectMeta,
    spec: workSpecSchema.describe("What the cluster is to have."),
    status: workStatusSchema.optional().describe("What the cluster has."),
  })
  .describe("Objects for one cluster; the namespace says which.");
export type Work = z.infer<typeof workSchema>;
