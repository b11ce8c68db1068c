// Rules of CronFederatedHPA and FederatedHPA beyond their schemas.
import type { CronFederatedHPA, CronFederatedHPARule, FederatedHPA } from "../autoscaling.ts";
import { duplicate, invalid, type Refusal, required } from "./field-error.ts";

export function validateFederatedHPA({ spec }: FederatedHPA): readonly Refusal[] {
  const { minReplicas = 1, maxReplicas } = spec;
  const refusals: Refusal[] = [];
  if (minReplicas < 1) refusals.push(invalid("spec.minReplicas", minReplicas, "must be at least 1"));
  if (maxReplicas < 1) refusals.push(invalid("spec.maxReplicas", maxReplicas, "must be at least 1"));
  if (maxReplicas < minReplicas) {
    refusals.push(invalid("spec.maxReplicas", maxReplicas, `is lower than minReplicas ${minReplicas}`));
  }
  return refusals;
}

export function validateCronFederatedHPA({ spec }: CronFederatedHPA): readonly Refusal[] {
  const { apiVersion, kind } = spec.scaleTargetRef;
  const scalesHpa = kind === "FederatedHPA" && (apiVersion ?? "").startsWith("autoscaling.karmada.io/");
  const names = new Set<string>();
  return spec.rules.flatMap((rule, index) => {
    const at = `spec.rules[${index}]`;
    const refusals = scalesHpa ? validateHpaRule(rule, at) : validateWorkloadRule(rule, at);
    if (names.has(rule.name)) {
      refusals.push(duplicate(`${at}.name`, rule.name, `the name ${JSON.stringify(rule.name)} is already used`));
    }
    names.add(rule.name);
    return refusals;
  });
}

function validateHpaRule(
  { targetMinReplicas: min, targetMaxReplicas: max }: CronFederatedHPARule,
  at: string,
): Refusal[] {
  if (min === undefined && max === undefined) {
    return [required(at, "a FederatedHPA is scaled by targetMinReplicas, targetMaxReplicas or both")];
  }
  const refusals: Refusal[] = [];
  if (min !== undefined && min < 1) refusals.push(invalid(`${at}.targetMinReplicas`, min, "must be at least 1"));
  if (max !== undefined && max < 1) refusals.push(invalid(`${at}.targetMaxReplicas`, max, "must be at least 1"));
  if (min !== undefined && max !== undefined && max < min) {
    refusals.push(invalid(`${at}.targetMaxReplicas`, max, `is lower than targetMinReplicas ${min}`));
  }
  return refusals;
}

function validateWorkloadRule({ targetReplicas }: CronFederatedHPARule, at: string): Refusal[] {
  if (targetReplicas === undefined) return [required(`${at}.targetReplicas`, "a workload is scaled by it")];
  return targetReplicas < 0 ? [invalid(`${at}.targetReplicas`, targetReplicas, "must not be negative")] : [];
}
