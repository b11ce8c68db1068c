// Looks again at removals that were ordered while a cluster was away.
import type { Cluster } from "../../../api/cluster.ts";
import type { Work } from "../../../api/work.ts";
import { AppError } from "../../../runtime/errors.ts";
import { isReplaced } from "../../failover/eviction-tasks.ts";
import { decideReturnedCopy } from "../../failover/returned-copy.ts";
import { isReady, readReadiness } from "../../scheduler/fleet/cluster-wellness.ts";
import type { AnyBinding } from "../../works/binding.ts";
import { isUpToStrength } from "../clusters/failover.ts";
import type { ControllerContext } from "../context.ts";
import { findBinding } from "../scheduling/binding-key.ts";
import { bindingKeyOfWork } from "./works.ts";

const ASK_AGAIN_MS = 5_000;

/**
 * The Work as it is to be finished: without the objects that stay in the member. Throws `copy-not-replaced` while its copy
 * may be the one that serves. An agent, which knows no bindings, finishes what it is told.
 */
export function withoutWhatStays(context: ControllerContext, work: Work, cluster: Cluster | undefined): Work {
  const key = bindingKeyOfWork(work);
  if (context.profile.safeFailover === undefined || context.agentOf !== undefined) return work;
  if (key === undefined || cluster === undefined || cluster.metadata.deletionTimestamp !== undefined) return work;
  const readiness = readReadiness(cluster);
  if (readiness?.ready !== true) return work;
  const clusters = context.informers.of<Cluster>("cluster.karmada.io/v1alpha1", "Cluster");
  const binding = findBinding(context, key);
  const answers = (name: string): boolean => {
    const target = clusters.get(undefined, name);
    return target !== undefined && isReady(target);
  };
  const areWell = (one: AnyBinding): boolean =>
    isReplaced(one) && isUpToStrength(one) && (one.spec.clusters ?? []).every(({ name }) => answers(name));
  const decision = decideReturnedCopy({
    binding,
    cluster: cluster.metadata.name ?? "",
    removedAt: Date.parse(work.metadata.deletionTimestamp ?? ""),
    answersSince: readiness.since,
    isReplaced: binding !== undefined && areWell(binding),
    othersAreWell: binding !== undefined && areWell(without(binding, cluster.metadata.name)),
    readyReplicas: readyReplicasOf(work),
  });
  switch (decision.verdict) {
    case "remove":
      return work;
    case "wait":
      throw new AppError("copy-not-replaced", decision.reason, { recovery: "wait", afterMs: ASK_AGAIN_MS });
    case "keep":
      return { ...work, spec: { ...work.spec, workload: { manifests: [] } } };
  }
}

/** The binding as if it did not go to the cluster. */
function without(binding: AnyBinding, cluster: string | undefined): AnyBinding {
  const clusters = binding.spec.clusters?.filter(({ name }) => name !== cluster) ?? [];
  // The same kind with fewer targets.
  return { ...binding, spec: { ...binding.spec, clusters } } as AnyBinding;
}

/** What the manifests ask for may be news that the member never heard: what it reported counts. */
function readyReplicasOf({ status }: Work): number {
  const ready = (status?.manifestStatuses ?? []).map((one) => Number(one.status?.["readyReplicas"] ?? 0));
  return Math.max(0, ...ready.filter(Number.isFinite));
}
