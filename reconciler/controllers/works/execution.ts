// Works to member clusters, and their state back: one queue a cluster, so that a dead one delays nobody.
import type { Cluster } from "../../../api/cluster.ts";
import type { Work } from "../../../api/work.ts";
import type { ApplyResult } from "../../../fleets/apply.ts";
import type { Fleet } from "../../../fleets/fleet.ts";
import { gvkOf, type KubeObject, refOf } from "../../../kube/object.ts";
import { AppError, messageOf } from "../../../runtime/errors.ts";
import type { StepResult } from "../../../runtime/work-queue.ts";
import { clusterOfExecutionNamespace } from "../../works/naming.ts";
import { drives, findReady } from "../clusters/cluster-object.ts";
import type { Controller, ControllerContext } from "../context.ts";
import type { Asking, Interpretation, InterpretationChange } from "../interpretation/interpretation.ts";
import { applyFailed, applyOne } from "./apply-work.ts";
import type { DeletionGuard } from "./deletion-guard.ts";
import { DriftChecks } from "./drift-checks.ts";
import type { DriftJournal } from "./drift-journal.ts";
import { keepStanding } from "./drift-status.ts";
import { finishWork } from "./finish-work.ts";
import { MemberQueues } from "./member-queues.ts";
import { withoutWhatStays } from "./returned-copy.ts";
import { SettledWorks } from "./settled-works.ts";
import { WorkEvents } from "./work-events.ts";
import { WorkScalers } from "./work-scalers.ts";
import { currentWork, manifestsOf, writeDispatching, writeStatus } from "./work-status.ts";

const WORK_API = "work.karmada.io/v1alpha1";
const CLUSTER_API = "cluster.karmada.io/v1alpha1";

interface Deps {
  readonly context: ControllerContext;
  readonly fleet: Fleet;
  readonly interpretation: Interpretation;
  readonly journal: DriftJournal;
  /** Holds mass deletions; undefined where nobody does. */
  readonly guard: DeletionGuard | undefined;
}

interface Started extends Deps {
  /** Autoscalers on their way to the members. */
  readonly scalers: WorkScalers;
  readonly checks: DriftChecks;
  readonly queues: MemberQueues;
  readonly settled: SettledWorks;
}

/**
 * Starts one queue for each cluster that has Works. The key is the Work's name; a step applies the Work and writes its
 * status, whatever woke it: a changed Work, or a changed object in the member.
 */
export function startExecutionController(given: Deps): Controller {
  const { context, fleet } = given;
  const works = context.informers.of<Work>(WORK_API, "Work");
  const clusters = context.informers.of<Cluster>(CLUSTER_API, "Cluster");
  const checks: DriftChecks = new DriftChecks({
    context,
    fleet,
    worksOf: (cluster) => queues.worksOf(cluster),
    look: (cluster, work) => queues.add(cluster, work),
  });
  const queues: MemberQueues = new MemberQueues({
    clock: context.clock,
    logger: context.logger,
    workOf: (cluster, name) => works.get(`karmada-es-${cluster}`, name),
    step: (cluster, work, asking) => reconcileWork(deps, cluster, work, asking),
  });
  const settled = new SettledWorks();
  const deps: Started = { ...given, scalers: new WorkScalers(context), checks, queues, settled };

  // In line even before all are known: each has a step of its own.
  void works.subscribeInTurns((change) => {
    const cluster = clusterOfWork(change.object);
    if (cluster === undefined) return;
    const { name = "" } = change.object.metadata;
    if (change.type === "deleted") {
      queues.drop(cluster, name);
      settled.forget(change.object);
      return;
    }
    const statusOnly =
      change.type === "updated" &&
      change.object.metadata.generation === change.previous.metadata.generation &&
      change.object.metadata.deletionTimestamp === change.previous.metadata.deletionTimestamp;
    queues.put(cluster, name, !statusOnly);
  });

  deps.interpretation.subscribe((change) => {
    queues.reopen();
    for (const work of works.all()) {
      const cluster = clusterOfWork(work);
      if (cluster !== undefined && manifestsOf(work).some((manifest) => isConcerned(manifest, change)))
        queues.add(cluster, work.metadata.name ?? "");
    }
  });

  deps.guard?.onRelease((cluster, work) => queues.add(cluster, work));
  // After a restart its Works were looked at before there was a connection.
  fleet.onConnect((member) => queues.follow(member));
  clusters.subscribe((change) => {
    const name = change.object.metadata.name ?? "";
    const nowReady = findReady(change.object)?.status === "True";
    const wasReady = change.type === "updated" && findReady(change.previous)?.status === "True";
    if (nowReady && !wasReady) queues.resume(name);
  });

  return {
    stop: async () => {
      await checks.stop();
      await queues.stop();
    },
  };
}

