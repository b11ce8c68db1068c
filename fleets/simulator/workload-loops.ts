// The controllers of a simulated cluster at level `full`: small state machines that make ReplicaSets and Pods, roll
// them over, place them on nodes, and let them become ready after a while.
import { Informer } from "../../kube/client/informer.ts";
import type { KubeClient } from "../../kube/client/kube-client.ts";
import { isAlreadyExists, isConflict, isNotFound } from "../../kube/client/status-error.ts";
import { equalJson, isObject, type KubeObject, refOf } from "../../kube/object.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/logger.ts";
import { type StepResult, WorkQueue } from "../../runtime/work-queue.ts";
import { podRequests } from "../cluster-status.ts";
import type { NodeRoom } from "./nodes.ts";
import { templateHash } from "./template-hash.ts";
import {
  isUnplaced,
  podFor,
  REVISION_LABEL,
  replicaSetFor,
  runningStatus,
  templateOf,
  unplacedStatus,
} from "./workload-objects.ts";
import {
  daemonSetStatus,
  deploymentStatus,
  isJobAtRest,
  jobStatus,
  type PodCounts,
  replicaSetStatus,
  statefulSetStatus,
  wantedReplicas,
} from "./workload-status.ts";

export interface WorkloadOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly room: NodeRoom;
  readonly nodeNames: readonly string[];
  /** From being placed on a node to being ready. */
  readonly readyAfterMs: number;
}

export interface Loops {
  stop(): Promise<void>;
}

/** Says which template a pod of a StatefulSet or DaemonSet was made of. */

const MANAGER = { fieldManager: "kube-controller-manager" } as const;

/** Starts all loops of one cluster. */
export function startWorkloadLoops(options: WorkloadOptions): Loops {
  const loops = new WorkloadLoops(options);
  return { stop: () => loops.stop() };
}

class WorkloadLoops {
  readonly #o: WorkloadOptions;
  readonly #informers = new Map<string, Informer>();
  readonly #queues: WorkQueue[] = [];
  readonly #owned = new Map<string, Map<string, KubeObject>>();
  readonly #placedAt = new Map<string, number>();

