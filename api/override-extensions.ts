// What Flaghoist does beyond Karmada in override policies: the one field that we add to them, `spec.flaghoist`.
import { z } from "zod";

/** Absent, an override policy means exactly what it means to Karmada. */
export const overrideExtensionsSchema = z.strictObject({
  variables: z
    .boolean()
    .optional()
    .describe(
      "Values of overriders may hold ${cluster.name}, ${cluster.region}, ${cluster.provider}, ${cluster.zone}, ${cluster.labels['KEY']} and ${cluster.annotations['KEY']}, each with a default as in ${cluster.labels.tier:-web}; $${ is a plain ${.",
    ),
});
export type OverrideExtensions = z.infer<typeof overrideExtensionsSchema>;
