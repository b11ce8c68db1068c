// Rules of GitRepository and Sync beyond their schema.
import { driftRuleProblem } from "../drift-rules.ts";
import type { GitRepository, Sync } from "../gitops.ts";
import { forbidden, invalid, type Refusal } from "./field-error.ts";
import { isTimeZone } from "./schedules.ts";

const CRON_WORDS = ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];

export function validateGitRepository({ spec }: GitRepository): readonly Refusal[] {
  const refusals: Refusal[] = [];
  if (spec.timeZone && !isTimeZone(spec.timeZone)) {
    refusals.push(invalid("spec.timeZone", spec.timeZone, "is not a time zone such as Europe/Paris"));
  }
  if (spec.schedule !== undefined && !looksLikeCron(spec.schedule)) {
    refusals.push(
      invalid(
        "spec.schedule",
        spec.schedule,
        'must be a cron expression such as "0 6 * * 1-5", or a word such as @daily',
      ),
    );
  }
  if (spec.interval !== undefined && /^[0.]+(ms|s|m|h)$/.test(spec.interval)) {
    refusals.push(invalid("spec.interval", spec.interval, "must be more than 0"));
  }
  return refusals;
}

export function validateSync({ metadata, spec }: Sync): readonly Refusal[] {
  const refusals: Refusal[] = [];
  if (spec.path?.split("/").includes("..")) {
    refusals.push(invalid("spec.path", spec.path, "must not leave the source"));
  }
  for (const [index, { name, namespace }] of (spec.dependsOn ?? []).entries()) {
    if (name === metadata.name && (namespace || metadata.namespace) === metadata.namespace) {
      refusals.push(forbidden(`spec.dependsOn[${index}]`, "a Sync cannot wait for itself"));
    }
  }
  for (const list of ["ignoreDifferences", "driftRules"] as const)
    for (const [index, rule] of (spec[list] ?? []).entries()) {
      const problem = driftRuleProblem(rule);
      if (problem === undefined) continue;
      const field = `spec.${list}[${index}]${problem.field === "" ? "" : `.${problem.field}`}`;
      refusals.push(invalid(field, problem.value ?? rule, problem.message));
    }
  return refusals;
}

/** The form only; whoever reads the expression says what is wrong with a field. */
function looksLikeCron(text: string): boolean {
  const expression = text.trim().replace(/^(CRON_TZ|TZ)=\S+\s+/, "");
  const fields = expression.split(/\s+/).length;
  return CRON_WORDS.includes(expression) || fields === 5 || fields === 6;
}
