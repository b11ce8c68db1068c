// One manifest of a Work into its member, with what others changed there told of.

import type { Work } from "../../../api/work.ts";
import { type ApplyResult, applyManifest } from "../../../fleets/apply.ts";
import type { Member } from "../../../fleets/member.ts";
import { describeRef, gvkOf, type KubeObject, refOf } from "../../../kube/object.ts";
import { AppError } from "../../../runtime/errors.ts";
import type { ControllerContext } from "../context.ts";
import type { Asking, Interpretation } from "../interpretation/interpretation.ts";
import type { DriftJournal } from "./drift-journal.ts";

const REFUSED_RETRY_MS = 60_000;
/** Annotation of a template that says how drift of its copies is treated: correct (also when absent), report or pause. */
export const DRIFT_ANNOTATION = "gitops.flaghoist.io/drift";

export interface ApplyDeps {
  readonly context: ControllerContext;
  readonly interpretation: Interpretation;
  readonly journal: DriftJournal;
}

/** Applies one manifest and records drift in the journal. Throws what `applyManifest` throws. */
export async function applyOne(
  deps: ApplyDeps,
  work: Work,
  member: Member,
  manifest: KubeObject,
  asking: Asking,
): Promise<ApplyResult> {
  const { interpretation, journal, context } = deps;
  const mode = driftMode(manifest);
  const retains = interpretation.hookEnabled(gvkOf(manifest), "Retain");
  const before = member.cached(refOf(manifest));
  const wasThere = member.applied(refOf(manifest)) !== undefined;
  const result = await applyManifest(member, manifest, {
    retain: (desired, live) =>
      retains ? interpretation.decide((interpreter) => interpreter.retain(desired, live), asking) : desired,
    retainVersion: interpretation.version,
    drift: mode === "correct" ? "correct" : "report",
    signal: asking.signal,
  });
  const deletedByOthers = result.outcome === "created" && wasThere && before === undefined;
  if ((result.drift.length > 0 || deletedByOthers) && mode !== "pause") {
    const fields = deletedByOthers
      ? [{ path: "(whole object)", wanted: "present", found: undefined, manager: undefined, time: undefined }]
      : result.drift;
    journal.record({
      cluster: member.name,
      object: refOf(manifest),
      fields,
      foundAt: context.clock.now(),
      corrected: mode === "correct",
    });
    context.logger.info("drift found", {
      cluster: member.name,
      object: describeRef(refOf(manifest)),
      fields: fields.length,
      corrected: mode === "correct",
    });
  }
  if (result.drift.length === 0) journal.settle(member.name, refOf(manifest));
  if (result.outcome === "created" || result.outcome === "configured") {
    context.logger.debug("applied object", {
      cluster: member.name,
      object: describeRef(refOf(manifest)),
      outcome: result.outcome,
      binding: work.metadata.name,
    });
  }
  return result;
}

/** What is done about changes by others; anything but the known words is `correct`. */
function driftMode(manifest: KubeObject): "correct" | "report" | "pause" {
  const mode = manifest.metadata.annotations?.[DRIFT_ANNOTATION];
  return mode === "report" || mode === "pause" ? mode : "correct";
}

/**
 * A refusal that repeats itself is asked again now and then all the same: what the member lacks (a definition, a quota, a
 * webhook's consent) comes without a word to us.
 */
export function applyFailed(failure: unknown, failures: readonly string[]): unknown {
  if (!(failure instanceof AppError) || failure.recovery !== "stall") return failure;
  return new AppError(failure.code, failures.join("; "), {
    recovery: "wait",
    afterMs: REFUSED_RETRY_MS,
    cause: failure,
  });
}
