// A local copy of one kind's objects, kept by list and watch.
import type { Clock } from "../../runtime/clock.ts";
import { sleep } from "../../runtime/clock.ts";
import { AppError, messageOf } from "../../runtime/errors.ts";
import type { Logger } from "../../runtime/logger.ts";
import { Turn } from "../../runtime/turn.ts";
import type { KubeObject } from "../object.ts";
import type { KubeClient } from "./kube-client.ts";
import { ApiStatusError, isGone } from "./status-error.ts";

/** How late a server's recovery may be noticed. */
const MAX_BACKOFF_MS = 5_000;
/** How soon after another a list may be asked for because a watch had missed something. */
const LEAST_BETWEEN_AMENDS_MS = 60_000;
/** After so long without a watch, a list tells more surely what is otherwise. */
const LONG_GONE_MS = 60_000;

/** Which objects of a kind; all when nothing is said. */
export interface InformerScope {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface InformerOptions extends InformerScope {
  readonly client: KubeClient;
  readonly apiVersion: string;
  readonly kind: string;
  /** Makes a smaller object to keep; it must keep name, namespace, uid and resourceVersion. */
  readonly transform?: (object: KubeObject) => KubeObject;
  readonly clock: Clock;
  readonly logger: Logger;
}

export type Change<T extends KubeObject> =
  | { readonly type: "added"; readonly object: T }
  | { readonly type: "updated"; readonly object: T; readonly previous: T }
  | { readonly type: "deleted"; readonly object: T };

/**
 * Keeps every object of a kind in memory and tells listeners of each change. Objects are shared: never change one.
 * Survives any failure of the server: it lists again after a forgotten revision, and reconnects with back-off.
 */
export class Informer<T extends KubeObject = KubeObject> {
  readonly #options: InformerOptions;
  readonly #objects = new Map<string, T>();
  // Revisions of recent deletions, so that a late answer of an older write does not bring an object back.
  readonly #tombstones = new Map<string, number>();
  readonly #listeners: ((change: Change<T>) => void)[] = [];
  readonly #abort = new AbortController();
  readonly #synced: Promise<void>;
  #markSynced: () => void = () => {};
  readonly #tried: Promise<void>;
  #markTried: () => void = () => {};
  #running: Promise<void> | undefined;
  #hasSynced = false;
  /** Where the next watch begins; undefined when a list must come first. */
  #revision: string | undefined;
  #failures = 0;
  /** Ends the present list or watch. */
  #round = new AbortController();
  #amendedAtMs = Number.NEGATIVE_INFINITY;
  /** The last revision heard of. */
  #heard = 0;
  /** When the watch was lost; undefined before the first one and while there is one. */
  #lostAt: number | undefined;
  /** Keys adopted while a list is on its way. */
  #adopted: Set<string> | undefined;
  /** Why the last attempt failed; undefined while connected. */
  failure: string | undefined;