/** What a copy's interpretation is asked for here. */
const OPERATIONS = ["Retain", "InterpretStatus", "InterpretHealth"] as const;

function isConcerned(manifest: KubeObject, change: InterpretationChange): boolean {
  return OPERATIONS.some((operation) => change.concerns(gvkOf(manifest), operation));
}

function clusterOfWork(work: Work): string | undefined {
  try {
    return clusterOfExecutionNamespace(work.metadata.namespace ?? "");
  } catch {
    return undefined;
  }
}

async function reconcileWork(
  deps: Started,
  clusterName: string,
  work: Work,
  asking: Asking,
): Promise<StepResult | undefined> {
  const { signal } = asking;
  const { context, fleet } = deps;
  const cluster = context.informers.of<Cluster>(CLUSTER_API, "Cluster").get(undefined, clusterName);
  if (cluster !== undefined && !drives(context.agentOf, cluster)) return undefined;
  const ready = cluster !== undefined && findReady(cluster)?.status === "True";
  const member = fleet.get(clusterName)?.member;

  if (work.metadata.deletionTimestamp !== undefined) {
    const finished = withoutWhatStays(context, work, cluster);
    return await finishWork(context, finished, cluster, ready ? member : undefined, { guard: deps.guard, signal });
  }
  if (work.spec.suspendDispatching === true) {
    await writeDispatching(context, work, false);
    if (member === undefined || !ready) return undefined;
    await writeStatus(deps, work, member, undefined, asking);
    return undefined;
  }
  // Every Work of the cluster is looked at again when it becomes ready.
  if (!ready || member === undefined)
    throw new AppError("cluster-not-ready", `cluster ${clusterName} is not ready`, {
      recovery: "wait",
      afterMs: 15_000,
    });

  const { name = "" } = work.metadata;
  const verify = deps.checks.take(clusterName, name);
  const rulesVersion = deps.interpretation.version;
  if (!verify && deps.settled.has(work, member, rulesVersion)) {
    deps.queues.close(clusterName, name);
    return undefined;
  }
  const settle = deps.settled.begin(work, member, rulesVersion);
  const tell = new WorkEvents(context.events, clusterName, work);
  const failures: string[] = [];
  const results: ApplyResult[] = [];
  let failure: unknown;
  const manifests = manifestsOf(work);
  for (const manifest of manifests) {
    try {
      const result = await applyOne(deps, { work, member, manifest, verify }, asking);
      results.push(result);
      if (result.outcome !== "unchanged") tell.applied(manifest);
    } catch (error) {
      if (signal.aborted) throw error;
      failure = error;
      failures.push(messageOf(error));
      tell.failedToApply(manifest, messageOf(error));
    }
  }
  const standing = manifests.flatMap((manifest) => deps.journal.standing(clusterName, refOf(manifest)));
  await keepStanding(context, work, standing);
  await deps.queues.turn();
  const outcome = { applied: results.length, total: manifests.length, failures, standing };
  const unread = await writeStatus(deps, work, member, outcome, asking);
  if (failures.length > 0) {
    tell.failedToSync(failures.join("; "));
    throw applyFailed(failure, failures);
  }
  if (results.some((result) => result.outcome !== "unchanged")) {
    tell.synced();
  }
  // Who was to tell of the copy did not answer: nothing but time would bring us back.
  if (unread !== undefined) throw unread;
  const isQuiet = results.every(({ outcome: what, drift }) => what === "unchanged" && drift.length === 0);
  if (isQuiet && standing.length === 0) {
    const present = currentWork(context, work);
    settle(present);
    // Not when something changed while this step was at work.
    if (deps.settled.has(present, member, deps.interpretation.version)) deps.queues.close(clusterName, name);
  }
  return undefined;
}
