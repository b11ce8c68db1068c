// remedy.karmada.io/v1alpha1: what to do about clusters in a certain condition.
import { z } from "zod";
import { objectMeta } from "./schema.ts";

export const REMEDY_GROUP = "remedy.karmada.io";

export const remedyClusterAffinitySchema = z.strictObject({
  clusterNames: z.array(z.string()).optional().describe("Names of the clusters."),
});

export const clusterConditionRequirementSchema = z.strictObject({
  conditionStatus: z.string().describe("Status the condition is compared with."),
  conditionType: z.string().describe("Type of the condition."),
  operator: z.enum(["Equal", "NotEqual"]).describe("How they are compared."),
});
export type ClusterConditionRequirement = z.infer<typeof clusterConditionRequirementSchema>;

export const decisionMatchSchema = z.strictObject({
  clusterConditionMatch: clusterConditionRequirementSchema.optional().describe("A condition of the cluster."),
});
export type DecisionMatch = z.infer<typeof decisionMatchSchema>;

export const remedySpecSchema = z.strictObject({
  actions: z.array(z.string()).optional().describe("Actions while a match holds, such as TrafficControl."),
  clusterAffinity: remedyClusterAffinitySchema
    .optional()
    .describe("Clusters the remedy is for; every cluster when absent."),
  decisionMatches: z
    .array(decisionMatchSchema)
    .optional()
    .describe("Matches of which one must hold; none means that the actions always stand."),
});
export type RemedySpec = z.infer<typeof remedySpecSchema>;

export const remedySchema = z
  .strictObject({
    apiVersion: z.string(),
    kind: z.literal("Remedy"),
    metadata: objectMeta,
    spec: remedySpecSchema.describe("What to do, and when."),
  })
  .describe("Asks for actions on clusters by their conditions.");
export type Remedy = z.infer<typeof remedySchema>;
