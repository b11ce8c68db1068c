// When what a Sync applied is up: for Syncs that ask for it by `wait`.
import type { InventoryEntry } from "../../../api/gitops.ts";
import { isConditionTrue } from "../../../kube/conditions.ts";
import { describeRef, type ObjectRef } from "../../../kube/object.ts";
import { type AnyBinding, BINDING_API_VERSION } from "../../works/binding.ts";
import { bindingName } from "../../works/naming.ts";
import { isUpToStrength } from "../clusters/failover.ts";
import type { ControllerContext } from "../context.ts";
import { refOfEntry } from "./sync-decisions.ts";

/** Names at most this many objects in a message. */
const NAMED = 5;

/** The objects of an inventory that are placed and not yet everywhere, ready. Objects that no policy places count as up. */
export function unsettledObjects(context: ControllerContext, inventory: readonly InventoryEntry[]): ObjectRef[] {
  return inventory.flatMap((entry) => {
    const ref = refOfEntry(entry);
    if (ref === undefined) return [];
    const kind = ref.namespace === undefined ? "ClusterResourceBinding" : "ResourceBinding";
    const binding = context.informers
      .of<AnyBinding>(BINDING_API_VERSION, kind)
      .get(ref.namespace, bindingName(ref.kind, ref.name));
    const isOurs = binding?.spec.resource.kind === ref.kind && binding.spec.resource.apiVersion === ref.apiVersion;
    return binding === undefined || !isOurs || isSettled(binding) ? [] : [ref];
  });
}

/** The binding's present generation is scheduled, applied in every target, and healthy there with all its replicas. */
export function isSettled(binding: AnyBinding): boolean {
  const { status, metadata, spec } = binding;
  if (
    status?.schedulerObservedGeneration !== metadata.generation ||
    !isConditionTrue(status?.conditions, "FullyApplied")
  )
    return false;
  const targets = spec.clusters ?? [];
  const items = status?.aggregatedStatus ?? [];
  const healthy = targets.every((target) =>
    items.some((item) => item.clusterName === target.name && item.applied === true && item.health === "Healthy"),
  );
  return targets.length > 0 && healthy && isUpToStrength(binding);
}

export function describeObjects(refs: readonly ObjectRef[]): string {
  const named = refs.slice(0, NAMED).map(describeRef).join(", ");
  return refs.length > NAMED ? `${named} and ${refs.length - NAMED} more` : named;
}
