// Holds mass deletions in a member until a person confirms them: what is deleted there, how much of it, and the word on it.
import type { Cluster } from "../../../api/cluster.ts";
import { CONFIRM_DELETIONS_ANNOTATION } from "../../../api/gitops.ts";
import type { Work } from "../../../api/work.ts";
import { isConflict, isNotFound } from "../../../kube/client/status-error.ts";
import { findCondition, isConditionTrue, setCondition } from "../../../kube/conditions.ts";
import { type Condition, describeRef, refOf } from "../../../kube/object.ts";
import { rfc3339 } from "../../../runtime/clock.ts";
import { formatDuration } from "../../../runtime/duration.ts";
import { type StepResult, WorkQueue } from "../../../runtime/work-queue.ts";
import { holdTime, isHoldConfirmed } from "../../works/hold-confirmation.ts";
import {
  type DeletionLimits,
  decideDeletions,
  RECENT_DELETIONS_CONDITION,
  recentDeletions,
  recentDeletionsCondition,
} from "../../works/mass-deletion.ts";
import { clusterOf } from "../../works/targets.ts";
import { WORK_API_VERSION } from "../../works/work.ts";
import { CLUSTER_API, drives, refOfCluster } from "../clusters/cluster-object.ts";
import type { Controller, ControllerContext } from "../context.ts";
import { subjectOf } from "../events.ts";
import { manifestsOf } from "./work-status.ts";

/** On a Work whose deletion is no loss, or is wanted: says by whom. */
export const DELETION_CONFIRMED_ANNOTATION = "gitops.flaghoist.io/deletion-confirmed";
/** On a Cluster in which deletions wait for a person. */
export const DELETIONS_HELD_CONDITION = "DeletionsHeld";

/** How often a held Work is looked at again: whether it is wanted after all. */
const HELD_AGAIN_MS = 3_000;
const TELL_AFTER_MS = 200;
const NAMED = 3;

export type DeletionAnswer =
  | { readonly kind: "go" }
  | { readonly kind: "later"; readonly afterMs: number }
  | { readonly kind: "held"; readonly afterMs: number };

interface Fate {
  readonly present: Set<string>;
  /** By name of the Work: when its deletion was first seen. */
  readonly waiting: Map<string, number>;
  /** Those that were let go, of which it is not known yet whether they are deleted. */
  readonly sent: Set<string>;
  /** When others were deleted, oldest first. */
  done: number[];
  /** Since when deletions are held; undefined while they are not. */
  heldSinceMs: number | undefined;
}

export interface DeletionGuard extends Controller {
  /** Whether the object of a Work that is being deleted may be deleted in its cluster now. */
  ask(cluster: string, work: Work): DeletionAnswer;
  /** Is to be told when it was: it counts for a while. */
  deleted(cluster: string, work: Work): void;
  /** Hears the names of Works that may go on. */
  onRelease(listener: (cluster: string, work: string) => void): void;
}

