// multicluster.x-k8s.io/v1alpha1: the Services that clusters of a set offer one another (KEP-1645).
import { z } from "zod";
import { conditionSchema, int32, objectMeta } from "./schema.ts";

export const MULTICLUSTER_GROUP = "multicluster.x-k8s.io";

export const serviceExportStatusSchema = z.strictObject({
  conditions: z
    .array(conditionSchema)
    .meta({ "x-kubernetes-list-map-keys": ["type"], "x-kubernetes-list-type": "map" })
    .optional()
    .describe("Whether the Service is exported."),
});
export type ServiceExportStatus = z.infer<typeof serviceExportStatusSchema>;

export const serviceExportSchema = z
  .strictObject({
    apiVersion: z.string(),
    kind: z.literal("ServiceExport"),
    metadata: objectMeta,
    status: serviceExportStatusSchema.optional().describe("What came of it."),
  })
  .describe("Offers the Service of the same name to other clusters.");
export type ServiceExport = z.infer<typeof serviceExportSchema>;

export const serviceImportSpecSchema = z.strictObject({
  ips: z.array(z.string()).max(1).optional().describe("Address of the Service in this cluster."),
  ports: z
    .array(
      z.strictObject({
        appProtocol: z.string().optional().describe("Protocol of the application."),
        name: z.string().optional().describe("Name of the port."),
        port: int32.describe("Number of the port."),
        protocol: z.string().optional().describe("TCP, UDP or SCTP; TCP when empty."),
      }),
    )
    .meta({ "x-kubernetes-list-type": "atomic" })
    .describe("Ports of the Service."),
  sessionAffinity: z.string().optional().describe("ClientIP or None."),
  sessionAffinityConfig: z
    .strictObject({
      clientIP: z
        .strictObject({ timeoutSeconds: int32.optional().describe("How long a client keeps its pod.") })
        .optional()
        .describe("For affinity by client address."),
    })
    .optional()
    .describe("Details of the session affinity."),
  type: z.enum(["ClusterSetIP", "Headless"]).describe("With an address of its own, or by the pods' addresses."),
});
export type ServiceImportSpec = z.infer<typeof serviceImportSpecSchema>;

export const serviceImportStatusSchema = z.strictObject({
  clusters: z
    .array(z.strictObject({ cluster: z.string().describe("Name of the cluster.") }))
    .meta({ "x-kubernetes-list-map-keys": ["cluster"], "x-kubernetes-list-type": "map" })
    .optional()
    .describe("Clusters that offer the Service."),
});
export type ServiceImportStatus = z.infer<typeof serviceImportStatusSchema>;

export const serviceImportSchema = z
  .strictObject({
    apiVersion: z.string(),
    kind: z.literal("ServiceImport"),
    metadata: objectMeta,
    spec: serviceImportSpecSchema.optional().describe("The Service as it is used here."),
    status: serviceImportStatusSchema.optional().describe("Who offers it."),
  })
  .describe("A Service that other clusters offer.");
export type ServiceImport = z.infer<typeof serviceImportSchema>;
