// A local copy of one kind's objects, kept by list and watch.
import type { Clock } from "../../runtime/clock.ts";
import { sleep } from "../../runtime/clock.ts";
import { AppError, messageOf } from "../../runtime/errors.ts";
import type { Logger } from "../../runtime/logger.ts";
import type { KubeObject } from "../object.ts";
import type { KubeClient } from "./kube-client.ts";
import { ApiStatusError, isGone, isNotFound } from "./status-error.ts";

export interface InformerOptions {
  readonly client: KubeClient;
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly labelSelector?: string;
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
  #running: Promise<void> | undefined;
  #hasSynced = false;
  /** Why the last attempt failed; undefined while connected. */
  failure: string | undefined;

  constructor(options: InformerOptions) {
    this.#options = options;
    this.#synced = new Promise((resolve) => {
      this.#markSynced = resolve;
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
  }

  /** Resolves when the first list is complete. */
  async synced(): Promise<void> {
    await this.#synced;
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
   * Takes the answer of a write at once, so that the next read of this cache sees it. Older revisions than the known
   * one are ignored. Only for servers whose revisions are comparable numbers, as all of ours and etcd's are.
   */
  adopt(object: T): void {
    const known = this.#objects.get(keyOf(object));
    const deletedAt = this.#tombstones.get(keyOf(object)) ?? 0;
    if (revision(object) > Math.max(deletedAt, known === undefined ? 0 : revision(known))) this.#put(object);
  }

  async #run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    let resourceVersion: string | undefined;
    while (!signal.aborted) {
      try {
        resourceVersion ??= await this.#list(signal);
        failures = 0;
        this.failure = undefined;
        resourceVersion = await this.#watch(resourceVersion, signal);
      } catch (error) {
        if (signal.aborted) return;
        if (isGone(error)) {
          resourceVersion = undefined;
          continue;
        }
        this.failure = messageOf(error);
        failures++;
        const { kind, logger } = this.#options;
        logger.debug("watch failed", { kind, error: this.failure, failures });
        if (isNotFound(error) || (error instanceof AppError && error.code === "api-kind-unknown"))
          resourceVersion = undefined;
        try {
          await sleep(this.#options.clock, Math.min(30_000, 100 * 2 ** Math.min(failures, 9)), signal);
        } catch {
          return;
        }
      }
    }
  }

  async #list(signal: AbortSignal): Promise<string> {
    const { client, apiVersion, kind, namespace, labelSelector } = this.#options;
    const list = await client.list<T>(apiVersion, kind, { namespace, labelSelector, signal });
    const listed = new Set<string>();
    for (const object of list.items) {
      listed.add(keyOf(object));
      const known = this.#objects.get(keyOf(object));
      if (
        known?.metadata.uid !== object.metadata.uid ||
        known?.metadata.resourceVersion !== object.metadata.resourceVersion
      ) {
        this.#put(object);
      }
    }
    for (const key of [...this.#objects.keys()]) if (!listed.has(key)) this.#drop(key);
    this.#hasSynced = true;
    this.#markSynced();
    return list.resourceVersion;
  }

  async #watch(from: string, signal: AbortSignal): Promise<string> {
    const { client, apiVersion, kind, namespace, labelSelector } = this.#options;
    let last = from;
    for await (const event of client.watch<T>(apiVersion, kind, {
      namespace,
      labelSelector,
      resourceVersion: from,
      signal,
    })) {
      if (event.type === "ERROR") {
        if (event.status.code === 410) throw goneError();
        throw new AppError("api-watch-failed", `the watch of ${kind} failed: ${event.status.message}`, {
          recovery: "retry",
        });
      }
      last = event.object.metadata.resourceVersion ?? last;
      if (event.type === "BOOKMARK") continue;
      if (event.type === "DELETED") this.#drop(keyOf(event.object), event.object);
      else {
        const known = this.#objects.get(keyOf(event.object));
        // What a write's answer already brought is not told twice.
        if (
          known === undefined ||
          known.metadata.uid !== event.object.metadata.uid ||
          revision(known) < revision(event.object)
        ) {
          this.#put(event.object);
        }
      }
    }
    return last;
  }

  #put(received: T): void {
    // A transform of this kind's object is one of this kind.
    const object = (this.#options.transform?.(received) ?? received) as T;
    const key = keyOf(object);
    const previous = this.#objects.get(key);
    this.#objects.set(key, object);
    this.#tell(previous === undefined ? { type: "added", object } : { type: "updated", object, previous });
  }

  #drop(key: string, last?: T): void {
    const object = last ?? this.#objects.get(key);
    if (object === undefined || !this.#objects.delete(key)) return;
    this.#tombstones.set(key, revision(object));
    // Answers are late by seconds at most: a thousand deletions cover that.
    for (const oldest of this.#tombstones.keys()) {
      if (this.#tombstones.size <= 1000) break;
      this.#tombstones.delete(oldest);
    }
    this.#tell({ type: "deleted", object });
  }

  #tell(change: Change<T>): void {
    for (const listener of this.#listeners) {
      try {
        listener(change);
      } catch (error) {
        this.#options.logger.error("listener failed", { kind: this.#options.kind, error: messageOf(error) });
      }
    }
  }
}

function keyOf(object: KubeObject): string {
  return `${object.metadata.namespace ?? ""}/${object.metadata.name ?? ""}`;
}

function revision(object: KubeObject): number {
  return Number(object.metadata.resourceVersion ?? 0);
}

function goneError(): Error {
  return new ApiStatusError({ code: 410, reason: "Expired", message: "the revision is forgotten" }, "watch");
}
