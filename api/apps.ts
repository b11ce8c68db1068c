// apps.karmada.io/v1alpha1: a one-time request to choose clusters afresh.
import { z } from "zod";
import { int32, int64, objectMeta, time } from "./schema.ts";

export const APPS_GROUP = "apps.karmada.io";

export const rebalancerTargetSchema = z.strictObject({
  apiVersion: z.string().describe("API version of the object."),
  kind: z.string().describe("Kind of the object."),
  name: z.string().describe("Name of the object."),
  namespace: z.string().optional().describe("Namespace of the object; empty for objects without one."),
});
export type RebalancerTarget = z.infer<typeof rebalancerTargetSchema>;

export const workloadRebalancerSpecSchema = z.strictObject({
  ttlSecondsAfterFinished: int32
    .optional()
    .describe("How long this request stays after it is done; for ever when absent, not at all when 0."),
  workloads: z.array(rebalancerTargetSchema).min(1).describe("Objects to place anew."),
});
export type WorkloadRebalancerSpec = z.infer<typeof workloadRebalancerSpecSchema>;

export const observedWorkloadSchema = z.strictObject({
  reason: z.string().optional().describe("Why it failed."),
  result: z.string().optional().describe("Successful or Failed; empty while it is not done."),
  workload: rebalancerTargetSchema.describe("The object."),
});
export type ObservedWorkload = z.infer<typeof observedWorkloadSchema>;

export const workloadRebalancerStatusSchema = z.strictObject({
  finishTime: time.optional().describe("When the last object was done."),
  observedGeneration: int64.optional().describe("Generation that was dealt with."),
  observedWorkloads: z.array(observedWorkloadSchema).optional().describe("What came of each object."),
});
export type WorkloadRebalancerStatus = z.infer<typeof workloadRebalancerStatusSchema>;

export const workloadRebalancerSchema = z
  .strictObject({
    apiVersion: z.string(),
    kind: z.literal("WorkloadRebalancer"),
    metadata: objectMeta,
    spec: workloadRebalancerSpecSchema.describe("What to place anew."),
    status: workloadRebalancerStatusSchema.optional().describe("What came of it."),
  })
  .describe("Asks once for a fresh choice of clusters.");
export type WorkloadRebalancer = z.infer<typeof workloadRebalancerSchema>;
