// Bindings with copies that stay for now: which of them to look at again when clusters come, go or change.
import { isReady } from "../../scheduler/fleet/cluster-wellness.ts";
import type { ClusterChange } from "../../scheduler/fleet-triggers.ts";
import { type AnyBinding, BINDING_API_VERSION } from "../../works/binding.ts";
import type { ControllerContext } from "../context.ts";
import { BINDING_KINDS, bindingKey } from "../scheduling/binding-key.ts";
import type { FleetState } from "../scheduling/fleet-state.ts";
import { drivesOut } from "./taint-evictions.ts";

/**
 * Calls `lookAgain` with the key of each binding for which `awaits` holds when what such decisions read of one of its
 * clusters changes: of a target, which is to replace a copy, as much as of one that a copy leaves. Nothing else may
 * change any more by then, so that nobody else would look. Costs what the bindings of that cluster are, not all.
 */
export function watchAwaiting(
  context: ControllerContext,
  fleet: FleetState,
  awaits: (binding: AnyBinding) => boolean,
  lookAgain: (key: string) => void,
): void {
  const byCluster = new Map<string, Set<string>>();
  const clustersOf = new Map<string, ReadonlySet<string>>();

  function set(key: string, clusters: ReadonlySet<string>): void {
    for (const name of clustersOf.get(key) ?? []) {
      const keys = byCluster.get(name);
      keys?.delete(key);
      if (keys?.size === 0) byCluster.delete(name);
    }
    if (clusters.size === 0) clustersOf.delete(key);
    else clustersOf.set(key, clusters);
    for (const name of clusters) byCluster.set(name, (byCluster.get(name) ?? new Set()).add(key));
  }

  for (const kind of BINDING_KINDS) {
    context.informers.of<AnyBinding>(BINDING_API_VERSION, kind).subscribe(({ type, object }) => {
      set(bindingKey(object), type !== "deleted" && awaits(object) ? clustersNamed(object) : NONE);
    });
  }
  fleet.subscribe((change) => {
    if (!changesCopies(change)) return;
    for (const key of byCluster.get((change.after ?? change.before)?.metadata.name ?? "") ?? []) lookAgain(key);
  });
}

const NONE: ReadonlySet<string> = new Set();

/** Those that the binding goes to, and those that it leaves. */
function clustersNamed({ spec }: AnyBinding): ReadonlySet<string> {
  return new Set([
    ...(spec.clusters ?? []).map(({ name }) => name),
    ...(spec.gracefulEvictionTasks ?? []).map(({ fromCluster }) => fromCluster),
  ]);
}

/** Whether something changed that says whether a copy in the cluster serves, may be removed, or may stay for good. */
export function changesCopies({ before, after }: ClusterChange): boolean {
  if (before === undefined || after === undefined) return true;
  return (
    isReady(before) !== isReady(after) ||
    drivesOut(before) !== drivesOut(after) ||
    before.spec.syncMode !== after.spec.syncMode ||
    (before.metadata.deletionTimestamp === undefined) !== (after.metadata.deletionTimestamp === undefined)
  );
}
