// watch: the changes of a collection as a stream.
import { randomInt } from "node:crypto";
import type { ApiResponse, TransportEvent } from "../../../kube/client/transport.ts";
import { formatApiVersion, type JsonObject, type KubeObject } from "../../../kube/object.ts";
import type { Timer } from "../../../runtime/clock.ts";
import { failureStatus, serverError } from "../registry/status-error.ts";
import type { Exchange } from "../request/exchange.ts";
import { type ListOptions, readListOptions } from "../request/options.ts";
import type { Change } from "../storage/change-ring.ts";
import { encodeJson } from "../storage/json-text.ts";
import type { StoredObject } from "../storage/stored-object.ts";
import { represent, servedBytes, servedObject } from "./answers.ts";
import { EventQueue } from "./event-queue.ts";
import { currentObjects } from "./read.ts";
import { badRevision, settle } from "./revisions.ts";
import { readSelection, type Selection } from "./selection.ts";

const BOOKMARK_MS = 60_000;
const BEFORE_DEADLINE_MS = 2000;
const SHORTEST_DEFAULT_S = 1800;
const MOST_BEHIND = 1000;
const BEHIND_MS = 30_000;
const CHUNK_BYTES = 65_536;
const FRAME_END = Buffer.from("}\n");

/** One event before it is encoded. */
interface PendingEvent {
  readonly type: TransportEvent["type"];
  readonly object: () => KubeObject | JsonObject;
  readonly bytes: () => Buffer;
}

/** Opens a watch on the exchange's collection, or on one object under the old paths. */
export async function watchObjects(exchange: Exchange): Promise<ApiResponse> {
  const options = readListOptions(exchange.query, exchange.target.watchPrefix);
  const name = exchange.target.watchPrefix ? exchange.target.name : undefined;
  const selection = readSelection(options, exchange.kind, name);
  const revision = readRevision(options.resourceVersion);
  await settle(exchange.server.store);
  return new WatchStream(exchange, options, selection).start(revision);
}

/** As the reference: a watch answers 500 where a list answers 400. */
function readRevision(text: string | undefined): number {
  if (text === undefined) return 0;
  if (!/^[0-9]+$/.test(text)) throw serverError(badRevision(text));
  return Number(text);
}

class WatchStream {
  readonly #exchange: Exchange;
  readonly #options: ListOptions;
  readonly #selection: Selection;
  readonly #queue: EventQueue<PendingEvent>;
  readonly #timers = new Set<Timer>();
  readonly #frameKey: string;
  readonly #onAbort = (): void => void this.#queue.return();
  #unsubscribe: (() => void) | undefined;
  /** Changes up to here are known to the client already. */
  #from = 0;
  #sentColumns = false;
  #behindSince: number | undefined;

  constructor(exchange: Exchange, options: ListOptions, selection: Selection) {
    this.#exchange = exchange;
    this.#options = options;
    this.#selection = selection;
    this.#queue = new EventQueue(() => this.#close());
    const { kind, accepted } = exchange;
    // Tables differ by stream: ages, and columns in the first event.
    this.#frameKey =
      accepted.form === "table"
        ? ""
        : `${kind.group}/${kind.version}/${kind.kind}/${accepted.form}/${accepted.metaVersion}`;
  }

