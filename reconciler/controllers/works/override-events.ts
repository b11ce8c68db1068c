// What overriding tells: Karmada's events, and beyond it a condition and events that say where and why.

import { findCondition, setCondition } from "../../../kube/conditions.ts";
import { rfc3339 } from "../../../runtime/clock.ts";
import type { AppError } from "../../../runtime/errors.ts";
import { type FailedOverride, readFailedOverride } from "../../overrides/errors.ts";
import { appliedWords, failedWords, failureSentences } from "../../overrides/failure-words.ts";
import { type AppliedOverride, describePolicy, type PolicyRef } from "../../overrides/override-result.ts";
import type { AnyBinding } from "../../works/binding.ts";
import type { ControllerContext } from "../context.ts";
import { type EventSubject, subjectOf } from "../events.ts";
import { writeBindingStatus } from "./write-binding-status.ts";

/** On a binding while an override of one of its copies cannot be carried out, and once it can be again. */
export const OVERRIDES_APPLIED = "OverridesApplied";

/** One cluster's share of an object that could not be made. */
interface Failure {
  readonly error: AppError;
}

/** Events of overrides that cannot be carried out: about the template as in Karmada, and about the policy that says so. */
export function recordFailedOverrides(
  context: ControllerContext,
  template: EventSubject,
  failures: readonly Failure[],
): void {
  const isBetter = context.profile.compatibility === "flaghoist";
  const failed = failedOverrides(failures);
  for (const failure of failed) {
    const why = isBetter ? ` ${failure.field}: ${failure.problem}` : "";
    context.events.record(template, "Warning", "ApplyOverridePolicyFailed", `${failedWords(failure)}${why}`);
  }
  if (!isBetter) return;
  const object = `${template.kind} ${template.namespace === undefined ? "" : `${template.namespace}/`}${template.name}`;
  for (const own of byPolicy(failed)) {
    const [first] = own;
    if (first === undefined) continue;
    const subject = policySubject(context, first.policy);
    for (const words of failureSentences(own))
      context.events.record(subject, "Warning", "ApplyOverridePolicyFailed", `${object}: ${words}`);
  }
}

/** Karmada's events of overrides that were carried out, one for each rule. */
export function recordAppliedOverrides(
  context: ControllerContext,
  template: EventSubject,
  applied: readonly AppliedOverride[],
  cluster: string,
): void {
  for (const { policy } of applied)
    context.events.record(template, "Normal", "ApplyOverridePolicySucceed", appliedWords(policy, cluster));
}

/** Beyond Karmada: the condition of the binding, which only those have that needed it once. */
export async function writeOverrideCondition(
  context: ControllerContext,
  binding: AnyBinding,
  failures: readonly Failure[],
): Promise<void> {
  if (context.profile.compatibility === "karmada") return;
  const conditions = binding.status?.conditions;
  const failed = failedOverrides(failures);
  if (failed.length === 0 && findCondition(conditions, OVERRIDES_APPLIED)?.status !== "False") return;
  const condition = {
    type: OVERRIDES_APPLIED,
    status: failed.length === 0 ? ("True" as const) : ("False" as const),
    reason: failed.length === 0 ? "OverridesApplied" : "OverrideFailed",
    message: failed.length === 0 ? "every override is carried out" : failureSentences(failed).join("; "),
    lastTransitionTime: rfc3339(context.clock.now()),
  };
  await writeBindingStatus(context, binding, { conditions: setCondition(conditions, condition) });
}

function byPolicy(failed: readonly FailedWithProblem[]): Iterable<readonly FailedWithProblem[]> {
  const groups = new Map<string, FailedWithProblem[]>();
  for (const failure of failed) {
    const key = describePolicy(failure.policy);
    groups.set(key, [...(groups.get(key) ?? []), failure]);
  }
  return groups.values();
}

type FailedWithProblem = FailedOverride & { readonly problem: string };

function failedOverrides(failures: readonly Failure[]): FailedWithProblem[] {
  return failures.map(({ error }) => readFailedOverride(error)).filter((failed) => failed !== undefined);
}

function policySubject({ informers }: ControllerContext, { kind, namespace, name }: PolicyRef): EventSubject {
  const apiVersion = "policy.karmada.io/v1alpha1";
  const policy = informers.of(apiVersion, kind).get(namespace, name);
  return policy === undefined ? { apiVersion, kind, namespace, name } : subjectOf(policy);
}
