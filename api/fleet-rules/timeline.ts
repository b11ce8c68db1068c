// Rules of steps: what each does, when, and in which order.
import { compileJsonPath } from "../../kube/jsonpath.ts";
import { formatDuration, parseDuration } from "../../runtime/duration.ts";
import { messageOf } from "../../runtime/errors.ts";
import type { FleetScenario } from "../fleet-scenario.ts";
import { FLEET_STEP_ACTIONS, type FleetExpectation, type FleetStep } from "../fleet-timeline.ts";
import { nearest } from "../nearest.ts";
import { type Draft, present, type Report } from "./draft.ts";

type Step = Draft<FleetStep>;

/** `whole` tells whether nothing has been found wrong with what is at a field. */
export function checkTimeline(scenario: Draft<FleetScenario>, whole: (field: string) => boolean, report: Report): void {
  checkOrder(scenario, report);
  checkFaultNames(scenario, report);
  for (const [index, step] of present(scenario.timeline)) {
    const field = `timeline[${index}]`;
    if (whole(field)) checkAction(step, field, report);
    checkRepetition(step, field, report);
    if (step.expect !== undefined && whole(`${field}.expect`)) checkExpectation(step.expect, `${field}.expect`, report);
  }
}

function checkOrder({ timeline, duration }: Draft<FleetScenario>, report: Report): void {
  let last: { readonly at: string; readonly index: number } | undefined;
  for (const [index, { at }] of present(timeline)) {
    if (at === undefined) continue;
    if (last !== undefined && parseDuration(at) < parseDuration(last.at))
      report(
        `timeline[${index}].at`,
        `${at} is out of order: timeline[${last.index}] is at ${last.at}; steps stand in the order of their times`,
      );
    else last = { at, index };
    if (duration !== undefined && parseDuration(at) > parseDuration(duration))
      report(`timeline[${index}].at`, `${at} is after the end of the scenario, whose duration is ${duration}`);
  }
}

function checkAction(step: Step, field: string, report: Report): void {
  const given = FLEET_STEP_ACTIONS.filter((action) => step[action] !== undefined);
  if (given.length > 1)
    report(`${field}.${given[1]}`, `a step does one thing, and this one has ${given[0]} already; make it two steps`);
  if (given.length === 0 && step.comment === undefined)
    report(field, `does nothing: it needs one of ${FLEET_STEP_ACTIONS.join(", ")}, or a comment`);
  if (step.apply !== undefined && (step.apply.files ?? []).length + (step.apply.objects ?? []).length === 0)
    report(`${field}.apply`, "applies nothing: it needs files or objects");
  if (step.end !== undefined && step.every !== undefined)
    report(`${field}.every`, "a fault ends once; a fault that comes again has for");
}

function checkRepetition({ at, every, times, until, jitter, fault }: Step, field: string, report: Report): void {
  if (every === undefined) {
    if (times !== undefined) report(`${field}.times`, "needs every");
    if (until !== undefined) report(`${field}.until`, "needs every");
    return;
  }
  const everyMs = parseDuration(every);
  if (everyMs < 1) report(`${field}.every`, "must be at least 1ms");
  if (times !== undefined && until !== undefined)
    report(`${field}.until`, "says once more what times says; take one of them away");
  if (until !== undefined && at !== undefined && parseDuration(until) < parseDuration(at))
    report(`${field}.until`, `${until} is before ${at}, when the step is taken first`);
  if (jitter !== undefined && parseDuration(jitter) >= everyMs && everyMs >= 1)
    report(`${field}.jitter`, `${jitter} is not less than every ${every}: one time would come after the next`);
  if (fault === undefined) return;
  const lasts = "for" in fault && typeof fault.for === "string" ? fault.for : undefined;
  // A moment is over at once; its schema has no such field.
  if (lasts === undefined) return;
  if (parseDuration(lasts) + parseDuration(jitter ?? "0") > everyMs)
    report(
      `${field}.fault.for`,
      `${lasts}${jitter === undefined ? "" : ` and a jitter of ${jitter}`} is longer than every ${every}: the fault would begin while it lasts`,
    );
}

/** When something named begins and ends. */
interface Named {
  readonly field: string;
  readonly atMs: number;
  /** When it ends by itself for the last time; undefined when it does not. */
  readonly endMs: number | undefined;
  endedBy?: string;
}

