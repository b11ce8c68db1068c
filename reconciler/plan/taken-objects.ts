// Objects that a Sync would apply and another one has, which the change does not concern: the Sync would be refused whole.
import type { Sync } from "../../api/gitops.ts";
import { type KubeObject, type ObjectRef, refOf } from "../../kube/object.ts";
import { inventoryEntry } from "../controllers/sync/sync-decisions.ts";

export interface TakenObject {
  readonly object: ObjectRef;
  /** `apps/web.yaml:3`. */
  readonly origin: string;
  /** Who would apply it: `shop/apps`. */
  readonly sync: string;
  /** Who has it. */
  readonly owner: string;
}

/** What a Sync renders, what of that it keeps, and what it takes out. */
interface SyncChange {
  readonly rendered: readonly { readonly object: KubeObject; readonly origin: string }[];
  readonly hooks: readonly { readonly plan: { readonly objects: readonly KubeObject[] } }[];
  readonly removed: readonly { readonly object: ObjectRef }[];
}

/**
 * `changes`: what each Sync of the change does, by its name. `syncs`: all that there are. What Syncs of the change have
 * between themselves is no matter of inventories: they hand over, or are told of both.
 */
export function takenObjects(changes: ReadonlyMap<string, SyncChange>, syncs: readonly Sync[]): TakenObject[] {
  const owners = syncs.map((sync) => ({ sync, name: `${sync.metadata.namespace}/${sync.metadata.name}` }));
  const going = new Set(
    [...changes.values()].flatMap(({ removed }) =>
      removed
        .filter(({ object }) => object.kind === "Sync" && object.apiVersion.startsWith("gitops.flaghoist.io/"))
        .map(({ object }) => `${object.namespace}/${object.name}`),
    ),
  );
  const others = owners.filter(({ name }) => !changes.has(name) && !going.has(name));
  const wanted = new Map<string, { readonly object: KubeObject; readonly origin: string; readonly sync: string }>();
  for (const [sync, { hooks, rendered }] of changes) {
    const kept = new Set(hooks.flatMap(({ plan }) => plan.objects));
    for (const { object, origin } of rendered)
      if (kept.has(object)) wanted.set(inventoryEntry(refOf(object)).id, { object, origin, sync });
  }
  return others.flatMap(({ sync: owner, name }) =>
    (owner.status?.inventory?.entries ?? []).flatMap(({ id }): TakenObject[] => {
      const taken = wanted.get(id);
      return taken === undefined
        ? []
        : [{ object: refOf(taken.object), origin: taken.origin, sync: taken.sync, owner: name }];
    }),
  );
}
