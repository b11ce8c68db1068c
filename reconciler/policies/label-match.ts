import { type LabelSelector, type Labels, matchesLabelSelector } from "../../kube/selectors.ts";
import { AppError } from "../../runtime/errors.ts";

/** True when a label selector matches. As Karmada, one that is not valid matches nothing instead of failing. */
export function validSelectorMatches(selector: LabelSelector, labels: Labels): boolean {
  try {
    return matchesLabelSelector(selector, labels);
  } catch (error) {
    if (error instanceof AppError && error.code === "selector-invalid") return false;
    throw error;
  }
}