  constructor(options: WorkloadOptions) {
    this.#o = options;
    const replicaSets = this.#watch("apps/v1", "ReplicaSet", (o) => this.#replicaSet(o));
    const deployments = this.#watch("apps/v1", "Deployment", (o) => this.#deployment(o));
    const statefulSets = this.#watch("apps/v1", "StatefulSet", (o) => this.#statefulSet(o));
    const daemonSets = this.#watch("apps/v1", "DaemonSet", (o) => this.#daemonSet(o));
    this.#watch("batch/v1", "Job", (o) => this.#job(o));
    this.#watch(
      "v1",
      "Pod",
      (o) => this.#pod(o),
      (gone) => {
        this.#o.room.release(gone.metadata.uid ?? "");
        this.#placedAt.delete(gone.metadata.uid ?? "");
      },
    );
    this.#wakeOwners("apps/v1", "ReplicaSet", new Map([["Deployment", deployments]]));
    this.#wakeOwners(
      "v1",
      "Pod",
      new Map([
        ["ReplicaSet", replicaSets],
        ["StatefulSet", statefulSets],
        ["DaemonSet", daemonSets],
      ]),
    );
  }

  async stop(): Promise<void> {
    await Promise.all(this.#queues.map((queue) => queue.stop()));
    await Promise.all([...this.#informers.values()].map((informer) => informer.stop()));
  }

  #watch(
    apiVersion: string,
    kind: string,
    step: (object: KubeObject) => Promise<StepResult | undefined>,
    onGone: (object: KubeObject) => void = () => {},
  ): WorkQueue {
    const { client, clock, logger } = this.#o;
    const informer = new Informer({ client, apiVersion, kind, clock, logger });
    const queue = new WorkQueue(
      { name: `simulated-${kind}`, clock, logger, workers: 4, minBackoffMs: 20, maxBackoffMs: 1_000 },
      async (key) => {
        const [namespace, name] = key.split("/");
        const object = informer.get(namespace, name ?? "");
        if (object === undefined) return undefined;
        try {
          return await step(object);
        } catch (error) {
          // The object went or moved on: the next event brings the key back.
          if (isNotFound(error) || isConflict(error) || isAlreadyExists(error)) return { requeueAfterMs: 20 };
          throw error;
        }
      },
    );
    informer.subscribe((change) => {
      const { namespace, name } = change.object.metadata;
      if (change.type === "deleted") onGone(change.object);
      queue.add(`${namespace ?? ""}/${name ?? ""}`);
    });
    this.#informers.set(kind, informer);
    this.#queues.push(queue);
    informer.start();
    return queue;
  }

  /** Indexes objects by their owner and wakes the owner when one changes. */
  #wakeOwners(_apiVersion: string, kind: string, queues: ReadonlyMap<string, WorkQueue>): void {
    this.#informers.get(kind)?.subscribe((change) => {
      const owner = change.object.metadata.ownerReferences?.find((reference) => reference.controller === true);
      if (owner === undefined) return;
      const siblings = this.#owned.get(owner.uid) ?? new Map<string, KubeObject>();
      this.#owned.set(owner.uid, siblings);
      const name = change.object.metadata.name ?? "";
      if (change.type === "deleted") siblings.delete(name);
      else siblings.set(name, change.object);
      if (siblings.size === 0) this.#owned.delete(owner.uid);
      queues.get(owner.kind)?.add(`${change.object.metadata.namespace ?? ""}/${owner.name}`);
    });
  }

  #ownedBy(object: KubeObject): KubeObject[] {
    return [...(this.#owned.get(object.metadata.uid ?? "")?.values() ?? [])].filter(
      (child) => child.metadata.deletionTimestamp === undefined,
    );
  }

  async #writeStatus(object: KubeObject, status: Record<string, unknown>): Promise<void> {
    if (equalJson(object["status"], status)) return;
    const { name, namespace, resourceVersion } = object.metadata;
    const metadata = {
      name: name ?? "",
      ...(namespace === undefined ? {} : { namespace }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    };
    const written = await this.#o.client.update(
      { ...object, metadata: { ...object.metadata, ...metadata }, status },
      { ...MANAGER, subresource: "status" },
    );
    this.#informers.get(object.kind)?.adopt(written);
  }

  async #deployment(deployment: KubeObject): Promise<StepResult | undefined> {
    if (deployment.metadata.deletionTimestamp !== undefined) return undefined;
    const wanted = wantedReplicas(deployment);
    const template = templateOf(deployment);
    const hash = templateHash(template);
    const name = `${deployment.metadata.name}-${hash}`;
    const sets = this.#ownedBy(deployment);
    const current = sets.find((set) => set.metadata.name === name);
    const older = sets.filter((set) => set.metadata.name !== name);
    const { surge, unavailable } = rollingLimits(deployment, wanted);
    if (current === undefined) {
      const start = older.length === 0 ? wanted : Math.min(wanted, Math.max(0, wanted + surge - sumReplicas(older)));
      await this.#create(replicaSetFor(deployment, name, hash, template, start));
      return undefined;
    }
    const total = sumReplicas(sets);
    const now = wantedReplicas(current);
    const grow = older.every((set) => wantedReplicas(set) === 0)
      ? wanted
      : Math.min(wanted, now + Math.max(0, wanted + surge - total));
    if (grow !== now) await this.#scale(current, grow);
    let spare = sets.reduce((total, set) => total + lastingPods(set), 0) - (wanted - unavailable);
    for (const set of older) {
      const size = wantedReplicas(set);
      // Pods that are not available serve nobody: they go first.
      const idle = size - lastingPods(set);
      const cut = Math.min(size, idle + Math.max(0, spare));
      spare -= Math.max(0, cut - idle);
      if (cut > 0) await this.#scale(set, size - cut);
    }
    const counts: PodCounts = {
      total: sum(sets, "replicas"),
      updated: statusNumber(current, "replicas") ?? 0,
      ready: sum(sets, "readyReplicas"),
    };
    await this.#writeStatus(deployment, deploymentStatus(deployment, counts, this.#o.clock.now()));
    return undefined;
  }

  async #scale(set: KubeObject, replicas: number): Promise<void> {
    const patch = { metadata: { resourceVersion: set.metadata.resourceVersion }, spec: { replicas } };
    this.#informers.get("ReplicaSet")?.adopt(await this.#o.client.patch(refOf(set), patch, "merge", MANAGER));
  }

  async #create(object: KubeObject): Promise<void> {
    this.#informers.get(object.kind)?.adopt(await this.#o.client.create(object, MANAGER));
  }

  async #replicaSet(set: KubeObject): Promise<StepResult | undefined> {
    if (set.metadata.deletionTimestamp !== undefined) return undefined;
    const pods = this.#ownedBy(set);
    const wanted = wantedReplicas(set);
    const missing = wanted - pods.length;
    for (let i = 0; i < missing; i++) await this.#create(podFor(set, { generateName: `${set.metadata.name}-` }));
    const surplus = [...pods].sort((a, b) => worth(a) - worth(b)).slice(0, Math.max(0, -missing));
    for (const pod of surplus) await this.#o.client.delete(refOf(pod));
    const left = this.#ownedBy(set);
    await this.#writeStatus(set, replicaSetStatus(set, countPods(left, left.length)));
    return undefined;
  }

  async #statefulSet(set: KubeObject): Promise<StepResult | undefined> {
    if (set.metadata.deletionTimestamp !== undefined) return undefined;
    const revision = templateHash(templateOf(set));
    const wanted = wantedReplicas(set);
    const pods = this.#ownedBy(set).sort((a, b) => ordinalOf(a) - ordinalOf(b));
    await this.#advanceStatefulSet(set, pods, wanted, revision);
    const left = this.#ownedBy(set);
    const updated = left.filter((pod) => revisionOf(pod) === revision).length;
    await this.#writeStatus(set, statefulSetStatus(set, countPods(left, updated)));
    return undefined;
  }

  /** One step at a time, in order: upwards when pods are missing, downwards when there are too many or they are old. */
  async #advanceStatefulSet(
    set: KubeObject,
    pods: readonly KubeObject[],
    wanted: number,
    revision: string,
  ): Promise<void> {
    for (let ordinal = 0; ordinal < wanted; ordinal++) {
      const name = `${set.metadata.name}-${ordinal}`;
      const pod = pods.find((other) => other.metadata.name === name);
      if (pod === undefined) await this.#create(podFor(set, { name, revision }));
      // The next begins when this one is ready. An old one that never gets ready is replaced below.
      if (pod === undefined || (!isReady(pod) && revisionOf(pod) === revision)) return;
    }
    const surplus = pods.findLast((pod) => ordinalOf(pod) >= wanted);
    const old = pods.findLast((pod) => revisionOf(pod) !== revision);
    const leaving = surplus ?? old;
    if (leaving !== undefined) await this.#o.client.delete(refOf(leaving));
  }

  async #daemonSet(set: KubeObject): Promise<StepResult | undefined> {
    if (set.metadata.deletionTimestamp !== undefined) return undefined;
    const revision = templateHash(templateOf(set));
    const pods = this.#ownedBy(set);
    for (const node of this.#o.nodeNames) {
      const name = `${set.metadata.name}-${node}`;
      if (!pods.some((pod) => pod.metadata.name === name))
        await this.#create(podFor(set, { name, nodeName: node, revision }));
    }
    // One node after the other.
    const old = pods.find((pod) => revisionOf(pod) !== revision);
    if (
      old !== undefined &&
      pods.length === this.#o.nodeNames.length &&
      pods.every((pod) => pod === old || isReady(pod))
    )
      await this.#o.client.delete(refOf(old));
    const left = this.#ownedBy(set);
    const updated = left.filter((pod) => revisionOf(pod) === revision).length;
    await this.#writeStatus(set, daemonSetStatus(set, countPods(left, updated), this.#o.nodeNames.length));
    return undefined;
  }

  async #job(job: KubeObject): Promise<StepResult | undefined> {
    if (job.metadata.deletionTimestamp !== undefined || isJobAtRest(job)) return undefined;
    const age = this.#o.clock.now() - Date.parse(job.metadata.creationTimestamp ?? "");
    if (age < this.#o.readyAfterMs) return { requeueAfterMs: this.#o.readyAfterMs - age };
    await this.#writeStatus(job, jobStatus(job, this.#o.clock.now()));
    return undefined;
  }

  async #pod(pod: KubeObject): Promise<StepResult | undefined> {
    const { client, clock, room, readyAfterMs } = this.#o;
    const uid = pod.metadata.uid ?? "";
    if (pod.metadata.deletionTimestamp !== undefined) {
      await client.raw("DELETE", `/api/v1/namespaces/${pod.metadata.namespace}/pods/${pod.metadata.name}`, {
        kind: "DeleteOptions",
        apiVersion: "v1",
        gracePeriodSeconds: 0,
      });
      return undefined;
    }
    const spec = isObject(pod["spec"]) ? pod["spec"] : {};
    const status = isObject(pod["status"]) ? pod["status"] : {};
    if (typeof spec["nodeName"] !== "string") {
      const node = room.place(uid, podRequests(spec));
      if (node === undefined) {
        if (!isUnplaced(pod)) await this.#writeStatus(pod, unplacedStatus(pod, clock.now()));
        // Nobody tells when room comes free: look again.
        return { requeueAfterMs: 1_000 };
      }
      this.#placedAt.set(uid, clock.now());
      const target = { apiVersion: "v1", kind: "Node", name: node };
      await client.raw("POST", `/api/v1/namespaces/${pod.metadata.namespace}/pods/${pod.metadata.name}/binding`, {
        apiVersion: "v1",
        kind: "Binding",
        metadata: { name: pod.metadata.name },
        target,
      });
      return undefined;
    }
    room.occupy(uid, spec["nodeName"], podRequests(spec));
    if (status["phase"] === "Running") return undefined;
    const since = this.#placedAt.get(uid) ?? clock.now();
    this.#placedAt.set(uid, since);
    const left = since + readyAfterMs - clock.now();
    if (left > 0) return { requeueAfterMs: left };
    await this.#writeStatus(pod, runningStatus(pod, spec, clock.now()));
    return undefined;
  }
}