  start(revision: number): ApiResponse {
    const { server, kind, request } = this.#exchange;
    const { store } = server;
    const initial =
      this.#options.sendInitialEvents === true || (this.#options.sendInitialEvents === undefined && revision === 0);
    if (!initial && revision > 0 && revision < store.forgotten) {
      this.#tooOld(revision);
    } else {
      this.#from = initial || revision === 0 ? store.revision : revision;
      if (initial) this.#sendPresent();
      else if (revision > 0) {
        for (const change of store.changesAfter(revision, kind.storageKey)) this.#onChange(change);
      }
      this.#unsubscribe = store.subscribe(kind.storageKey, (change) => this.#onChange(change));
      this.#startTimers();
      if (request.signal?.aborted === true || server.closing.aborted) this.#queue.end();
      request.signal?.addEventListener("abort", this.#onAbort, { once: true });
      server.closing.addEventListener("abort", this.#onAbort, { once: true });
    }
    return {
      status: 200,
      headers: { "cache-control": "no-cache, private", "content-type": "application/json" },
      body: this.#frames(),
      events: this.#events(),
    };
  }

  #close(): void {
    this.#unsubscribe?.();
    this.#exchange.request.signal?.removeEventListener("abort", this.#onAbort);
    this.#exchange.server.closing.removeEventListener("abort", this.#onAbort);
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }

  #after(ms: number, fn: () => void): void {
    const timer = this.#exchange.server.clock.after(ms, () => {
      this.#timers.delete(timer);
      fn();
    });
    this.#timers.add(timer);
  }

  #startTimers(): void {
    const seconds = this.#options.timeoutSeconds ?? SHORTEST_DEFAULT_S + randomInt(SHORTEST_DEFAULT_S);
    const endMs = Math.max(0, seconds) * 1000;
    this.#after(endMs, () => this.#queue.end());
    if (!this.#options.allowWatchBookmarks) return;
    if (endMs > BEFORE_DEADLINE_MS) this.#after(endMs - BEFORE_DEADLINE_MS, () => this.#bookmark(false));
    const again = (): void => {
      this.#bookmark(false);
      this.#after(BOOKMARK_MS, again);
    };
    this.#after(BOOKMARK_MS, again);
  }

  #sendPresent(): void {
    const { matches } = this.#selection;
    for (const stored of currentObjects(this.#exchange, this.#selection)) {
      if (matches === undefined || matches(stored)) this.#queue.push(this.#eventOf("ADDED", stored));
    }
    if (this.#options.sendInitialEvents === true && this.#options.allowWatchBookmarks) this.#bookmark(true);
  }

  #tooOld(revision: number): void {
    const oldest = this.#exchange.server.store.forgotten + 1;
    const object = failureStatus(410, "Expired", `too old resource version: ${revision} (${oldest})`);
    this.#queue.push(plainEvent("ERROR", object));
    this.#queue.end();
  }

  #bookmark(endOfInitial: boolean): void {
    const { kind, server } = this.#exchange;
    const object: JsonObject = {
      kind: kind.kind,
      apiVersion: formatApiVersion(kind.group, kind.version),
      metadata: {
        resourceVersion: String(Math.max(server.store.revision, this.#from)),
        ...(endOfInitial ? { annotations: { "k8s.io/initial-events-end": "true" } } : {}),
      },
    };
    if (this.#exchange.accepted.form === "object") this.#queue.push(plainEvent("BOOKMARK", object));
    // Other forms wrap the bookmark as they wrap objects; it is an object in all that they read.
    else this.#queue.push(plainEvent("BOOKMARK", this.#represented(object as unknown as KubeObject)));
  }

  #onChange(change: Change): void {
    if (change.revision <= this.#from) return;
    const { target } = this.#exchange;
    if (target.namespace !== undefined && change.object.namespace !== target.namespace) return;
    const event = this.#selected(change);
    if (event === undefined) return;
    this.#queue.push(event);
    this.#checkPace();
  }

  /** The event as this stream's selectors see the change: objects appear when they start to match. */
  #selected(change: Change): PendingEvent | undefined {
    const { matches } = this.#selection;
    if (matches === undefined) return this.#eventOf(change.type, change.object, change);
    const before = change.previous !== undefined && matches(change.previous);
    if (change.type === "DELETED") return before ? this.#eventOf("DELETED", change.object, change) : undefined;
    const now = matches(change.object);
    if (now) return this.#eventOf(before ? "MODIFIED" : "ADDED", change.object, change);
    return before ? this.#leaving(change) : undefined;
  }

  /** As the reference: the object as it last matched, under the revision at which it stopped. */
  #leaving(change: Change): PendingEvent {
    const last = servedObject(change.previous!, this.#exchange.kind);
    const object = { ...last, metadata: { ...last.metadata, resourceVersion: String(change.revision) } };
    return plainEvent("DELETED", this.#exchange.accepted.form === "object" ? object : this.#represented(object));
  }

  #eventOf(type: Change["type"], stored: StoredObject, change?: Change): PendingEvent {
    const { kind, accepted } = this.#exchange;
    const object = (): KubeObject | JsonObject =>
      accepted.form === "object" ? servedObject(stored, kind) : this.#represented(servedObject(stored, kind));
    const encode = (): Buffer =>
      accepted.form === "object"
        ? frameOf(type, servedBytes(stored, kind))
        : frameOf(type, Buffer.from(encodeJson(object())));
    if (change === undefined || this.#frameKey === "") return { type, object, bytes: encode };
    const key = `${type} ${this.#frameKey}`;
    return {
      type,
      object,
      bytes: () => {
        change.frames ??= new Map();
        let frame = change.frames.get(key);
        if (frame === undefined) {
          frame = encode();
          change.frames.set(key, frame);
        }
        return frame;
      },
    };
  }

  #represented(object: KubeObject): JsonObject {
    const form = represent(this.#exchange, [object], object.metadata);
    if (form["kind"] !== "Table") return form;
    const columns = this.#sentColumns ? null : form["columnDefinitions"];
    this.#sentColumns = true;
    return { ...form, metadata: { resourceVersion: object.metadata.resourceVersion }, columnDefinitions: columns };
  }

  /** A reader who stays far behind is cut off, and lists again. */
  #checkPace(): void {
    if (this.#queue.length < MOST_BEHIND) {
      this.#behindSince = undefined;
      return;
    }
    const now = this.#exchange.server.clock.now();
    this.#behindSince ??= now;
    if (now - this.#behindSince > BEHIND_MS) this.#queue.end();
  }

  async *#frames(): AsyncGenerator<Buffer, void, void> {
    try {
      for (;;) {
        const ready = this.#queue.takeAll();
        if (ready !== undefined) {
          yield* chunksOf(ready);
          continue;
        }
        const next = await this.#queue.next();
        if (next.done === true) return;
        yield next.value.bytes();
      }
    } finally {
      await this.#queue.return();
    }
  }

  async *#events(): AsyncGenerator<TransportEvent, void, void> {
    for await (const event of this.#queue) {
      // Stored objects and statuses are JSON objects.
      yield { type: event.type, object: event.object() as Readonly<Record<string, unknown>> };
    }
  }
}

/** Whole events together, in chunks that a slow reader's connection can hold. */
function* chunksOf(events: readonly PendingEvent[]): Iterable<Buffer> {
  let frames: Buffer[] = [];
  let size = 0;
  for (const event of events) {
    const frame = event.bytes();
    frames.push(frame);
    size += frame.length;
    if (size < CHUNK_BYTES) continue;
    yield frames.length === 1 ? frame : Buffer.concat(frames, size);
    frames = [];
    size = 0;
  }
  if (frames.length > 0) yield frames.length === 1 ? frames[0]! : Buffer.concat(frames, size);
}

function frameOf(type: string, object: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`{"type":"${type}","object":`), object, FRAME_END]);
}

function plainEvent(type: TransportEvent["type"], object: KubeObject | JsonObject): PendingEvent {
  return { type, object: () => object, bytes: () => frameOf(type, Buffer.from(encodeJson(object))) };
}
