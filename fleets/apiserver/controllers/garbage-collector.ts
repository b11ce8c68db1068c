// Deletes what its owners leave behind, as ownerReferences ask.
import { cloneJson, type KubeObject, type OwnerReference, parseApiVersion } from "../../../kube/object.ts";
import type { Timer } from "../../../runtime/clock.ts";
import { messageOf } from "../../../runtime/errors.ts";
import { isFinished } from "../handlers/write.ts";
import type { KindStrategy } from "../registry/kind.ts";
import type { DeleteOptions } from "../request/options.ts";
import type { ServerContext } from "../server-context.ts";
import type { Change } from "../storage/change-ring.ts";
import type { ObjectKey, StoredObject } from "../storage/stored-object.ts";
import { Deletions } from "./deletions.ts";

/** How long an object may wait for an owner that is created after it. */
const OWNER_GRACE_MS = 500;
const OBJECTS_A_TURN = 500;
const ORPHAN = "orphan";
const FOREGROUND = "foregroundDeletion";

type OwnerState = "present" | "waiting" | "absent" | "unknown";

/**
 * Follows all changes of one store. `dependents` is kept at write time, so that the end of an owner costs as much as it
 * has dependents. Work is done at the end of the turn, after the change that caused it was answered, or `afterMs` later:
 * then the owner's controller sees its dependents go, as it does in a cluster whose collector is another process.
 */
