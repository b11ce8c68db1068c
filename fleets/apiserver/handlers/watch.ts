// watch: the changes of a collection as a stream.
import { randomInt } from "node:crypto";
import type { ApiResponse, ByteSource, TransportEvent } from "../../../kube/client/transport.ts";
import { formatApiVersion, type JsonObject, type KubeObject } from "../../../kube/object.ts";
import type { Timer } from "../../../runtime/clock.ts";
import { messageOf } from "../../../runtime/errors.ts";
import { failureStatus, StatusError, serverError } from "../registry/status-error.ts";
import type { Exchange } from "../request/exchange.ts";
import { type ListOptions, readListOptions } from "../request/options.ts";
import type { Change } from "../storage/change-ring.ts";
import type { StoredObject } from "../storage/stored-object.ts";
import { represent, servedBytes, servedObject } from "./answers.ts";
import { EventQueue } from "./event-queue.ts";
import { currentObjects } from "./read.ts";
import { badRevision, settle } from "./revisions.ts";
import { readSelection, type Selection } from "./selection.ts";
import { servedForms } from "./served-forms.ts";
import { WatchEvent } from "./watch-events.ts";

const BOOKMARK_MS = 60_000;
const BEFORE_DEADLINE_MS = 2000;
const SHORTEST_DEFAULT_S = 1800;
const MOST_BEHIND = 1000;
const BEHIND_MS = 30_000;
const MOST_UNSENT_BYTES = 16_777_216;
const CHUNK_BYTES = 65_536;
/** Present objects that are looked at before others get their turn. */
const SCANNED_AT_ONCE = 256;
const NOTHING_YET = Buffer.alloc(0);

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

class WatchStream implements ByteSource {
  readonly #exchange: Exchange;
  readonly #options: ListOptions;
  readonly #selection: Selection;
  readonly #queue: EventQueue<WatchEvent>;
  readonly #timers = new Set<Timer>();
  readonly #shownAs: string;
  /** What was told of is still sent. */
  readonly #onDrain = (): void => this.#queue.end();
  readonly #onAbort = (): void => void this.#queue.return();
  #unsubscribe: (() => void) | undefined;
  /** Changes up to here are known to the client already. */
  #from = 0;
  /** The objects at the start, of which those from `#nextPresent` on are still to be sent, before any change. */
  #present: readonly StoredObject[] = [];
  #nextPresent = 0;
  #sentColumns = false;
  /** Ends when everything so far is converted and queued. */
  #conversions: Promise<void> = Promise.resolve();
  #converting = 0;
  #behindSince: number | undefined;
  /** Size of what is queued. */
  #unsentBytes = 0;
  /** Taken from the queue, too much for one part. */
  #taken: readonly WatchEvent[] = [];
  #nextTaken = 0;
  #isCut = false;

