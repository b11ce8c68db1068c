// How a template tells that some clusters have not reported yet. Flux must not take it for done, and Argo CD not for
// failed: a sync of Argo CD fails at the first object that is Degraded, be it for a moment.

import type { Fields } from "../../field-access.ts";
import type { Report } from "./aggregation.ts";
import { conditionsOf, findCondition } from "./conditions.ts";
import { isTrue } from "./kstatus.ts";

/**
 * What stands in place of a verdict that is still to come, by what Argo CD asks of the kind:
 * - `unknown`: the verdict is Unknown;
 * - `reconciling`: the verdict is left out, and Reconciling is True;
 * - `unknown-reconciling`: the verdict is Unknown, and Reconciling is True;
 * - `nothing`: no condition at all.
 */
export type Awaiting = "unknown" | "reconciling" | "unknown-reconciling" | "nothing";

/** The conditions of a fleet, with what tells that `decisive` ones are awaited where no cluster has decided them yet. */
export function withAwaited(
  report: Report,
  conditions: readonly Fields[],
  decisive: readonly string[],
  awaiting: Awaiting,
): readonly Fields[] {
  const isOpen = ({ type, status }: Fields): boolean => status === "Unknown" && decisive.includes(String(type));
  const open = conditions.find(isOpen);
  if (awaiting === "unknown" || open === undefined || !isAwaited(report, decisive)) return conditions;
  if (isTrue({ conditions }, "Stalled")) return conditions;
  if (awaiting === "nothing") return [];
  const kept = awaiting === "reconciling" ? conditions.filter((condition) => !isOpen(condition)) : conditions;
  return [reconciling(report, conditions, open), ...kept.filter(({ type }) => type !== "Reconciling")];
}

/** Some cluster says nothing of a decisive condition, or no cluster is there to say anything. */
function isAwaited({ items, members }: Report, decisive: readonly string[]): boolean {
  return (
    items.length === 0 ||
    members.length < items.length ||
    members.some(({ status }) => {
      const said = new Set(conditionsOf(status).map(({ type }) => type));
      return decisive.some((type) => !said.has(type));
    })
  );
}

/** What a cluster says of it goes before what is said of the clusters that say nothing. */
function reconciling(report: Report, conditions: readonly Fields[], open: Fields): Fields {
  const said = findCondition({ conditions }, "Reconciling");
  if (said?.["status"] === "True") return said;
  const old = findCondition(report.old, "Reconciling");
  const { observedGeneration: _none, ...rest } = open;
  return {
    ...rest,
    type: "Reconciling",
    status: "True",
    lastTransitionTime: old?.["status"] === "True" ? (old["lastTransitionTime"] ?? report.now) : report.now,
  };
}
