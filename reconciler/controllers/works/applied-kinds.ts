// Keeps the record of kinds that were ever put into a cluster, and watches those of them that nothing else does: after a
// restart no Work stands for a kind whose last copy is gone, and a backup of the member may bring copies back.
import type { Cluster } from "../../../api/cluster.ts";
import type { Work } from "../../../api/work.ts";
import type { Fleet } from "../../../fleets/fleet.ts";
import type { Member } from "../../../fleets/member.ts";
import { mayDo } from "../../../fleets/member-rights.ts";
import { isConflict, isNotFound } from "../../../kube/client/status-error.ts";
import { findCondition, setCondition } from "../../../kube/conditions.ts";
import { equalJson } from "../../../kube/object.ts";
import { type StepResult, WorkQueue } from "../../../runtime/work-queue.ts";
import {
  APPLIED_KINDS_CONDITION,
  appliedKindsCondition,
  kindsBeside,
  readAppliedKinds,
} from "../../works/applied-kinds.ts";
import type { UsedKind } from "../../works/kinds-in-use.ts";
import { clusterOf } from "../../works/targets.ts";
import { WORK_API_VERSION } from "../../works/work.ts";
import { CLUSTER_API, drives, findReady, refOfCluster } from "../clusters/cluster-object.ts";
import { type KindsOfWorks, rightsFollowUse } from "../clusters/member-rights.ts";
import type { Controller, ControllerContext } from "../context.ts";
import { manifestsOf } from "./work-status.ts";

/** Kinds come together, and one write is enough for them. */
const RECORD_AFTER_MS = 5_000;
/** What has Works is watched by then, and nobody waits for the rest. */
const WATCH_AFTER_MS = 10_000;
/** How soon a member is asked again for a kind that it does not serve, or does not let us watch. */
const ASK_AGAIN_MS = 600_000;

interface Deps {
  readonly context: ControllerContext;
  readonly fleet: Fleet;
  /** What the rights of accounts in members follow; undefined in an agent, whose rights its own cluster decides. */
  readonly use?: KindsOfWorks;
}

export function startAppliedKinds({ context, fleet, use }: Deps): Controller {
  const { clock, logger, client } = context;
  const works = context.informers.of<Work>(WORK_API_VERSION, "Work");
  const clusters = context.informers.of<Cluster>(CLUSTER_API, "Cluster");
  /** Kinds that Works brought, by cluster. */
  const seen = new Map<string, Map<string, UsedKind>>();
  /** Clusters that cannot be looked at for some kind yet. */
  const incomplete = new Set<string>();
  const queue = new WorkQueue({ name: "applied-kinds", clock, logger, workers: 4, minBackoffMs: 1_000 }, step);

  works.subscribe((change) => {
    if (change.type === "deleted") return;
    const isSame =
      change.type === "updated" && change.object.metadata.generation === change.previous.metadata.generation;
    const cluster = isSame ? undefined : clusterOf(change.object);
    if (cluster === undefined) return;
    const kinds = seen.get(cluster) ?? new Map<string, UsedKind>();
    seen.set(cluster, kinds);
    for (const { apiVersion, kind } of manifestsOf(change.object)) {
      const key = `${apiVersion}/${kind}`;
      if (kinds.has(key)) continue;
      kinds.set(key, { apiVersion, kind });
      queue.addAfter(cluster, RECORD_AFTER_MS);
    }
  });
  fleet.onConnect((member) => queue.addAfter(member.name, WATCH_AFTER_MS));
  clusters.subscribe((change) => {
    const { name = "" } = change.object.metadata;
    if (change.type === "deleted") {
      seen.delete(name);
      incomplete.delete(name);
    }
    if (change.type !== "updated") return;
    const isBack = findReady(change.previous)?.status !== "True" && findReady(change.object)?.status === "True";
    const { previous, object } = change;
    const servesOthers =
      incomplete.has(name) && !equalJson(previous.status?.apiEnablements, object.status?.apiEnablements);
    if (isBack || servesOthers) queue.addAfter(name, WATCH_AFTER_MS);
  });

  async function step(name: string): Promise<StepResult | undefined> {
    const cluster = clusters.get(undefined, name);
    if (cluster === undefined || cluster.metadata.deletionTimestamp !== undefined) return undefined;
    if (!drives(context.agentOf, cluster)) return undefined;
    const recorded = readAppliedKinds(findCondition(cluster.status?.conditions, APPLIED_KINDS_CONDITION));
    const news = kindsBeside(seen.get(name)?.values() ?? [], recorded);
    const kinds = [...recorded, ...news];
    const conflict = news.length === 0 ? undefined : await record(cluster, kinds);
    if (conflict !== undefined) return conflict;
    const member = findReady(cluster)?.status === "True" ? fleet.get(name)?.member : undefined;
    return member === undefined ? undefined : await watch(cluster, member, kinds);
  }

  async function record(cluster: Cluster, kinds: readonly UsedKind[]): Promise<StepResult | undefined> {
    const { name = "", resourceVersion } = cluster.metadata;
    const conditions = setCondition(cluster.status?.conditions, appliedKindsCondition(kinds, clock.now()));
    // More than can be told of are watched while this process lives.
    if (equalJson(conditions, cluster.status?.conditions)) return undefined;
    try {
      const patch = { metadata: { resourceVersion }, status: { conditions } };
      clusters.adopt(await client.patch<Cluster>(refOfCluster(name), patch, "merge", { subresource: "status" }));
    } catch (error) {
      if (isConflict(error)) return { requeueAfterMs: 20 };
      if (!isNotFound(error)) throw error;
    }
    return undefined;
  }

  /** One after the other, so that a member is not asked for everything at once. */
  async function watch(cluster: Cluster, member: Member, kinds: readonly UsedKind[]): Promise<StepResult | undefined> {
    let isComplete = true;
    for (const { apiVersion, kind } of kinds) {
      if (member.isWatching(apiVersion, kind)) continue;
      const isPossible = await mayWatch(cluster, member, { apiVersion, kind });
      // Its connection may be another one by now, which comes here by itself.
      if (fleet.get(member.name)?.member !== member) return undefined;
      if (isPossible) await member.informer(apiVersion, kind).tried();
      else isComplete = false;
    }
    if (isComplete) incomplete.delete(member.name);
    else incomplete.add(member.name);
    return isComplete ? undefined : { requeueAfterMs: ASK_AGAIN_MS };
  }

  /** Whether the member serves the kind, and refuses us nothing that a watch takes: a refusal would be told of as a fault. */
  async function mayWatch(cluster: Cluster, member: Member, { apiVersion, kind }: UsedKind): Promise<boolean> {
    const info = await member.client.mapper.find(apiVersion, kind);
    if (info === undefined) return false;
    if (use !== undefined && rightsFollowUse(cluster))
      return use.index.of(cluster).kinds.some((used) => used.apiVersion === apiVersion && used.kind === kind);
    const { group, plural: resource } = info;
    for (const verb of ["list", "watch"]) if (!(await mayDo(member.client, { verb, group, resource }))) return false;
    return true;
  }

  return { stop: () => queue.stop() };
}
