// How changes of an object reach its clusters: in waves, each after the one before is well. Words as in Open Cluster
// Management's rollout strategies.
import { z } from "zod";
import { isDuration } from "../runtime/duration.ts";
import { clusterAffinityFields } from "./cluster-affinity-fields.ts";

const DURATION = "([0-9]+(\\.[0-9]+)?(ms|s|m|h))+";

const duration = z
  .string()
  .regex(new RegExp(`^${DURATION}$`), { abort: true, error: "must be a duration such as 30s or 10m" })
  .refine(isDuration, "must be a duration such as 30s or 10m");

/** A duration, or `None` for one that never ends. */
const limit = z
  .string()
  .regex(new RegExp(`^(${DURATION}|None)$`), { abort: true, error: "must be a duration such as 30s or 10m, or None" })
  .refine((text) => text === "None" || isDuration(text), "must be a duration such as 30s or 10m, or None");

const PERCENT = "^([0-9]|[1-9][0-9]|100)%$";

const countOrPercent = (min: number) =>
  z
    .union([z.string().regex(new RegExp(PERCENT), "must be a number, or a percentage such as 25%"), z.int().min(min)])
    .meta({ "x-kubernetes-int-or-string": true, pattern: PERCENT, minimum: min });

export const rolloutWaveSchema = z.strictObject({
  clusterAffinity: z
    .strictObject(clusterAffinityFields)
    .optional()
    .describe("Clusters of the wave, of those that no earlier wave has; all of them when absent."),
  maxConcurrency: countOrPercent(1)
    .optional()
    .describe("Clusters of the wave that may be on the way to the new revision; a percentage is one of the wave."),
  minSuccessTime: duration.optional().describe("Overrides the rollout's minSuccessTime."),
  name: z.string().max(63).optional().describe("How the wave is called; its place in the list when empty."),
  partition: countOrPercent(1)
    .optional()
    .describe("So many of the wave's clusters, by name; a percentage is one of all clusters of the object."),
});
export type RolloutWave = z.infer<typeof rolloutWaveSchema>;

export const rolloutSchema = z.strictObject({
  maxConcurrency: countOrPercent(1)
    .optional()
    .describe("Clusters that may be on the way to the new revision at a time; a whole wave when absent."),
  maxFailures: countOrPercent(0)
    .meta({ "x-kubernetes-int-or-string": true, pattern: PERCENT, minimum: 0, default: 0 })
    .optional()
    .describe("Clusters that may fail before the rollout has failed; percentages of all clusters are rounded down."),
  minSuccessTime: duration
    .meta({ default: "0s" })
    .optional()
    .describe("How long a cluster must have been healthy without a break to count as done."),
  onFailure: z
    .enum(["ReturnToLastHealthy", "Stop"])
    .meta({ default: "ReturnToLastHealthy" })
    .optional()
    .describe("Whether all clusters go back to the last healthy revision when too many failed, or all stays as it is."),
  paused: z.boolean().optional().describe("No further cluster gets the new revision, and none fails, while true."),
  progressDeadline: limit
    .meta({ default: "10m" })
    .optional()
    .describe("How long a cluster may take to become healthy before it has failed; None: for ever."),
  skipUnavailableAfter: limit
    .meta({ default: "5m" })
    .optional()
    .describe("Clusters not ready for so long hold up no wave, and follow when they are back; None: they do."),
  waves: z
    .array(rolloutWaveSchema)
    .max(32)
    .optional()
    .describe("The order of clusters; those that no wave has come last. All clusters are one wave when absent."),
});
export type Rollout = z.infer<typeof rolloutSchema>;
