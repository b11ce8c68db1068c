// A Kubernetes cluster in memory: the embedded API server, nodes, and workloads that become ready.
import { KubeClient } from "../../kube/client/kube-client.ts";
import type { Transport } from "../../kube/client/transport.ts";
import { refOf } from "../../kube/object.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/logger.ts";
import { type ApiServer, createApiServer } from "../apiserver/server.ts";
import { startFastLoops } from "./fast-loops.ts";
import { type Fault, FaultyTransport } from "./faults.ts";
import { DEFAULT_NODE, NodeRoom, type NodeShape, nodeObject } from "./nodes.ts";
import { startWorkloadLoops } from "./workload-loops.ts";

export interface SimulatedClusterOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Number of nodes of `nodeShape`; 3 by default. */
  readonly nodes?: number;
  readonly nodeShape?: NodeShape;
  /** `fast`: workload status only. `full`: ReplicaSets, Pods, placement on nodes. `idle`: no controller at all. */
  readonly level?: "idle" | "fast" | "full";
  /** From being placed to being ready; 300 ms by default. */
  readonly readyAfterMs?: number;
}

export interface SimulatedCluster {
  readonly name: string;
  /** For serving the cluster on a listener. Faults do not reach it: use `transport` for that. */
  readonly server: ApiServer;
  /** How everyone else reaches the cluster, faults included. */
  readonly transport: Transport;
  /** For whoever plays the cluster's own people: never fails. */
  readonly client: KubeClient;
  readonly fault: Fault;
  setFault(fault: Fault): void;
  close(): Promise<void>;
}

export async function createSimulatedCluster(options: SimulatedClusterOptions): Promise<SimulatedCluster> {
  const { name, clock, logger, nodes = 3, nodeShape = DEFAULT_NODE, level = "full", readyAfterMs = 300 } = options;
  // There may be hundreds of the fast kind, and nobody asks each of them for its APIServices.
  const apiServices = level === "full";
  const server = await createApiServer({ name, clock, logger, historyEvents: 500, apiServices });
  const client = new KubeClient(server.handle);
  const room = new NodeRoom();
  const nodeNames: string[] = [];
  for (let i = 0; i < nodes; i++) {
    const nodeName = `${name}-node-${i}`;
    nodeNames.push(nodeName);
    room.addNode(nodeName, nodeShape);
    const node = nodeObject(nodeName, nodeShape, clock.now());
    const created = await client.create(node);
    await client.update({ ...created, status: node["status"] }, { subresource: "status" });
    // The server gives each new node the taint "not ready", which its controllers take away.
    await client.patch(refOf(created), { spec: { taints: null } }, "merge");
  }
  const loops =
    level === "idle"
      ? undefined
      : level === "full"
        ? startWorkloadLoops({ client, clock, logger, room, nodeNames, readyAfterMs })
        : startFastLoops({ client, clock, logger, nodes, readyAfterMs });
  const faulty = new FaultyTransport(server.handle, clock);
  return {
    name,
    server,
    client,
    transport: faulty.send,
    get fault() {
      return faulty.fault;
    },
    setFault: (fault) => faulty.setFault(fault),
    close: async () => {
      await loops?.stop();
      await server.close();
    },
  };
}
