// Override policies that the change makes vain, or writes in vain, as findings with places.
import type { ReportFinding } from "../../../api/plan-report.ts";
import type { OverrideFinding } from "../../overrides/lint.ts";
import { about, type ReviewedChange } from "./reviewed-change.ts";

export function vainOverride(change: ReviewedChange): readonly ReportFinding[] {
  return change.overrideFindings.map((finding) => overrideFindingOf(change, finding));
}

function overrideFindingOf(change: ReviewedChange, { policy, code, field, words }: OverrideFinding): ReportFinding {
  const ref = { ...policy, apiVersion: "policy.karmada.io/v1alpha1", namespace: policy.namespace };
  return {
    rule: code,
    severity: code === "fails" ? "error" : "warning",
    ...about(change, ref),
    field,
    message: words,
  };
}
