// Drift that stands, written on the Work: whoever looks after the copy next, in this process or another, knows since when.
import type { Work } from "../../../api/work.ts";
import { setCondition } from "../../../kube/conditions.ts";
import { type Condition, refOf } from "../../../kube/object.ts";
import {
  DRIFT_FINDINGS_ANNOTATION,
  DRIFTED_CONDITION,
  describeStanding,
  type StandingField,
  writeStanding,
} from "../../works/drift-record.ts";
import { WORK_API_VERSION } from "../../works/work.ts";
import type { ControllerContext } from "../context.ts";

/** Writes the annotation when it says something else. */
export async function keepStanding(
  context: ControllerContext,
  work: Work,
  standing: readonly StandingField[],
): Promise<void> {
  const works = context.informers.of<Work>(WORK_API_VERSION, "Work");
  const current = works.get(work.metadata.namespace, work.metadata.name ?? "") ?? work;
  const text = writeStanding(standing);
  if (current.metadata.annotations?.[DRIFT_FINDINGS_ANNOTATION] === text) return;
  const patch = { metadata: { annotations: { [DRIFT_FINDINGS_ANNOTATION]: text ?? null } } };
  works.adopt(
    await context.client.patch<Work>({ ...refOf(work), apiVersion: WORK_API_VERSION, kind: "Work" }, patch, "merge"),
  );
}

/** The conditions with one more while drift stands, since it was first seen. */
export function withDriftCondition(conditions: readonly Condition[], standing: readonly StandingField[]): Condition[] {
  const others = conditions.filter(({ type }) => type !== DRIFTED_CONDITION);
  const [since] = standing.map((field) => field.since).sort();
  if (since === undefined) return others.length === conditions.length ? [...conditions] : others;
  return setCondition(conditions, {
    type: DRIFTED_CONDITION,
    status: "True",
    reason: "LeftAsFound",
    message: describeStanding(standing),
    lastTransitionTime: since,
  });
}
