// What Flaghoist does beyond Karmada: the one field that we add to its kinds, `placement.flaghoist`.
import { z } from "zod";
import { rolloutSchema } from "./rollout.ts";
import { int32 } from "./schema.ts";

export const placementScoreSchema = z.strictObject({
  expression: z
    .string()
    .min(1)
    .max(10_240)
    .describe("CEL over cluster and resource; a number from 0 to 100, the higher the sooner the cluster is used."),
  name: z.string().max(63).optional().describe("How explanations call the score; its place in the list when empty."),
  weight: int32.min(1).max(100).meta({ default: 1 }).optional().describe("Factor of this score in the sum of all."),
});
export type PlacementScore = z.infer<typeof placementScoreSchema>;

export const failBackSchema = z.strictObject({
  enabled: z
    .boolean()
    .meta({ default: true })
    .optional()
    .describe("False: what failover moved stays, also where the control plane lets everything return."),
  stabilizationSeconds: int32
    .min(0)
    .max(31_536_000)
    .meta({ default: 300 })
    .optional()
    .describe("How long the better clusters must have been well without a break before anything moves back."),
});
export type FailBack = z.infer<typeof failBackSchema>;

/** What Flaghoist does beyond Karmada. Absent, a placement means exactly what it means to Karmada. */
export const placementExtensionsSchema = z.strictObject({
  failBack: failBackSchema
    .optional()
    .describe("Returns to an earlier affinity group, or a cluster that was left, once it is well again."),
  minReplicasPerCluster: int32
    .min(1)
    .optional()
    .describe("Fewest replicas of every selected cluster when replicas are divided; fewer clusters if it must be."),
  rescheduleOn: z
    .array(z.enum(["ClusterLabels", "ClusterHealth"]))
    .meta({ "x-kubernetes-list-type": "set" })
    .optional()
    .describe("Changes of clusters after which divided replicas are placed anew; else only full copies follow them."),
  rollout: rolloutSchema
    .optional()
    .describe("Changes reach the clusters in waves, each after the one before is well; all at once when absent."),
  scores: z.array(placementScoreSchema).max(16).optional().describe("Preferences among the clusters that fit."),
  strictSpread: z
    .boolean()
    .optional()
    .describe(
      "Spread constraints by zone, provider and label choose clusters too, and all constraints hold of the result.",
    ),
});
export type PlacementExtensions = z.infer<typeof placementExtensionsSchema>;
