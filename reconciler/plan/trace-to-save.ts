// The decision about one object, as it goes into a trace file.
import { type ObjectRef, refKey, refOf } from "../../kube/object.ts";
import { rfc3339 } from "../../runtime/clock.ts";
import { AppError } from "../../runtime/errors.ts";
import { type RecordedDecision, recordAnswer, recordOptions } from "../scheduler/explanation/recorded-decision.ts";
import type { TraceSource } from "../scheduler/explanation/trace-file.ts";
import { FleetIndex } from "../scheduler/fleet/fleet-index.ts";
import { findOccasion } from "../scheduler/occasion.ts";
import { recordScores } from "../scheduler/schedule.ts";
import { scheduleInGroups } from "../scheduler/schedule-in-groups.ts";
import type { AnyBinding } from "../works/binding.ts";
import { readLastDecision } from "./explain-decision.ts";
import { findBinding, type RiverOptions, runRiver } from "./river.ts";
import type { World } from "./world.ts";

export interface TraceToSave {
  readonly decision: RecordedDecision;
  readonly binding: AnyBinding;
  readonly source: TraceSource;
}

/**
 * From the record of the last decision; where there is none of use, and after an attempt that failed, the decision that
 * would be made now. Throws `trace-nothing` for an object that nobody decides about.
 */
export function traceToSave(world: World, object: ObjectRef, options: RiverOptions): TraceToSave {
  const template = world.templates.find((candidate) => refKey(refOf(candidate)) === refKey(object));
  const stored = template === undefined ? undefined : findBinding(world, template);
  const read = stored === undefined ? undefined : readLastDecision(stored, world.clusters);
  if (stored !== undefined && read?.state === "whole")
    return { decision: read.decision, binding: stored, source: "record" };
  const outcome =
    template === undefined
      ? undefined
      : runRiver({ ...world, templates: [template], partial: true }, options).get(refKey(object));
  const desired = outcome?.binding ?? stored;
  if (outcome?.policy === undefined || desired?.spec.placement == null) {
    throw new AppError(
      "trace-nothing",
      `there is no decision to save: no policy places ${object.kind} ${object.name}`,
      {
        recovery: "stall",
      },
    );
  }
  const { clusters: _decided, ...asked } = desired.spec;
  const before = stored?.spec.clusters;
  const spec = { ...asked, ...(before === undefined ? {} : { clusters: before }) };
  const status = stored?.status ?? {};
  const fleet = new FleetIndex(world.clusters);
  const occasion = findOccasion({ ...desired, spec, status } as AnyBinding, fleet, false);
  const { schedulerObservingAffinityName: group, lastScheduledTime } = status;
  // Expressions may look at what the file does not keep of a cluster.
  const scores = recordScores(fleet, spec, undefined);
  const decision: RecordedDecision = {
    decidedAt: rfc3339(options.now),
    occasion,
    fleetVersion: fleet.version,
    spec,
    status: {
      ...(group === undefined ? {} : { schedulerObservingAffinityName: group }),
      ...(lastScheduledTime === undefined ? {} : { lastScheduledTime }),
    },
    clusters: fleet.records.map((record) => record.cluster),
    options: recordOptions(scores === undefined ? {} : { recordedScores: scores }, []),
    answer: recordAnswer(scheduleInGroups({ spec, status, fleet })),
  };
  return { decision, binding: desired, source: "present" };
}
