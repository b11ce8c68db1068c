// The outcome of a plan in a sentence, the same in every report.
import { type ObjectRef, refKey } from "../../kube/object.ts";
import { andList, count } from "../reports/words.ts";
import type { ObjectChange, Plan } from "./changes.ts";

/** `2 objects change in 2 of 3 clusters, 3 replicas move, nothing is deleted.` `source`: what changes in the control plane. */
export function verdictLine(plan: Plan, source: readonly { readonly object: ObjectRef }[], isHeld: boolean): string {
  const unknown = plan.unknown.length;
  const rest = unknown === 0 ? "" : ` Of ${count(unknown, "object")} it is not known.`;
  if (plan.changes.length === 0 && source.length === 0)
    return unknown === 0 ? "Nothing changes." : `Nothing that is known changes.${rest}`;
  if (plan.changes.length === 0) {
    const verb = source.length === 1 ? "changes" : "change";
    const where = unknown === 0 ? "nothing in any cluster." : `nothing that is known in any cluster.${rest}`;
    return `${count(source.length, "object")} ${verb} in the control plane, ${where}`;
  }
  const clusters = new Set(plan.changes.map((change) => change.cluster)).size;
  const deleted = plan.changes.filter((change) => change.change === "deleted");
  const parts = [
    `${objectsText(plan.changes)} in ${clusters} of ${count(plan.clusters.length, "cluster")}`,
    ...(plan.movedReplicas === 0
      ? []
      : [`${count(plan.movedReplicas, "replica")} ${plan.movedReplicas === 1 ? "moves" : "move"}`]),
    ...(deleted.length === 0
      ? ["nothing is deleted"]
      : deleted.length === plan.changes.length
        ? []
        : [`${count(deleted.length, "copy", "copies")} ${deleted.length === 1 ? "is" : "are"} deleted`]),
    ...(isHeld ? ["once a person confirms it"] : []),
  ];
  return `${parts.join(", ")}.${rest}`;
}

/** `2 objects change`, `5 objects are created`, `2 objects change and 1 is created`; what goes is said elsewhere. */
function objectsText(changes: readonly ObjectChange[]): string {
  const kinds = new Map<string, Set<string>>();
  for (const { object, change } of changes) {
    const key = refKey(object);
    kinds.set(key, (kinds.get(key) ?? new Set()).add(change));
  }
  const only = (kind: string): number => [...kinds.values()].filter((set) => set.size === 1 && set.has(kind)).length;
  const created = only("created");
  const deleted = only("deleted");
  const changed = kinds.size - created - deleted;
  const is = (number: number): string => (number === 1 ? "is" : "are");
  const parts = [
    ...(changed === 0 ? [] : [`${count(changed, "object")} ${changed === 1 ? "changes" : "change"}`]),
    ...(created === 0 ? [] : [`${changed === 0 ? count(created, "object") : created} ${is(created)} created`]),
    ...(changed + created > 0 ? [] : [`${count(deleted, "object")} ${is(deleted)} deleted`]),
  ];
  return andList(parts);
}