export class GarbageCollector {
  readonly #server: ServerContext;
  readonly #afterMs: number | undefined;
  /** Keys of dependents by the uid of each owner. */
  readonly #dependents = new Map<string, Map<string, ObjectKey>>();
  readonly #queue = new Map<string, ObjectKey>();
  readonly #deletions: Deletions;
  #scheduled = false;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(server: ServerContext, afterMs?: number) {
    this.#server = server;
    this.#afterMs = afterMs;
    this.#deletions = new Deletions(server, "generic-garbage-collector");
  }

  start(): void {
    const { store } = this.#server;
    store.subscribeAll((change) => this.#onChange(change));
    this.#readSome(
      store.resources().flatMap((resource) => store.list(resource)),
      0,
    );
  }

  /** Looks at the objects that were there at the start, some in each turn of the event loop. */
  #readSome(objects: readonly StoredObject[], from: number): void {
    if (this.#stopped) return;
    const { store } = this.#server;
    const end = Math.min(objects.length, from + OBJECTS_A_TURN);
    for (let index = from; index < end; index++) {
      const stored = objects[index]!;
      // What has changed since came as a change.
      if (store.get(stored) === stored) this.#onObject(stored, undefined);
    }
    if (end < objects.length) setImmediate(() => this.#readSome(objects, end));
  }

  /** Whether it has something to do at the end of this turn. */
  get isBusy(): boolean {
    return this.#scheduled && this.#afterMs === undefined;
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#deletions.stop();
  }

  #onChange(change: Change): void {
    if (change.type !== "DELETED") {
      this.#onObject(change.object, change.previous);
      return;
    }
    const { object } = change;
    for (const owner of ownersOfStored(object)) {
      this.#forget(owner.uid, object);
      // A foreground deletion may have waited for this one.
      this.#enqueueOwner(owner, object);
    }
    for (const key of this.#dependents.get(object.uid)?.values() ?? []) this.#enqueue(key);
  }

  #onObject(stored: StoredObject, previous: StoredObject | undefined): void {
    const owners = ownersOfStored(stored);
    const before = previous === undefined ? [] : ownersOfStored(previous);
    if (owners.length > 0 || before.length > 0) {
      for (const owner of before) this.#forget(owner.uid, stored);
      for (const owner of owners) this.#remember(owner.uid, stored);
      if (owners.length > 0) this.#enqueueWithOwners(stored, owners);
      // Losing a blocking dependent frees an owner that is being deleted.
      for (const owner of before) this.#enqueueOwner(owner, stored);
    }
    if (!stored.isDeleting) return;
    const { finalizers = [] } = stored.object.metadata;
    if (finalizers.includes(ORPHAN) || finalizers.includes(FOREGROUND)) this.#enqueue(stored);
  }

  #remember(uid: string, key: ObjectKey): void {
    let keys = this.#dependents.get(uid);
    if (keys === undefined) {
      keys = new Map();
      this.#dependents.set(uid, keys);
    }
    keys.set(textOf(key), { resource: key.resource, namespace: key.namespace, name: key.name });
  }

  #forget(uid: string, key: ObjectKey): void {
    const keys = this.#dependents.get(uid);
    if (keys === undefined) return;
    keys.delete(textOf(key));
    if (keys.size === 0) this.#dependents.delete(uid);
  }

  #enqueue(key: ObjectKey): void {
    this.#queue.set(textOf(key), { resource: key.resource, namespace: key.namespace, name: key.name });
    if (this.#scheduled) return;
    this.#scheduled = true;
    if (this.#afterMs === undefined) setImmediate(() => this.#work());
    else this.#timer = this.#server.clock.after(this.#afterMs, () => this.#work());
  }

  /** An object whose owners are all absent is looked at a little later: the reference is no faster either. */
  #enqueueWithOwners(stored: StoredObject, owners: readonly OwnerReference[]): void {
    const { resource, namespace, name } = stored;
    if (owners.some((owner) => this.#stateOf(owner, stored) !== "absent")) this.#enqueue(stored);
    else this.#server.clock.after(OWNER_GRACE_MS, () => this.#enqueue({ resource, namespace, name }));
  }

  #enqueueOwner(owner: OwnerReference, dependent: ObjectKey): void {
    const found = this.#findOwner(owner, dependent);
    if (found.stored?.object.metadata.deletionTimestamp !== undefined) this.#enqueue(found.stored);
  }

  #work(): void {
    this.#scheduled = false;
    const keys = [...this.#queue.values()];
    this.#queue.clear();
    for (const key of keys) {
      if (this.#stopped) return;
      // What changed in this very turn has its own coming, after whoever else is to see the change.
      if (this.#afterMs !== undefined && this.#queue.has(textOf(key))) continue;
      try {
        this.#process(key);
      } catch (error) {
        this.#server.logger.warn("failed to collect garbage", { object: textOf(key), error: messageOf(error) });
      }
    }
  }

  #process(key: ObjectKey): void {
    const stored = this.#server.store.get(key);
    if (stored === undefined) return;
    const { deletionTimestamp, finalizers = [] } = stored.object.metadata;
    if (deletionTimestamp !== undefined) {
      if (finalizers.includes(ORPHAN)) this.#orphanDependents(stored);
      else if (finalizers.includes(FOREGROUND)) this.#deleteForeground(stored);
      return;
    }
    this.#checkOwners(stored);
  }

  #checkOwners(stored: StoredObject): void {
    const owners = ownersOf(stored.object);
    if (owners.length === 0) return;
    const states = owners.map((owner) => this.#stateOf(owner, stored));
    if (states.includes("present") || states.includes("unknown")) {
      this.#dropOwners(stored, owners, states);
      return;
    }
    // All owners are gone, or wait in the foreground for this one.
    const waiting = states.includes("waiting");
    const blocks = this.#dependentsOf(stored.uid).some((each) =>
      ownersOf(each.object).some((owner) => owner.uid === stored.uid && owner.blockOwnerDeletion === true),
    );
    this.#delete(stored, waiting && blocks ? "Foreground" : this.#inheritedPolicy(stored));
  }

  /** An object's own finalizer decides, when a client set one before. */
  #inheritedPolicy(stored: StoredObject): DeleteOptions["propagation"] {
    const finalizers = stored.object.metadata.finalizers ?? [];
    if (finalizers.includes(ORPHAN)) return "Orphan";
    return finalizers.includes(FOREGROUND) ? "Foreground" : "Background";
  }

  /** Removes references to owners that are gone, while another one remains. */
  #dropOwners(stored: StoredObject, owners: readonly OwnerReference[], states: readonly OwnerState[]): void {
    if (!states.includes("present")) return;
    const kept = owners.filter((_owner, index) => states[index] === "present" || states[index] === "unknown");
    if (kept.length === owners.length) return;
    const updated = cloneJson(stored.object);
    updated.metadata.ownerReferences = kept.map((owner) => ({ ...owner }));
    this.#server.store.put(stored, updated);
  }

  #stateOf(owner: OwnerReference, dependent: ObjectKey): OwnerState {
    const { kind, stored } = this.#findOwner(owner, dependent);
    if (kind === undefined) return "unknown";
    if (stored === undefined || stored.uid !== owner.uid) return "absent";
    const { deletionTimestamp, finalizers } = stored.object.metadata;
    return deletionTimestamp !== undefined && finalizers?.includes(FOREGROUND) === true ? "waiting" : "present";
  }

  #findOwner(
    owner: OwnerReference,
    dependent: ObjectKey,
  ): { readonly kind: KindStrategy | undefined; readonly stored: StoredObject | undefined } {
    const { group, version } = parseApiVersion(owner.apiVersion);
    const kind = this.#server.registry.findKind(group, version, owner.kind);
    if (kind === undefined) return { kind, stored: undefined };
    const namespace = kind.namespaced ? dependent.namespace : "";
    return { kind, stored: this.#server.store.get({ resource: kind.storageKey, namespace, name: owner.name }) };
  }

  #dependentsOf(uid: string): StoredObject[] {
    const found: StoredObject[] = [];
    for (const key of this.#dependents.get(uid)?.values() ?? []) {
      const stored = this.#server.store.get(key);
      if (stored !== undefined) found.push(stored);
    }
    return found;
  }

  #orphanDependents(owner: StoredObject): void {
    const dependents = this.#dependentsOf(owner.uid);
    for (const dependent of dependents) {
      const updated = cloneJson(dependent.object);
      const kept = ownersOf(updated).filter((each) => each.uid !== owner.uid);
      if (kept.length === 0) delete updated.metadata.ownerReferences;
      else updated.metadata.ownerReferences = kept;
      this.#server.store.put(dependent, updated);
    }
    // As Kubernetes: the owner stays until all of them are written, long enough for its controller to count it empty.
    if (this.#afterMs !== undefined && dependents.length > 0) this.#enqueue(owner);
    else this.#removeFinalizer(owner, ORPHAN);
  }

  #deleteForeground(owner: StoredObject): void {
    let blocked = false;
    for (const dependent of this.#dependentsOf(owner.uid)) {
      const reference = ownersOf(dependent.object).find((each) => each.uid === owner.uid);
      if (dependent.object.metadata.deletionTimestamp === undefined) this.#checkOwners(dependent);
      const present = this.#server.store.get(dependent);
      const stillOwned = present !== undefined && ownersOf(present.object).some((each) => each.uid === owner.uid);
      if (stillOwned && reference?.blockOwnerDeletion === true) blocked = true;
    }
    const present = this.#server.store.get(owner);
    if (!blocked && present !== undefined) this.#removeFinalizer(present, FOREGROUND);
  }

  #removeFinalizer(stored: StoredObject, finalizer: string): void {
    const updated = cloneJson(stored.object);
    const kept = (updated.metadata.finalizers ?? []).filter((each) => each !== finalizer);
    if (kept.length === 0) delete updated.metadata.finalizers;
    else updated.metadata.finalizers = kept;
    if (isFinished(updated)) this.#server.store.remove(stored);
    else this.#server.store.put(stored, updated);
  }

  #delete(stored: StoredObject, propagation: DeleteOptions["propagation"]): void {
    const kind = this.#server.registry.byStorage(stored.resource)[0];
    if (kind === undefined) return;
    const options = {
      dryRun: false,
      gracePeriodSeconds: undefined,
      propagation,
      uid: stored.uid,
      resourceVersion: undefined,
    };
    this.#deletions.start(kind, stored, options, () => this.#enqueue(stored));
  }
}

/** Most objects have no owners, and need not be read to know. */
function ownersOfStored(stored: StoredObject): readonly OwnerReference[] {
  return stored.hasOwners ? ownersOf(stored.object) : [];
}

function ownersOf(object: KubeObject): readonly OwnerReference[] {
  return object.metadata.ownerReferences ?? [];
}

function textOf(key: ObjectKey): string {
  return `${key.resource} ${key.namespace}/${key.name}`;
}
