// The words that scenario files of simulated fleets share: amounts and texts.
import { z } from "zod";

/** What a node has of something. Its form is a rule of `fleet-rules/`, which says what is wrong with it. */
export const fleetAmount = z.union([z.string(), z.number()]);

/** Amounts by the name of the resource: `cpu`, `memory`, `pods`, `ephemeral-storage`, `nvidia.com/gpu`. */
export const fleetResources = z.record(z.string(), fleetAmount);

/** Labels, and whatever else is text by text. */
export const fleetTexts = z.record(z.string(), z.string());

/** A share from 0 to 1. */
export const fleetShare = z.number().min(0).max(1);
