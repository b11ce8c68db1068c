// Runs the river before and after a change, and says what lies between.
import type { ReportedLoss } from "../../api/plan-report.ts";
import { type KubeObject, refKey, refOf } from "../../kube/object.ts";
import { Turn } from "../../runtime/turn.ts";
import type { Interpretation } from "../controllers/interpretation/interpretation.ts";
import type { OverrideFinding } from "../overrides/lint.ts";
import { changeKey, comparePlansInTurns, type Plan } from "./changes.ts";
import type { FolderChange } from "./folder-change.ts";
import { hookTemplate, joinHooks, type PlannedHooks, plannedHooks } from "./hooks.ts";
import type { Origin } from "./origin.ts";
import { findOverridePolicy, type PolicyOrigin } from "./overridden-fields.ts";
import { newFindings, overrideFindings } from "./override-findings.ts";
import { type Outcome, runRiverInTurns } from "./river.ts";
import { whatIf } from "./what-if.ts";
import { changeWorld, type World, type WorldInterpretation } from "./world.ts";

/** What kinds mean in a world; each world has its own rules. */
export interface Interpretations {
  readonly compatibility: "karmada" | "flaghoist";
  of(world: WorldInterpretation | undefined): Interpretation;
}

export interface ComparisonOptions {
  readonly interpretations: Interpretations;
  readonly signal: AbortSignal;
  readonly nowMs: number;
  /** Where stored objects are written. */
  readonly originOf: (object: KubeObject) => Origin | undefined;
}

/** A world and where everything in it goes; hooks run, and are in neither. */
export interface DecidedWorld {
  readonly world: World;
  readonly outcomes: ReadonlyMap<string, Outcome>;
}

export interface Comparison {
  readonly before: DecidedWorld;
  readonly after: DecidedWorld;
  readonly plan: Plan;
  readonly whatIf: readonly ReportedLoss[];
  /** Overrides that the change makes vain, or writes in vain. */
  readonly findings: readonly OverrideFinding[];
  readonly hooks: PlannedHooks;
  /** Where override policies are written. */
  readonly policyOrigin: PolicyOrigin;
}

/** `now`: the control plane as it is. */
export async function compareWorlds(now: World, change: FolderChange, options: ComparisonOptions): Promise<Comparison> {
  const { interpretations, nowMs, signal } = options;
  const { compatibility } = interpretations;
  const objectsOf = (some: readonly { readonly object: KubeObject }[]): KubeObject[] =>
    some.map(({ object }) => object);
  const old = change.base === undefined ? now : changeWorld(now, objectsOf(change.base), []);
  const hookTemplates = change.hooks.flatMap(({ plan: steps }) => steps.hooks.map(hookTemplate));
  const hookKeys = new Set(hookTemplates.map((hook) => refKey(refOf(hook))));
  const fresh = changeWorld(
    old,
    [...objectsOf(change.desired), ...hookTemplates],
    change.removed.map(({ object }) => object),
  );
  const turn = new Turn();
  // Each world by its own rules: a changed customization or webhook configuration shows what it does.
  const decide = async (world: World): Promise<DecidedWorld> => ({
    world,
    outcomes: await interpretations
      .of(world.interpretation)
      .decide((interpreter) => runRiverInTurns(world, { interpreter, now: nowMs, compatibility }, turn), { signal }),
  });
  const withoutHooks = ({ world, outcomes }: DecidedWorld): DecidedWorld => ({
    world,
    outcomes: hookKeys.size === 0 ? outcomes : new Map([...outcomes].filter(([key]) => !hookKeys.has(key))),
  });
  const before = withoutHooks(await decide(old));
  const all = await decide(fresh);
  const after = withoutHooks(all);
  const clusters = new Set([...old.clusters, ...fresh.clusters].map((cluster) => cluster.metadata.name ?? ""));
  const policyOrigin = policyOriginIn(fresh, change, options);
  const plan = await comparePlansInTurns(before.outcomes, after.outcomes, [...clusters], policyOrigin, turn);
  const touched = [...new Set(plan.changes.map(changeKey))];
  return {
    before,
    after,
    plan,
    policyOrigin,
    hooks: joinHooks(change.hooks.map(({ plan: steps, idle }) => plannedHooks(steps, idle, all.outcomes))),
    findings: newFindings(
      overrideFindings(old, before.outcomes, compatibility),
      overrideFindings(fresh, after.outcomes, compatibility),
    ),
    whatIf: await whatIf(touched, before, after, nowMs),
  };
}

/** Policies that the change writes are in its files; the others are where the control plane has them from. */
function policyOriginIn(world: World, change: FolderChange, { originOf }: ComparisonOptions): PolicyOrigin {
  const overriding = change.desired.filter(({ object }) => object.kind.endsWith("OverridePolicy"));
  const files = new Map(overriding.map(({ object, origin }) => [refKey(refOf(object)), origin]));
  const policies = [...world.clusterOverridePolicies, ...world.overridePolicies];
  return (ref) => {
    const policy = findOverridePolicy(policies, ref);
    if (policy === undefined) return undefined;
    const file = files.get(refKey(refOf(policy)));
    return file === undefined ? originOf(policy) : { file };
  };
}
