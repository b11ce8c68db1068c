// When the steps of a scenario are taken.
import { timesOf } from "../../../api/fleet-rules/faults.ts";
import type { FleetStep } from "../../../api/fleet-timeline.ts";
import { parseDuration } from "../../../runtime/duration.ts";

/** From the start of the scenario, in milliseconds; later ones come up to `jitterMs` late. */
interface StepTimes {
  readonly firstMs: number;
  readonly everyMs: number;
  readonly times: number;
  readonly jitterMs: number;
}

/** When a step is taken: first, how often and how long. */
export function stepTimes(step: FleetStep): StepTimes {
  const everyMs = step.every === undefined ? 0 : parseDuration(step.every);
  return {
    firstMs: parseDuration(step.at),
    everyMs,
    times: step.every === undefined ? 1 : (timesOf(step) ?? Number.POSITIVE_INFINITY),
    jitterMs: step.jitter === undefined ? 0 : parseDuration(step.jitter),
  };
}

/** How long a scenario without a duration goes on after its last step. */
const AFTER_THE_LAST_MS = 60_000;

/** How long a scenario lasts: what it says, or its last step and a minute. Repetitions without an end do not count. */
export function scenarioDurationMs(scenario: {
  readonly duration?: string | undefined;
  readonly timeline?: readonly FleetStep[] | undefined;
}): number {
  if (scenario.duration !== undefined) return parseDuration(scenario.duration);
  const ends = (scenario.timeline ?? []).map((step) => {
    const { firstMs, everyMs, times, jitterMs } = stepTimes(step);
    const last = Number.isFinite(times) ? firstMs + (times - 1) * everyMs + jitterMs : firstMs;
    const { fault, expect } = step;
    const lasts = fault !== undefined && "for" in fault && typeof fault.for === "string" ? parseDuration(fault.for) : 0;
    return last + lasts + (expect?.within === undefined ? 0 : parseDuration(expect.within));
  });
  return Math.max(0, ...ends) + AFTER_THE_LAST_MS;
}
