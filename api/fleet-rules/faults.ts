// Rules of the faults of a scenario: each by itself, and beside the others.
import { formatDuration, parseDuration } from "../../runtime/duration.ts";
import { faultContradictions, type PlannedFault } from "../fleet-fault-contradictions.ts";
import { FAULT_SCHEMAS, type Fault, faultProblems } from "../fleet-faults.ts";
import type { PlannedCluster } from "../fleet-plan.ts";
import type { FleetScenario } from "../fleet-scenario.ts";
import type { FleetStep } from "../fleet-timeline.ts";
import { type Draft, present, type Report } from "./draft.ts";

/** What a step says of when its fault begins. */
const TIMES = ["at", "every", "times", "jitter"] as const;

/** The fault of a step, with the times that the step says. Undefined when the step has none. */
export function faultOf(step: FleetStep): Fault | undefined {
  const { fault } = step;
  if (fault === undefined) return undefined;
  const { shape } = FAULT_SCHEMAS[fault.type];
  const said: Partial<Record<string, unknown>> = { ...step, times: timesOf(step) };
  const times = TIMES.filter((name) => said[name] !== undefined && name in shape).map((name) => [name, said[name]]);
  // The fields are those that the schema of its type has taken from it.
  return { ...fault, ...Object.fromEntries(times) } as Fault;
}

/** How often a step is taken; undefined when there is no end to it. 1 without `every`. */
export function timesOf({ at, every, times, until }: Pick<FleetStep, "at" | "every" | "times" | "until">) {
  if (every === undefined) return undefined;
  if (times !== undefined || until === undefined) return times;
  return Math.max(1, Math.floor((parseDuration(until) - parseDuration(at)) / parseDuration(every)) + 1);
}

/** `whole` tells whether nothing has been found wrong with what is at a field. */
export function checkFaults(scenario: Draft<FleetScenario>, whole: (field: string) => boolean, report: Report): void {
  for (const [field, step] of faultSteps(scenario, whole)) {
    for (const problem of faultProblems(faultOf(step))) {
      const isOfStep = TIMES.some((name) => name === problem.field);
      report(`${field}.${isOfStep ? "" : "fault."}${problem.field}`, problem.words);
    }
  }
}

/** Faults that cannot be had together. Only those count with which nothing else is wrong. */
export function checkContradictions(
  scenario: Draft<FleetScenario>,
  clusters: readonly PlannedCluster[],
  whole: (field: string) => boolean,
  report: Report,
): void {
  const planned: (PlannedFault & { readonly field: string })[] = [];
  for (const [field, step] of faultSteps(scenario, whole)) {
    const fault = faultOf(step);
    if (fault === undefined) continue;
    const label = fault.name === undefined ? field : `${field} (${fault.name})`;
    planned.push({ fault: withEnd(fault, scenario), label, startMs: 0, field: `${field}.fault` });
  }
  for (const { faults, words } of faultContradictions(planned, clusters)) {
    const of = planned[faults[0]];
    if (of !== undefined)
      report(of.field, words.replace(`${of.label}: `, "").replace(`${of.label} contradicts`, "contradicts"));
  }
}

/** The fault as it lasts when a step of the scenario ends it. One that comes again is as it was. */
export function withEnd(fault: Fault, { timeline }: Draft<FleetScenario>): Fault {
  const end = [...present(timeline)].find(([, step]) => fault.name !== undefined && step.end === fault.name)?.[1];
  if (end?.at === undefined || !("for" in FAULT_SCHEMAS[fault.type].shape) || "every" in fault) return fault;
  const lastsMs = parseDuration(end.at) - parseDuration(fault.at ?? "0");
  // Its type has the field.
  return lastsMs > 0 ? ({ ...fault, for: formatDuration(lastsMs) } as Fault) : fault;
}

function* faultSteps(
  scenario: Draft<FleetScenario>,
  whole: (field: string) => boolean,
): Generator<readonly [string, FleetStep]> {
  for (const [index, step] of present(scenario.timeline)) {
    const field = `timeline[${index}]`;
    // Nothing is missing where nothing has been found wrong.
    if (step.fault !== undefined && whole(field)) yield [field, step as FleetStep];
  }
}
