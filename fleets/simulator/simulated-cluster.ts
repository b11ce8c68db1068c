// A Kubernetes cluster in memory: the embedded API server, nodes, and workloads that become ready.
import type { Party } from "../../api/fleet-faults.ts";
import type { ClusterFacts } from "../../api/fleet-targets.ts";
import { KubeClient } from "../../kube/client/kube-client.ts";
import type { Transport } from "../../kube/client/transport.ts";
import { type KubeObject, refOf } from "../../kube/object.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/logger.ts";
import { Random } from "../../runtime/random.ts";
import type { ServedApi } from "../apiserver/http/listener.ts";
import { seededIdentities } from "../apiserver/registry/identities.ts";
import type { ApiServer, ImportedObject } from "../apiserver/server.ts";
import { clusterFacts } from "./cluster-facts.ts";
import { ClusterMachine } from "./cluster-machine.ts";
import { limitRangeAdmission } from "./controllers/quota/limit-range-admission.ts";
import { quotaAdmission } from "./controllers/quota/quota-admission.ts";
import { quotaReader } from "./controllers/quota/quota-ledger.ts";
import { storageAdmission } from "./controllers/volumes/storage-admission.ts";
import { simulatedStorageClass } from "./controllers/volumes/storage-classes.ts";
import { CLASSES } from "./controllers/volumes/volume-facts.ts";
import { fastControllers } from "./fast/fast-controllers.ts";
import { faultControllers } from "./faults/fault-controllers.ts";
import { FaultyTransport, type SimpleFault } from "./faults/faulty-transport.ts";
import { SkewedClock } from "./faults/skewed-clock.ts";
import { fullControllers } from "./full-controllers.ts";
import { type Behaviours, NO_BEHAVIOURS } from "./kernel/behaviours.ts";
import { ClusterKernel } from "./kernel/cluster-kernel.ts";
import type { ClusterTraits } from "./kernel/controller.ts";
import { Disturbances } from "./kernel/disturbances.ts";
import { KernelLoop } from "./kernel/kernel-loop.ts";
import { nodeOfPlan, podAddressesOf } from "./kubelet/nodes/node-object.ts";
import { type NodePool, nodePlansOf } from "./kubelet/nodes/node-pools.ts";
import { podConnectors } from "./kubelet/pod-logs.ts";
import type { Stage } from "./kubelet/stages/stage.ts";
import { stageControllers } from "./kubelet/stages/stage-controller.ts";
import { DEFAULT_NODE, type NodeShape } from "./nodes.ts";
import { RestartableServer } from "./restartable-server.ts";
import { priorityAdmission, topologyLabelsAdmission } from "./scheduler/pod-admission.ts";

/** `full`: ReplicaSets, Pods, placement on nodes. `fast`: workload status only. `idle`: nobody acts in the cluster. */
export type Level = "idle" | "fast" | "full";

/** What a simulated cluster is like. */
export interface SimulatedClusterOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Number of nodes of `nodeShape`; 3 by default. */
  readonly nodes?: number;
  readonly nodeShape?: NodeShape;
  /** In place of `nodes`. */
  readonly nodePools?: readonly NodePool[];
  /** What the cluster begins with, as another one had it; then it has no nodes but those among them. */
  readonly imported?: readonly ImportedObject[] | undefined;
  /** What containers do when they run. */
  readonly behaviours?: Behaviours;
  /** What becomes of its objects, beside and instead of what their controllers do. */
  readonly stages?: readonly Stage[];
  readonly level?: Level;
  /** From being placed to being ready; 300 ms by default. */
  readonly readyAfterMs?: number;
  readonly traits?: Partial<Omit<ClusterTraits, "name" | "readyAfterMs">>;
  /** By which faults may choose the cluster. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Determines uids, generated names and whatever else is left to chance; the machine's chance when absent. */
  readonly random?: Random | undefined;
  /** Shared by the clusters of a fleet. */
  readonly loop?: KernelLoop;
}

/** A Kubernetes API in this process, with all that acts in it. */
export interface SimulatedCluster {
  readonly name: string;
  /** The cluster without faults, for serving it on a listener. */
  readonly server: ApiServer;
  /** The cluster as others find it, for serving it on a listener with its faults. */
  readonly served: ServedApi;
  /** How everyone else reaches the cluster, faults included: as the control plane, unless requests say who they are. */
  readonly transport: Transport;
  /** The same, as one party. */
  transportFor(party: Party): Transport;
  /** For whoever plays the cluster's own people: never fails. */
  readonly client: KubeClient;
  /** What targets of faults go by. */
  readonly facts: ClusterFacts;
  /** Faults inside the cluster. */
  readonly disturbances: Disturbances;
  /** Faults on the way to its API. */
  readonly link: FaultyTransport;
  /** What its server and controllers take for the time. */
  readonly controlPlaneClock: SkewedClock;
  /** Power, backups. */
  readonly machine: ClusterMachine;
  /** Sets what the server says of its version; nodes keep theirs. */
  setKubernetesVersion(version: string): void;
  /** The fault of `setFault`. */
  readonly fault: SimpleFault;
  /** Sets a simple fault in place of the one before; faults of the fleet stay. */
  setFault(fault: SimpleFault): void;
  close(): Promise<void>;
}

