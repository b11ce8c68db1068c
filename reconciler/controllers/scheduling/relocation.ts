// Moves workloads whose placement says so when clusters change: away from those that no longer match or are not ready, and
// back to the better ones once they are well. What serves goes only when its successor serves.
import type { Cluster } from "../../../api/cluster.ts";
import { isConflict, isNotFound } from "../../../kube/client/status-error.ts";
import { equalJson } from "../../../kube/object.ts";
import { messageOf } from "../../../runtime/errors.ts";
import { type StepResult, WorkQueue } from "../../../runtime/work-queue.ts";
import { isReplaced } from "../../failover/eviction-tasks.ts";
import { holdsBack, releaseRelocated, relocate } from "../../failover/relocate.ts";
import { clusterMatches } from "../../policies/cluster-affinity.ts";
import { BindingIndex } from "../../scheduler/binding-index.ts";
import { readReadiness } from "../../scheduler/fleet/cluster-wellness.ts";
import type { FleetTrigger } from "../../scheduler/fleet-triggers.ts";
import { copiesThatGo, decideRelocation } from "../../scheduler/relocation/decide-relocation.ts";
import { rememberHome, stabilizationOf } from "../../scheduler/relocation/home-clusters.ts";
import type { Move, Relocation } from "../../scheduler/relocation/relocation.ts";
import { type AnyBinding, BINDING_API_VERSION } from "../../works/binding.ts";
import { watchAwaiting } from "../clusters/awaiting-bindings.ts";
import { isUpToStrength } from "../clusters/failover.ts";
import type { Controller, ControllerContext } from "../context.ts";
import { subjectOf } from "../events.ts";
import type { WorkIndex } from "../works/work-index.ts";
import { bindingKey, findBinding } from "./binding-key.ts";
import { type BindingWriter, templateSubject } from "./binding-writer.ts";
import type { FleetState } from "./fleet-state.ts";
import { FleetWalk } from "./fleet-walk.ts";

/** Clusters report their room every few seconds: those that wait for some look at the reports together. */
const ROOM_GATHER_MS = 1_000;