function isReady(pod: KubeObject): boolean {
  const status = isObject(pod["status"]) ? pod["status"] : {};
  const conditions = Array.isArray(status["conditions"]) ? status["conditions"].filter(isObject) : [];
  return conditions.some((condition) => condition["type"] === "Ready" && condition["status"] === "True");
}

/** As the real one chooses whom to remove: first who has no node, then who is not ready. */
function worth(pod: KubeObject): number {
  const spec = isObject(pod["spec"]) ? pod["spec"] : {};
  return isReady(pod) ? 2 : typeof spec["nodeName"] === "string" ? 1 : 0;
}

function countPods(pods: readonly KubeObject[], updated: number): PodCounts {
  return { total: pods.length, updated, ready: pods.filter(isReady).length };
}

function statusNumber(object: KubeObject, field: string): number | undefined {
  const status = isObject(object["status"]) ? object["status"] : {};
  const value = status[field];
  return typeof value === "number" ? value : undefined;
}

function sum(objects: readonly KubeObject[], field: string): number {
  return objects.reduce((total, object) => total + (statusNumber(object, field) ?? 0), 0);
}

/** Available pods that will stay: a set's status still counts those that it was just told to remove. */
function lastingPods(set: KubeObject): number {
  return Math.min(statusNumber(set, "availableReplicas") ?? 0, wantedReplicas(set));
}