function checkFaultNames({ timeline }: Draft<FleetScenario>, report: Report): void {
  const faults = new Map<string, Named>();
  for (const [index, step] of present(timeline)) {
    const field = `timeline[${index}]`;
    const name = step.fault !== undefined && "name" in step.fault ? step.fault.name : undefined;
    if (typeof name === "string") {
      const taken = faults.get(name);
      if (taken !== undefined)
        report(`${field}.fault.name`, `"${name}" is the name of the fault of ${taken.field} already`);
      else faults.set(name, namedFault(step, field));
    }
  }
  for (const [index, { end, at }] of present(timeline)) {
    if (end === undefined) continue;
    const field = `timeline[${index}].end`;
    const fault = faults.get(end);
    if (fault === undefined) {
      const meant = nearest(end, faults.keys());
      const hint = meant === undefined ? "; give the fault that is meant a name" : `. Did you mean ${meant}?`;
      report(field, `there is no fault "${end}"${hint}`);
      continue;
    }
    const atMs = at === undefined ? undefined : parseDuration(at);
    if (atMs !== undefined && atMs < fault.atMs)
      report(field, `"${end}" has not begun then: it begins at ${formatDuration(fault.atMs)}`);
    else if (atMs !== undefined && fault.endMs !== undefined && fault.endMs <= atMs)
      report(field, `"${end}" has ended by itself then, at ${formatDuration(fault.endMs)}`);
    else if (fault.endedBy !== undefined) report(field, `"${end}" is ended by ${fault.endedBy} already`);
    fault.endedBy ??= `timeline[${index}]`;
  }
}

function namedFault({ at = "0", every, times, fault = {} }: Step, field: string): Named {
  const atMs = parseDuration(at);
  const lasts = "for" in fault && typeof fault.for === "string" ? parseDuration(fault.for) : undefined;
  const repeats = every === undefined ? 0 : times === undefined ? Number.POSITIVE_INFINITY : times - 1;
  const lastMs = repeats === 0 ? atMs : atMs + repeats * parseDuration(every ?? "0");
  return { field, atMs, endMs: lasts === undefined ? undefined : lastMs + lasts };
}

function checkExpectation(expectation: Draft<FleetExpectation>, field: string, report: Report): void {
  const { reachable, apiVersion, kind, condition, path, equals, atLeast, atMost } = expectation;
  if (reachable !== undefined) {
    for (const name of [
      "apiVersion",
      "kind",
      "namespace",
      "name",
      "labels",
      "condition",
      "path",
      "equals",
      "atLeast",
      "atMost",
      "each",
    ] as const)
      if (expectation[name] !== undefined) report(`${field}.${name}`, "does not go with reachable");
    return;
  }
  if (apiVersion === undefined && kind === undefined) {
    report(field, "needs apiVersion and kind of the objects that are meant, or reachable");
    return;
  }
  if (apiVersion === undefined) report(`${field}.apiVersion`, "is required with kind");
  if (kind === undefined) report(`${field}.kind`, "is required with apiVersion");
  if (path !== undefined) checkPath(path, `${field}.path`, report);
  const numbers = [equals, atLeast, atMost].some((each) => each !== undefined);
  if (condition !== undefined && (numbers || path !== undefined))
    report(`${field}.condition`, "does not go with path, equals, atLeast and atMost; make it two expectations");
  if (condition === undefined && !numbers)
    report(field, "says nothing of the objects: it needs condition, equals, atLeast or atMost");
  if (equals !== undefined && (atLeast !== undefined || atMost !== undefined))
    report(`${field}.equals`, "does not go with atLeast and atMost");
  if (equals !== undefined && typeof equals !== "number" && (path === undefined || expectation.each === false))
    report(
      `${field}.equals`,
      path === undefined
        ? "must be a number of objects where there is no path"
        : "must be a number where each is false: a sum",
    );
  if (atLeast !== undefined && atMost !== undefined && atLeast > atMost)
    report(`${field}.atLeast`, `${atLeast} is more than atMost ${atMost}`);
}

function checkPath(path: string, field: string, report: Report): void {
  try {
    compileJsonPath(path);
  } catch (error) {
    report(field, `"${path}" is no JSONPath such as .status.readyReplicas: ${messageOf(error)}`);
  }
}