  constructor(exchange: Exchange, options: ListOptions, selection: Selection) {
    this.#exchange = exchange;
    this.#options = options;
    this.#selection = selection;
    this.#queue = new EventQueue(() => this.#close());
    const { kind, accepted } = exchange;
    // Tables differ by stream: ages, and columns in the first event.
    this.#shownAs =
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
      if (request.signal?.aborted === true || request.drain?.aborted === true || server.closing.aborted)
        this.#queue.end();
      request.signal?.addEventListener("abort", this.#onAbort, { once: true });
      request.drain?.addEventListener("abort", this.#onDrain, { once: true });
      server.closing.addEventListener("abort", this.#onDrain, { once: true });
    }
    return {
      status: 200,
      headers: { "cache-control": "no-cache, private", "content-type": "application/json" },
      body: this.#parts(),
      source: this,
      events: this.#events(),
    };
  }

  get state(): ByteSource["state"] {
    if (this.#isCut) return "cut";
    const isRead = this.#queue.length === 0 && this.#nextTaken >= this.#taken.length && !this.#hasPresent;
    return this.#queue.isEnded && isRead ? "ended" : "open";
  }

  onReady(fn: () => void): void {
    this.#queue.onReady(fn);
  }

  close(): void {
    void this.#queue.return();
  }

  /** Whole events, as many as make a part that a slow reader's connection can hold. */
  read(): Buffer | undefined {
    if (this.#hasPresent) return this.#readPresent();
    if (this.#nextTaken >= this.#taken.length) {
      const ready = this.#queue.takeAll();
      if (ready === undefined) return undefined;
      this.#taken = ready;
      this.#nextTaken = 0;
      this.#unsentBytes = 0;
      this.#behindSince = undefined;
    }
    const frames: Buffer[] = [];
    let size = 0;
    while (this.#nextTaken < this.#taken.length && size < CHUNK_BYTES) {
      const { frame } = this.#taken[this.#nextTaken++]!;
      frames.push(frame);
      size += frame.length;
    }
    if (this.#nextTaken >= this.#taken.length) this.#taken = [];
    return frames.length === 1 ? frames[0] : Buffer.concat(frames, size);
  }

  get #hasPresent(): boolean {
    return this.#nextPresent < this.#present.length;
  }

  #readPresent(): Buffer {
    const frames: Buffer[] = [];
    let size = 0;
    const most = this.#nextPresent + SCANNED_AT_ONCE;
    while (this.#hasPresent && this.#nextPresent < most && size < CHUNK_BYTES) {
      const event = this.#nextPresentEvent();
      if (event === undefined) continue;
      frames.push(event.frame);
      size += event.frame.length;
    }
    return frames.length === 0 ? NOTHING_YET : Buffer.concat(frames, size);
  }

  #nextPresentEvent(): WatchEvent | undefined {
    const stored = this.#present[this.#nextPresent++]!;
    if (!this.#hasPresent) {
      this.#present = [];
      this.#nextPresent = 0;
    }
    const { matches } = this.#selection;
    if (matches !== undefined && !matches(stored)) return undefined;
    this.#exchange.server.metrics.watchEvent(this.#exchange.kind);
    return this.#eventOf("ADDED", stored);
  }

  #close(): void {
    this.#exchange.trace.end();
    this.#unsubscribe?.();
    this.#exchange.request.signal?.removeEventListener("abort", this.#onAbort);
    this.#exchange.request.drain?.removeEventListener("abort", this.#onDrain);
    this.#exchange.server.closing.removeEventListener("abort", this.#onDrain);
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
    const { kind } = this.#exchange;
    const present = currentObjects(this.#exchange, this.#selection);
    if (kind.converter === undefined) this.#present = present;
    else {
      const { matches } = this.#selection;
      this.#inServedForm(present, (objects) => {
        for (const stored of objects) {
          if (matches === undefined || matches(stored)) this.#push(this.#eventOf("ADDED", stored));
        }
      });
    }
    // As the reference: who asks for everything and for bookmarks is told where the present state ends.
    if (this.#options.allowWatchBookmarks) this.#bookmark(true);
  }

  /**
   * Calls `send` with the objects in the version of the watch: at once, or in its turn after everything that waits for a
   * webhook's conversion. When that fails, the stream ends with the error, and the client lists again.
   */
  #inServedForm(objects: readonly StoredObject[], send: (objects: readonly StoredObject[]) => void): void {
    const { kind } = this.#exchange;
    if (kind.converter === undefined) {
      send(objects);
      return;
    }
    // Begun now, so that conversions overlap; delivered in order.
    const forms = Promise.resolve(servedForms(kind, objects));
    forms.catch(() => {});
    this.#converting += 1;
    this.#conversions = this.#conversions
      .then(async () => send(await forms))
      .catch((error: unknown) => {
        const status =
          error instanceof StatusError ? error.status : failureStatus(500, "InternalError", messageOf(error));
        this.#queue.push(this.#madeEvent("ERROR", () => status));
        this.#queue.end();
      })
      .finally(() => {
        this.#converting -= 1;
      });
  }

