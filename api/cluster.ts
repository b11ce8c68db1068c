// cluster.karmada.io/v1alpha1: a member cluster, how it is reached, what it offers and how it fares.
import { z } from "zod";
import { conditionSchema, int32, int64, objectMeta, quantity, time } from "./schema.ts";

export const CLUSTER_GROUP = "cluster.karmada.io";

export const taintSchema = z.strictObject({
  effect: z
    .enum(["NoExecute", "NoSchedule", "PreferNoSchedule"])
    .describe("What the taint does to workloads that do not tolerate it."),
  key: z.string().describe("Name of the taint."),
  timeAdded: time.optional().describe("Since when the taint stands; eviction delays count from here."),
  value: z.string().optional().describe("Value that goes with the key."),
});
export type Taint = z.infer<typeof taintSchema>;

export const tolerationSchema = z.strictObject({
  effect: z.string().optional().describe("Effect that is tolerated; empty tolerates every effect."),
  key: z.string().optional().describe("Key of the taint; empty with operator Exists tolerates every taint."),
  operator: z.string().optional().describe("Exists or Equal; Equal when empty."),
  tolerationSeconds: int64
    .optional()
    .describe("How long a NoExecute taint is tolerated; for ever when absent, not at all when 0 or less."),
  value: z.string().optional().describe("Value the taint must have with operator Equal."),
});
export type Toleration = z.infer<typeof tolerationSchema>;

export const localSecretReferenceSchema = z.strictObject({
  name: z.string().describe("Name of the Secret."),
  namespace: z.string().describe("Namespace of the Secret."),
});
export type LocalSecretReference = z.infer<typeof localSecretReferenceSchema>;

export const resourceModelRangeSchema = z.strictObject({
  max: quantity.describe("Amount that is already too much for this grade."),
  min: quantity.describe("Smallest amount that belongs to this grade."),
  name: z.string().describe("Resource: cpu, memory or any other."),
});
export type ResourceModelRange = z.infer<typeof resourceModelRangeSchema>;

export const resourceModelSchema = z.strictObject({
  grade: int32.describe("Number of the grade; a higher grade holds larger nodes."),
  ranges: z.array(resourceModelRangeSchema).describe("What a node must have free to be in this grade."),
});
export type ResourceModel = z.infer<typeof resourceModelSchema>;

export const clusterSpecSchema = z.strictObject({
  apiEndpoint: z.string().optional().describe("Address of the cluster's API server: https://host:port."),
  id: z.string().optional().describe("Identity that stays when the cluster is registered under another name."),
  impersonatorSecretRef: localSecretReferenceSchema
    .optional()
    .describe("Secret with the token that may act on behalf of other users in the cluster."),
  insecureSkipTLSVerification: z.boolean().optional().describe("Do not verify the certificate of the cluster."),
  provider: z.string().optional().describe("Who runs the cluster, such as a cloud."),
  proxyHeader: z.record(z.string(), z.string()).optional().describe("Headers sent to the proxy."),
  proxyURL: z.string().optional().describe("Proxy through which the cluster is reached."),
  region: z.string().optional().describe("Region the cluster stands in."),
  resourceModels: z
    .array(resourceModelSchema)
    .optional()
    .describe("Grades by which free node capacity is counted; nine grades of cpu and memory when absent."),
  secretRef: localSecretReferenceSchema
    .optional()
    .describe("Secret with the credentials of the cluster: token, and caBundle where needed."),
  syncMode: z
    .enum(["Push", "Pull"])
    .describe("Push: the control plane reaches into the cluster. Pull: an agent in the cluster fetches its work."),
  // So that each writer has his own: people, Git, and the loops that follow a cluster's condition.
  taints: z
    .array(taintSchema)
    .meta({ "x-kubernetes-list-map-keys": ["key", "effect"], "x-kubernetes-list-type": "map" })
    .optional()
    .describe("Taints that keep workloads away or drive them out."),
  zone: z.string().optional().describe("Single zone; superseded by zones."),
  zones: z.array(z.string()).optional().describe("Zones the nodes of the cluster stand in."),
});
export type ClusterSpec = z.infer<typeof clusterSpecSchema>;

export const apiResourceSchema = z.strictObject({
  kind: z.string().describe("Kind of the objects."),
  name: z.string().describe("Plural name of the resource."),
});
export type APIResource = z.infer<typeof apiResourceSchema>;

export const apiEnablementSchema = z.strictObject({
  groupVersion: z.string().describe("Group and version, such as apps/v1."),
  resources: z.array(apiResourceSchema).optional().describe("Resources served in this version."),
});
export type APIEnablement = z.infer<typeof apiEnablementSchema>;

export const nodeSummarySchema = z.strictObject({
  readyNum: int32.optional().describe("Nodes that are ready."),
  totalNum: int32.optional().describe("All nodes."),
});
export type NodeSummary = z.infer<typeof nodeSummarySchema>;

export const allocatableModelingSchema = z.strictObject({
  count: int32.describe("Nodes in this grade."),
  grade: int32.describe("Number of the grade."),
});
export type AllocatableModeling = z.infer<typeof allocatableModelingSchema>;

const resourceList = z.record(z.string(), quantity);

export const resourceSummarySchema = z.strictObject({
  allocatable: resourceList.optional().describe("What the nodes offer to pods."),
  allocatableModelings: z
    .array(allocatableModelingSchema)
    .optional()
    .describe("Nodes per grade of spec.resourceModels."),
  allocated: resourceList.optional().describe("What running pods have asked for."),
  allocating: resourceList.optional().describe("What pods without a node have asked for."),
});
export type ResourceSummary = z.infer<typeof resourceSummarySchema>;

export const clusterStatusSchema = z.strictObject({
  apiEnablements: z.array(apiEnablementSchema).optional().describe("APIs the cluster serves."),
  conditions: z.array(conditionSchema).optional().describe("State of the cluster, Ready above all."),
  kubernetesVersion: z.string().optional().describe("Version the cluster reports."),
  nodeSummary: nodeSummarySchema.optional().describe("Number of nodes."),
  remedyActions: z.array(z.string()).optional().describe("Actions that remedies ask for at present."),
  resourceSummary: resourceSummarySchema.optional().describe("Capacity of the cluster and what of it is taken."),
});
export type ClusterStatus = z.infer<typeof clusterStatusSchema>;

export const clusterSchema = z
  .strictObject({
    apiVersion: z.string(),
    kind: z.literal("Cluster"),
    metadata: objectMeta,
    spec: clusterSpecSchema.describe("How the cluster is reached and where it stands."),
    status: clusterStatusSchema.optional().describe("What was last seen of the cluster."),
  })
  .describe("A member cluster.");
export type Cluster = z.infer<typeof clusterSchema>;
