// Which kinds were ever put into a cluster, as its status keeps it. Once the last copy of a kind is gone nothing else tells
// the next process that a backup of the cluster may bring copies of it back.
import type { Condition } from "../../kube/object.ts";
import { rfc3339 } from "../../runtime/clock.ts";
import type { UsedKind } from "./kinds-in-use.ts";

/** On a Cluster into which something was put. A condition, for an agent may write nothing but the status. */
export const APPLIED_KINDS_CONDITION = "AppliedKinds";

const TOLD = /^objects of these kinds were put into the cluster: (.*)\. Copies /;
const KIND = /^([a-z0-9][a-z0-9.-]*(?:\/[a-z0-9]+)?) ([A-Za-z][A-Za-z0-9]*)$/;
/** A message has no more than 32768 characters. */
const MOST_CHARACTERS = 32_000;

/** What is told of a cluster at `now` (milliseconds); of more kinds than fit into a message, those that fit. */
export function appliedKindsCondition(kinds: readonly UsedKind[], now: number): Condition {
  let room = MOST_CHARACTERS;
  const names = kinds.map(nameOf).sort();
  const told = names.filter((name) => {
    room -= name.length + 2;
    return room >= 0;
  });
  return {
    type: APPLIED_KINDS_CONDITION,
    status: "True",
    reason: "Recorded",
    message:
      `objects of these kinds were put into the cluster: ${told.join(", ")}. ` +
      "Copies that a restored backup brings back are looked for among them.",
    lastTransitionTime: rfc3339(now),
  };
}

/** The kinds that such a condition names; what is no kind is passed over. */
export function readAppliedKinds(condition: Condition | undefined): UsedKind[] {
  const [, list = ""] = TOLD.exec(condition?.message ?? "") ?? [];
  return list.split(", ").flatMap((name) => {
    const [, apiVersion, kind] = KIND.exec(name) ?? [];
    return apiVersion === undefined || kind === undefined ? [] : [{ apiVersion, kind }];
  });
}

/** Those of `kinds` that are not in `known`. */
export function kindsBeside(kinds: Iterable<UsedKind>, known: readonly UsedKind[]): UsedKind[] {
  const names = new Set(known.map(nameOf));
  return [...kinds].filter((kind) => !names.has(nameOf(kind)));
}

function nameOf({ apiVersion, kind }: UsedKind): string {
  return `${apiVersion} ${kind}`;
}
