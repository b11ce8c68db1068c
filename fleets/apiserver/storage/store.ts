// The objects of one API surface under one revision counter, with the history that watches and exact lists need.
import { randomUUID } from "node:crypto";
import type { KubeObject } from "../../../kube/object.ts";
import type { Clock, Timer } from "../../../runtime/clock.ts";
import type { AppError } from "../../../runtime/errors.ts";
import { Turn } from "../../../runtime/turn.ts";
import { type Change, ChangeRing } from "./change-ring.ts";
import { writeRefusal } from "./errors.ts";
import { compareKeys, ObjectTable } from "./object-table.ts";
import { Residency, type ResidencyLimits } from "./residency.ts";
import { SqliteLog } from "./sqlite-log.ts";
import { type ContentHome, type ObjectKey, StoredObject } from "./stored-object.ts";
import { WriteHealth } from "./write-health.ts";

export interface StoreOptions {
  readonly clock: Clock;
  /** Path of the SQLite file; undefined keeps everything in memory. */
  readonly database: string | undefined;
  readonly synchronous: "full" | "normal";
  /** Size at which the file counts as full; absent: when the disk is. */
  readonly maxBytes?: number | undefined;
  /** Changes kept for watches from the past. */
  readonly historyEvents: number;
  /** Without a file: what the store begins with. */
  readonly content?: StoreContent | undefined;
  /** Called after each commit of the file. */
  readonly onCommit?: (changes: number, seconds: number) => void;
  /** Called when the file refuses a batch. The store must not be used afterwards: memory and disk differ. */
  readonly onFatal: (error: unknown) => void;
}

/** Everything that a store holds at a moment, history left out. Objects are shared: they never change. */
export interface StoreContent {
  readonly uid: string;
  readonly revision: number;
  readonly objects: readonly StoredObject[];
  /** What `keep` made. */
  readonly kept: ReadonlyMap<string, string>;
}

/** Writes that are committed together. */
interface Batch {
  readonly changes: Change[];
  readonly committed: PromiseWithResolvers<void>;
}

type Listener = (change: Change) => void;

const COMPACT_EVERY_MS = 5 * 60_000;
const COMPACT_KEEPS = 1000;
/** Objects that are read at start before the time is looked at. */
const OBJECTS_BETWEEN_LOOKS = 32;
/** Objects that one turn of the event loop commits. */
const COMMIT_A_TURN = 256;
/** A file holds the rest, so memory holds what is in use; without a file nothing but the parsed forms can be dropped. */
const LIMITS_WITH_FILE: ResidencyLimits = { parsedBytes: 8_388_608, encodedBytes: 25_165_824 };
const LIMITS_IN_MEMORY: ResidencyLimits = { parsedBytes: 33_554_432, encodedBytes: Number.POSITIVE_INFINITY };
const EMPTY = new ObjectTable();

/**
 * Writes are applied in memory at once and in order; with a file they are committed together at the end of the turn of
 * the event loop. Nobody hears of a write before it is durable: writers await `settled`, readers too, and listeners are
 * called after the commit.
 */
export class Store {
  readonly uid: string;
  readonly #options: StoreOptions;
  readonly #log: SqliteLog | undefined;
  readonly #tables = new Map<string, ObjectTable>();
  readonly #ring: ChangeRing;
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #everything = new Set<Listener>();
  readonly #kept = new Map<string, string>();
  readonly #residency: Residency;
  readonly #home: ContentHome;
  #unread: Iterator<StoredObject> | undefined;
  readonly #checked: Promise<void> | undefined;
  #revision = 1;
  #released = 1;
  /** What is not yet on disk, in order. */
  #batches: Batch[] = [];
  #delivering = false;
  readonly #deliveries: Change[] = [];
  #compaction: Timer | undefined;
  #marks: { readonly timeMs: number; readonly revision: number }[] = [];
  readonly #health: WriteHealth;
  #failure: unknown;
  #closed = false;

