// What a scenario says of its clusters: where they stand, what nodes they have, how they are reached.
import { z } from "zod";
import { taintSchema } from "./cluster.ts";
import { faultDuration, latencySchema } from "./fleet-faults.ts";
import { fleetResources, fleetShare, fleetTexts } from "./fleet-values.ts";

const kubernetesVersion = z
  .string()
  .regex(/^v[0-9]+\.[0-9]+\.[0-9]+([-+].*)?$/, "must be a version such as v1.36.3")
  .describe("Version of Kubernetes, such as v1.36.3.");

const taints = z.array(taintSchema.omit({ timeAdded: true }));

const fleetNodePoolSchema = z
  .strictObject({
    name: z.string().describe("Name of the pool; its nodes are called CLUSTER-POOL-0 and so on."),
    count: z.int().min(0).max(5000).default(1).describe("How many nodes the pool has. The default is 1."),
    resources: fleetResources
      .optional()
      .describe(
        "What each node has: cpu, memory, pods, ephemeral-storage, nvidia.com/gpu and so on. The defaults are cpu 16, memory 64Gi, pods 110 and ephemeral-storage 100Gi.",
      ),
    allocatable: fleetResources
      .optional()
      .describe("What each node offers to pods where that is less than what it has. The default is all of it."),
    labels: fleetTexts.optional().describe("Labels of the nodes, beside those that Kubernetes gives them."),
    taints: taints.optional().describe("Taints of the nodes."),
    zone: z
      .string()
      .min(1)
      .optional()
      .describe("Zone of all nodes of the pool. The default is the cluster's zones in turn."),
    kubernetesVersion: kubernetesVersion.optional().describe("Version of the kubelets. The default is the cluster's."),
  })
  .describe("Nodes that are alike.");
/** An entry of `nodePools`, defaulted. */
export type FleetNodePool = z.output<typeof fleetNodePoolSchema>;

const fleetNetworkSchema = z
  .strictObject({
    latency: latencySchema.optional().describe("How much longer each answer takes."),
    loss: fleetShare.optional().describe("Share of requests that are lost, from 0 to 1: their connection is reset."),
  })
  .describe("The link between the control plane and the cluster.");
/** A cluster's link to the world. */
export type FleetNetwork = z.output<typeof fleetNetworkSchema>;

/** What a cluster may say, and `defaults` for all of them. */
const traits = {
  level: z
    .enum(["full", "fast", "idle"])
    .optional()
    .describe(
      "full: controllers, scheduler, kubelets. fast: workload status only. idle: nobody acts. The default is the scenario's.",
    ),
  region: z.string().min(1).optional().describe("Region that the cluster stands in."),
  provider: z.string().min(1).optional().describe("Who runs the cluster, such as a cloud."),
  zones: z.array(z.string().min(1)).optional().describe("Zones that its nodes stand in, in turn."),
  labels: fleetTexts.optional().describe("Labels of the Cluster object in the control plane."),
  taints: taints.optional().describe("Taints of the Cluster object in the control plane."),
  kubernetesVersion: kubernetesVersion
    .optional()
    .describe("Version of the API server and the nodes. The default is v1.36.3."),
  nodes: z
    .int()
    .min(0)
    .max(5000)
    .optional()
    .describe(
      "How many nodes with the default resources; short for a pool called node. The default is 3, or none beside nodePools.",
    ),
  nodePools: z.array(fleetNodePoolSchema).optional().describe("Nodes, by pools of nodes that are alike."),
  network: fleetNetworkSchema.optional(),
  readyAfter: faultDuration
    .optional()
    .describe(
      "From a container's start to its Pod being ready. The default is 300ms; behaviours say otherwise for some.",
    ),
  jobRuns: faultDuration
    .optional()
    .describe("How long containers of Jobs run until they end well. The default is readyAfter."),
  snapshot: z
    .string()
    .min(1)
    .optional()
    .describe(
      "File of a FleetSnapshot, relative to the scenario: the cluster begins as the cluster of that name there.",
    ),
};

/** `defaults`. */
export const fleetClusterDefaultsSchema = z
  .strictObject(traits)
  .describe("What holds for every cluster that does not say otherwise.");

/** An entry of `clusters`. */
export const fleetClusterSchema = z
  .strictObject({
    name: z.string().optional().describe("Name of one cluster."),
    names: z
      .string()
      .optional()
      .describe(
        "Names of a group of clusters: a pattern such as edge-{number}, with {number}, {number:3} (digits), {region}, {provider} and {zone}.",
      ),
    count: z
      .int()
      .min(0)
      .max(2000)
      .optional()
      .describe("How many clusters the group has. The default is one for each of places."),
    places: z
      .array(
        z.strictObject({
          region: traits.region,
          provider: traits.provider,
          zones: traits.zones,
          labels: traits.labels,
        }),
      )
      .min(1)
      .optional()
      .describe("Places that the clusters of the group take in turn."),
    ...traits,
  })
  .describe("One cluster (name) or a group of clusters (names and count).");
/** An entry of `clusters`: one cluster or a group. */
export type FleetCluster = z.output<typeof fleetClusterSchema>;
