// Finds copies in members that no Work stands behind, tells of them, and removes them when a person asks for it. Looked at is
// what changes: a copy that appears, and a Work that goes.
import type { Cluster } from "../../../api/cluster.ts";
import type { Work } from "../../../api/work.ts";
import type { Fleet } from "../../../fleets/fleet.ts";
import { FIELD_MANAGER, type Member } from "../../../fleets/member.ts";
import { isConflict, isNotFound } from "../../../kube/client/status-error.ts";
import { findCondition, setCondition } from "../../../kube/conditions.ts";
import { describeRef, type KubeObject, refKey, refOf } from "../../../kube/object.ts";
import { type StepResult, WorkQueue } from "../../../runtime/work-queue.ts";
import {
  LEFT_OVER_CONDITION,
  type LeftOver,
  leftOverCondition,
  leftOverOf,
  mayBeRemoved,
  REMOVE_LEFT_OVER_ANNOTATION,
  workNameOfCopy,
} from "../../works/left-over.ts";
import { executionNamespace } from "../../works/naming.ts";
import { clusterOf } from "../../works/targets.ts";
import { WORK_API_VERSION } from "../../works/work.ts";
import { CLUSTER_API, drives, findReady, refOfCluster } from "../clusters/cluster-object.ts";
import type { Controller, ControllerContext } from "../context.ts";
import { subjectOf } from "../events.ts";
import { manifestsOf } from "./work-status.ts";

/** A Work that goes takes its copy along, and one that is made anew comes back: this is more than either takes. */
const SETTLE_MS = 30_000;

