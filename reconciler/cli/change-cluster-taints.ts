// Writes the taints of a Cluster for commands.
import type { Cluster, Taint } from "../../api/cluster.ts";
import type { KubeClient } from "../../kube/client/kube-client.ts";
import { isConflict } from "../../kube/client/status-error.ts";
import { type ObjectRef, refOf } from "../../kube/object.ts";
import { AppError } from "../../runtime/errors.ts";

const CLUSTER_API = "cluster.karmada.io/v1alpha1";
const ATTEMPTS = 5;

/** The cluster of that name. Throws `cluster-unknown` with the names there are. */
export async function findCluster(client: KubeClient, name: string): Promise<Cluster> {
  const ref: ObjectRef = { apiVersion: CLUSTER_API, kind: "Cluster", name };
  const cluster = await client.find<Cluster>(ref);
  if (cluster !== undefined) return cluster;
  const names = (await client.list(CLUSTER_API, "Cluster")).items.map((other) => other.metadata.name);
  throw new AppError(
    "cluster-unknown",
    `there is no cluster ${name}${names.length === 0 ? "" : `; there are ${names.slice(0, 10).join(", ")}`}`,
    { recovery: "stall" },
  );
}

/**
 * Writes what `decide` makes of the taints; nothing when it answers undefined, or on a dry run. Taints that others write
 * meanwhile are never lost: the decision is made anew.
 */
export async function changeClusterTaints(
  client: KubeClient,
  name: string,
  decide: (cluster: Cluster) => readonly Taint[] | undefined,
  { dryRun }: { readonly dryRun: boolean },
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const cluster = await findCluster(client, name);
    const taints = decide(cluster);
    if (taints === undefined || dryRun) return;
    const { resourceVersion } = cluster.metadata;
    try {
      await client.patch(refOf(cluster), { metadata: { resourceVersion }, spec: { taints } }, "merge", {
        fieldManager: "flaghoist-cli",
      });
      return;
    } catch (error) {
      if (!isConflict(error) || attempt === ATTEMPTS) throw error;
    }
  }
}
