// Registers simulated clusters with a control plane, as `join` does with real ones.
import type { Cluster, Taint } from "../../api/cluster.ts";
import type { PlannedCluster } from "../../api/fleet-plan.ts";
import type { SimulatedCluster } from "../../fleets/simulator/simulated-cluster.ts";
import type { KubeObject } from "../../kube/object.ts";
import type { ControlPlane } from "./control-plane.ts";

export interface SimulatedPlace {
  readonly region?: string;
  readonly provider?: string;
  readonly zones?: string[];
  readonly labels?: Record<string, string>;
  readonly taints?: Taint[];
}

/** Where a cluster of a scenario is, in the words of registration. */
export function placeOf({ region, provider, zones, labels, taints }: PlannedCluster): SimulatedPlace {
  return {
    labels: { ...labels },
    ...(region === undefined ? {} : { region }),
    ...(provider === undefined ? {} : { provider }),
    ...(zones.length === 0 ? {} : { zones: [...zones] }),
    ...(taints.length === 0 ? {} : { taints: taints.map((taint) => ({ ...taint })) }),
  };
}

/**
 * Creates the Cluster object and its Secret. In this process the member is reached without a socket; other processes
 * (the CLI) reach it through the control plane's listener, by the kubeconfig in the Secret.
 */
export async function registerSimulated(
  plane: Pick<ControlPlane, "client" | "url" | "memberKubeconfig">,
  cluster: SimulatedCluster,
  place: SimulatedPlace,
): Promise<void> {
  const { name } = cluster;
  const { labels, ...where } = place;
  const secret: KubeObject = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace: "karmada-cluster" },
    type: "Opaque",
    data: { kubeconfig: Buffer.from(plane.memberKubeconfig(name)).toString("base64") },
  };
  await plane.client.apply(secret, { fieldManager: "flaghoist-join", force: true });
  const object: Cluster = {
    apiVersion: "cluster.karmada.io/v1alpha1",
    kind: "Cluster",
    metadata: { name, ...(labels === undefined ? {} : { labels }) },
    spec: {
      syncMode: "Push",
      apiEndpoint: `${plane.url}/clusters/${name}`,
      secretRef: { namespace: "karmada-cluster", name },
      impersonatorSecretRef: { namespace: "karmada-cluster", name },
      ...where,
    },
  };
  await plane.client.apply(object, { fieldManager: "flaghoist-join", force: true });
}
