import { type LabelSelector, type Labels, matchesLabelSelector, requirementsOf } from "../../kube/selectors.ts";
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

/** Why no object can ever match the selector: the words of what is not valid in it; undefined for a valid one. */
export function whyInvalidSelector(selector: LabelSelector): string | undefined {
  try {
    requirementsOf(selector);
    return undefined;
  } catch (error) {
    if (error instanceof AppError && error.code === "selector-invalid") return error.message;
    throw error;
  }
}

/**
 * For each requirement that asks for certain values of a label: those labels, as `key=value`. What the selector matches
 * has one label of each list, so that indexes can look among few objects. Empty for a selector that is not valid.
 */
export function necessaryLabels(selector: LabelSelector): readonly (readonly string[])[] {
  if (whyInvalidSelector(selector) !== undefined) return [];
  return requirementsOf(selector)
    .filter(({ operator }) => operator === "=" || operator === "==" || operator === "in")
    .map(({ key, values }) => values.map((value) => labelPair(key, value)));
}

/** A label as indexes write it. */
export function labelPair(key: string, value: string): string {
  return `${key}=${value}`;
}