  #push(event: WatchEvent): void {
    this.#unsentBytes += event.size;
    this.#queue.push(event);
    this.#exchange.server.metrics.watchEvent(this.#exchange.kind);
  }

  #tooOld(revision: number): void {
    const oldest = this.#exchange.server.store.forgotten + 1;
    const object = failureStatus(410, "Expired", `too old resource version: ${revision} (${oldest})`);
    this.#queue.push(this.#madeEvent("ERROR", () => object));
    this.#queue.end();
  }

  #bookmark(endOfInitial: boolean): void {
    // Not before the events that it speaks of.
    const revision = Math.max(this.#exchange.server.store.revision, this.#from);
    this.#inServedForm([], () => this.#pushBookmark(endOfInitial, revision));
  }

  #pushBookmark(endOfInitial: boolean, revision: number): void {
    const { kind } = this.#exchange;
    const typeMeta = { kind: kind.kind, apiVersion: formatApiVersion(kind.group, kind.version) };
    // A bookmark of a built-in kind has the fields that its objects always have.
    const empty: JsonObject = kind.custom ? typeMeta : (kind.decode(typeMeta, []).object as unknown as JsonObject);
    const object: JsonObject = {
      ...empty,
      metadata: {
        resourceVersion: String(revision),
        ...(endOfInitial ? { annotations: { "k8s.io/initial-events-end": "true" } } : {}),
      },
    };
    // Other forms wrap the bookmark as they wrap objects; it is an object in all that they read.
    this.#queue.push(this.#madeEvent("BOOKMARK", () => this.#formOf(object as unknown as KubeObject)));
  }

  #onChange(change: Change): void {
    if (change.revision <= this.#from) return;
    const { target } = this.#exchange;
    if (target.namespace !== undefined && change.object.namespace !== target.namespace) return;
    if (this.#exchange.kind.converter === undefined) this.#send(change);
    else {
      const { object, previous } = change;
      this.#inServedForm(previous === undefined ? [object] : [object, previous], ([now, before]) => {
        this.#send({ ...change, object: now!, previous: before });
      });
    }
    this.#checkPace();
  }

  #send(change: Change): void {
    const event = this.#selected(change);
    if (event !== undefined) this.#push(event);
  }

  /** The event as this stream's selectors see the change: objects appear when they start to match. */
  #selected(change: Change): WatchEvent | undefined {
    const { matches } = this.#selection;
    if (matches === undefined) return this.#eventOf(change.type, change.object, change);
    const before = change.previous !== undefined && matches(change.previous);
    if (change.type === "DELETED") return before ? this.#eventOf("DELETED", change.object, change) : undefined;
    const now = matches(change.object);
    if (now) return this.#eventOf(before ? "MODIFIED" : "ADDED", change.object, change);
    return before ? this.#leaving(change) : undefined;
  }

  /** As the reference: the object as it last matched, under the revision at which it stopped. */
  #leaving(change: Change): WatchEvent {
    const last = servedObject(change.previous!, this.#exchange.kind);
    const object = { ...last, metadata: { ...last.metadata, resourceVersion: String(change.revision) } };
    return this.#madeEvent("DELETED", () => this.#formOf(object));
  }

  /** An event of this stream alone. */
  #madeEvent(type: TransportEvent["type"], object: () => KubeObject | JsonObject): WatchEvent {
    return new WatchEvent(type, 0, object, undefined);
  }

  #eventOf(type: Change["type"], stored: StoredObject, change?: Change): WatchEvent {
    if (change === undefined || this.#shownAs === "") return this.#newEvent(type, stored);
    change.shown ??= new Map();
    const key = type === change.type ? this.#shownAs : `${type} ${this.#shownAs}`;
    // Only watches put something there.
    let event = change.shown.get(key) as WatchEvent | undefined;
    if (event === undefined) {
      event = this.#newEvent(type, stored);
      change.shown.set(key, event);
    }
    return event;
  }

  #newEvent(type: Change["type"], stored: StoredObject): WatchEvent {
    const { kind, accepted } = this.#exchange;
    const object = (): KubeObject | JsonObject => this.#formOf(servedObject(stored, kind));
    const bytes = accepted.form === "object" ? () => servedBytes(stored, kind) : undefined;
    return new WatchEvent(type, stored.size, object, bytes);
  }

  #formOf(object: KubeObject): KubeObject | JsonObject {
    return this.#exchange.accepted.form === "object" ? object : this.#represented(object);
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
    if (this.#unsentBytes > MOST_UNSENT_BYTES) this.#cut();
    if (this.#queue.length + this.#converting < MOST_BEHIND) return;
    const now = this.#exchange.server.clock.now();
    this.#behindSince ??= now;
    if (now - this.#behindSince > BEHIND_MS) this.#cut();
  }

  #cut(): void {
    this.#isCut = true;
    this.#present = [];
    this.#nextPresent = 0;
    this.#taken = [];
    this.#queue.takeAll();
    this.#queue.end();
  }

  async *#parts(): AsyncGenerator<Buffer, void, void> {
    try {
      for (;;) {
        const part = this.read();
        if (part !== undefined) {
          if (part.length > 0) yield part;
          continue;
        }
        if (this.state !== "open") return;
        await new Promise<void>((resolve) => this.onReady(resolve));
      }
    } finally {
      this.close();
    }
  }

  async *#events(): AsyncGenerator<TransportEvent, void, void> {
    // Stored objects and statuses are JSON objects.
    const shown = ({ type, object }: WatchEvent): TransportEvent => ({
      type,
      object: object as Readonly<Record<string, unknown>>,
    });
    try {
      while (this.#hasPresent) {
        const event = this.#nextPresentEvent();
        if (event !== undefined) yield shown(event);
      }
      for await (const event of this.#queue) {
        this.#unsentBytes = Math.max(0, this.#unsentBytes - event.size);
        if (this.#queue.length < MOST_BEHIND) this.#behindSince = undefined;
        yield shown(event);
      }
    } finally {
      this.close();
    }
  }
}
