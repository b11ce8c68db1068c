// config.flaghoist.io/v1alpha1: the lines of a snapshot of a fleet (`flaghoist snapshot`). Never stored in the API.
import { z } from "zod";
import { anyObject } from "./schema.ts";

/** Grows with every change of the form that older versions of the program could not read. */
export const SNAPSHOT_FORMAT = 1;

/** The first line. */
export const snapshotHeadSchema = z.object({
  apiVersion: z.literal("config.flaghoist.io/v1alpha1"),
  kind: z.literal("FleetSnapshot"),
  format: z.int().describe("Form of the file."),
  flaghoist: z.string().describe("Version of the program that took it."),
  takenAt: z.string().describe("When taking it began, RFC 3339."),
});
/** The first document of a snapshot file. */
export type SnapshotHead = z.infer<typeof snapshotHeadSchema>;

/** Begins the objects of one API server. */
export const snapshotSourceSchema = z.object({
  source: z.enum(["control-plane", "cluster"]),
  name: z.string().describe("Of the cluster; empty for the control plane."),
  version: z.string().optional().describe("Of Kubernetes there."),
  unreachable: z.string().optional().describe("Why nothing of it is in the snapshot."),
});
/** Whose objects follow. */
export type SnapshotSource = z.infer<typeof snapshotSourceSchema>;

/** One object of the source before it. */
export const snapshotObjectSchema = z.object({
  plural: z.string().describe("Name of its resource."),
  object: anyObject,
});

/** The last line: a file without it was cut short. */
export const snapshotEndSchema = z.object({
  end: z.object({ sources: z.int(), objects: z.int() }),
});
