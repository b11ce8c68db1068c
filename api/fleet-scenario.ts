// config.flaghoist.io/v1alpha1: the file of a simulated fleet. Never stored in the API.
import { z } from "zod";
import { fleetBehaviourSchema } from "./fleet-behaviours.ts";
import { fleetClusterDefaultsSchema, fleetClusterSchema } from "./fleet-clusters.ts";
import { faultDuration } from "./fleet-faults.ts";
import { fleetStageSchema } from "./fleet-stages.ts";
import { fleetManifestsSchema, fleetStepSchema } from "./fleet-timeline.ts";
import { fleetTexts } from "./fleet-values.ts";

/** The API version of scenarios. */
export const FLEET_SCENARIO_VERSION = "config.flaghoist.io/v1alpha1";

const fleetClockSchema = z
  .strictObject({
    pace: z
      .union([z.enum(["real", "stepped", "instant"]), z.number().positive().max(1_000_000)])
      .optional()
      .describe(
        "real: as the machine's time. A number: so many times as fast. instant: from one event to the next without waiting. stepped: only when told. The default is real.",
      ),
    start: z.iso
      .datetime({ offset: true, message: "must be a time such as 2026-01-01T00:00:00Z" })
      .optional()
      .describe(
        "The fleet's time at the start. The default is the machine's time, or 2026-01-01T00:00:00Z for a stepped clock.",
      ),
  })
  .describe("The fleet's time.");

/** A whole scenario. */
export const fleetScenarioSchema = z
  .strictObject({
    apiVersion: z.literal(FLEET_SCENARIO_VERSION).describe("config.flaghoist.io/v1alpha1."),
    kind: z.literal("FleetScenario").describe("FleetScenario."),
    metadata: z
      .strictObject({
        name: z.string().min(1).describe("Name of the scenario."),
        labels: fleetTexts.optional().describe("For whoever keeps many scenarios; no effect."),
        annotations: fleetTexts.optional().describe("For whoever keeps many scenarios; no effect."),
      })
      .describe("Names the scenario."),
    description: z.string().optional().describe("What the scenario is about, for people."),
    seed: z
      .int()
      .min(0)
      .max(2 ** 32 - 1)
      .default(1)
      .describe("Determines everything that is left to chance. The default is 1."),
    clock: fleetClockSchema.optional(),
    duration: faultDuration
      .optional()
      .describe(
        "How long the scenario lasts when it is played to its end. The default is its last step, and a minute.",
      ),
    level: z
      .enum(["full", "fast", "idle"])
      .default("full")
      .describe("How much of each cluster is simulated, where it does not say otherwise. The default is full."),
    defaults: fleetClusterDefaultsSchema.optional(),
    clusters: z.array(fleetClusterSchema).min(1).describe("The clusters of the fleet."),
    behaviours: z
      .array(fleetBehaviourSchema)
      .optional()
      .describe("How containers behave. Every entry that fits a container counts; later ones win, field by field."),
    stages: z
      .array(fleetStageSchema)
      .optional()
      .describe("What becomes of objects at certain stages of their life, in the style of kwok."),
    manifests: z.array(fleetManifestsSchema).optional().describe("Objects that the clusters have at the start."),
    timeline: z.array(fleetStepSchema).optional().describe("What happens, in the order of time."),
  })
  .describe("A simulated fleet: its clusters and what befalls them.");
/** A whole scenario, defaulted. */
export type FleetScenario = z.output<typeof fleetScenarioSchema>;
