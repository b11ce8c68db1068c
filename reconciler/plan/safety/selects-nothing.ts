// Services, budgets, network policies and autoscalers that mean nothing, or nothing in some of their clusters.
import type { ReportFinding } from "../../../api/plan-report.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { objectName } from "../../reports/words.ts";
import type { Outcome } from "../river.ts";
import type { World } from "../world.ts";
import { about, type ReviewedSide } from "./reviewed-change.ts";
import { type Selection, selectionOf } from "./selections.ts";

/** An object that means others, and those of its namespace that it means. */
export interface SelectingOutcome {
  readonly outcome: Outcome;
  readonly selection: Selection;
  readonly selected: readonly Outcome[];
}

/** What selects pods in namespaces where something changes, as far as all that it may select is known. */
export function selectingOutcomes({ world, outcomes, change }: ReviewedSide): readonly SelectingOutcome[] {
  const namespaces = new Set<string>();
  for (const key of change.touched) {
    const namespace = (outcomes.get(key) ?? change.before.outcomes.get(key))?.ref.namespace;
    if (namespace !== undefined && isSelectionKnown(world, namespace)) namespaces.add(namespace);
  }
  if (namespaces.size === 0) return [];
  const byNamespace = Map.groupBy(outcomes.values(), ({ ref }) => ref.namespace ?? "");
  return [...namespaces].flatMap((namespace) => {
    const here = byNamespace.get(namespace) ?? [];
    return here.flatMap((outcome): SelectingOutcome[] => {
      const selection = selectionOf(outcome.template);
      if (selection === undefined) return [];
      return [{ outcome, selection, selected: here.filter(({ template }) => selection.matches(template)) }];
    });
  });
}

/** In a part of the world, only where it was looked for. */
function isSelectionKnown({ partial, relatedNamespaces }: World, namespace: string): boolean {
  return partial !== true || relatedNamespaces?.has(namespace) === true;
}

export function selectsNothing(side: ReviewedSide): readonly ReportFinding[] {
  return selectingOutcomes(side).flatMap(({ outcome, selection, selected }): ReportFinding[] => {
    const { ref, template } = outcome;
    const common = { ...about(side.change, ref), field: selection.field };
    if (selected.length === 0)
      return [
        {
          rule: "selector-matches-nothing",
          severity: "warning",
          ...common,
          message: `${effectOf(template)}: ${isAutoscaler(template) ? `there is no ${selection.words} in its namespace` : `nothing in its namespace makes pods with ${selection.words}`}`,
          advice: isAutoscaler(template)
            ? "check apiVersion, kind and name of spec.scaleTargetRef"
            : "compare the selector with spec.template.metadata.labels of the workload that is meant",
        },
      ];
    if (selected.some(({ unknown }) => unknown !== undefined) || outcome.unknown !== undefined) return [];
    const there = new Set(selected.flatMap(({ copies }) => copies.map(({ cluster }) => cluster)));
    const missing = outcome.copies.map(({ cluster }) => cluster).filter((cluster) => !there.has(cluster));
    // What is placed nowhere is told of by itself.
    if (missing.length === 0 || there.size === 0) return [];
    return [
      {
        rule: "selector-matches-nothing-in-cluster",
        severity: "notice",
        ...common,
        clusters: missing.sort(),
        message: `${effectOf(template)} there: what it means is in other clusters only`,
        advice: "place both by the same policy",
      },
    ];
  });
}

function isAutoscaler({ kind }: KubeObject): boolean {
  return kind === "HorizontalPodAutoscaler";
}

function effectOf(template: KubeObject): string {
  const { kind, metadata } = template;
  const name = objectName({ ...template, namespace: metadata.namespace, name: metadata.name ?? "" });
  switch (kind) {
    case "Service":
      return `${name} answers nobody`;
    case "PodDisruptionBudget":
      return `${name} protects no pods`;
    case "NetworkPolicy":
      return `${name} guards no pods`;
    default:
      return `${name} scales nothing`;
  }
}