  /**
   * Opens a store; reading a large file, and looking whether all of it is whole, leaves the event loop its turns. Nobody
   * has the store before both are done.
   */
  static async open(options: StoreOptions): Promise<Store> {
    const store = new Store(options, "in-turns");
    try {
      const turn = new Turn();
      while (!store.#readSome(OBJECTS_BETWEEN_LOOKS)) if (turn.isOver) await turn.next();
      await store.#checked;
      if (store.#log !== undefined) store.#scheduleCompaction();
    } catch (error) {
      // What is wrong with the pages says more than what was met while reading; and the check has the file open.
      const found: unknown = await store.#checked?.then(
        () => undefined,
        (why: unknown) => why,
      );
      // A damaged file: it is free for whoever mends it.
      store.close();
      throw found ?? error;
    }
    return store;
  }

  /** Reads the whole file at once. */
  constructor(options: StoreOptions, reading: "at-once" | "in-turns" = "at-once") {
    this.#options = options;
    this.#health = new WriteHealth(options.clock, () => this.#log?.probe());
    const newUid = randomUUID();
    if (options.database === undefined) {
      const { content } = options;
      this.uid = content?.uid ?? newUid;
      this.#revision = content?.revision ?? 1;
      this.#released = this.#revision;
      for (const [name, value] of content?.kept ?? []) this.#kept.set(name, value);
      this.#unread = content?.objects[Symbol.iterator]();
    } else {
      const { synchronous, maxBytes } = options;
      this.#log = new SqliteLog(options.database, { synchronous, maxBytes, checksAside: reading === "in-turns" });
      const loaded = this.#log.load(newUid);
      this.uid = loaded.uid;
      this.#revision = Math.max(1, loaded.revision);
      this.#released = this.#revision;
      this.#unread = loaded.objects[Symbol.iterator]();
      this.#checked = loaded.checked;
      if (reading === "at-once") this.#scheduleCompaction();
    }
    const log = this.#log;
    this.#residency = new Residency(log === undefined ? LIMITS_IN_MEMORY : LIMITS_WITH_FILE);
    this.#home = {
      read: log === undefined ? undefined : (object) => log.read(object),
      holdsParsed: (object) => this.#residency.parsed(object),
      holdsBytes: (object) => this.#residency.encoded(object),
    };
    if (reading === "at-once") this.#readSome(Number.POSITIVE_INFINITY);
    this.#ring = new ChangeRing(options.historyEvents, this.#revision);
  }

  /** Reads up to `most` objects of the file; true when all are read. */
  #readSome(most: number): boolean {
    const unread = this.#unread;
    if (unread === undefined) return true;
    for (let count = 0; count < most; count++) {
      const next = unread.next();
      if (next.done === true) {
        this.#unread = undefined;
        return true;
      }
      const object = next.value;
      object.settle(this.#home);
      this.#table(object.resource).set(object);
    }
    return false;
  }