/** `works` says what copies report at this moment; absent: what bindings say of them is believed. */
export function startRelocationController(
  context: ControllerContext,
  fleet: FleetState,
  writer: BindingWriter,
  { works }: { readonly works?: WorkIndex } = {},
): Controller {
  const { client, clock, logger, events, profile } = context;
  const clusters = context.informers.of<Cluster>("cluster.karmada.io/v1alpha1", "Cluster");
  const queue = new WorkQueue({ name: "relocation", clock, logger, workers: 4, minBackoffMs: 500 }, step);
  /** Bindings whose placement follows clusters. */
  const following = new BindingIndex();
  const walk = new FleetWalk(following, (key) => queue.add(key), [RELOCATION_TRIGGER]);
  /** Those that would move if there were room. */
  const postponed = new Set<string>();
  const untainted = new Map<string, number>();

  for (const kind of ["ResourceBinding", "ClusterResourceBinding"]) {
    context.informers.of<AnyBinding>(BINDING_API_VERSION, kind).subscribe((change) => {
      const binding = change.object;
      const key = bindingKey(binding);
      const follows = change.type !== "deleted" && followsClusters(binding);
      if (follows) following.set(key, binding);
      else following.delete(key);
      if (change.type === "deleted") postponed.delete(key);
      else if (holdsBack(binding)) queue.add(key);
      else if (follows && isNews(change.type === "updated" ? change.previous : undefined, binding)) queue.add(key);
    });
  }
  watchAwaiting(context, fleet, holdsBack, (key) => queue.add(key));
  fleet.subscribe((change) => {
    const { before, after } = change;
    if (before !== undefined && after !== undefined && keepsAway(before) && !keepsAway(after))
      untainted.set(after.metadata.name ?? "", clock.now());
    if (after === undefined) untainted.delete(before?.metadata.name ?? "");
    if (!equalJson(before?.status?.resourceSummary, after?.status?.resourceSummary))
      for (const key of postponed) queue.addAfter(key, ROOM_GATHER_MS);
    if (following.size > 0) walk.notice(change);
  });

  async function step(key: string): Promise<StepResult | undefined> {
    postponed.delete(key);
    const binding = findBinding(context, key);
    if (binding === undefined || binding.metadata.deletionTimestamp !== undefined) return undefined;
    try {
      if (await release(binding)) return undefined;
      if (following.find(key) === undefined) return undefined;
      const relocation = await writer.relocate(
        binding,
        (index, now, options) =>
          decideRelocation(binding, index, now, {
            ...options,
            healthDampingMs: profile.clusterHealthDampingMs,
            untaintedSince: (name) => untainted.get(name),
          }),
        (move) => relocate(binding, move, homeToRemember(binding, move)),
      );
      tell(binding, relocation);
      if (relocation.verdict === "stay") postponed.add(key);
      if (relocation.nextMs === undefined) return undefined;
      return { requeueAfterMs: Math.max(1, relocation.nextMs - clock.now()) };
    } catch (error) {
      if (isNotFound(error)) return undefined;
      if (isConflict(error)) return { requeueAfterMs: 20 };
      logger.debug("relocation failed", { binding: key, error: messageOf(error) });
      throw error;
    }
  }

  /** Lets old copies go whose successors serve. Answers whether anything was written. */
  async function release(binding: AnyBinding): Promise<boolean> {
    const reported = works?.withPresentReports(binding) ?? binding;
    const released = releaseRelocated(binding, isReplaced(reported) && isUpToStrength(reported) && allAnswer(binding));
    if (released === undefined) return false;
    const stored = await client.update(released as AnyBinding, { fieldManager: "flaghoist-relocation" });
    context.informers.of<AnyBinding>(BINDING_API_VERSION, binding.kind).adopt(stored);
    logger.info("let go of moved replicas", { binding: bindingKey(binding) });
    return true;
  }

  /** With safe failover, what a cluster said before it was lost lets nothing go. */
  function allAnswer({ spec }: AnyBinding): boolean {
    if (profile.safeFailover === undefined) return true;
    return (spec.clusters ?? []).every(({ name }) => {
      const target = clusters.get(undefined, name);
      return target !== undefined && readReadiness(target)?.ready === true;
    });
  }

  function homeToRemember(binding: AnyBinding, { occasion }: Move): Readonly<Record<string, string>> | undefined {
    return occasion.kind === "target-not-ready" ? rememberHome(binding, clock.now()) : undefined;
  }

  function tell(binding: AnyBinding, relocation: Relocation): void {
    if (relocation.verdict === "none") return;
    const [type, reason] =
      relocation.verdict === "move"
        ? (["Normal", "RelocateWorkloadSucceed"] as const)
        : (["Warning", "RelocateWorkloadPostponed"] as const);
    for (const subject of [subjectOf(binding), templateSubject(binding)])
      events.record(subject, type, reason, relocation.reason);
    if (relocation.verdict === "move")
      logger.info("moved workload", { binding: bindingKey(binding), reason: relocation.reason });
  }

  return {
    stop: async () => {
      await walk.stop();
      await queue.stop();
    },
  };
}

function followsClusters(binding: AnyBinding): boolean {
  return (binding.spec.placement?.flaghoist?.rescheduleOn?.length ?? 0) > 0 || stabilizationOf(binding) !== undefined;
}

function isNews(before: AnyBinding | undefined, after: AnyBinding): boolean {
  return (
    before === undefined ||
    before.metadata.generation !== after.metadata.generation ||
    before.status?.schedulerObservingAffinityName !== after.status?.schedulerObservingAffinityName ||
    copiesThatGo(before).size > copiesThatGo(after).size
  );
}

/** Any affinity counts, not only the one in use: a workload may return to an earlier group. */
const RELOCATION_TRIGGER: FleetTrigger = {
  /** Reports of room are not looked at here. */
  matters({ before, after }) {
    if (before === undefined || after === undefined) return true;
    return (
      (before.metadata.deletionTimestamp === undefined) !== (after.metadata.deletionTimestamp === undefined) ||
      before.metadata.generation !== after.metadata.generation ||
      !equalJson(before.metadata.labels ?? {}, after.metadata.labels ?? {}) ||
      !equalJson(before.status?.apiEnablements ?? [], after.status?.apiEnablements ?? []) ||
      !equalJson(readReadiness(before) ?? null, readReadiness(after) ?? null)
    );
  },
  // Targets match an affinity, or did.
  concerns({ placement: { clusterAffinity, clusterAffinities } }, { before, after }) {
    const affinities =
      clusterAffinity != null
        ? [clusterAffinity]
        : (clusterAffinities ?? []).flatMap((term) => [term, ...(term.overflowAffinities ?? [])]);
    if (affinities.length === 0) return true;
    return [before, after].some(
      (cluster) => cluster !== undefined && affinities.some((affinity) => clusterMatches(cluster, affinity)),
    );
  },
};

function keepsAway(cluster: Cluster): boolean {
  return (cluster.spec.taints ?? []).some((taint) => taint.effect === "NoSchedule" || taint.effect === "NoExecute");
}
