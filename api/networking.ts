// networking.karmada.io/v1alpha1: Services and Ingresses that reach over clusters.
import { z } from "zod";
import { conditionSchema, int32, objectMeta } from "./schema.ts";

export const NETWORKING_GROUP = "networking.karmada.io";

const atomic = { "x-kubernetes-list-type": "atomic" };

const portStatus = z.strictObject({
  error: z
    .string()
    .max(316)
    .regex(
      /^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$/,
    )
    .describe("Why the port does not work; empty when it does."),
  port: int32.describe("Number of the port."),
  protocol: z.string().describe("Protocol of the port."),
});
const ports = z.array(portStatus).meta(atomic).optional().describe("State of the ports.");
const hostname = z.string().optional().describe("Host name of the load balancer.");
const ip = z.string().optional().describe("Address of the load balancer.");

export const clusterSelectorSchema = z.strictObject({ name: z.string().describe("Name of the cluster.") });
export type ClusterSelector = z.infer<typeof clusterSelectorSchema>;

export const multiClusterServiceSpecSchema = z.strictObject({
  consumerClusters: z
    .array(clusterSelectorSchema)
    .optional()
    .describe("Clusters that may use the Service; every cluster when empty."),
  ports: z
    .array(
      z.strictObject({
        name: z.string().optional().describe("Name of the port."),
        port: int32.describe("Number of the port."),
      }),
    )
    .optional()
    .describe("Ports to reach; all of the Service when empty."),
  providerClusters: z
    .array(clusterSelectorSchema)
    .optional()
    .describe("Clusters whose pods answer; every cluster when empty."),
  range: z
    .strictObject({ clusterNames: z.array(z.string()).optional().describe("Names of the clusters.") })
    .optional()
    .describe("Superseded by providerClusters."),
  serviceConsumptionClusters: z.array(z.string()).optional().describe("Superseded by consumerClusters."),
  serviceProvisionClusters: z.array(z.string()).optional().describe("Superseded by providerClusters."),
  types: z.array(z.string()).describe("How the Service is reached: CrossCluster or LoadBalancer."),
});
export type MultiClusterServiceSpec = z.infer<typeof multiClusterServiceSpecSchema>;

export const multiClusterServiceStatusSchema = z.strictObject({
  conditions: z
    .array(conditionSchema)
    .meta({ "x-kubernetes-list-map-keys": ["type"], "x-kubernetes-list-type": "map" })
    .optional()
    .describe("Whether the Service is reachable."),
  loadBalancer: z
    .strictObject({
      ingress: z
        .array(
          z.strictObject({
            hostname,
            ip,
            ipMode: z.string().optional().describe("Whether traffic arrives at the address or is proxied."),
            ports,
          }),
        )
        .meta(atomic)
        .optional()
        .describe("Points of entry."),
    })
    .optional()
    .describe("State of the load balancer."),
});
export type MultiClusterServiceStatus = z.infer<typeof multiClusterServiceStatusSchema>;

export const multiClusterServiceSchema = z
  .strictObject({
    apiVersion: z.string(),
    kind: z.literal("MultiClusterService"),
    metadata: objectMeta,
    spec: multiClusterServiceSpecSchema.describe("Who provides, and who uses."),
    status: multiClusterServiceStatusSchema.optional().describe("What came of it."),
  })
  .describe("Makes the Service of the same name reachable from other clusters.");
export type MultiClusterService = z.infer<typeof multiClusterServiceSchema>;

const ingressBackend = z.strictObject({
  resource: z
    .strictObject({
      apiGroup: z.string().optional().describe("Group of the object."),
      kind: z.string().describe("Kind of the object."),
      name: z.string().describe("Name of the object."),
    })
    .meta({ "x-kubernetes-map-type": "atomic" })
    .optional()
    .describe("An object that answers; excludes service."),
  service: z
    .strictObject({
      name: z.string().describe("Name of the Service."),
      port: z
        .strictObject({
          name: z.string().optional().describe("Name of the port."),
          number: int32.optional().describe("Number of the port."),
        })
        .meta({ "x-kubernetes-map-type": "atomic" })
        .optional()
        .describe("Port of the Service."),
    })
    .optional()
    .describe("A Service that answers; excludes resource."),
});

export const multiClusterIngressSpecSchema = z.strictObject({
  defaultBackend: ingressBackend.optional().describe("Answers what no rule matches."),
  ingressClassName: z.string().optional().describe("Class of the controller that serves this."),
  rules: z
    .array(
      z.strictObject({
        host: z.string().optional().describe("Host name; every host when empty."),
        http: z
          .strictObject({
            paths: z
              .array(
                z.strictObject({
                  backend: ingressBackend.describe("Who answers."),
                  path: z.string().optional().describe("Path of the requests."),
                  pathType: z.string().describe("Exact, Prefix or ImplementationSpecific."),
                }),
              )
              .meta(atomic)
              .describe("Who answers on which path."),
          })
          .optional()
          .describe("Paths of the host."),
      }),
    )
    .meta(atomic)
    .optional()
    .describe("Who answers on which host and path."),
  tls: z
    .array(
      z.strictObject({
        hosts: z.array(z.string()).meta(atomic).optional().describe("Hosts of the certificate."),
        secretName: z.string().optional().describe("Secret with the certificate."),
      }),
    )
    .meta(atomic)
    .optional()
    .describe("Certificates."),
});
export type MultiClusterIngressSpec = z.infer<typeof multiClusterIngressSpecSchema>;

export const multiClusterIngressStatusSchema = z.strictObject({
  loadBalancer: z
    .strictObject({
      ingress: z.array(z.strictObject({ hostname, ip, ports })).meta(atomic).optional().describe("Points of entry."),
    })
    .optional()
    .describe("State of the load balancer."),
  serviceLocations: z
    .array(
      z.strictObject({
        clusters: z.array(z.string()).optional().describe("Clusters that have it."),
        name: z.string().describe("Name of the Service."),
      }),
    )
    .optional()
    .describe("Where the Services of the rules are."),
  trafficBlockClusters: z.array(z.string()).optional().describe("Clusters that get no traffic, as remedies ask."),
});
export type MultiClusterIngressStatus = z.infer<typeof multiClusterIngressStatusSchema>;

export const multiClusterIngressSchema = z
  .strictObject({
    apiVersion: z.string(),
    kind: z.literal("MultiClusterIngress"),
    metadata: objectMeta,
    spec: multiClusterIngressSpecSchema.optional().describe("Who answers where."),
    status: multiClusterIngressStatusSchema.optional().describe("What came of it."),
  })
  .describe("An Ingress whose Services may be in any cluster.");
export type MultiClusterIngress = z.infer<typeof multiClusterIngressSchema>;
