// The estimator in process: what it holds of a large cluster, and what answers cost.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { ReplicaRequirements } from "../../api/work.ts";
import { createApiServer } from "../../fleets/apiserver/server.ts";
import { CapacityWatch, type EstimateDetails } from "../../fleets/capacity-watch.ts";
import { ClusterRoom } from "../../fleets/estimator/cluster-room.ts";
import { type EstimatedCluster, LocalEstimator } from "../../fleets/estimator/local-estimator.ts";
import { PodReader, readNodeDetails } from "../../fleets/estimator/pod-facts.ts";
import { Member } from "../../fleets/member.ts";
import { nodeObject } from "../../fleets/simulator/nodes.ts";
import { KubeClient } from "../../kube/client/kube-client.ts";
import type { ApiRequest, ApiResponse, Transport } from "../../kube/client/transport.ts";
import type { KubeObject } from "../../kube/object.ts";
import { systemClock } from "../../runtime/clock.ts";
import { silentLogger } from "../../runtime/logger.ts";
import { LoopDelay } from "./support-loop-delay.ts";

const DETAILS: EstimateDetails = { arithmetic: "kubernetes", quotas: false };
const REQUESTS = [
  { cpu: "100m", memory: "128Mi" },
  { cpu: "250m", memory: "512Mi" },
  { cpu: "1", memory: "2Gi" },
  { cpu: "500m", memory: "1Gi", "ephemeral-storage": "1Gi" },
];

/** Arguments: nodes (1000), pods (30000), clusters of as many nodes without pods (1000). */
export async function run(args: readonly string[]): Promise<void> {
  const [nodes = 1_000, pods = 30_000, clusters = 1_000] = args.map(Number);
  const delay = new LoopDelay();
  delay.start();
  const server = await createApiServer({ name: "member", clock: systemClock, logger: silentLogger });
  const transport = listing(server.handle, nodes, pods);
  print(`one cluster of ${count(nodes)} nodes and ${count(pods)} pods`);
  const small = await watch(listing(server.handle, 10, 10), DETAILS, delay);
  await small.capacity.stop();
  const sums = await watch(transport, undefined, delay);
  const all = await watch(transport, DETAILS, delay);
  print(`  held for sums alone  ${mib(sums.bytes)}, ${Math.round(sums.bytes / pods)} bytes a pod`);
  print(`  held for estimates   ${mib(all.bytes)}, ${Math.round(all.bytes / pods)} bytes a pod`);
  print(`  listing and reading  ${all.cpuMs.toFixed(0)} ms of processor, longest turn ${all.longestMs.toFixed(0)} ms`);
  answers(all.capacity.estimated as EstimatedCluster, nodes);
  await sums.capacity.stop();
  await all.capacity.stop();
  await server.close();
  fleet(clusters, nodes);
}

interface Watched {
  readonly capacity: CapacityWatch;
  readonly bytes: number;
  readonly cpuMs: number;
  readonly longestMs: number;
}

async function watch(transport: Transport, details: EstimateDetails | undefined, delay: LoopDelay): Promise<Watched> {
  const member = new Member({ name: "member", transport, clock: systemClock, logger: silentLogger });
  await member.client.mapper.get("v1", "Pod");
  const before = await heldBytes();
  delay.take();
  const start = process.cpuUsage();
  const capacity = new CapacityWatch(member, systemClock, silentLogger, details);
  capacity.start();
  await capacity.synced();
  const { user, system } = process.cpuUsage(start);
  await turns();
  const { cpuMaxMs } = delay.take();
  return { capacity, bytes: (await heldBytes()) - before, cpuMs: (user + system) / 1000, longestMs: cpuMaxMs };
}

/** Lists nodes and pods in pages, as a real API server sends them; everything else as `server` answers. */
function listing(server: Transport, nodes: number, pods: number): Transport {
  return async (request: ApiRequest): Promise<ApiResponse> => {
    const url = new URL(request.path, "http://member");
    const make = { "/api/v1/nodes": fullNode, "/api/v1/pods": fullPod }[url.pathname];
    if (request.method !== "GET" || make === undefined) return server(request);
    if (url.searchParams.get("watch") !== null) return { status: 200, headers: {}, body: silence(request.signal) };
    // The network is a turn of its own.
    await new Promise((resolve) => setImmediate(resolve));
    const total = url.pathname.endsWith("nodes") ? nodes : pods;
    const from = Number(url.searchParams.get("continue") ?? 0);
    const to = Math.min(total, from + Number(url.searchParams.get("limit")));
    const items = Array.from({ length: to - from }, (_, each) => make(from + each, nodes));
    const metadata = { resourceVersion: "1000000", ...(to < total ? { continue: String(to) } : {}) };
    return {
      status: 200,
      headers: {},
      body: Buffer.from(JSON.stringify({ kind: "List", apiVersion: "v1", metadata, items })),
    };
  };
}

async function* silence(signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  await new Promise<void>((resolve) => signal?.addEventListener("abort", () => resolve(), { once: true }));
}

