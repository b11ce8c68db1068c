// A Kubernetes cluster in memory: the embedded API server, nodes, and workloads that become ready.
import { KubeClient } from "../../kube/client/kube-client.ts";
import type { Transport } from "../../kube/client/transport.ts";
import { refOf } from "../../kube/object.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/logger.ts";
import { Random } from "../../runtime/random.ts";
import { seededIdentities } from "../apiserver/registry/identities.ts";
import { type ApiServer, createApiServer } from "../apiserver/server.ts";
import { storageAdmission } from "./controllers/volumes/storage-admission.ts";
import { simulatedStorageClass } from "./controllers/volumes/storage-classes.ts";
import { CLASSES } from "./controllers/volumes/volume-facts.ts";
import { fastControllers } from "./fast/fast-controllers.ts";
import { type Fault, FaultyTransport } from "./faults.ts";
import { fullControllers } from "./full-controllers.ts";
import { type Behaviours, NO_BEHAVIOURS } from "./kernel/behaviours.ts";
import { ClusterKernel } from "./kernel/cluster-kernel.ts";
import type { ClusterTraits, Controller } from "./kernel/controller.ts";
import { Disturbances } from "./kernel/disturbances.ts";
import { KernelLoop } from "./kernel/kernel-loop.ts";
import { nodeOfPlan, podAddressesOf } from "./kubelet/nodes/node-object.ts";
import { type NodePool, nodePlansOf } from "./kubelet/nodes/node-pools.ts";
import { DEFAULT_NODE, type NodeShape } from "./nodes.ts";

/** `full`: ReplicaSets, Pods, placement on nodes. `fast`: workload status only. `idle`: nobody acts in the cluster. */
export type Level = "idle" | "fast" | "full";

export interface SimulatedClusterOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Number of nodes of `nodeShape`; 3 by default. */
  readonly nodes?: number;
  readonly nodeShape?: NodeShape;
  /** In place of `nodes`. */
  readonly nodePools?: readonly NodePool[];
  /** What containers do when they run. */
  readonly behaviours?: Behaviours;
  readonly level?: Level;
  /** From being placed to being ready; 300 ms by default. */
  readonly readyAfterMs?: number;
  readonly traits?: Partial<Omit<ClusterTraits, "name" | "readyAfterMs">>;
  /** Determines uids, generated names and whatever else is left to chance; the machine's chance when absent. */
  readonly random?: Random | undefined;
  /** Shared by the clusters of a fleet. */
  readonly loop?: KernelLoop;
}

export interface SimulatedCluster {
  readonly name: string;
  /** For serving the cluster on a listener. Faults do not reach it: use `transport` for that. */
  readonly server: ApiServer;
  /** How everyone else reaches the cluster, faults included. */
  readonly transport: Transport;
  /** For whoever plays the cluster's own people: never fails. */
  readonly client: KubeClient;
  /** Faults inside the cluster. */
  readonly disturbances: Disturbances;
  readonly fault: Fault;
  setFault(fault: Fault): void;
  close(): Promise<void>;
}

export async function createSimulatedCluster(options: SimulatedClusterOptions): Promise<SimulatedCluster> {
  const { name, clock, logger, nodes = 3, nodeShape = DEFAULT_NODE, level = "full", readyAfterMs = 300 } = options;
  const random = options.random ?? new Random(Math.floor(Math.random() * 2 ** 32));
  const identities = options.random === undefined ? {} : { identities: seededIdentities(() => random.next()) };
  // There may be hundreds of the fast kind, and nobody asks each of them for its APIServices.
  const apiServices = level === "full";
  const admission = [storageAdmission(() => server.state.list(CLASSES).map((stored) => stored.object))];
  const server: ApiServer = await createApiServer({
    name,
    clock,
    logger,
    historyEvents: 500,
    apiServices,
    admission,
    ...identities,
  });
  const client = new KubeClient(server.handle);
  const disturbances = new Disturbances();
  if (level === "full") await client.create(simulatedStorageClass());
  const traits: ClusterTraits = {
    name,
    kubernetesVersion: "v1.36.3",
    jobRunsMs: readyAfterMs,
    events: true,
    ...options.traits,
    readyAfterMs,
  };
  const { cpu, memory, pods, labels = {} } = nodeShape;
  const pool: NodePool = { name: "node", count: nodes, resources: { cpu, memory, pods: String(pods) }, labels };
  const plans = nodePlansOf(name, options.nodePools ?? [pool]);
  const podAddresses = podAddressesOf(plans);
  for (const plan of plans) {
    const node = nodeOfPlan(plan, traits, podAddresses, clock.now());
    const created = await client.create(node);
    await client.update({ ...created, status: node["status"] }, { subresource: "status" });
    // The server gives each new node the taint "not ready", which its controllers take away.
    await client.patch(refOf(created), { spec: { taints: plan.taints.length === 0 ? null : plan.taints } }, "merge");
  }
  const kernel =
    level === "idle"
      ? undefined
      : new ClusterKernel({
          server,
          client,
          clock,
          random,
          logger,
          traits,
          disturbances,
          behaviours: options.behaviours ?? NO_BEHAVIOURS,
          controllers: controllersOf(level),
          loop: options.loop ?? new KernelLoop(),
        });
  const faulty = new FaultyTransport(server.handle, clock);
  return {
    name,
    server,
    client,
    transport: faulty.send,
    disturbances,
    get fault() {
      return faulty.fault;
    },
    setFault: (fault) => faulty.setFault(fault),
    close: async () => {
      kernel?.stop();
      await server.close();
    },
  };
}

function controllersOf(level: "fast" | "full"): Controller[] {
  return level === "full" ? fullControllers() : fastControllers();
}
