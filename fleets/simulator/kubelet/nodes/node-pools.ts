// The nodes of a cluster, from its pools. Pure.

/** Nodes of one shape. */
export interface NodePool {
  readonly name: string;
  readonly count: number;
  /** What each node has: `cpu`, `memory`, `pods`, `ephemeral-storage`, `nvidia.com/gpu` and so on. */
  readonly resources: Readonly<Record<string, string>>;
  /** What each node offers to Pods of what it has; all of it when absent. */
  readonly allocatable?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly taints?: readonly NodeTaint[];
  /** Its availability zone; that of the cluster when absent. */
  readonly zone?: string;
  /** Zones that its nodes stand in, in turn; in place of `zone`. */
  readonly zones?: readonly string[];
  /** Of its kubelets, such as `v1.36.3`; that of the cluster when absent. */
  readonly kubernetesVersion?: string;
}

interface NodeTaint {
  readonly key: string;
  readonly value?: string;
  readonly effect: "NoSchedule" | "PreferNoSchedule" | "NoExecute";
}

/** One node, before it is there. */
export interface NodePlan {
  readonly name: string;
  /** Its place among all nodes of the cluster: addresses are made of it. */
  readonly index: number;
  readonly resources: Readonly<Record<string, string>>;
  readonly allocatable: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly NodeTaint[];
  readonly zone: string | undefined;
  readonly kubernetesVersion: string | undefined;
}

/** What a node has that a pool does not speak of. */
const DEFAULT_RESOURCES = { cpu: "16", memory: "64Gi", pods: "110", "ephemeral-storage": "100Gi" };

/** All nodes of a cluster's pools, called `CLUSTER-POOL-N`, in the order of the pools. */
export function nodePlansOf(cluster: string, pools: readonly NodePool[]): NodePlan[] {
  const plans: NodePlan[] = [];
  for (const pool of pools) {
    const resources = { ...DEFAULT_RESOURCES, ...pool.resources };
    for (let number = 0; number < pool.count; number++) {
      plans.push({
        name: `${cluster}-${pool.name}-${number}`,
        index: plans.length,
        resources,
        allocatable: { ...resources, ...pool.allocatable },
        labels: pool.labels ?? {},
        taints: pool.taints ?? [],
        zone: pool.zones?.[number % pool.zones.length] ?? pool.zone,
        kubernetesVersion: pool.kubernetesVersion,
      });
    }
  }
  return plans;
}
