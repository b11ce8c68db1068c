// A Node as its kubelet registers and reports it, word for word. Pure.
import { createHash } from "node:crypto";
import type { KubeObject } from "../../../../kube/object.ts";
import { rfc3339 } from "../../../../runtime/clock.ts";
import type { ClusterTraits } from "../../kernel/controller.ts";
import { addressNumber, addressText } from "../cidr.ts";
import type { NodePlan } from "./node-pools.ts";

/** Where addresses of nodes and of Pods begin; Services have others. */
const FIRST_NODE_ADDRESS = addressNumber("172.18.0.2");
const FIRST_POD_ADDRESS = addressNumber("10.112.0.0");
/** As large as Kubernetes gives each node; nodes with room for more Pods get more. */
const LEAST_POD_ADDRESSES = 256;

export interface NodeCondition {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  readonly reason: string;
  readonly message: string;
  readonly lastHeartbeatTime: string;
  readonly lastTransitionTime: string;
}

/** What a kubelet without trouble says, in its order: Ready comes last. */
export const HEALTHY_CONDITIONS: readonly Pick<NodeCondition, "type" | "status" | "reason" | "message">[] = [
  {
    type: "MemoryPressure",
    status: "False",
    reason: "KubeletHasSufficientMemory",
    message: "kubelet has sufficient memory available",
  },
  {
    type: "DiskPressure",
    status: "False",
    reason: "KubeletHasNoDiskPressure",
    message: "kubelet has no disk pressure",
  },
  {
    type: "PIDPressure",
    status: "False",
    reason: "KubeletHasSufficientPID",
    message: "kubelet has sufficient PID available",
  },
  { type: "Ready", status: "True", reason: "KubeletReady", message: "kubelet is posting ready status" },
];

/** The Node of a plan, status included. `podAddresses` is how many addresses each node of the cluster has for Pods. */
export function nodeOfPlan(plan: NodePlan, traits: ClusterTraits, podAddresses: number, nowMs: number): KubeObject {
  const { name, index, resources, allocatable, taints } = plan;
  const podCIDR = `${addressText(FIRST_POD_ADDRESS + index * podAddresses)}/${32 - Math.log2(podAddresses)}`;
  const architecture = plan.labels["kubernetes.io/arch"] ?? "amd64";
  const zone = plan.zone ?? traits.zone;
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name,
      labels: {
        "beta.kubernetes.io/arch": architecture,
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": architecture,
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        ...(traits.region === undefined ? {} : { "topology.kubernetes.io/region": traits.region }),
        ...(zone === undefined ? {} : { "topology.kubernetes.io/zone": zone }),
        ...plan.labels,
      },
      annotations: { "volumes.kubernetes.io/controller-managed-attach-detach": "true" },
    },
    spec: {
      podCIDR,
      podCIDRs: [podCIDR],
      providerID: `${traits.provider ?? "simulated"}://${[traits.region, zone, name].filter((part) => part !== undefined).join("/")}`,
      ...(taints.length === 0 ? {} : { taints: [...taints] }),
    },
    status: {
      capacity: { ...resources },
      allocatable: { ...allocatable },
      addresses: [
        { type: "InternalIP", address: addressText(FIRST_NODE_ADDRESS + index) },
        { type: "Hostname", address: name },
      ],
      conditions: heartbeatConditions([], nowMs),
      daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
      nodeInfo: {
        architecture,
        bootID: uuidOf(`${name}/boot`),
        containerRuntimeVersion: "containerd://2.2.0",
        kernelVersion: "6.12.0",
        kubeProxyVersion: "",
        kubeletVersion: plan.kubernetesVersion ?? traits.kubernetesVersion,
        machineID: uuidOf(`${name}/machine`).replaceAll("-", ""),
        operatingSystem: "linux",
        osImage: "Simulated Linux",
        systemUUID: uuidOf(`${name}/system`),
      },
    },
  };
}

/** How many addresses each node needs for its Pods: a power of two, twice as many as there may be Pods. */
export function podAddressesOf(plans: readonly NodePlan[]): number {
  const most = Math.max(...plans.map(({ resources }) => Number(resources["pods"] ?? "0")), 0);
  return Math.max(LEAST_POD_ADDRESSES, 2 ** Math.ceil(Math.log2(2 * (most + 3))));
}

/**
 * The conditions at a heartbeat: those that are there with the time of now; what is missing, or has become Unknown
 * while the kubelet was silent, as a kubelet without trouble says it. Conditions of others stay as they are.
 */
export function heartbeatConditions(present: readonly NodeCondition[], nowMs: number): NodeCondition[] {
  const now = rfc3339(nowMs);
  const own = HEALTHY_CONDITIONS.map((healthy) => {
    const known = present.find(({ type }) => type === healthy.type);
    if (known === undefined || known.status === "Unknown")
      return { ...healthy, lastHeartbeatTime: now, lastTransitionTime: now };
    return { ...known, lastHeartbeatTime: now };
  });
  return [...present.filter(({ type }) => !own.some((each) => each.type === type)), ...own];
}

function uuidOf(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    "-",
  );
}
