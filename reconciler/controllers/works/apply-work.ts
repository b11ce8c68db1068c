// One manifest of a Work into its member, with what others changed there told of.

import { readDriftAnnotations } from "../../../api/drift-rules.ts";
import type { Work } from "../../../api/work.ts";
import { type ApplyResult, applyManifest } from "../../../fleets/apply.ts";
import type { Member } from "../../../fleets/member.ts";
import { scaleTargetOf } from "../../../fleets/scaler-watch.ts";
import { findCondition } from "../../../kube/conditions.ts";
import { describeRef, gvkOf, isObject, type KubeObject, refKey, refOf } from "../../../kube/object.ts";
import { AppError } from "../../../runtime/errors.ts";
import { DRIFT_FINDINGS_ANNOTATION, readStanding } from "../../works/drift-record.ts";
import { retainsReplicas, rulesOfCopy } from "../../works/field-rules.ts";
import { TEMPLATE_UID_ANNOTATION } from "../../works/metadata-keys.ts";
import type { ControllerContext } from "../context.ts";
import type { Asking, Interpretation } from "../interpretation/interpretation.ts";
import type { DriftJournal } from "./drift-journal.ts";
import { WorkEvents } from "./work-events.ts";
import type { WorkScalers } from "./work-scalers.ts";

const REFUSED_RETRY_MS = 60_000;

export interface ApplyDeps {
  readonly context: ControllerContext;
  readonly interpretation: Interpretation;
  readonly journal: DriftJournal;
  readonly scalers: WorkScalers;
}

/** One manifest of a Work, and where it goes. */
export interface CopyToApply {
  readonly work: Work;
  readonly member: Member;
  readonly manifest: KubeObject;
  /** Asks the member what the manifest would change even when nothing seems to have changed. */
  readonly verify: boolean;
}

/** Applies one manifest and records drift in the journal. Throws what `applyManifest` throws. */
export async function applyOne(
  deps: ApplyDeps,
  { work, member, manifest, verify }: CopyToApply,
  asking: Asking,
): Promise<ApplyResult> {
  const { interpretation, journal, context } = deps;
  const ref = refOf(manifest);
  journal.remember(
    member.name,
    ref,
    readStanding(work.metadata.annotations?.[DRIFT_FINDINGS_ANNOTATION]).filter(({ object }) => object === refKey(ref)),
  );
  const annotated = readDriftAnnotations(manifest);
  const tell = new WorkEvents(context.events, member.name, work);
  if (!TOLD.has(annotated)) for (const problem of annotated.problems) tell.misunderstood(manifest, problem);
  TOLD.add(annotated);
  const retains = interpretation.hookEnabled(gvkOf(manifest), "Retain");
  const before = member.cached(refOf(manifest));
  const wasThere = member.applied(refOf(manifest)) !== undefined;
  const result = await applyManifest(member, manifest, {
    retain: (desired, live) =>
      retains ? interpretation.decide((interpreter) => interpreter.retain(desired, live), asking) : desired,
    retainVersion: interpretation.version,
    rules: rulesOfCopy(manifest, await isScaled(deps, work, member, manifest)),
    standing: journal.standing(member.name, ref).map(({ path }) => path),
    verify,
    appliedBefore: isApplied(work),
    isNew: findCondition(work.status?.conditions, "Applied") === undefined,
    signal: asking.signal,
  });
  const deletedByOthers = result.outcome === "created" && wasThere && before === undefined;
  const fields = deletedByOthers ? [{ ...WHOLE_OBJECT, mode: "correct" as const }] : result.drift;
  for (const mode of ["correct", "report"] as const) {
    const found = fields.filter((field) => field.mode === mode);
    if (found.length === 0 || (deletedByOthers && annotated.mode === "pause")) continue;
    journal.record({
      cluster: member.name,
      object: ref,
      templateUid: manifest.metadata.annotations?.[TEMPLATE_UID_ANNOTATION],
      fields: found.map(({ path, wanted, found, manager, time }) => ({ path, wanted, found, manager, time })),
      foundAt: context.clock.now(),
      corrected: mode === "correct",
    });
    context.logger.info("drift found", {
      cluster: member.name,
      object: describeRef(refOf(manifest)),
      fields: found.length,
      corrected: mode === "correct",
    });
  }
  if (!fields.some(({ mode }) => mode === "report")) journal.settle(member.name, refOf(manifest));
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

/** Annotations whose problems were told of. */
const TOLD = new WeakSet<object>();

const WHOLE_OBJECT = {
  path: "(whole object)",
  wanted: "present",
  found: undefined,
  manager: undefined,
  time: undefined,
} as const;

/** Whether something in the cluster, or on its way there, decides how many replicas a workload has. */
async function isScaled(deps: ApplyDeps, work: Work, member: Member, manifest: KubeObject): Promise<boolean> {
  const spec = manifest["spec"];
  if (!isObject(spec) || spec["replicas"] === undefined) return false;
  if (retainsReplicas(manifest)) return true;
  const target = scaleTargetOf(refOf(manifest));
  if (deps.scalers.scalerOf(work.metadata.namespace ?? "", target) !== undefined) return true;
  return (await member.scalers.scalerOf(target)) !== undefined;
}

/** Whether the Work, as it is now, was applied: its manifests are told apart by its generation. */
function isApplied(work: Work): boolean {
  const applied = findCondition(work.status?.conditions, "Applied");
  const { generation } = work.metadata;
  return applied?.status === "True" && generation !== undefined && applied.observedGeneration === generation;
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