function fullNode(index: number): KubeObject {
  const node = nodeObject(`ip-10-0-${index >> 8}-${index & 255}.eu-west-1.compute.internal`, NODE, 0);
  const zone = `eu-west-1${"abc".charAt(index % 3)}`;
  const labels = {
    ...node.metadata.labels,
    "topology.kubernetes.io/zone": zone,
    "topology.kubernetes.io/region": "eu-west-1",
    "node.kubernetes.io/instance-type": "m6i.8xlarge",
    "eks.amazonaws.com/nodegroup": `workers-${index % 5}`,
  };
  return { ...node, metadata: { ...node.metadata, labels, uid: uid(index), resourceVersion: String(index) } };
}

const NODE = { cpu: "32", memory: "128Gi", pods: 110 };

function fullPod(index: number, nodes: number): KubeObject {
  const name = `service-${index % 300}-7d9c8b6f5-${index.toString(36).padStart(5, "x")}`;
  const container = {
    name: "app",
    image: `registry.example.com/team/service-${index % 300}:1.2.3`,
    env: Array.from({ length: 12 }, (_, each) => ({ name: `SETTING_${each}`, value: `value of setting ${each}` })),
    resources: { requests: REQUESTS[index % REQUESTS.length], limits: { memory: "4Gi" } },
  };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: `team-${index % 40}`, uid: uid(1_000_000 + index), resourceVersion: String(index) },
    spec: { nodeName: fullNode(index % nodes).metadata.name, containers: [container, { ...container, name: "proxy" }] },
    status: { phase: "Running", conditions: [{ type: "PodScheduled", status: "True" }] },
  };
}

function uid(index: number): string {
  return `10000000-0000-4000-8000-${String(index).padStart(12, "0")}`;
}

function answers(cluster: EstimatedCluster, nodes: number): void {
  const estimator = new LocalEstimator({ cluster: () => cluster, assumed: false });
  const ask = (requirements: ReplicaRequirements): number =>
    estimator.replicas({ cluster: "member", requirements, assumed: [] }) ?? -1;
  const requirements = Array.from({ length: 100 }, (_, each) => needs(each));
  print(`  first answer         ${perCall(100, (each) => ask(requirements[each] as ReplicaRequirements))} each`);
  print(
    `  the same again       ${perCall(100_000, (each) => ask(requirements[each % 100] as ReplicaRequirements))} each`,
  );
  const reader = new PodReader("kubernetes");
  const changed = perCall(1_000, (each) => {
    cluster.room.setPod("new", reader.read(fullPod(each, nodes)));
    ask(requirements[0] as ReplicaRequirements);
  });
  print(`  after a pod moved    ${changed} each`);
  const components = [
    { name: "driver", replicas: 1, replicaRequirements: needs(1) },
    { name: "worker", replicas: 8, replicaRequirements: needs(2) },
  ];
  const sets = perCall(20, () => {
    const own = structuredClone(components);
    cluster.room.setPod("new", reader.read(fullPod(0, nodes)));
    estimator.sets({ cluster: "member", namespace: "team", components: own, assumed: [] });
  });
  print(`  sets of components   ${sets} each`);
}

function needs(each: number): ReplicaRequirements {
  return {
    resourceRequest: { cpu: `${100 + each}m`, memory: "512Mi" },
    nodeClaim: { nodeSelector: { "kubernetes.io/os": "linux" }, tolerations: [{ key: "spot", operator: "Exists" }] },
  };
}

/** Many clusters at once: what one binding costs that may go to any of them. */
function fleet(clusters: number, nodes: number): void {
  const details = Array.from({ length: nodes }, (_, index) => readNodeDetails(fullNode(index)));
  const rooms = Array.from({ length: clusters }, () => {
    const room = new ClusterRoom();
    for (const node of details) room.setNode(node);
    return room;
  });
  const estimator = new LocalEstimator({
    cluster: (name) => {
      const room = rooms[Number(name)];
      return (
        room && {
          client: new KubeClient(async () => Promise.reject()),
          room,
          hasSynced: () => true,
          quotasOf: () => [],
        }
      );
    },
    assumed: false,
  });
  const ask = (each: number): void => {
    const requirements = needs(each);
    for (let index = 0; index < clusters; index++)
      estimator.replicas({ cluster: String(index), requirements, assumed: [] });
  };
  print(`${count(clusters)} clusters of ${count(nodes)} nodes`);
  print(`  first answer of all  ${perCall(3, ask)} a binding`);
  print(`  the same again       ${perCall(100, (each) => ask(each % 3))} a binding`);
}

function perCall(times: number, call: (each: number) => unknown): string {
  const start = process.cpuUsage();
  for (let each = 0; each < times; each++) call(each);
  const { user, system } = process.cpuUsage(start);
  const micros = (user + system) / times;
  return micros < 1000 ? `${micros.toFixed(1)} µs` : `${(micros / 1000).toFixed(1)} ms`;
}

let collect: (() => void) | undefined;

/** What is held after collecting garbage until nothing more comes of it. */
async function heldBytes(): Promise<number> {
  setFlagsFromString("--expose-gc");
  collect ??= runInNewContext("gc") as () => void;
  for (let each = 0; each < 4; each++) {
    collect();
    await turns();
  }
  return process.memoryUsage().heapUsed;
}

/** Lets what is due be done, and the delay of the collection be noted. */
function turns(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 30));
}

function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

function count(value: number): string {
  return value.toLocaleString("en");
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