function sumReplicas(sets: readonly KubeObject[]): number {
  return sets.reduce((total, set) => total + wantedReplicas(set), 0);
}

function revisionOf(pod: KubeObject): string | undefined {
  return pod.metadata.labels?.[REVISION_LABEL];
}

function ordinalOf(pod: KubeObject): number {
  return Number(/-(\d+)$/.exec(pod.metadata.name ?? "")?.[1] ?? Number.NaN);
}

/** maxSurge and maxUnavailable as numbers: shares of the wanted replicas are rounded up and down, as the real one does. */
function rollingLimits(deployment: KubeObject, wanted: number): { surge: number; unavailable: number } {
  const spec = isObject(deployment["spec"]) ? deployment["spec"] : {};
  const strategy = isObject(spec["strategy"]) ? spec["strategy"] : {};
  if (strategy["type"] === "Recreate") return { surge: 0, unavailable: wanted };
  const rolling = isObject(strategy["rollingUpdate"]) ? strategy["rollingUpdate"] : {};
  const surge = share(rolling["maxSurge"] ?? "25%", wanted, Math.ceil);
  const unavailable = share(rolling["maxUnavailable"] ?? "25%", wanted, Math.floor);
  return surge === 0 && unavailable === 0 ? { surge, unavailable: 1 } : { surge, unavailable };
}

function share(value: unknown, wanted: number, round: (n: number) => number): number {
  if (typeof value === "number") return value;
  const percent = /^(\d+)%$/.exec(String(value))?.[1];
  return percent === undefined ? 0 : round((Number(percent) * wanted) / 100);
}
