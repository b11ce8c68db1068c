// Which Sync has which object, by the inventories: what one has, another must not apply as well.
import type { InventoryEntry, Sync } from "../../../api/gitops.ts";
import type { ControllerContext } from "../context.ts";
import { GITOPS_API, keyOf } from "./git-repository.ts";

/** Claims are made before the first await that follows the check, so that of two Syncs at once only one gets an object. */
export class SyncOwners {
  readonly #owners = new Map<string, string>();
  readonly #idsOf = new Map<string, Set<string>>();
  /** What a Sync would have were it not another's. */
  readonly #wanted = new Map<string, string>();
  readonly #listeners: ((key: string) => void)[] = [];

  constructor(context: ControllerContext) {
    context.informers.of<Sync>(GITOPS_API, "Sync").subscribe((change) => {
      const key = keyOf(change.object);
      if (change.type === "deleted") {
        for (const id of this.#idsOf.get(key) ?? []) this.#release(id, key);
        for (const [id, by] of this.#wanted) if (by === key) this.#wanted.delete(id);
        this.#idsOf.delete(key);
        return;
      }
      const now = change.object.status?.inventory?.entries ?? [];
      const before = change.type === "updated" ? (change.previous.status?.inventory?.entries ?? []) : [];
      if (now === before) return;
      const ids = new Set(now.map(({ id }) => id));
      for (const { id } of before) if (!ids.has(id)) this.#release(id, key);
      for (const id of ids) this.#take(id, key);
    });
  }

  /** Told the key of a Sync when an object that it was refused is nobody's any more. */
  subscribe(listener: (key: string) => void): void {
    this.#listeners.push(listener);
  }

  /** The other Sync that has the object; undefined when none has. */
  ownerOf(id: string, asker: string): string | undefined {
    const owner = this.#owners.get(id);
    return owner === asker ? undefined : owner;
  }

  /** Remembers that a Sync was refused an object, so that its owner hands it over instead of deleting it. */
  want(id: string, key: string): void {
    this.#wanted.set(id, key);
  }

  /** The other Sync that waits for the object. */
  waiterFor(id: string, owner: string): string | undefined {
    const waiter = this.#wanted.get(id);
    return waiter === owner ? undefined : waiter;
  }

  /** Everything that a Sync is about to have, and nothing else beside its inventory. */
  claim(key: string, wanted: readonly InventoryEntry[], inventory: readonly InventoryEntry[]): void {
    const keep = new Set([...wanted, ...inventory].map(({ id }) => id));
    for (const id of [...(this.#idsOf.get(key) ?? [])]) if (!keep.has(id)) this.#release(id, key);
    for (const [id, by] of this.#wanted) if (by === key) this.#wanted.delete(id);
    for (const { id } of wanted) this.#take(id, key);
  }

  #take(id: string, key: string): void {
    if (this.#owners.has(id)) return;
    this.#owners.set(id, key);
    const ids = this.#idsOf.get(key) ?? new Set<string>();
    ids.add(id);
    this.#idsOf.set(key, ids);
  }

  #release(id: string, key: string): void {
    this.#idsOf.get(key)?.delete(id);
    if (this.#owners.get(id) !== key) return;
    this.#owners.delete(id);
    const waiter = this.#wanted.get(id);
    if (waiter !== undefined) for (const listener of this.#listeners) listener(waiter);
  }
}
