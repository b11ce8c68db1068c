// Namespaces that go, with all that is in them.
import type { ReportFinding } from "../../../api/plan-report.ts";
import { refKey, refOf } from "../../../kube/object.ts";
import { andList, count, objectName } from "../../reports/words.ts";
import { about, isOfKind, type ReviewedChange } from "./reviewed-change.ts";

const KINDS_NAMED = 4;

/** What a removed namespace takes along, in the control plane and in every cluster. */
export function namespaceRemoved(change: ReviewedChange): readonly ReportFinding[] {
  const removed = new Set(change.removed.map(({ object }) => refKey(object)));
  return change.removed.flatMap(({ object }): ReportFinding[] => {
    if (!isOfKind(object, "/Namespace")) return [];
    const inside = change.before.world.templates.filter(({ metadata }) => metadata.namespace === object.name);
    const others = inside.filter((template) => !removed.has(refKey(refOf(template))));
    const kinds = [...Map.groupBy(others, ({ kind }) => kind)]
      .sort(([, a], [, b]) => b.length - a.length)
      .map(([kind, ofKind]) => count(ofKind.length, kind));
    const shown = kinds.length > KINDS_NAMED ? [...kinds.slice(0, KINDS_NAMED), "others"] : kinds;
    return [
      {
        rule: "namespace-removed",
        severity: others.length > 0 ? "error" : "warning",
        ...about(change, object),
        message:
          others.length > 0
            ? `${andList(shown)} that this change does not mention ${others.length === 1 ? "is" : "are"} deleted with ${objectName(object)}, and so is all that its clusters have in it`
            : `all that clusters have in ${objectName(object)} is deleted with it, data and Secrets among it`,
        advice:
          "keep the namespace: annotate it with argocd.argoproj.io/sync-options: Prune=false, or leave it in the source",
      },
    ];
  });
}
