// policy.karmada.io/v1alpha1: taints that follow the conditions of clusters.
import { z } from "zod";
import { clusterAffinitySchema } from "./policy.ts";
import { objectMeta } from "./schema.ts";

export const matchConditionSchema = z.strictObject({
  conditionType: z.string().describe("Type of the condition; a cluster without it does not match."),
  operator: z.string().describe("In or NotIn."),
  statusValues: z.array(z.string()).describe("Values the condition's status is compared with."),
});
export type MatchCondition = z.infer<typeof matchConditionSchema>;

export const policyTaintSchema = z.strictObject({
  effect: z.string().describe("Effect of the taint."),
  key: z.string().describe("Key of the taint."),
  value: z.string().optional().describe("Value of the taint."),
});
export type PolicyTaint = z.infer<typeof policyTaintSchema>;

export const clusterTaintPolicySpecSchema = z.strictObject({
  addOnConditions: z
    .array(matchConditionSchema)
    .optional()
    .describe("Conditions that must all match for the taints to be added; none adds nothing."),
  removeOnConditions: z
    .array(matchConditionSchema)
    .optional()
    .describe("Conditions that must all match for the taints to be removed; none removes nothing."),
  taints: z.array(policyTaintSchema).min(1).describe("Taints to add and remove."),
  targetClusters: clusterAffinitySchema.optional().describe("Clusters the policy is for; every cluster when absent."),
});
export type ClusterTaintPolicySpec = z.infer<typeof clusterTaintPolicySpecSchema>;

export const clusterTaintPolicySchema = z
  .strictObject({
    apiVersion: z.string(),
    kind: z.literal("ClusterTaintPolicy"),
    metadata: objectMeta,
    spec: clusterTaintPolicySpecSchema.describe("Which taints, and when."),
  })
  .describe("Taints clusters by their conditions.");
export type ClusterTaintPolicy = z.infer<typeof clusterTaintPolicySchema>;