/** Behind the controllers, as in kube-controller-manager, where owners still count down what they lose. */
const COLLECTS_AFTER_MS = 20;

/** Starts a cluster. Whoever gives no `random` gets another one each time. */
export async function createSimulatedCluster(options: SimulatedClusterOptions): Promise<SimulatedCluster> {
  const { name, clock, logger, nodes = 3, nodeShape = DEFAULT_NODE, level = "full", readyAfterMs = 300 } = options;
  const { imported, behaviours = NO_BEHAVIOURS, stages = [] } = options;
  const random = options.random ?? new Random(Math.floor(Math.random() * 2 ** 32));
  const identities = options.random === undefined ? {} : { identities: seededIdentities(() => random.next()) };
  // There may be hundreds of the fast kind, and nobody asks each of them for its APIServices.
  const apiServices = level === "full";
  const list = (resource: string): KubeObject[] => server.state.list(resource).map((stored) => stored.object);
  const admission = [
    storageAdmission(() => list(CLASSES)),
    priorityAdmission(() => list("scheduling.k8s.io/priorityclasses")),
    topologyLabelsAdmission((node) => server.state.get({ resource: "nodes", namespace: "", name: node })?.object),
    limitRangeAdmission(() => quotaReader(server.state)),
    quotaAdmission(
      () => quotaReader(server.state),
      () => controlPlaneClock.now(),
    ),
  ];
  const controlPlaneClock = new SkewedClock(clock);
  // The server speaks of itself as ours unless somebody wants a certain version of it.
  let gitVersion = options.traits?.kubernetesVersion;
  const server: RestartableServer = await RestartableServer.start({
    name,
    clock: controlPlaneClock,
    logger,
    historyEvents: 500,
    apiServices,
    admission,
    gitVersion: () => gitVersion,
    ...(imported === undefined ? {} : { imported }),
    ...(level === "full" ? { connectors: podConnectors(behaviours), collectsAfterMs: COLLECTS_AFTER_MS } : {}),
    ...identities,
  });
  const client = new KubeClient(server.handle);
  const disturbances = new Disturbances();
  if (level === "full" && imported === undefined) await client.create(simulatedStorageClass());
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
  const hasNodes = imported?.some(({ plural }) => plural === "nodes") === true;
  const plans = hasNodes ? [] : nodePlansOf(name, options.nodePools ?? [pool]);
  const podAddresses = podAddressesOf(plans);
  for (const plan of plans) {
    const node = nodeOfPlan(plan, traits, podAddresses, clock.now());
    const created = await client.create(node);
    await client.update({ ...created, status: node["status"] }, { subresource: "status" });
    // The server gives each new node the taint "not ready", which its controllers take away.
    await client.patch(refOf(created), { spec: { taints: plan.taints.length === 0 ? null : plan.taints } }, "merge");
  }
  const loop = options.loop ?? new KernelLoop();
  function startKernel(): ClusterKernel | undefined {
    if (level === "idle") return undefined;
    return new ClusterKernel({
      server,
      client,
      clock,
      controlPlaneNow: () => controlPlaneClock.now(),
      random,
      logger,
      traits,
      disturbances,
      behaviours,
      stages,
      controllers: [
        ...(level === "full" ? fullControllers() : fastControllers()),
        ...faultControllers(),
        ...stageControllers(stages),
      ],
      loop,
    });
  }
  let kernel = startKernel();
  const link = new FaultyTransport(server.handle, clock, new Random(random.below(2 ** 32)));
  const machine = new ClusterMachine({
    server,
    link,
    stopControllers: () => {
      kernel?.stop();
      kernel = undefined;
    },
    startControllers: () => {
      kernel = startKernel();
    },
  });
  return {
    name,
    server,
    client,
    transport: link.send,
    transportFor: (party) => link.transportFor(party),
    served: {
      name,
      handle: link.send,
      passesThrough: server.passesThrough,
      reject: server.reject,
      checkToken: server.checkToken,
      publishCa: (pem, frontProxy, sign) => server.publishCa(pem, frontProxy, sign),
      drain: () => server.drain(),
    },
    disturbances,
    link,
    controlPlaneClock,
    machine,
    get facts() {
      const { region, provider } = traits;
      const where = { name, region, provider, labels: options.labels ?? {}, zone: traits.zone };
      const kubernetesVersion = gitVersion ?? traits.kubernetesVersion;
      return clusterFacts({ ...where, kubernetesVersion, backups: machine.backups }, server.state, disturbances);
    },
    setKubernetesVersion: (version) => {
      gitVersion = version;
    },
    get fault() {
      return link.fault;
    },
    setFault: (fault) => link.setFault(fault),
    close: async () => {
      kernel?.stop();
      await server.close();
    },
  };
}
