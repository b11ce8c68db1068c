// Gives up clusters that do not answer, unless too many of them vanish together; and says so.
import type { Cluster } from "../../../api/cluster.ts";
import { probe } from "../../../fleets/cluster-status.ts";
import type { Fleet } from "../../../fleets/fleet.ts";
import { isConflict, isNotFound } from "../../../kube/client/status-error.ts";
import { findCondition, setCondition } from "../../../kube/conditions.ts";
import { type Condition, equalJson } from "../../../kube/object.ts";
import { rfc3339 } from "../../../runtime/clock.ts";
import { mapLimit } from "../../../runtime/parallel.ts";
import { type StepResult, WorkQueue } from "../../../runtime/work-queue.ts";
import {
  type BlastRadius,
  type ClusterStanding,
  decideBlastRadius,
  evictingTaintFor,
  FAILOVER_ANNOTATION,
  FAILOVER_HELD_CONDITION,
  type Hold,
  readOverride,
  standingOf,
} from "../../failover/blast-radius.ts";
import { changeTaints } from "../../failover/condition-taints.ts";
import type { SafeFailover } from "../../failover/failover-modes.ts";
import type { Controller, ControllerContext } from "../context.ts";
import { subjectOf } from "../events.ts";
import { CLUSTER_API, refOfCluster } from "./cluster-object.ts";
import { writeTaints } from "./condition-taints.ts";

/** Whoever is asked whether we still reach anybody: of large fleets so many. */
const MOST_ASKED = 64;
const ASKED_AT_ONCE = 16;
/** Clusters that went together are published one after the other. */
const GATHER_MS = 20;
/** There is one thing to decide: about the whole fleet. */
const FLEET_KEY = "fleet";

/** What other loops ask of the guard. */
export interface FailoverGuard extends Controller {
  /** Why nothing may be moved away from the cluster; undefined when it may. */
  holdOf(cluster: string): Hold | undefined;
  /** Hears of clusters that were held and are not any more. */
  onRelease(listener: (cluster: string) => void): void;
}

