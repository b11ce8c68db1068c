// config.flaghoist.io/v1alpha1: the file of `flaghoist up --scheduler-config`. Never stored in the API.
import { z } from "zod";
import { DEFAULT_FEATURE_GATES } from "./feature-gates.ts";
import { anyObject } from "./schema.ts";

/** A scheduling plugin that is an ES module of the user. */
export const pluginModuleSchema = z.strictObject({
  name: z.string().min(1).describe("Name of the plugin, as in plugins.enabled, traces and messages."),
  path: z.string().min(1).describe("The module's file, relative to the configuration."),
  timeout: z.string().optional().describe("How long one call may take, such as 100ms. The default is 1s."),
  weight: z.int().min(1).max(100).optional().describe("What its scores are multiplied by. The default is 1."),
  args: anyObject.optional().describe("Settings that are handed to the plugin as they are."),
});
export type PluginModule = z.infer<typeof pluginModuleSchema>;

const gateSchemas = Object.fromEntries(
  Object.keys(DEFAULT_FEATURE_GATES).map((name) => [name, z.boolean().optional()]),
);

export const schedulerConfigurationSchema = z.strictObject({
  apiVersion: z.literal("config.flaghoist.io/v1alpha1"),
  kind: z.literal("SchedulerConfiguration"),
  schedulerName: z.string().min(1).optional().describe("As --scheduler-name."),
  enableEmptyWorkloadPropagation: z.boolean().optional().describe("As --enable-empty-workload-propagation."),
  featureGates: z.strictObject(gateSchemas).optional().describe("As --feature-gates."),
  plugins: z
    .strictObject({
      enabled: z.array(z.string()).optional().describe('As --plugins: names, "*" for all, "-name" for all but that.'),
      modules: z.array(pluginModuleSchema).optional().describe("Plugins beside the built-in ones."),
    })
    .optional()
    .describe("Filters and scores."),
});
export type SchedulerConfiguration = z.infer<typeof schedulerConfigurationSchema>;
