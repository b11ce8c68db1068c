// Rules of `placement.flaghoist.rollout` that its schema cannot say.
import type { Rollout } from "../rollout.ts";
import { duplicate, invalid, type Refusal } from "./field-error.ts";

/** `path`: where the rollout is. */
export function validateRollout(rollout: Rollout | undefined, path: string): Refusal[] {
  if (rollout == null) return [];
  const refusals = validateCount(rollout.maxConcurrency, `${path}.maxConcurrency`, 1);
  refusals.push(...validateCount(rollout.maxFailures, `${path}.maxFailures`, 0));
  const names = new Set<string>();
  for (const [index, wave] of (rollout.waves ?? []).entries()) {
    const at = `${path}.waves[${index}]`;
    refusals.push(...validateCount(wave.maxConcurrency, `${at}.maxConcurrency`, 1));
    refusals.push(...validateCount(wave.partition, `${at}.partition`, 1));
    if (!wave.name) continue;
    if (names.has(wave.name)) refusals.push(duplicate(`${at}.name`, wave.name, `a second wave called ${wave.name}`));
    names.add(wave.name);
  }
  return refusals;
}

function validateCount(value: number | string | undefined, path: string, min: number): Refusal[] {
  if (value == null) return [];
  const count = typeof value === "number" ? value : Number.parseInt(value, 10);
  return count >= min ? [] : [invalid(path, value, `must be ${min}${typeof value === "number" ? "" : "%"} or more`)];
}
