// Works to member clusters, and their state back: one queue a cluster, so that a dead one delays nobody.
import type { Cluster } from "../../../api/cluster.ts";
import type { ManifestStatus, Work, WorkStatus } from "../../../api/work.ts";
import { type ApplyResult, applyManifest } from "../../../fleets/apply.ts";
import type { Fleet } from "../../../fleets/fleet.ts";
import type { Member } from "../../../fleets/member.ts";
import { setCondition } from "../../../kube/conditions.ts";
import {
  type Condition,
  describeRef,
  equalJson,
  gvkOf,
  type KubeObject,
  type ObjectRef,
  refOf,
} from "../../../kube/object.ts";
import { rfc3339 } from "../../../runtime/clock.ts";
import { AppError, messageOf } from "../../../runtime/errors.ts";
import { type StepResult, WorkQueue } from "../../../runtime/work-queue.ts";
import { clusterOfExecutionNamespace } from "../../works/naming.ts";
import { manifestStatus } from "../../works/status.ts";
import { findReady } from "../clusters/clusters.ts";
import type { Controller, ControllerContext } from "../context.ts";
import { subjectOf } from "../events.ts";
import type { Asking, Interpretation, InterpretationChange } from "../interpretation/interpretation.ts";
import type { DriftJournal } from "./drift-journal.ts";
import { finishWork } from "./finish-work.ts";
import { WorkEvents } from "./work-events.ts";

const WORK_API = "work.karmada.io/v1alpha1";
const CLUSTER_API = "cluster.karmada.io/v1alpha1";
const WORKERS_PER_CLUSTER = 8;
const REFUSED_RETRY_MS = 60_000;
/** Annotation of a template that says how drift of its copies is treated: correct (also when absent), report or pause. */
export const DRIFT_ANNOTATION = "gitops.flaghoist.io/drift";

interface Deps {
  readonly context: ControllerContext;
  readonly fleet: Fleet;
  readonly interpretation: Interpretation;
  readonly journal: DriftJournal;
}

/**
 * Starts one queue for each cluster that has Works. The key is the Work's name; a step applies the Work and writes its
 * status, whatever woke it: a changed Work, or a changed object in the member.
 */
