// policy.karmada.io/v1alpha1: limits on what a namespace takes over all clusters.
import { z } from "zod";
import { objectMeta, quantity } from "./schema.ts";

const resourceList = z.record(z.string(), quantity);

export const staticClusterAssignmentSchema = z.strictObject({
  clusterName: z.string().describe("Name of the cluster."),
  hard: resourceList.describe("Limits that a ResourceQuota sets in the cluster."),
});
export type StaticClusterAssignment = z.infer<typeof staticClusterAssignmentSchema>;

export const federatedResourceQuotaSpecSchema = z.strictObject({
  overall: resourceList.describe("Limits over all clusters."),
  staticAssignments: z.array(staticClusterAssignmentSchema).optional().describe("Limits cluster by cluster."),
});
export type FederatedResourceQuotaSpec = z.infer<typeof federatedResourceQuotaSpecSchema>;

export const clusterQuotaStatusSchema = z.strictObject({
  clusterName: z.string().describe("Name of the cluster."),
  hard: resourceList.optional().describe("Limits in the cluster."),
  used: resourceList.optional().describe("What is taken in the cluster."),
});
export type ClusterQuotaStatus = z.infer<typeof clusterQuotaStatusSchema>;

export const federatedResourceQuotaStatusSchema = z.strictObject({
  aggregatedStatus: z.array(clusterQuotaStatusSchema).optional().describe("Limits and use, cluster by cluster."),
  overall: resourceList.optional().describe("Limits in force."),
  overallUsed: resourceList.optional().describe("What is taken over all clusters."),
});
export type FederatedResourceQuotaStatus = z.infer<typeof federatedResourceQuotaStatusSchema>;

export const federatedResourceQuotaSchema = z
  .strictObject({
    apiVersion: z.string(),
    kind: z.literal("FederatedResourceQuota"),
    metadata: objectMeta,
    spec: federatedResourceQuotaSpecSchema.describe("The limits."),
    status: federatedResourceQuotaStatusSchema.optional().describe("What is taken."),
  })
  .describe("Limits what a namespace takes over all clusters.");
export type FederatedResourceQuota = z.infer<typeof federatedResourceQuotaSchema>;