  /** A value that stays with the store, such as a key: the kept one, or what `make` answers the first time. */
  keep(name: string, make: () => string): string {
    const kept = this.#log === undefined ? this.#kept.get(name) : this.#log.kept(name);
    if (kept !== undefined) return kept;
    const made = make();
    if (this.#log === undefined) this.#kept.set(name, made);
    else this.#log.keep(name, made);
    return made;
  }

  /** What the store holds now; for stores without a file. */
  content(): StoreContent {
    const objects = this.resources().flatMap((resource) => [...this.list(resource)]);
    return { uid: this.uid, revision: this.#revision, objects, kept: new Map(this.#kept) };
  }

  /** The revision of the last released write. */
  get revision(): number {
    return this.#released;
  }

  /** Why the file cannot be written at the moment, so that writes are refused; undefined while it can. */
  get writeRefusal(): AppError | undefined {
    return this.#health.refusal;
  }

  /** Bytes of the file; 0 in memory. */
  get fileSize(): number {
    return this.#closed ? 0 : (this.#log?.size() ?? 0);
  }

  /** Changes up to this revision can no longer be replayed. */
  get forgotten(): number {
    return this.#ring.forgotten;
  }

  /** Undefined when everything written so far is released; else await it before answering. Rejects on a fatal error. */
  settled(): Promise<void> | undefined {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return this.#batches.at(-1)?.committed.promise;
  }

  get(key: ObjectKey): StoredObject | undefined {
    return this.#tables.get(key.resource)?.get(key.namespace, key.name);
  }

  /** The present objects of a resource, of one namespace or of all, in key order. */
  list(resource: string, namespace?: string): readonly StoredObject[] {
    return (this.#tables.get(resource) ?? EMPTY).list(namespace);
  }

  /** The objects as they were at `revision`; undefined when history no longer reaches back. */
  listAt(revision: number, resource: string, namespace?: string): readonly StoredObject[] | undefined {
    if (revision < this.#ring.forgotten) return undefined;
    const before = new Map<string, StoredObject | undefined>();
    for (const change of this.#ring.after(revision)) {
      const { object } = change;
      if (object.resource !== resource || (namespace !== undefined && object.namespace !== namespace)) continue;
      const key = `${object.namespace}/${object.name}`;
      // The first change after the revision knows the state at the revision.
      if (!before.has(key)) before.set(key, change.previous);
    }
    const present = this.list(resource, namespace);
    if (before.size === 0) return present;
    const result = present.filter((object) => !before.has(`${object.namespace}/${object.name}`));
    for (const object of before.values()) if (object !== undefined) result.push(object);
    return result.sort(compareKeys);
  }

  /** How many objects a resource has. */
  count(resource: string): number {
    return this.#tables.get(resource)?.size ?? 0;
  }

  /** Resources that hold at least one object. */
  resources(): string[] {
    return [...this.#tables].filter(([, table]) => !table.isEmpty).map(([resource]) => resource);
  }

  /**
   * Writes an object, new or not. The store takes `object` over, sets its resourceVersion and freezes it. The result is
   * not released yet: await `settled()` before telling anybody.
   */
  put(key: ObjectKey, object: KubeObject): StoredObject {
    this.#check();
    const revision = ++this.#revision;
    object.metadata.resourceVersion = String(revision);
    const stored = new StoredObject(key, object.metadata.uid ?? "", revision, object);
    const table = this.#table(key.resource);
    const previous = table.get(key.namespace, key.name);
    table.set(stored);
    this.#record({ type: previous === undefined ? "ADDED" : "MODIFIED", object: stored, previous, revision });
    return stored;
  }

  /** Removes a present object. Watches are told its stored state under the revision of the removal. */
  remove(previous: StoredObject): void {
    this.#check();
    const revision = ++this.#revision;
    const stored = new StoredObject(previous, previous.uid, revision, previous);
    this.#table(previous.resource).delete(previous.namespace, previous.name);
    this.#record({ type: "DELETED", object: stored, previous, revision });
  }

  /** Calls `listener` with every released change of a resource, in order. Ends with the returned function. */
  subscribe(resource: string, listener: Listener): () => void {
    let listeners = this.#listeners.get(resource);
    if (listeners === undefined) {
      listeners = new Set();
      this.#listeners.set(resource, listeners);
    }
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  /** As `subscribe`, for all resources; these listeners hear of a change before those of its resource. */
  subscribeAll(listener: Listener): () => void {
    this.#everything.add(listener);
    return () => this.#everything.delete(listener);
  }

  /** Released changes of one resource after `revision`; ask only when `revision >= forgotten`. */
  *changesAfter(revision: number, resource: string): Iterable<Change> {
    for (const change of this.#ring.after(revision)) if (change.object.resource === resource) yield change;
  }

  /** Forgets the history up to now, as a compaction of the reference's storage does. */
  compactHistory(): void {
    this.#ring.forget(this.#released);
  }

  /** Writes what is pending and closes the file. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#compaction?.cancel();
    this.#health.stop();
    while (this.#batches.length > 0) this.#flush();
    this.#listeners.clear();
    this.#everything.clear();
    this.#log?.close();
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#closed) throw new Error("the store is closed");
  }

  #table(resource: string): ObjectTable {
    let table = this.#tables.get(resource);
    if (table === undefined) {
      table = new ObjectTable();
      this.#tables.set(resource, table);
    }
    return table;
  }

  #record(change: Omit<Change, "timeMs" | "shown">): void {
    const full: Change = { ...change, timeMs: this.#options.clock.now(), shown: undefined };
    if (this.#log === undefined) {
      this.#settle(full);
      this.#release([full]);
      return;
    }
    let batch = this.#batches.at(-1);
    if (batch === undefined || batch.changes.length >= COMMIT_A_TURN) {
      batch = { changes: [], committed: Promise.withResolvers() };
      // A failure reaches everybody through #failure as well; nobody may be waiting here.
      batch.committed.promise.catch(() => {});
      this.#batches.push(batch);
      setImmediate(() => this.#flush());
    }
    batch.changes.push(full);
  }

  /** The change is where it stays: its object may lose content from memory, and the one before has to. */
  #settle({ type, object, previous }: Change): void {
    if (previous !== undefined) {
      this.#residency.forget(previous);
      previous.shed();
    }
    if (type !== "DELETED") object.settle(this.#home);
  }

  /** Commits the oldest batch. */
  #flush(): void {
    const batch = this.#batches[0];
    if (batch === undefined || this.#log === undefined) return;
    const start = performance.now();
    try {
      this.#log.append(batch.changes);
    } catch (error) {
      const batches = this.#batches;
      this.#batches = [];
      const refusal = writeRefusal(this.#options.database ?? "", error);
      if (refusal !== undefined) {
        // Nobody was told of these writes: taking them back leaves what the disk has. Reads and watches go on.
        for (const { changes } of batches.toReversed()) this.#undo(changes);
        this.#health.refused(refusal);
        for (const { committed } of batches) committed.reject(refusal);
        return;
      }
      // Memory is ahead of the disk now. Going on would answer with state that a restart takes back.
      this.#failure = error;
      for (const { committed } of batches) committed.reject(error);
      this.#options.onFatal(error);
      return;
    }
    this.#batches.shift();
    this.#health.succeeded();
    this.#options.onCommit?.(batch.changes.length, (performance.now() - start) / 1000);
    for (const change of batch.changes) this.#settle(change);
    this.#release(batch.changes);
    batch.committed.resolve();
  }

  #undo(batch: readonly Change[]): void {
    for (const { object, previous } of batch.toReversed()) {
      const table = this.#table(object.resource);
      if (previous === undefined) table.delete(object.namespace, object.name);
      else table.set(previous);
    }
    this.#revision = this.#released;
  }

  #release(changes: readonly Change[]): void {
    for (const change of changes) {
      this.#released = change.revision;
      this.#ring.push(change);
      this.#deliveries.push(change);
    }
    // A listener may write: its changes are delivered after this one has reached everybody.
    if (this.#delivering) return;
    this.#delivering = true;
    try {
      for (let next = this.#deliveries.shift(); next !== undefined; next = this.#deliveries.shift())
        this.#deliver(next);
    } finally {
      this.#delivering = false;
    }
  }

  #deliver(change: Change): void {
    for (const listener of this.#everything) listener(change);
    const listeners = this.#listeners.get(change.object.resource);
    if (listeners !== undefined) for (const listener of listeners) listener(change);
  }

  #scheduleCompaction(): void {
    this.#compaction = this.#options.clock.after(COMPACT_EVERY_MS, () => {
      const now = this.#options.clock.now();
      // The marks say which revision was current how long ago.
      const old = this.#marks.findLast((mark) => now - mark.timeMs >= COMPACT_EVERY_MS);
      this.#marks = [...this.#marks.slice(-3), { timeMs: now, revision: this.#released }];
      // What the history may replay is read from the file.
      const most = Math.min(this.#released - COMPACT_KEEPS, this.#ring.forgotten);
      if (old !== undefined) this.#compactTo(Math.min(old.revision, most));
      this.#scheduleCompaction();
    });
  }

  #compactTo(target: number): void {
    if (this.#closed || target <= 0 || this.#log === undefined) return;
    try {
      if (this.#log.compact(target)) setImmediate(() => this.#compactTo(target));
    } catch (error) {
      const refusal = writeRefusal(this.#options.database ?? "", error);
      if (refusal === undefined) throw error;
      // Compaction comes again in five minutes.
      this.#health.refused(refusal);
    }
  }
}