export function startLeftOverController(context: ControllerContext, fleet: Fleet): Controller {
  const { clock, logger, events, client } = context;
  const works = context.informers.of<Work>(WORK_API_VERSION, "Work");
  const clusters = context.informers.of<Cluster>(CLUSTER_API, "Cluster");
  /** By cluster, and by name of the Work that is not there. */
  const found = new Map<string, Map<string, Map<string, LeftOver>>>();
  const queue = new WorkQueue({ name: "left-over", clock, logger, workers: 2, minBackoffMs: 1_000 }, step);

  fleet.onConnect((member) => {
    // All there is will be told of again.
    found.delete(member.name);
    if (isTold(member.name)) queue.addAfter(member.name, 2 * SETTLE_MS);
    member.subscribe(({ deleted, object }) => look(member.name, object, deleted));
  });
  works.subscribe((change) => {
    const cluster = clusterOf(change.object);
    if (cluster === undefined) return;
    if (change.type !== "deleted") {
      if (change.type === "added") forget(cluster, change.object.metadata.name ?? "");
      return;
    }
    const member = fleet.get(cluster)?.member;
    for (const manifest of member === undefined ? [] : manifestsOf(change.object)) {
      const copy = member?.cached(refOf(manifest));
      if (copy !== undefined) look(cluster, copy, false);
    }
  });
  clusters.subscribe((change) => {
    const { name = "" } = change.object.metadata;
    if (change.type === "deleted") found.delete(name);
    else if (change.type === "updated" && wordOn(change.previous) !== wordOn(change.object)) queue.add(name);
  });

  function look(cluster: string, copy: KubeObject, isGone: boolean): void {
    const workName = workNameOfCopy(copy, cluster, FIELD_MANAGER);
    const key = refKey(refOf(copy));
    if (isGone || workName === undefined || hasWork(cluster, workName)) {
      drop(cluster, copy.metadata.annotations?.["work.karmada.io/name"] ?? "", key);
      return;
    }
    const ofCluster = found.get(cluster) ?? new Map<string, Map<string, LeftOver>>();
    const ofWork = ofCluster.get(workName) ?? new Map<string, LeftOver>();
    if (ofWork.get(key)?.uid === copy.metadata.uid) return;
    ofWork.set(key, leftOverOf(copy, workName, clock.now(), wordOn(clusters.get(undefined, cluster))));
    found.set(cluster, ofCluster.set(workName, ofWork));
    queue.addAfter(cluster, SETTLE_MS);
  }

  function hasWork(cluster: string, name: string): boolean {
    return works.get(executionNamespace(cluster), name) !== undefined;
  }

  function drop(cluster: string, workName: string, key: string): void {
    const ofWork = found.get(cluster)?.get(workName);
    if (ofWork?.delete(key) !== true) return;
    if (ofWork.size === 0) forget(cluster, workName);
    else if (isTold(cluster)) queue.add(cluster);
  }

  function forget(cluster: string, workName: string): void {
    const ofCluster = found.get(cluster);
    if (ofCluster?.delete(workName) !== true) return;
    if (ofCluster.size === 0) found.delete(cluster);
    if (isTold(cluster)) queue.add(cluster);
  }

  function isTold(cluster: string): boolean {
    return findCondition(clusters.get(undefined, cluster)?.status?.conditions, LEFT_OVER_CONDITION)?.status === "True";
  }

  async function step(name: string, signal: AbortSignal): Promise<StepResult | undefined> {
    const cluster = clusters.get(undefined, name);
    if (cluster === undefined || cluster.metadata.deletionTimestamp !== undefined) return undefined;
    if (!drives(context.agentOf, cluster)) return undefined;
    const all = [...(found.get(name)?.values() ?? [])].flatMap((ofWork) => [...ofWork.values()]);
    const settledAt = clock.now() - SETTLE_MS;
    const settled = all.filter(({ sinceMs }) => sinceMs <= settledAt);
    const next = Math.min(...all.filter(({ sinceMs }) => sinceMs > settledAt).map(({ sinceMs }) => sinceMs));
    const member = findReady(cluster)?.status === "True" ? fleet.get(name)?.member : undefined;
    const removable = settled.filter((one) => mayBeRemoved(one, wordOn(cluster), clock.now()));
    if (member !== undefined) for (const one of removable) await remove(member, cluster, one, signal);
    const left = member === undefined ? settled : settled.filter((one) => !removable.includes(one));
    const later = Number.isFinite(next) ? { requeueAfterMs: next - settledAt } : undefined;
    // After a restart what was told of is found again, one by one, where the cluster answers.
    if (left.length === 0 && isTold(name) && (member === undefined || later !== undefined))
      return later ?? { requeueAfterMs: SETTLE_MS };
    return (await tell(clusters.get(undefined, name) ?? cluster, left)) ?? later;
  }

  async function remove(member: Member, cluster: Cluster, one: LeftOver, signal: AbortSignal): Promise<void> {
    const live = await member.client.find(one.ref, signal);
    const isSame = live !== undefined && live.metadata.uid === one.uid;
    const workName = isSame ? workNameOfCopy(live, member.name, FIELD_MANAGER) : undefined;
    if (workName !== undefined && !hasWork(member.name, workName)) {
      await member.client.delete(one.ref, { uid: one.uid, signal });
      const message = `removed ${describeRef(one.ref)}, which was left over`;
      events.record(subjectOf(cluster), "Normal", "LeftOverRemoved", message);
      logger.info("removed left over object", { cluster: member.name, object: describeRef(one.ref) });
    }
    drop(member.name, one.workName, refKey(one.ref));
  }

  /** Writes what is so, when that is news. */
  async function tell(cluster: Cluster, left: readonly LeftOver[]): Promise<StepResult | undefined> {
    const { name = "", resourceVersion } = cluster.metadata;
    const before = findCondition(cluster.status?.conditions, LEFT_OVER_CONDITION);
    const condition = leftOverCondition(name, left, clock.now());
    if (before === undefined && condition.status === "False") return undefined;
    if (before?.status === condition.status && before.message === condition.message) return undefined;
    const conditions = setCondition(cluster.status?.conditions, condition);
    try {
      const patch = { metadata: { resourceVersion }, status: { conditions } };
      clusters.adopt(await client.patch<Cluster>(refOfCluster(name), patch, "merge", { subresource: "status" }));
    } catch (error) {
      if (isNotFound(error)) return undefined;
      if (isConflict(error)) return { requeueAfterMs: 20 };
      throw error;
    }
    if (condition.status === "True") {
      events.record(subjectOf(cluster), "Warning", "LeftOverObjects", condition.message);
      if (before?.status !== "True")
        logger.warn("found objects without a Work", { cluster: name, objects: left.length });
    }
    return undefined;
  }

  return { stop: () => queue.stop() };
}

function wordOn(cluster: Cluster | undefined): string | undefined {
  return cluster?.metadata.annotations?.[REMOVE_LEFT_OVER_ANNOTATION];
}