export function startExecutionController(deps: Deps): Controller {
  const { context, fleet } = deps;
  const works = context.informers.of<Work>(WORK_API, "Work");
  const clusters = context.informers.of<Cluster>(CLUSTER_API, "Cluster");
  const queues = new Map<string, WorkQueue>();

  function queueOf(cluster: string): WorkQueue {
    let queue = queues.get(cluster);
    if (queue === undefined) {
      const logger = context.logger.with({ cluster });
      queue = new WorkQueue(
        { name: "execution", clock: context.clock, logger, workers: WORKERS_PER_CLUSTER, maxBackoffMs: 30_000 },
        (key, signal) => reconcileWork(deps, cluster, works.get(`karmada-es-${cluster}`, key), { signal, queue }),
      );
      queues.set(cluster, queue);
    }
    return queue;
  }

  works.subscribe((change) => {
    const cluster = clusterOfWork(change.object);
    if (cluster === undefined) return;
    const statusOnly =
      change.type === "updated" &&
      change.object.metadata.generation === change.previous.metadata.generation &&
      change.object.metadata.deletionTimestamp === change.previous.metadata.deletionTimestamp;
    if (!statusOnly) queueOf(cluster).add(change.object.metadata.name ?? "");
  });
  function addAll(cluster: string): void {
    for (const work of works.all()) if (clusterOfWork(work) === cluster) queueOf(cluster).add(work.metadata.name ?? "");
  }

  deps.interpretation.subscribe((change) => {
    for (const work of works.all()) {
      const cluster = clusterOfWork(work);
      if (cluster !== undefined && manifestsOf(work).some((manifest) => isConcerned(manifest, change)))
        queueOf(cluster).add(work.metadata.name ?? "");
    }
  });

  fleet.onConnect((member) => {
    member.subscribe(({ object }) => {
      const name = object.metadata.annotations?.["work.karmada.io/name"];
      if (name !== undefined) queueOf(member.name).add(name);
    });
    // After a restart its Works were looked at before there was a connection.
    addAll(member.name);
  });
  clusters.subscribe((change) => {
    const name = change.object.metadata.name ?? "";
    const nowReady = findReady(change.object)?.status === "True";
    const wasReady = change.type === "updated" && findReady(change.previous)?.status === "True";
    if (nowReady && !wasReady) addAll(name);
  });

  return {
    stop: async () => {
      await Promise.all([...queues.values()].map((queue) => queue.stop()));
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
  deps: Deps,
  clusterName: string,
  work: Work | undefined,
  asking: Asking,
): Promise<StepResult | undefined> {
  if (work === undefined) return undefined;
  const { signal } = asking;
  const { context, fleet } = deps;
  const cluster = context.informers.of<Cluster>(CLUSTER_API, "Cluster").get(undefined, clusterName);
  const ready = cluster !== undefined && findReady(cluster)?.status === "True";
  const member = fleet.get(clusterName)?.member;

  if (work.metadata.deletionTimestamp !== undefined) {
    await finishWork(context, work, cluster, ready ? member : undefined, signal);
    return undefined;
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

  const tell = new WorkEvents(context.events, clusterName, work);
  const failures: string[] = [];
  const results: ApplyResult[] = [];
  let failure: unknown;
  const manifests = manifestsOf(work);
  for (const manifest of manifests) {
    try {
      const result = await applyOne(deps, work, member, manifest, asking);
      results.push(result);
      if (result.outcome !== "unchanged") tell.applied(manifest);
    } catch (error) {
      if (signal.aborted) throw error;
      failure = error;
      failures.push(messageOf(error));
      tell.failedToApply(manifest, messageOf(error));
    }
  }
  const outcome = { applied: results.length, total: manifests.length, failures };
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
  return undefined;
}

/**
 * A refusal that repeats itself is asked again now and then all the same: what the member lacks (a definition, a quota, a
 * webhook's consent) comes without a word to us.
 */
function applyFailed(failure: unknown, failures: readonly string[]): unknown {
  if (!(failure instanceof AppError) || failure.recovery !== "stall") return failure;
  return new AppError(failure.code, failures.join("; "), {
    recovery: "wait",
    afterMs: REFUSED_RETRY_MS,
    cause: failure,
  });
}

async function applyOne(
  deps: Deps,
  work: Work,
  member: Member,
  manifest: KubeObject,
  asking: Asking,
): Promise<ApplyResult> {
  const { interpretation, journal, context } = deps;
  const mode = driftMode(manifest);
  const retains = interpretation.hookEnabled(gvkOf(manifest), "Retain");
  const before = member.cached(refOf(manifest));
  const wasThere = member.applied(refOf(manifest)) !== undefined;
  const result = await applyManifest(member, manifest, {
    retain: (desired, live) =>
      retains ? interpretation.decide((interpreter) => interpreter.retain(desired, live), asking) : desired,
    retainVersion: interpretation.version,
    drift: mode === "correct" ? "correct" : "report",
    signal: asking.signal,
  });
  const deletedByOthers = result.outcome === "created" && wasThere && before === undefined;
  if ((result.drift.length > 0 || deletedByOthers) && mode !== "pause") {
    const fields = deletedByOthers
      ? [{ path: "(whole object)", wanted: "present", found: undefined, manager: undefined, time: undefined }]
      : result.drift;
    journal.record({
      cluster: member.name,
      object: refOf(manifest),
      fields,
      foundAt: context.clock.now(),
      corrected: mode === "correct",
    });
    context.logger.info("drift found", {
      cluster: member.name,
      object: describeRef(refOf(manifest)),
      fields: fields.length,
      corrected: mode === "correct",
    });
  }
  if (result.drift.length === 0) journal.settle(member.name, refOf(manifest));
  if (result.outcome === "created" || result.outcome === "configured") {
    context.logger.debug("applied object", {
      cluster: member.name,
      object: describeRef(refOf(manifest)),
      outcome: result.outcome,
      binding: work.metadata.name,
    });
  }
  return result;
}

/** What is done about changes by others; anything but the known words is `correct`. */
function driftMode(manifest: KubeObject): "correct" | "report" | "pause" {
  const mode = manifest.metadata.annotations?.[DRIFT_ANNOTATION];
  return mode === "report" || mode === "pause" ? mode : "correct";
}

function manifestsOf(work: Work): KubeObject[] {
  // A Work holds whole objects; the schema keeps them as they are.
  return (work.spec.workload?.manifests ?? []) as unknown as KubeObject[];
}

async function writeDispatching(context: ControllerContext, work: Work, dispatching: boolean): Promise<void> {
  const condition = dispatchingCondition(context, dispatching);
  const known = work.status?.conditions?.find((other) => other.type === "Dispatching");
  if (known?.status === condition.status) return;
  const conditions = setCondition(work.status?.conditions ?? [], condition);
  await patchStatus(context, work, { ...work.status, conditions });
  context.events.record(subjectOf(work), "Normal", "WorkDispatching", condition.message);
}

function dispatchingCondition(context: ControllerContext, dispatching: boolean): Condition {
  return {
    type: "Dispatching",
    status: dispatching ? "True" : "False",
    reason: dispatching ? "Dispatching" : "SuspendDispatching",
    message: dispatching ? "Work is being dispatched to member clusters." : "Work dispatching is in a suspended state.",
    lastTransitionTime: rfc3339(context.clock.now()),
  };
}

/** Answers why a copy's state could not be read when that may be another time; the rest is written all the same. */
async function writeStatus(
  deps: Deps,
  work: Work,
  member: Member,
  outcome: { readonly applied: number; readonly total: number; readonly failures: readonly string[] } | undefined,
  asking: Asking,
): Promise<AppError | undefined> {
  const { context } = deps;
  const read: CopyStatus[] = [];
  for (const [ordinal, manifest] of manifestsOf(work).entries())
    read.push(await statusOfManifest(deps, { work, member, manifest, ordinal }, asking));
  const current = currentWork(context, work);
  let conditions = current.status?.conditions ?? [];
  if (outcome !== undefined) {
    const ok = outcome.failures.length === 0;
    conditions = setCondition(conditions, dispatchingCondition(context, true));
    conditions = setCondition(conditions, {
      type: "Applied",
      status: ok ? "True" : "False",
      reason: ok ? "AppliedSuccessful" : "AppliedFailed",
      message: ok
        ? "Manifest has been successfully applied"
        : `Failed to apply all manifests (${outcome.applied}/${outcome.total}): ${outcome.failures.join("; ")}`,
      lastTransitionTime: rfc3339(context.clock.now()),
    });
  }
  const manifestStatuses = read
    .map(({ status }, ordinal) => status ?? current.status?.manifestStatuses?.[ordinal])
    .filter((status) => status !== undefined);
  await patchStatus(context, current, { conditions, ...(manifestStatuses.length === 0 ? {} : { manifestStatuses }) });
  return read.map(({ problem }) => problem).find(mayPass);
}

async function patchStatus(context: ControllerContext, work: Work, status: WorkStatus): Promise<void> {
  if (equalJson(currentWork(context, work).status ?? {}, status)) return;
  const works = context.informers.of<Work>(WORK_API, "Work");
  works.adopt(await context.client.patch<Work>(refOfWork(work), { status }, "merge", { subresource: "status" }));
}

/** The Work as last seen: what one step wrote, the next write of the same step starts from. */
function currentWork(context: ControllerContext, work: Work): Work {
  const works = context.informers.of<Work>(WORK_API, "Work");
  return works.get(work.metadata.namespace, work.metadata.name ?? "") ?? work;
}

function refOfWork(work: Work): ObjectRef {
  return { apiVersion: WORK_API, kind: "Work", namespace: work.metadata.namespace, name: work.metadata.name ?? "" };
}

interface CopyStatus {
  /** Undefined while the copy was not seen, and when its status could not be read. */
  readonly status?: ManifestStatus;
  /** What could not be read. */
  readonly problem?: unknown;
}

/** What the member says of one object. */
async function statusOfManifest(
  deps: Deps,
  copy: { readonly work: Work; readonly member: Member; readonly manifest: KubeObject; readonly ordinal: number },
  asking: Asking,
): Promise<CopyStatus> {
  const { work, member, manifest, ordinal } = copy;
  const live = member.cached(refOf(manifest)) ?? member.applied(refOf(manifest))?.answer;
  if (live === undefined) return {};
  const tell = new WorkEvents(deps.context.events, member.name, work);
  const resource = member.client.mapper.known(manifest.apiVersion, manifest.kind)?.plural ?? "";
  try {
    const { status, problem } = await deps.interpretation.decide((interpreter) => {
      let unknown: unknown;
      const read = manifestStatus(live, resource, interpreter, (error) => {
        unknown = error;
      });
      return { status: read, problem: unknown };
    }, asking);
    if (problem !== undefined) tell.failedToJudge(live, messageOf(problem));
    return { status: { ...status, identifier: { ...status.identifier, ordinal } }, problem };
  } catch (error) {
    if (asking.signal.aborted) throw error;
    tell.failedToReflect(live, messageOf(error));
    return { problem: error };
  }
}

/** Whether trying again may help, although neither the copy nor its manifest changes. */
function mayPass(error: unknown): error is AppError {
  return error instanceof AppError && error.recovery !== "stall";
}
