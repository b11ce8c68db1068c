// Rules of CronFederatedHPA and FederatedHPA beyond their schemas.
import {
  AUTOSCALING_GROUP,
  type CronFederatedHPA,
  type CronFederatedHPARule,
  type FederatedHPA,
} from "../autoscaling.ts";
import { duplicate, invalid, type Refusal } from "./field-error.ts";
import { validateBehavior, validateMetrics, validateReference } from "./scaling-metrics.ts";
import { isCron, isTimeZone } from "./schedules.ts";

const HPA_API = `${AUTOSCALING_GROUP}/v1alpha1`;

export function validateFederatedHPA({ spec }: FederatedHPA): readonly Refusal[] {
  const { minReplicas = 1, maxReplicas } = spec;
  const refusals: Refusal[] = [];
  if (minReplicas < 1) refusals.push(invalid("spec.minReplicas", minReplicas, "must be at least 1"));
  if (maxReplicas < 1) refusals.push(invalid("spec.maxReplicas", maxReplicas, "must be at least 1"));
  if (maxReplicas < minReplicas) {
    refusals.push(invalid("spec.maxReplicas", maxReplicas, `is lower than minReplicas ${minReplicas}`));
  }
  return [
    ...refusals,
    ...validateReference(spec.scaleTargetRef, "spec.scaleTargetRef"),
    ...validateMetrics(spec.metrics ?? [], "spec.metrics"),
    ...validateBehavior(spec.behavior, "spec.behavior"),
  ];
}

export function validateCronFederatedHPA({ spec }: CronFederatedHPA): readonly Refusal[] {
  const { apiVersion, kind } = spec.scaleTargetRef;
  const scalesHpa = apiVersion === HPA_API;
  if (scalesHpa && kind !== "FederatedHPA") {
    return [invalid("spec.scaleTargetRef.kind", kind, `of ${HPA_API} only a FederatedHPA can be scaled`)];
  }
  const names = new Set<string>();
  const rules = spec.rules.flatMap((rule, index) => {
    const at = `spec.rules[${index}]`;
    const refusals: Refusal[] = [];
    if (names.has(rule.name)) {
      refusals.push(duplicate(`${at}.name`, rule.name, `the name ${JSON.stringify(rule.name)} is already used`));
    }
    names.add(rule.name);
    const { schedule, timeZone } = rule;
    if (!isCron(schedule)) {
      refusals.push(invalid(`${at}.schedule`, schedule, 'must be a cron expression such as "0 6 * * 1-5"'));
    }
    if (timeZone !== undefined && timeZone !== "" && timeZone !== "Local" && !isTimeZone(timeZone)) {
      refusals.push(invalid(`${at}.timeZone`, timeZone, "is not a time zone such as Europe/Paris"));
    }
    return [...refusals, ...(scalesHpa ? validateHpaRule(rule, at) : validateWorkloadRule(rule, at))];
  });
  return [...validateReference(spec.scaleTargetRef, "spec.scaleTargetRef"), ...rules];
}

/** Paths and kinds as Karmada's. */
function validateHpaRule(
  { targetMinReplicas: min, targetMaxReplicas: max }: CronFederatedHPARule,
  at: string,
): Refusal[] {
  if (min === undefined && max === undefined) {
    const words = "a FederatedHPA is scaled by targetMinReplicas, targetMaxReplicas or both";
    return [invalid(`${at}.targetMaxReplicas`, "", words)];
  }
  const refusals: Refusal[] = [];
  if (min !== undefined && min < 1) refusals.push(invalid(`${at}.targetMinReplicas`, min, "must be at least 1"));
  if (max !== undefined && max < 1) refusals.push(invalid(`${at}.targetMaxReplicas`, max, "must be at least 1"));
  if (max !== undefined && max < (min ?? 1)) {
    refusals.push(invalid(`${at}.targetMinReplicas`, min ?? "", `is higher than targetMaxReplicas ${max}`));
  }
  return refusals;
}

function validateWorkloadRule({ targetReplicas }: CronFederatedHPARule, at: string): Refusal[] {
  if (targetReplicas === undefined) return [invalid(`${at}.targetReplicas`, "", "a workload is scaled by it")];
  return targetReplicas < 0 ? [invalid(`${at}.targetReplicas`, targetReplicas, "must not be negative")] : [];
}
