// How containers behave in a scenario: what a simulated kubelet cannot know of a program.
import { z } from "zod";
import { faultDuration, faultTargetSchema } from "./fleet-faults.ts";
import { fleetAmount, fleetShare, fleetTexts } from "./fleet-values.ts";

const pattern = z.string().min(1);

const metricSchema = z.union([
  fleetAmount,
  z
    .array(
      z.strictObject({
        at: faultDuration.describe("Time since the start of the fleet."),
        value: fleetAmount.describe("What is used from then on, such as 250m or 64Mi."),
      }),
    )
    .min(1),
]);

/** An entry of `behaviours`. */
export const fleetBehaviourSchema = z
  .strictObject({
    target: faultTargetSchema.optional().describe("The clusters; all when absent."),
    kind: pattern
      .optional()
      .describe("Kind of the workload that the Pod belongs to: Deployment, Job, Pod where there is none."),
    namespace: pattern.optional().describe("Namespace of the Pod; * stands for any letters."),
    name: pattern.optional().describe("Name of the workload, or of a Pod without one; * stands for any letters."),
    container: pattern.optional().describe("Name of the container; * stands for any letters."),
    image: pattern.optional().describe("Image of the container; * stands for any letters."),
    labels: fleetTexts.optional().describe("Labels that the Pod has."),
    startup: faultDuration.optional().describe("From being wanted to running, the pull of the image included."),
    readyAfter: faultDuration.optional().describe("From running to answering its startup and readiness probes."),
    runsFor: faultDuration
      .optional()
      .describe("How long it runs until it ends by itself. It runs on when absent, but in Jobs."),
    exitCode: z.int().min(0).max(255).optional().describe("With what it ends by itself. The default is 0."),
    crashAfter: faultDuration.optional().describe("It crashes so long after each start."),
    crashExitCode: z
      .int()
      .min(1)
      .max(255)
      .optional()
      .describe("With what it crashes. The default is 1; 137 is a kill for want of memory."),
    crashes: z.int().min(1).optional().describe("How often it crashes before it runs on. Without end when absent."),
    ignoresTerm: z.boolean().optional().describe("true: it goes on after TERM until it is killed."),
    stop: faultDuration.optional().describe("From TERM to its end."),
    jitter: fleetShare.optional().describe("Each time is longer by up to this share of itself, by the fleet's chance."),
    logs: z.array(z.string()).optional().describe("What it logs when it starts, a line each."),
    metrics: z
      .record(z.string(), metricSchema)
      .optional()
      .describe(
        "What it uses, for autoscaling: cpu, memory or a name of one's own; an amount, or a list of { at, value }: from each time since the start on, that is what it uses.",
      ),
  })
  .describe("How the containers behave that fit all of the selecting fields. Later entries win, field by field.");
/** An entry of `behaviours`, defaulted. */
export type FleetBehaviour = z.output<typeof fleetBehaviourSchema>;
