// What is written about a Work: whether it is sent and applied, and what the member says of its copies.
import type { ManifestStatus, Work, WorkStatus } from "../../../api/work.ts";
import type { Member } from "../../../fleets/member.ts";
import { setCondition } from "../../../kube/conditions.ts";
import { type Condition, equalJson, type KubeObject, type ObjectRef, refOf } from "../../../kube/object.ts";
import { rfc3339 } from "../../../runtime/clock.ts";
import { AppError, messageOf } from "../../../runtime/errors.ts";
import type { StandingField } from "../../works/drift-record.ts";
import { manifestStatus } from "../../works/status.ts";
import { WORK_API_VERSION } from "../../works/work.ts";
import type { ControllerContext } from "../context.ts";
import { subjectOf } from "../events.ts";
import type { Asking, Interpretation } from "../interpretation/interpretation.ts";
import { withDriftCondition } from "./drift-status.ts";
import { WorkEvents } from "./work-events.ts";

export interface WorkStatusDeps {
  readonly context: ControllerContext;
  readonly interpretation: Interpretation;
}

/** What became of a Work's manifests in one pass. */
export interface ApplyOutcome {
  readonly applied: number;
  readonly total: number;
  readonly failures: readonly string[];
  /** Fields of copies that are let be although they are not as wanted. */
  readonly standing: readonly StandingField[];
}

/** The objects of a Work, whole: the schema keeps them as they are. */
export function manifestsOf(work: Work): KubeObject[] {
  // The schema of a Work says of them no more than that they are objects.
  return (work.spec.workload?.manifests ?? []) as unknown as KubeObject[];
}

/** Writes that a Work is sent, or suspended; nothing when it says so. */
export async function writeDispatching(context: ControllerContext, work: Work, dispatching: boolean): Promise<void> {
  const condition = dispatchingCondition(context, dispatching);
  const known = work.status?.conditions?.find((other) => other.type === "Dispatching");
  if (known?.status === condition.status) return;
  const conditions = setCondition(work.status?.conditions ?? [], condition);
  await patchStatus(context, work, { ...work.status, conditions });
  context.events.record(subjectOf(work), "Normal", "WorkDispatching", condition.message);
}

function dispatchingCondition(context: ControllerContext, dispatching: boolean): Condition {
  return {
    type: "Dispatching",
    status: dispatching ? "True" : "False",
    reason: dispatching ? "Dispatching" : "SuspendDispatching",
    message: dispatching ? "Work is being dispatched to member clusters." : "Work dispatching is in a suspended state.",
    lastTransitionTime: rfc3339(context.clock.now()),
  };
}

/**
 * Writes what became of the manifests and what the member says of its copies. Answers why a copy's state could not be read
 * when that may be another time; the rest is written all the same.
 */
export async function writeStatus(
  deps: WorkStatusDeps,
  work: Work,
  member: Member,
  outcome: ApplyOutcome | undefined,
  asking: Asking,
): Promise<AppError | undefined> {
  const { context } = deps;
  const read: CopyStatus[] = [];
  for (const [ordinal, manifest] of manifestsOf(work).entries())
    read.push(await statusOfManifest(deps, { work, member, manifest, ordinal }, asking));
  const current = currentWork(context, work);
  let conditions = current.status?.conditions ?? [];
  if (outcome !== undefined) {
    const ok = outcome.failures.length === 0;
    conditions = setCondition(conditions, dispatchingCondition(context, true));
    conditions = setCondition(conditions, {
      type: "Applied",
      status: ok ? "True" : "False",
      reason: ok ? "AppliedSuccessful" : "AppliedFailed",
      message: ok
        ? "Manifest has been successfully applied"
        : `Failed to apply all manifests (${outcome.applied}/${outcome.total}): ${outcome.failures.join("; ")}`,
      lastTransitionTime: rfc3339(context.clock.now()),
      // An addition: that what is told of the copies is of this generation of the Work.
      ...(work.metadata.generation === undefined ? {} : { observedGeneration: work.metadata.generation }),
    });
  }
  if (outcome !== undefined) conditions = withDriftCondition(conditions, outcome.standing);
  const manifestStatuses = read
    .map(({ status }, ordinal) => status ?? current.status?.manifestStatuses?.[ordinal])
    .filter((status) => status !== undefined);
  await patchStatus(context, current, { conditions, ...(manifestStatuses.length === 0 ? {} : { manifestStatuses }) });
  return read.map(({ problem }) => problem).find(mayPass);
}

async function patchStatus(context: ControllerContext, work: Work, status: WorkStatus): Promise<void> {
  if (equalJson(currentWork(context, work).status ?? {}, status)) return;
  const works = context.informers.of<Work>(WORK_API_VERSION, "Work");
  works.adopt(await context.client.patch<Work>(refOfWork(work), { status }, "merge", { subresource: "status" }));
}

/** The Work as last seen: what one step wrote, the next write of the same step starts from. */
export function currentWork(context: ControllerContext, work: Work): Work {
  const works = context.informers.of<Work>(WORK_API_VERSION, "Work");
  return works.get(work.metadata.namespace, work.metadata.name ?? "") ?? work;
}

function refOfWork(work: Work): ObjectRef {
  return {
    apiVersion: WORK_API_VERSION,
    kind: "Work",
    namespace: work.metadata.namespace,
    name: work.metadata.name ?? "",
  };
}

interface CopyStatus {
  /** Undefined while the copy was not seen, and when its status could not be read. */
  readonly status?: ManifestStatus;
  /** What could not be read. */
  readonly problem?: unknown;
}

/** What the member says of one object. */
async function statusOfManifest(
  deps: WorkStatusDeps,
  copy: { readonly work: Work; readonly member: Member; readonly manifest: KubeObject; readonly ordinal: number },
  asking: Asking,
): Promise<CopyStatus> {
  const { work, member, manifest, ordinal } = copy;
  const live = member.cached(refOf(manifest)) ?? member.applied(refOf(manifest))?.answer;
  if (live === undefined) return {};
  const tell = new WorkEvents(deps.context.events, member.name, work);
  const resource = member.client.mapper.known(manifest.apiVersion, manifest.kind)?.plural ?? "";
  try {
    const { status, problem } = await deps.interpretation.decide((interpreter) => {
      let unknown: unknown;
      const read = manifestStatus(live, resource, interpreter, (error) => {
        unknown = error;
      });
      return { status: read, problem: unknown };
    }, asking);
    if (problem !== undefined) tell.failedToJudge(live, messageOf(problem));
    return { status: { ...status, identifier: { ...status.identifier, ordinal } }, problem };
  } catch (error) {
    if (asking.signal.aborted) throw error;
    tell.failedToReflect(live, messageOf(error));
    return { problem: error };
  }
}

/** Whether trying again may help, although neither the copy nor its manifest changes. */
function mayPass(error: unknown): error is AppError {
  return error instanceof AppError && error.recovery !== "stall";
}
