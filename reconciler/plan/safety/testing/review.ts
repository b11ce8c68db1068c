// Changes for tests of the safety rules: a world, what is put and what is removed, and what that comes to.
import { type KubeObject, type ObjectRef, refKey, refOf } from "../../../../kube/object.ts";
import { createInterpreter } from "../../../interpreter/levels.ts";
import { nativeLevel } from "../../../interpreter/native.ts";
import { comparePlans } from "../../changes.ts";
import { newFindings, overrideFindings } from "../../override-findings.ts";
import { runRiver } from "../../river.ts";
import { sourceChanges } from "../../source-changes.ts";
import { changeWorld, type World } from "../../world.ts";
import type { ReviewedChange } from "../reviewed-change.ts";

const options = { interpreter: createInterpreter({ native: nativeLevel() }), now: 0 };

export interface ReviewWords {
  readonly world: World;
  /** Written in `apps/NAME.yaml:1`. */
  readonly put?: readonly KubeObject[];
  readonly removed?: readonly ObjectRef[];
  readonly rest?: Partial<ReviewedChange>;
}

/** What makePlan gathers for the rules, of a change that is made of objects. */
export function review({ world, put = [], removed = [], rest = {} }: ReviewWords): ReviewedChange {
  const stored = [
    ...world.templates,
    ...world.policies,
    ...world.overridePolicies,
    ...world.clusterOverridePolicies,
    // Rules are objects.
  ] as unknown as readonly KubeObject[];
  const known = new Map(stored.map((object) => [refKey(refOf(object)), object]));
  const desired = put.map((object) => ({
    object,
    before: known.get(refKey(refOf(object))),
    origin: `apps/${object.metadata.name}.yaml:1`,
  }));
  const gone = removed.map((object) => ({ object, origin: undefined }));
  const after = changeWorld(world, put, removed);
  const outcomes = { before: runRiver(world, options), after: runRiver(after, options) };
  const clusters = after.clusters.map(({ metadata }) => metadata.name ?? "");
  const plan = comparePlans(outcomes.before, outcomes.after, clusters);
  const changed = new Set(sourceChanges(desired, gone).map(({ object }) => refKey(object)));
  const places = new Map(desired.map(({ object, origin }) => [refKey(refOf(object)), origin]));
  return {
    desired: desired.filter(({ object }) => changed.has(refKey(refOf(object)))),
    removed: gone,
    rendered: put.map(refOf),
    prunes: [],
    taken: [],
    before: { world, outcomes: outcomes.before },
    after: { world: after, outcomes: outcomes.after },
    plan,
    touched: new Set([...changed, ...plan.changes.map(({ object }) => refKey(object))]),
    overrideFindings: newFindings(
      overrideFindings(world, outcomes.before, "flaghoist"),
      overrideFindings(after, outcomes.after, "flaghoist"),
    ),
    losses: { held: [], near: [] },
    placeOf: (ref) => {
      const origin = places.get(refKey(ref));
      return origin === undefined ? undefined : { file: origin.replace(/:1$/, ""), line: 1 };
    },
    ...rest,
  };
}