  constructor(options: InformerOptions) {
    this.#options = options;
    this.#synced = new Promise((resolve) => {
      this.#markSynced = resolve;
    });
    this.#tried = new Promise((resolve) => {
      this.#markTried = resolve;
    });
  }

  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  start(): this {
    this.#running ??= this.#run(this.#abort.signal);
    return this;
  }

  async stop(): Promise<void> {
    this.#abort.abort(new AppError("stopped", "the informer was stopped", { recovery: "retry" }));
    await this.#running;
    this.#markSynced();
    this.#markTried();
  }

  /** Resolves when the first list is complete, or the informer was stopped before. */
  async synced(): Promise<void> {
    await this.#synced;
  }

  /** Resolves when the first list is complete or has failed, which `hasSynced` tells then; or the informer was stopped. */
  async tried(): Promise<void> {
    await this.#tried;
  }

  get(namespace: string | undefined, name: string): T | undefined {
    return this.#objects.get(`${namespace ?? ""}/${name}`);
  }

  all(): IterableIterator<T> {
    return this.#objects.values();
  }

  get size(): number {
    return this.#objects.size;
  }

  /** Calls `listener` for each object already known, then for each change. */
  subscribe(listener: (change: Change<T>) => void): void {
    this.#listeners.push(listener);
    for (const object of this.#objects.values()) listener({ type: "added", object });
  }

  /**
   * As `subscribe`, but what is known already is told some in each turn of the event loop, for many objects and listeners
   * that have something to do for each. Of an object's change is told once the object was. Resolves when all were told, or
   * the informer was stopped.
   */
  async subscribeInTurns(listener: (change: Change<T>) => void): Promise<void> {
    let told: Set<string> | undefined = new Set();
    this.#listeners.push((change) => {
      const key = keyOf(change.object);
      // What was not told yet is about to be, as it is by then.
      if (told !== undefined && change.type !== "added" && !told.has(key)) return;
      if (change.type === "deleted") told?.delete(key);
      else told?.add(key);
      listener(change);
    });
    const turn = new Turn();
    for (const key of this.#objects.keys()) {
      if (turn.isOver) await turn.next();
      if (this.#abort.signal.aborted) return;
      // Gone, or told as new, while others had their turn.
      const object = this.#objects.get(key);
      if (object === undefined || told.has(key)) continue;
      told.add(key);
      this.#call(listener, { type: "added", object });
    }
    told = undefined;
  }

  /**
   * Takes the answer of a write at once, so that the next read of this cache sees it. Older revisions than the known
   * one are ignored. Only for servers whose revisions are comparable numbers, as all of ours and etcd's are.
   */
  adopt(object: T): void {
    const known = this.#objects.get(keyOf(object));
    const deletedAt = this.#tombstones.get(keyOf(object)) ?? 0;
    if (revision(object) > Math.max(deletedAt, known === undefined ? 0 : revision(known))) {
      this.#adopted?.add(keyOf(object));
      this.#put(object);
    }
  }

  /**
   * Takes what a read of the server has shown in place of `stale`, an object that the watch should have told of; undefined:
   * it is gone. Whatever else the watch has missed, a new list tells, at most once in a while.
   */
  amend(stale: T, now: T | undefined): void {
    const key = keyOf(stale);
    if (this.#objects.get(key)?.metadata.resourceVersion !== stale.metadata.resourceVersion) return;
    if (now === undefined) this.#drop(key);
    else this.#put(now);
    const atMs = this.#options.clock.now();
    if (atMs - this.#amendedAtMs < LEAST_BETWEEN_AMENDS_MS) return;
    this.#amendedAtMs = atMs;
    this.#round.abort(new AppError("watch-deficient", "the watch had missed a change", { recovery: "retry" }));
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#round = new AbortController();
      const round = AbortSignal.any([signal, this.#round.signal]);
      try {
        if (this.#lostAt !== undefined && !(await this.#canGoOn(this.#lostAt, round))) this.#revision = undefined;
        this.#revision ??= await this.#list(round);
        try {
          await this.#watch(this.#revision, round);
        } finally {
          this.#heard = Number(this.#revision ?? this.#heard);
          this.#lostAt ??= this.#options.clock.now();
        }
        continue;
      } catch (error) {
        if (signal.aborted) break;
        if (round.aborted) {
          this.#revision = undefined;
          continue;
        }
        const isForgotten = isGone(error) && this.#revision !== undefined;
        // What a server says against a revision it will say again. Without an answer the revision still holds.
        if (error instanceof ApiStatusError || (error instanceof AppError && error.code === "api-kind-unknown"))
          this.#revision = undefined;
        // The first time, a list mends it at once.
        if (isForgotten && this.#failures++ === 0) continue;
        this.failure = messageOf(error);
        this.#markTried();
        this.#failures++;
        const { kind, logger } = this.#options;
        logger.debug("watch failed", { kind, error: this.failure, failures: this.#failures });
      }
      try {
        await sleep(this.#options.clock, Math.min(MAX_BACKOFF_MS, 100 * 2 ** Math.min(this.#failures, 9)), signal);
      } catch {
        break;
      }
    }
    this.#markSynced();
  }

  /**
   * Whether a watch may begin where the last one ended. A server whose store was put back to a backup, or lost, would take
   * it, and tell nothing of what is otherwise since: so it is asked where it stands. After a long while it may have got
   * beyond our revision again.
   */
  async #canGoOn(lostAt: number, signal: AbortSignal): Promise<boolean> {
    if (this.#revision === undefined || this.#options.clock.now() - lostAt > LONG_GONE_MS) return false;
    const { client, apiVersion, kind, namespace, fieldSelector } = this.#options;
    const now = await client.revision(apiVersion, kind, { namespace, fieldSelector, signal });
    return Number(now) >= Number(this.#revision);
  }

  async #list(signal: AbortSignal): Promise<string> {
    const { client, apiVersion, kind, namespace, labelSelector, fieldSelector, transform } = this.#options;
    const adopted = new Set<string>();
    this.#adopted = adopted;
    try {
      const list = await client.list<T>(apiVersion, kind, {
        namespace,
        labelSelector,
        fieldSelector,
        signal,
        ...(transform === undefined ? {} : { keep: transform }),
      });
      // Then what was known of the store that is gone says nothing of this one, not even where the same number stands.
      const hasGoneBack = Number(list.resourceVersion) < this.#heard;
      if (hasGoneBack) {
        this.#options.logger.info("listed anew: the server's store has gone back", { kind, from: this.#heard });
        this.#tombstones.clear();
      }
      // A write of ours may have come between the server's reading of the list and its arrival.
      const isNewer = (key: string, than: string): boolean => {
        const known = adopted.has(key) ? this.#objects.get(key) : undefined;
        return known !== undefined && revision(known) > Number(than);
      };
      const listed = new Set<string>();
      const turn = new Turn();
      for (const object of list.items) {
        if (turn.isOver) await turn.next();
        signal.throwIfAborted();
        const key = keyOf(object);
        listed.add(key);
        const known = this.#objects.get(key);
        const { uid, resourceVersion = "0" } = object.metadata;
        const same = !hasGoneBack && known?.metadata.uid === uid && known?.metadata.resourceVersion === resourceVersion;
        if (!same && !isNewer(key, resourceVersion)) this.#keep(key, object);
      }
      for (const key of [...this.#objects.keys()])
        if (!listed.has(key) && !isNewer(key, list.resourceVersion)) this.#drop(key);
      this.#hasSynced = true;
      this.#heard = Number(list.resourceVersion);
      this.#markSynced();
      this.#markTried();
      return list.resourceVersion;
    } finally {
      this.#adopted = undefined;
    }
  }

  async #watch(from: string, signal: AbortSignal): Promise<void> {
    const { client, apiVersion, kind, namespace, labelSelector, fieldSelector } = this.#options;
    let isQuiet = true;
    for await (const event of client.watch<T>(apiVersion, kind, {
      namespace,
      labelSelector,
      fieldSelector,
      resourceVersion: from,
      signal,
      onOpen: () => {
        this.failure = undefined;
        this.#lostAt = undefined;
      },
    })) {
      if (event.type === "ERROR") throw new ApiStatusError(event.status, `watch of ${kind}`);
      isQuiet = false;
      this.#failures = 0;
      // Kept at each event: after a cut connection the past must not be told again.
      this.#revision = event.object.metadata.resourceVersion ?? this.#revision;
      if (event.type === "BOOKMARK") continue;
      const known = this.#objects.get(keyOf(event.object));
      // What a write's answer already brought is not told twice, nor does an older event undo it.
      const isNews = known === undefined || revision(known) < revision(event.object);
      if (event.type !== "DELETED") {
        if (isNews) this.#put(event.object);
      } else if (known !== undefined && revision(known) <= revision(event.object)) {
        this.#drop(keyOf(event.object), event.object);
      }
    }
    // A server that ends every watch at once must not be asked in a tight loop.
    if (isQuiet && !signal.aborted)
      throw new AppError("api-watch-ended", `the watch of ${kind} ended before its first event`, { recovery: "retry" });
  }

  #put(received: T): void {
    const object = this.#transformed(received);
    this.#keep(keyOf(object), object);
  }

  #keep(key: string, object: T): void {
    const previous = this.#objects.get(key);
    this.#objects.set(key, object);
    this.#tell(previous === undefined ? { type: "added", object } : { type: "updated", object, previous });
  }

  #transformed(received: T): T {
    // A transform of this kind's object is one of this kind.
    return (this.#options.transform?.(received) ?? received) as T;
  }

  #drop(key: string, last?: T): void {
    const object = last === undefined ? this.#objects.get(key) : this.#transformed(last);
    if (object === undefined || !this.#objects.delete(key)) return;
    // Put at the end: the oldest are forgotten first.
    this.#tombstones.delete(key);
    this.#tombstones.set(key, revision(object));
    // Answers are late by seconds at most: a thousand deletions cover that.
    for (const oldest of this.#tombstones.keys()) {
      if (this.#tombstones.size <= 1000) break;
      this.#tombstones.delete(oldest);
    }
    this.#tell({ type: "deleted", object });
  }

  #tell(change: Change<T>): void {
    for (const listener of this.#listeners) this.#call(listener, change);
  }

  #call(listener: (change: Change<T>) => void, change: Change<T>): void {
    try {
      listener(change);
    } catch (error) {
      this.#options.logger.error("listener failed", { kind: this.#options.kind, error: messageOf(error) });
    }
  }
}

function keyOf(object: KubeObject): string {
  return `${object.metadata.namespace ?? ""}/${object.metadata.name ?? ""}`;
}

function revision(object: KubeObject): number {
  return Number(object.metadata.resourceVersion ?? 0);
}
