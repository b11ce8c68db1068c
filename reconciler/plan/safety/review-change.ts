// All safety rules over a change.
import type { PlanReport, ReportFinding, Severity } from "../../../api/plan-report.ts";
import { type ObjectRef, refKey, refOf } from "../../../kube/object.ts";
import { Turn } from "../../../runtime/turn.ts";
import { changeKey } from "../changes.ts";
import type { Comparison, ComparisonOptions } from "../compare-worlds.ts";
import type { FolderChange } from "../folder-change.ts";
import { placeOf, placeOfOrigin } from "../report-words.ts";
import type { SourceChange } from "../source-changes.ts";
import { namespaceRemoved } from "./container-lost.ts";
import { dataLost } from "./data-lost.ts";
import { definitionRemoved, definitionVersionRemoved } from "./definition-lost.ts";
import { disruptionBudget } from "./disruption-budget.ts";
import { imageTag } from "./image-tag.ts";
import { immutableField } from "./immutable-field.ts";
import { massPrune } from "./mass-prune.ts";
import { oneFailureDomain } from "./one-failure-domain.ts";
import { policyLetGo, policyNeverWins, policySelectsNothing } from "./propagation-policy.ts";
import { causedBy, type ReviewedChange, type SafetyRule } from "./reviewed-change.ts";
import { selectsNothing } from "./selects-nothing.ts";
import { syncChanged } from "./sync-changed.ts";
import { takenObject } from "./taken-object.ts";
import { apiNotServed, workloadWithoutPolicy } from "./unplaced-workload.ts";
import { vainOverride } from "./vain-override.ts";

const RULES: readonly SafetyRule[] = [
  takenObject,
  massPrune,
  namespaceRemoved,
  definitionRemoved,
  definitionVersionRemoved,
  dataLost,
  syncChanged,
  immutableField,
  policyLetGo,
  causedBy(policyNeverWins),
  causedBy(policySelectsNothing),
  vainOverride,
  causedBy(workloadWithoutPolicy),
  causedBy(apiNotServed),
  causedBy(oneFailureDomain),
  causedBy(selectsNothing),
  causedBy(disruptionBudget),
  imageTag,
];

/** What a reviewer should know of a change, the severest first. Rests between the rules. */
export async function reviewChange(change: ReviewedChange, turn = new Turn()): Promise<ReportFinding[]> {
  const findings: ReportFinding[] = [];
  for (const rule of RULES) {
    if (turn.isOver) await turn.next();
    findings.push(...rule(change));
  }
  return bySeverity(findings);
}

const RANK: Readonly<Record<Severity, number>> = { error: 0, warning: 1, notice: 2 };

/** Those of one severity stay in their order. */
export function bySeverity(findings: readonly ReportFinding[]): ReportFinding[] {
  return findings.toSorted((a, b) => RANK[a.severity] - RANK[b.severity]);
}

export interface ReviewInput {
  readonly change: FolderChange;
  readonly compared: Omit<Comparison, "plan">;
  readonly plan: Comparison["plan"];
  /** What differs in the control plane. */
  readonly source: readonly SourceChange[];
  readonly losses: ReviewedChange["losses"];
  readonly originOf: ComparisonOptions["originOf"];
}

/** Gathers what the rules look at. */
export function reviewedChange({ change, compared, plan, source, losses, originOf }: ReviewInput): ReviewedChange {
  const changed = new Set(source.map(({ object }) => refKey(object)));
  const { before, after } = compared;
  return {
    desired: change.desired.filter(({ object }) => changed.has(refKey(refOf(object)))),
    removed: change.removed,
    rendered: change.rendered.map(({ object }) => refOf(object)),
    prunes: change.prunes ?? [],
    taken: change.taken ?? [],
    before,
    after,
    plan,
    touched: new Set([...changed, ...plan.changes.map(changeKey)]),
    overrideFindings: compared.findings,
    losses,
    placeOf: placesIn(change, compared, originOf),
  };
}

/** In the files of the head; for what the change does not write, where the control plane has it from. */
function placesIn(
  change: FolderChange,
  { after }: Pick<Comparison, "after">,
  originOf: ComparisonOptions["originOf"],
): (ref: ObjectRef) => PlanReport["objects"][number]["place"] {
  const files = new Map(change.rendered.map(({ object, origin }) => [refKey(refOf(object)), origin]));
  return (ref) => {
    const file = files.get(refKey(ref));
    if (file !== undefined) return placeOf(file);
    const { world } = after;
    const stored = [
      ...world.templates,
      ...world.policies,
      ...world.overridePolicies,
      ...world.clusterOverridePolicies,
    ].find((object) => object.metadata.name === ref.name && refKey(refOf(object)) === refKey(ref));
    return stored === undefined ? undefined : placeOfOrigin(originOf(stored));
  };
}
