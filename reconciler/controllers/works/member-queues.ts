// One queue for each member cluster, so that a slow or dead one delays nobody but itself.
import { createHash } from "node:crypto";
import type { Work } from "../../../api/work.ts";
import type { Member } from "../../../fleets/member.ts";
import { ApiStatusError, isUnreachable } from "../../../kube/client/status-error.ts";
import { isConditionTrue } from "../../../kube/conditions.ts";
import { gvkOf, isObject, type KubeObject } from "../../../kube/object.ts";
import { CircuitBreaker } from "../../../runtime/circuit-breaker.ts";
import type { Clock } from "../../../runtime/clock.ts";
import { AppError } from "../../../runtime/errors.ts";
import type { Logger } from "../../../runtime/logger.ts";
import { Random } from "../../../runtime/random.ts";
import { TurnLine } from "../../../runtime/turn-line.ts";
import { type StepResult, WorkQueue } from "../../../runtime/work-queue.ts";
import { applyPriority } from "../../works/apply-order.ts";
import type { Asking } from "../interpretation/interpretation.ts";
import { manifestsOf } from "./work-status.ts";

/** Works of one cluster that are worked on at the same time; its requests are bounded by it. */
const WORKERS_PER_CLUSTER = 8;
const MAX_BACKOFF_MS = 30_000;
/** Requests without an answer, one after the other, until a cluster is left alone for a while. */
const FAILURES_TO_OPEN = 5;
const FIRST_PAUSE_MS = 1_000;
/** Beginnings of many clusters are spread over so much time each, and over no more than the latter. */
const SPREAD_PER_CLUSTER_MS = 20;
const MOST_SPREAD_MS = 5_000;

export interface MemberQueuesOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** The Work of that name in the cluster's execution namespace. */
  readonly workOf: (cluster: string, name: string) => Work | undefined;
  /** Brings one Work to its member. */
  readonly step: (cluster: string, work: Work, asking: Asking) => Promise<StepResult | undefined>;
}

interface Entry {
  readonly queue: WorkQueue;
  readonly breaker: CircuitBreaker;
  readonly random: Random;
  /** Works there are. */
  readonly names: Set<string>;
  /** Those of them that were not found as they should be since something of them changed. */
  readonly open: Set<string>;
  /** Something changed of which it is not known whose it is: all of them are to be looked at with the next occasion. */
  isUnsure: boolean;
  /** Names of Works by what they wait for in the member: `Namespace shop`, `group/Kind`. */
  readonly awaiting: Map<string, Set<string>>;
}

/**
 * Lines up Works cluster by cluster: definitions, namespaces and rights first. A key is in line once, so a queue is never
 * longer than its cluster has Works. A cluster that gives no answers is left alone but for one trial now and then, and one
 * that asks for a pause gets it. What lacks its namespace or definition goes on when that appears.
 */
export class MemberQueues {
  readonly #options: MemberQueuesOptions;
  readonly #entries = new Map<string, Entry>();
  /** Answers to many requests come in the same turn of the event loop. */
  readonly #line = new TurnLine();

  constructor(options: MemberQueuesOptions) {
    this.#options = options;
  }

  /** A Work is there; it is worked on when `isDue`. */
  put(cluster: string, name: string, isDue: boolean): void {
    const entry = this.#entryOf(cluster);
    entry.names.add(name);
    entry.open.add(name);
    if (isDue) entry.queue.add(name);
  }

  /** A Work is gone. */
  drop(cluster: string, name: string): void {
    const entry = this.#entries.get(cluster);
    entry?.names.delete(name);
    entry?.open.delete(name);
  }

  /** A Work and its copies are as they should be, so that nothing need be looked at before something of them changes. */
  close(cluster: string, name: string): void {
    this.#entries.get(cluster)?.open.delete(name);
  }

