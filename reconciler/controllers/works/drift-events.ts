// Tells of drift where people look for it: as Events on the template, which other processes can read.
import { refOf } from "../../../kube/object.ts";
import { messageOf } from "../../../runtime/errors.ts";
import type { Controller, ControllerContext } from "../context.ts";
import { type EventSubject, subjectOf } from "../events.ts";
import { type DriftFinding, type DriftJournal, describeField } from "./drift-journal.ts";

/** Reasons of the Events: drift that was undone, and drift that stands because it is only reported. */
export const DRIFT_CORRECTED = "DriftCorrected";
export const DRIFT_DETECTED = "DriftDetected";

const MOST_FIELDS = 5;

/** Starts writing an Event for every finding in the journal, about the template that the drifted copy is of. */
export function startDriftEvents(context: ControllerContext, journal: DriftJournal): Controller {
  const pending = new Set<Promise<void>>();
  let stopped = false;

  async function record(finding: DriftFinding): Promise<void> {
    try {
      const subject = await subjectOfFinding(finding);
      if (subject === undefined) return;
      const type = finding.corrected ? "Normal" : "Warning";
      const reason = finding.corrected ? DRIFT_CORRECTED : DRIFT_DETECTED;
      context.events.record(subject, type, reason, driftMessage(finding));
    } catch (error) {
      context.logger.debug("drift event was lost", { cluster: finding.cluster, error: messageOf(error) });
    }
  }

  /** The copy has the template's kind and name. Its UID makes `kubectl describe` find the Event. */
  async function subjectOfFinding({ object, templateUid }: DriftFinding): Promise<EventSubject | undefined> {
    if (templateUid !== undefined) return { ...object, uid: templateUid };
    const template = await context.client.find(object);
    return template === undefined ? undefined : { ...subjectOf(template), ...refOf(template) };
  }

  journal.subscribe((finding) => {
    if (stopped) return;
    const task: Promise<void> = record(finding).finally(() => pending.delete(task));
    pending.add(task);
  });

  return {
    stop: async () => {
      stopped = true;
      await Promise.all(pending);
    },
  };
}

/** `cluster paris-2: spec.replicas wanted 2, found 5, by kubectl-scale`, with the first few fields. */
export function driftMessage({ cluster, object, fields }: DriftFinding): string {
  const shown = fields.slice(0, MOST_FIELDS).map((field) => describeField(field, object.kind));
  const more = fields.length > MOST_FIELDS ? `; and ${fields.length - MOST_FIELDS} more fields` : "";
  return `cluster ${cluster}: ${shown.join("; ")}${more}`;
}
