import { z } from "zod";
import { labelSelectorSchema } from "./schema.ts";

export const fieldSelectorRequirementSchema = z.strictObject({
  key: z.string().describe("Field of the cluster: provider, region or zone."),
  operator: z.string().describe("In or NotIn."),
  values: z
    .array(z.string())
    .meta({ "x-kubernetes-list-type": "atomic" })
    .optional()
    .describe("Values the field is compared with."),
});

export const fieldSelectorSchema = z.strictObject({
  matchExpressions: z.array(fieldSelectorRequirementSchema).optional().describe("Requirements that must all hold."),
});

/** How policies name clusters, wherever they do. */
export const clusterAffinityFields = {
  clusterNames: z.array(z.string()).optional().describe("Clusters by name; every cluster when empty."),
  exclude: z.array(z.string()).optional().describe("Clusters that are left out whatever else selects them."),
  fieldSelector: fieldSelectorSchema.optional().describe("Selects clusters by provider, region and zone."),
  labelSelector: labelSelectorSchema.optional().describe("Selects clusters by their labels."),
};