  /** What was found of all Works counts no more. */
  reopen(): void {
    for (const entry of this.#entries.values()) entry.isUnsure = true;
  }

  /** Names of the Works that a cluster has. */
  worksOf(cluster: string): Iterable<string> {
    return this.#entries.get(cluster)?.names ?? [];
  }

  /** Has one Work looked at. */
  add(cluster: string, name: string): void {
    const { queue, open } = this.#entryOf(cluster);
    open.add(name);
    queue.add(name);
  }

  /** Has what is not closed of a cluster looked at, which is known to answer again: its watches tell what else has changed. */
  resume(cluster: string): void {
    const entry = this.#entryOf(cluster);
    const { breaker, names, open, queue } = entry;
    breaker.reset();
    if (entry.isUnsure) for (const name of names) open.add(name);
    entry.isUnsure = false;
    for (const name of open) queue.add(name);
  }

  /** Follows a member that was connected to. Where many are at the same time, they begin one after the other. */
  follow(member: Member): void {
    const entry = this.#entryOf(member.name);
    member.subscribe(({ deleted, object }) => {
      const name = object.metadata.annotations?.["work.karmada.io/name"];
      if (name !== undefined) this.add(member.name, name);
      // Whose copy it was is not known: somebody took the annotation away.
      else entry.isUnsure = true;
      if (!deleted) this.#wake(entry, object);
    });
    entry.isUnsure = true;
    const spreadMs = Math.min(MOST_SPREAD_MS, (this.#entries.size - 1) * SPREAD_PER_CLUSTER_MS);
    const waitMs = entry.random.next() * spreadMs;
    if (waitMs === 0) this.resume(member.name);
    else this.#options.clock.after(waitMs, () => this.resume(member.name));
  }

  /** To be entered before some computing, so that Works of many clusters share the turns of the event loop. */
  async turn(): Promise<void> {
    await this.#line.enter();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#entries.values()].map(({ queue }) => queue.stop()));
  }

  #entryOf(cluster: string): Entry {
    const known = this.#entries.get(cluster);
    if (known !== undefined) return known;
    const { clock, workOf } = this.#options;
    const logger = this.#options.logger.with({ cluster });
    // Another one for each cluster, and the same in every run.
    const random = new Random(createHash("sha256").update(cluster).digest().readUInt32BE(0));
    const chance = (): number => random.next();
    const breaker = new CircuitBreaker({
      clock,
      threshold: FAILURES_TO_OPEN,
      minMs: FIRST_PAUSE_MS,
      maxMs: MAX_BACKOFF_MS,
      random: chance,
      onRoom: () => queue.look(),
    });
    const queue: WorkQueue = new WorkQueue(
      {
        name: "execution",
        clock,
        logger,
        workers: WORKERS_PER_CLUSTER,
        maxBackoffMs: MAX_BACKOFF_MS,
        room: () => breaker.room,
        random: chance,
        priorityOf: (name) => priorityOf(workOf(cluster, name)),
      },
      (name, signal) => this.#step(cluster, name, signal),
    );
    const entry: Entry = {
      queue,
      breaker,
      random,
      names: new Set(),
      open: new Set(),
      isUnsure: true,
      awaiting: new Map(),
    };
    this.#entries.set(cluster, entry);
    return entry;
  }

  async #step(cluster: string, name: string, signal: AbortSignal): Promise<StepResult | undefined> {
    const entry = this.#entryOf(cluster);
    const { queue, breaker } = entry;
    await this.#line.enter();
    const work = this.#options.workOf(cluster, name);
    if (work === undefined) return undefined;
    try {
      const result = await this.#options.step(cluster, work, { signal, queue });
      breaker.succeeded();
      return result;
    } catch (error) {
      if (signal.aborted) throw error;
      const wasOpen = breaker.state === "open";
      this.#count(breaker, error);
      if (breaker.state === "open" && !wasOpen)
        this.#options.logger.warn("cluster gives no answers and is left alone for a while", { cluster });
      const awaited = awaitedBy(error, work);
      if (awaited !== undefined) this.#noteAwaited(entry, awaited, name);
      throw error;
    }
  }

  #count(breaker: CircuitBreaker, error: unknown): void {
    if (gaveNoAnswer(error)) breaker.failed();
    else breaker.succeeded();
    if (error instanceof ApiStatusError && error.status.code === 429 && error.afterMs !== undefined)
      breaker.pause(error.afterMs);
  }

  #noteAwaited({ awaiting }: Entry, awaited: string, name: string): void {
    const names = awaiting.get(awaited) ?? new Set();
    awaiting.set(awaited, names.add(name));
  }

  #wake({ awaiting, queue }: Entry, object: KubeObject): void {
    const awaited = provides(object);
    const names = awaited === undefined ? undefined : awaiting.get(awaited);
    if (awaited === undefined || names === undefined) return;
    awaiting.delete(awaited);
    for (const name of names) queue.add(name);
  }
}

function priorityOf(work: Work | undefined): number {
  const [manifest] = work === undefined ? [] : manifestsOf(work);
  return manifest === undefined ? 0 : applyPriority(manifest);
}

/** No answer, or one of whoever stands in front of the server. What a server says of an object is an answer. */
function gaveNoAnswer(error: unknown): boolean {
  return isUnreachable(error) || (error instanceof ApiStatusError && [502, 503, 504].includes(error.status.code));
}

/** What a Work that could not be applied waits for, if that is something which will be seen to appear. */
function awaitedBy(error: unknown, work: Work): string | undefined {
  const cause = error instanceof AppError && error.cause instanceof AppError ? error.cause : error;
  const [manifest] = manifestsOf(work);
  if (manifest === undefined || !(cause instanceof AppError)) return undefined;
  if (cause.code === "api-kind-unknown") return kindKey(gvkOf(manifest).group, manifest.kind);
  const isNamespaceMissing =
    cause instanceof ApiStatusError && cause.status.code === 404 && cause.status.details?.["kind"] === "namespaces";
  return isNamespaceMissing ? `Namespace ${manifest.metadata.namespace ?? ""}` : undefined;
}

/** What can go on once this object is there. */
function provides(object: KubeObject): string | undefined {
  const { apiVersion, kind, metadata } = object;
  if (apiVersion === "v1" && kind === "Namespace") return `Namespace ${metadata.name ?? ""}`;
  if (kind !== "CustomResourceDefinition" || !isObject(object["spec"]) || !isObject(object["status"])) return undefined;
  const { names, group } = object["spec"];
  const { conditions } = object["status"];
  // The server's own list of conditions.
  const isServed = Array.isArray(conditions) && isConditionTrue(conditions as never, "Established");
  return isServed && isObject(names) ? kindKey(String(group), String(names["kind"])) : undefined;
}

function kindKey(group: string, kind: string): string {
  return `${group}/${kind}`;
}
