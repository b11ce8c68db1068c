// The end of a cluster in the fleet.
import type { Cluster } from "../../../api/cluster.ts";
import type { Work } from "../../../api/work.ts";
import type { Fleet } from "../../../fleets/fleet.ts";
import { isConflict, isNotFound } from "../../../kube/client/status-error.ts";
import { type KubeObject, refOf } from "../../../kube/object.ts";
import type { StepResult } from "../../../runtime/work-queue.ts";
import { WORK_FINALIZER } from "../../works/metadata-keys.ts";
import { executionNamespace } from "../../works/naming.ts";
import type { ControllerContext } from "../context.ts";
import { subjectOf } from "../events.ts";
import { findReady, isPull, refOfCluster } from "./cluster-object.ts";

/** Keeps a Cluster until it is taken out of the fleet. */
export const CLUSTER_FINALIZER = "karmada.io/cluster-controller";

/**
 * Takes a deleted cluster out: its Works go first (and with them what they put into the member, if it still answers),
 * then the execution namespace; the Cluster object is let go when no binding targets it any more.
 */
export async function removeCluster(
  context: ControllerContext,
  fleet: Fleet,
  cluster: Cluster,
): Promise<StepResult | undefined> {
  const name = cluster.metadata.name ?? "";
  if (!(cluster.metadata.finalizers ?? []).includes(CLUSTER_FINALIZER)) return undefined;
  const namespace = executionNamespace(name);
  const works = [...context.informers.of<Work>("work.karmada.io/v1alpha1", "Work").all()].filter(
    (work) => work.metadata.namespace === namespace,
  );
  // As Karmada: an agent that does not answer takes nothing out of its cluster, and nobody else can.
  const isAbandoned = isPull(cluster) && findReady(cluster)?.status !== "True";
  for (const work of works) {
    if (isAbandoned) await letWorkGo(context, work);
    if (work.metadata.deletionTimestamp === undefined) await context.client.delete(refOf(work));
  }
  if (works.length > 0) return { requeueAfterMs: 500 };
  await context.client.delete({ apiVersion: "v1", kind: "Namespace", name: namespace });
  const stillTargeted = ["ResourceBinding", "ClusterResourceBinding"].some((kind) => {
    const bindings = context.informers.of("work.karmada.io/v1alpha2", kind);
    return [...bindings.all()].some((binding) => targets(binding, name));
  });
  if (stillTargeted) return { requeueAfterMs: 500 };
  await fleet.disconnect(name);
  try {
    const finalizers = (cluster.metadata.finalizers ?? []).filter((finalizer) => finalizer !== CLUSTER_FINALIZER);
    await context.client.patch(
      refOfCluster(name),
      { metadata: { resourceVersion: cluster.metadata.resourceVersion, finalizers } },
      "merge",
    );
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  context.events.record(
    subjectOf(cluster),
    "Normal",
    "RemoveExecutionSpaceSucceed",
    `Removed execution space(${namespace}).`,
  );
  return undefined;
}

function targets(binding: KubeObject, clusterName: string): boolean {
  const spec = binding["spec"] as { clusters?: readonly { name: string }[] } | undefined;
  return spec?.clusters?.some((cluster) => cluster.name === clusterName) === true;
}

/** Takes our finalizer off a Work: what it put into its member stays there. */
async function letWorkGo(context: ControllerContext, work: Work): Promise<void> {
  const { finalizers = [], resourceVersion } = work.metadata;
  if (!finalizers.includes(WORK_FINALIZER)) return;
  const patch = { metadata: { resourceVersion, finalizers: finalizers.filter((each) => each !== WORK_FINALIZER) } };
  try {
    await context.client.patch(refOf(work), patch, "merge");
  } catch (error) {
    // Somebody else writes; the next look sees what is left.
    if (!isNotFound(error) && !isConflict(error)) throw error;
  }
}