export function startBlastRadiusController(
  context: ControllerContext,
  fleet: Fleet,
  { guard: settings }: SafeFailover,
): FailoverGuard {
  const { client, clock, logger, events, profile } = context;
  const clusters = context.informers.of<Cluster>(CLUSTER_API, "Cluster");
  const standings = new Map<string, ClusterStanding>();
  const listeners: ((cluster: string) => void)[] = [];
  /** Clusters that a person called dead, and that came back: what was said is no longer true. */
  const returned = new Set<string>();
  let present: BlastRadius | undefined;
  let held: ReadonlyMap<string, Hold> = new Map();
  const queue = new WorkQueue({ name: "blast-radius", clock, logger, workers: 1, minBackoffMs: 200 }, step);
  clusters.subscribe((change) => {
    const { object } = change;
    const name = object.metadata.name ?? "";
    const before = standings.get(name);
    const after = change.type === "deleted" ? undefined : standingOf(object);
    if (after === undefined) standings.delete(name);
    else standings.set(name, after);
    if (change.type !== "deleted") warnOfWords(change.type === "updated" ? change.previous : undefined, object);
    if (before?.state === "lost" && after?.state === "ready" && after.override === "evict") returned.add(name);
    if (equalJson(before ?? null, after ?? null)) return;
    present = undefined;
    queue.addAfter(FLEET_KEY, GATHER_MS);
  });
  context.failoverMetrics.watchGuard(() => {
    const lost = [...standings.values()].filter((one) => one.state === "lost").length;
    return { lost, held: decide().held.size };
  });

  /** As of now, for those who ask in between. */
  function decide(doubtful?: ReadonlySet<string>): BlastRadius {
    if (doubtful !== undefined) return decideBlastRadius([...standings.values()], clock.now(), settings, doubtful);
    present ??= decideBlastRadius([...standings.values()], clock.now(), settings);
    return present;
  }

  async function step(_key: string, signal: AbortSignal): Promise<StepResult | undefined> {
    present = undefined;
    let decision = decide();
    if (decision.due.some((name) => standings.get(name)?.evictingSince === undefined)) {
      // Before anything is given up: is anybody else gone whom we did not miss yet?
      const doubtful = await askOthers(signal);
      if (doubtful.size > 0) {
        decision = decide(doubtful);
        queue.addAfter(FLEET_KEY, profile.clusterStatusIntervalMs);
      }
    }
    const released = [...held.keys()].filter((name) => !decision.held.has(name));
    held = decision.held;
    let again = false;
    const due = new Set(decision.due);
    for (const { name, state } of [...standings.values()]) {
      const cluster = clusters.get(undefined, name);
      if (cluster === undefined) continue;
      try {
        if (due.has(name) && standings.get(name)?.evictingSince === undefined) await giveUp(cluster);
        await writeHeld(name, state, decision.held.get(name));
        if (returned.has(name)) await forgetDeath(name);
      } catch (error) {
        if (isNotFound(error)) continue;
        if (!isConflict(error)) throw error;
        again = true;
      }
    }
    for (const name of released) for (const listener of listeners) listener(name);
    if (again) return { requeueAfterMs: GATHER_MS };
    return decision.nextMs === undefined ? undefined : { requeueAfterMs: Math.max(1, decision.nextMs - clock.now()) };
  }

  async function giveUp(cluster: Cluster): Promise<void> {
    const change = { add: [evictingTaintFor(cluster)], remove: [] };
    const taints = changeTaints(cluster.spec.taints, change, clock.now());
    if (taints !== undefined) await writeTaints(context, cluster, taints);
  }

  /** The next time that it does not answer is another matter. */
  async function forgetDeath(name: string): Promise<void> {
    const cluster = clusters.get(undefined, name);
    if (cluster?.metadata.annotations?.[FAILOVER_ANNOTATION] === "evict") {
      const { resourceVersion } = cluster.metadata;
      const patch = { metadata: { resourceVersion, annotations: { [FAILOVER_ANNOTATION]: null } } };
      clusters.adopt(await client.patch<Cluster>(refOfCluster(name), patch, "merge", { fieldManager: "flaghoist" }));
      const message = `The cluster is back: took annotation ${FAILOVER_ANNOTATION}=evict away.`;
      events.record(subjectOf(cluster), "Normal", "FailoverAnnotationRemoved", message);
    }
    returned.delete(name);
  }

  /** Asks clusters that are called ready. Answers with those that do not answer. */
  async function askOthers(signal: AbortSignal): Promise<ReadonlySet<string>> {
    const ready = [...standings.values()].filter((one) => one.state === "ready").map((one) => one.name);
    const every = Math.max(1, Math.ceil(ready.length / MOST_ASKED));
    const silent = new Set<string>();
    await mapLimit(
      ready.filter((_, index) => index % every === 0),
      ASKED_AT_ONCE,
      async (name) => {
        // Whoever tells of itself is not connected, and missed by its Lease.
        const member = fleet.get(name)?.member;
        if (member === undefined) return;
        const timeout = new AbortController();
        const timer = clock.after(profile.clusterProbeTimeoutMs, () => timeout.abort(new Error("no answer in time")));
        try {
          if ((await probe(member, AbortSignal.any([signal, timeout.signal]))) !== "healthy") silent.add(name);
        } catch {
          if (!signal.aborted) silent.add(name);
        } finally {
          timer.cancel();
        }
      },
    );
    return silent;
  }

  /** The condition stands while a cluster is lost, so that whoever looks at it finds why its workloads stay or go. */
  async function writeHeld(name: string, state: ClusterStanding["state"], hold: Hold | undefined): Promise<void> {
    const cluster = clusters.get(undefined, name);
    if (cluster === undefined) return;
    const before = cluster.status?.conditions ?? [];
    const known = findCondition(before, FAILOVER_HELD_CONDITION);
    if (hold === undefined && known?.status !== "True") return;
    const condition: Condition = {
      type: FAILOVER_HELD_CONDITION,
      lastTransitionTime: rfc3339(clock.now()),
      ...(hold === undefined ? RELEASED[state] : { status: "True", ...hold }),
    };
    const conditions = setCondition(before, condition);
    if (equalJson(conditions, before)) return;
    const { resourceVersion } = cluster.metadata;
    const patch = { metadata: { resourceVersion }, status: { conditions } };
    clusters.adopt(await client.patch<Cluster>(refOfCluster(name), patch, "merge", { subresource: "status" }));
    if (known?.status === condition.status && known.reason === condition.reason) return;
    const isHeld = condition.status === "True";
    events.record(
      subjectOf(cluster),
      isHeld ? "Warning" : "Normal",
      isHeld ? "FailoverHeld" : "FailoverReleased",
      condition.message ?? "",
    );
    logger[isHeld ? "warn" : "info"](isHeld ? "held failover" : "released failover", {
      cluster: name,
      code: condition.reason,
    });
  }

  function warnOfWords(before: Cluster | undefined, after: Cluster): void {
    const text = after.metadata.annotations?.[FAILOVER_ANNOTATION];
    if (text === undefined || readOverride(text) !== undefined) return;
    if (before?.metadata.annotations?.[FAILOVER_ANNOTATION] === text) return;
    const message = `annotation ${FAILOVER_ANNOTATION} takes evict or hold, not "${text.slice(0, 60)}"; it has no effect`;
    events.record(subjectOf(after), "Warning", "InvalidFailoverAnnotation", message);
  }

  return {
    holdOf: (cluster) => (standings.has(cluster) ? (held.get(cluster) ?? decide().held.get(cluster)) : undefined),
    onRelease: (listener) => void listeners.push(listener),
    stop: () => queue.stop(),
  };
}

const RELEASED: Readonly<Record<ClusterStanding["state"], Pick<Condition, "status" | "reason" | "message">>> = {
  ready: { status: "False", reason: "ClusterReady", message: "The cluster is back; nothing was moved away from it." },
  lost: { status: "False", reason: "GivenUp", message: "What does not tolerate its taints is moved elsewhere." },
};