export function startDeletionGuard(context: ControllerContext, limits: DeletionLimits): DeletionGuard {
  const { clock, logger, events, client } = context;
  const works = context.informers.of<Work>(WORK_API_VERSION, "Work");
  const clusters = context.informers.of<Cluster>(CLUSTER_API, "Cluster");
  const fates = new Map<string, Fate>();
  const listeners: ((cluster: string, work: string) => void)[] = [];
  const queue = new WorkQueue({ name: "deletion-guard", clock, logger, workers: 2, minBackoffMs: 200 }, step);

  function fateOf(cluster: string): Fate {
    let fate = fates.get(cluster);
    if (fate === undefined) {
      // What was held before a restart still is.
      const conditions = clusters.get(undefined, cluster)?.status?.conditions;
      const known = findCondition(conditions, DELETIONS_HELD_CONDITION);
      const heldSinceMs = known?.status === "True" ? Date.parse(known.lastTransitionTime) : undefined;
      const done = recentDeletions(findCondition(conditions, RECENT_DELETIONS_CONDITION), limits, clock.now());
      fate = { present: new Set(), waiting: new Map(), sent: new Set(), done, heldSinceMs };
      fates.set(cluster, fate);
    }
    return fate;
  }

  works.subscribe((change) => {
    const work = change.object;
    const cluster = clusterOf(work);
    if (cluster === undefined) return;
    const fate = fateOf(cluster);
    const { name = "" } = work.metadata;
    if (change.type === "deleted") fate.present.delete(name);
    else fate.present.add(name);
    if (change.type !== "deleted" && isLoss(work)) {
      if (!fate.waiting.has(name)) fate.waiting.set(name, clock.now());
    } else if (fate.waiting.delete(name)) {
      // It was wanted again, or the answer got lost: for all that is known, it was deleted.
      if (fate.sent.delete(name)) fate.done.push(clock.now());
      for (const listener of listeners) listener(cluster, name);
    }
    if (fate.heldSinceMs !== undefined) queue.addAfter(cluster, TELL_AFTER_MS);
  });
  clusters.subscribe((change) => {
    const { name = "" } = change.object.metadata;
    if (change.type === "deleted") {
      fates.delete(name);
      return;
    }
    // What was told of is taken back when it does not count any more.
    if (change.type === "added" && isConditionTrue(change.object.status?.conditions, RECENT_DELETIONS_CONDITION))
      queue.addAfter(name, TELL_AFTER_MS);
    if (isHeld(change.object) !== (fates.get(name)?.heldSinceMs !== undefined)) queue.addAfter(name, TELL_AFTER_MS);
    const { heldSinceMs, waiting } = fates.get(name) ?? {};
    if (waiting === undefined || heldSinceMs === undefined || !isConfirmed(change.object, heldSinceMs, clock.now()))
      return;
    for (const work of waiting.keys()) for (const listener of listeners) listener(name, work);
  });

  function ask(cluster: string, work: Work): DeletionAnswer {
    const fate = fateOf(cluster);
    const { name = "" } = work.metadata;
    if (!isLoss(work)) return { kind: "go" };
    if (!fate.waiting.has(name)) fate.waiting.set(name, clock.now());
    const object = clusters.get(undefined, cluster);
    if (fate.heldSinceMs === undefined) {
      const verdict = decideDeletions(figuresOf(fate), limits, clock.now());
      if (verdict.kind === "go") {
        fate.sent.add(name);
        return verdict;
      }
      if (verdict.kind === "gather") return { kind: "later", afterMs: verdict.afterMs };
      fate.heldSinceMs = holdTime(object && wordOn(object), clock.now());
      queue.add(cluster);
    }
    if (object !== undefined && isConfirmed(object, fate.heldSinceMs, clock.now())) return { kind: "go" };
    return { kind: "held", afterMs: HELD_AGAIN_MS };
  }

  function prune(fate: Fate): void {
    const from = clock.now() - limits.windowMs;
    fate.done = fate.done.filter((at) => at > from);
  }

  function figuresOf(fate: Fate): Parameters<typeof decideDeletions>[0] {
    prune(fate);
    let firstAskedMs = Number.POSITIVE_INFINITY;
    let lastAskedMs = 0;
    for (const at of fate.waiting.values()) {
      firstAskedMs = Math.min(firstAskedMs, at);
      lastAskedMs = Math.max(lastAskedMs, at);
    }
    return {
      present: fate.present.size,
      waiting: fate.waiting.size,
      done: fate.done.length,
      firstAskedMs,
      lastAskedMs,
    };
  }

  function deleted(cluster: string, work: Work): void {
    const fate = fateOf(cluster);
    const { name = "" } = work.metadata;
    // The informer tells of it later; until then it is neither here nor there.
    fate.present.delete(name);
    fate.sent.delete(name);
    if (fate.waiting.delete(name) && fate.heldSinceMs === undefined) fate.done.push(clock.now());
    if (fate.heldSinceMs !== undefined || fate.done.length * 2 > limits.count) queue.addAfter(cluster, TELL_AFTER_MS);
  }

  /** Writes what is so, and lifts the hold once nothing waits any more. */
  async function step(name: string): Promise<StepResult | undefined> {
    const cluster = clusters.get(undefined, name);
    if (cluster === undefined || cluster.metadata.deletionTimestamp !== undefined) return undefined;
    // What an agent holds, it tells itself.
    if (!drives(context.agentOf, cluster)) return undefined;
    const fate = fateOf(name);
    if (fate.heldSinceMs !== undefined && fate.waiting.size === 0) {
      // A person who let more go knew of what went before. Where the cause was taken back, nobody has said a word on it.
      if (isConfirmed(cluster, fate.heldSinceMs, clock.now())) fate.done = [];
      fate.heldSinceMs = undefined;
    }
    prune(fate);
    const before = findCondition(cluster.status?.conditions, DELETIONS_HELD_CONDITION);
    const condition = conditionOf(name, cluster, fate);
    const recent = recentDeletionsCondition(fate.done, limits, clock.now());
    const news = [condition, recent].filter((told) => isNews(cluster, told));
    const lastMs = fate.done.at(-1) ?? 0;
    const later = recent.status === "True" ? { requeueAfterMs: lastMs + limits.windowMs - clock.now() } : undefined;
    if (news.length === 0) return later;
    const conditions = news.reduce((all, told) => setCondition(all, told), [...(cluster.status?.conditions ?? [])]);
    const { resourceVersion } = cluster.metadata;
    try {
      const patch = { metadata: { resourceVersion }, status: { conditions } };
      clusters.adopt(await client.patch<Cluster>(refOfCluster(name), patch, "merge", { subresource: "status" }));
    } catch (error) {
      if (isNotFound(error)) return undefined;
      if (isConflict(error)) return { requeueAfterMs: 20 };
      throw error;
    }
    if (!news.includes(condition) || before?.status === condition.status) return later;
    const isHolding = condition.status === "True";
    events.record(
      subjectOf(cluster),
      isHolding ? "Warning" : "Normal",
      isHolding ? "DeletionsHeld" : "DeletionsReleased",
      condition.message,
    );
    if (isHolding) logger.warn("held deletions", { cluster: name, objects: fate.waiting.size });
    return later;
  }

  function conditionOf(name: string, cluster: Cluster, { waiting, present, heldSinceMs }: Fate): Condition {
    const lastTransitionTime = rfc3339(heldSinceMs ?? clock.now());
    const type = DELETIONS_HELD_CONDITION;
    if (heldSinceMs === undefined)
      return {
        type,
        status: "False",
        reason: "NothingHeld",
        message: "no deletion waits for a person",
        lastTransitionTime,
      };
    if (isConfirmed(cluster, heldSinceMs, clock.now()))
      return {
        type,
        status: "True",
        reason: "Confirmed",
        message: `deletions are confirmed and go on: ${waiting.size} to go`,
        lastTransitionTime,
      };
    const named = [...waiting.keys()].slice(0, NAMED).map((work) => describeWork(name, work));
    const more = waiting.size > named.length ? ` and ${waiting.size - named.length} more` : "";
    return {
      type,
      status: "True",
      reason: "MassDeletion",
      message:
        `held: ${waiting.size} of ${present.size} objects in cluster ${name} are to be deleted, more than ${limits.sharePercent} % and ` +
        `${limits.count} objects within ${formatDuration(limits.windowMs)}: ${named.join(", ")}${more}. They run on until this is ` +
        "confirmed, and for good once what caused it is taken back. " +
        `To delete them: kubectl annotate cluster ${name} --overwrite ${CONFIRM_DELETIONS_ANNOTATION}=${lastTransitionTime}`,
      lastTransitionTime,
    };
  }

  function describeWork(cluster: string, name: string): string {
    const work = works.get(`karmada-es-${cluster}`, name);
    const [manifest] = work === undefined ? [] : manifestsOf(work);
    return manifest === undefined ? name : describeRef(refOf(manifest));
  }

  return {
    ask,
    deleted,
    onRelease: (listener) => void listeners.push(listener),
    stop: () => queue.stop(),
  };
}

/** Whether the deletion of a Work takes something away in its cluster that nobody has spoken for. */
function isLoss(work: Work): boolean {
  return (
    work.metadata.deletionTimestamp !== undefined &&
    work.spec.preserveResourcesOnDeletion !== true &&
    work.metadata.annotations?.[DELETION_CONFIRMED_ANNOTATION] === undefined
  );
}

/** Whether a cluster does not say so yet. That all is well is news only after something was not. */
function isNews(cluster: Cluster, condition: Condition): boolean {
  const before = findCondition(cluster.status?.conditions, condition.type);
  if (before === undefined) return condition.status !== "False";
  return before.status !== condition.status || before.message !== condition.message;
}

function isHeld(cluster: Cluster): boolean {
  return findCondition(cluster.status?.conditions, DELETIONS_HELD_CONDITION)?.status === "True";
}

/** A word on an earlier hold was about another one. */
function isConfirmed(cluster: Cluster, heldSinceMs: number, nowMs: number): boolean {
  return isHoldConfirmed(wordOn(cluster), heldSinceMs, nowMs);
}

function wordOn(cluster: Cluster): string | undefined {
  return cluster.metadata.annotations?.[CONFIRM_DELETIONS_ANNOTATION];
}
