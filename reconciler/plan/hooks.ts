// Which hooks a change would run, when and where.
import { type KubeObject, type ObjectRef, refKey, refOf } from "../../kube/object.ts";
import { hookRef } from "../controllers/sync/hook-names.ts";
import { runsPods } from "../controllers/sync/sync-health.ts";
import { describeUnplaced } from "../controllers/sync/sync-hooks.ts";
import type { SyncPlan, SyncStep } from "../controllers/sync/sync-steps.ts";
import type { Phase } from "../controllers/sync/sync-wishes.ts";
import type { Outcome } from "./river.ts";

export interface PlannedHook {
  /** The name of one that gets its name later ends in `*`. */
  readonly object: ObjectRef;
  readonly phase: Phase;
  readonly wave: number;
  /** Where it runs; undefined when that is not known. */
  readonly clusters: readonly string[] | undefined;
  /** Why it would not run. */
  readonly problem?: string;
}

export interface PlannedHooks {
  /** In the order in which they run. */
  readonly runs: readonly PlannedHook[];
  /** Run should the change fail. */
  readonly onFailure: readonly PlannedHook[];
  /** Run when the Sync is deleted. */
  readonly onDeletion: readonly PlannedHook[];
  /** Why those of `runs` do not run this time; undefined when they do. */
  readonly idle: string | undefined;
}

export const NO_HOOKS: PlannedHooks = { runs: [], onFailure: [], onDeletion: [], idle: undefined };

/** `outcomes`: where the river takes the hooks, as templates; empty when it was not asked. */
export function plannedHooks(
  plan: SyncPlan,
  idle: string | undefined,
  outcomes: ReadonlyMap<string, Outcome>,
): PlannedHooks {
  const hooksOf = (steps: readonly SyncStep[]): readonly PlannedHook[] =>
    steps.flatMap(({ phase, wave, hooks }) =>
      hooks.map((hook) => ({ object: hookRef(hook), phase, wave, ...whereIs(hook, outcomes) })),
    );
  return {
    runs: hooksOf(plan.steps),
    onFailure: hooksOf(plan.onFailure),
    onDeletion: hooksOf(plan.onDeletion),
    idle,
  };
}

/** Those of several Syncs together; what does not run this time is left out while others do. */
export function joinHooks(all: readonly PlannedHooks[]): PlannedHooks {
  const active = all.filter(({ idle }) => idle === undefined);
  return {
    runs: (active.length === 0 ? all : active).flatMap(({ runs }) => runs),
    onFailure: all.flatMap(({ onFailure }) => onFailure),
    onDeletion: all.flatMap(({ onDeletion }) => onDeletion),
    idle: active.length === 0 ? all[0]?.idle : undefined,
  };
}

/** What stands for a hook in the river. */
export function hookTemplate(hook: KubeObject): KubeObject {
  const { generateName: _, ...metadata } = hook.metadata;
  return { ...hook, metadata: { ...metadata, name: hookRef(hook).name } };
}

function whereIs(
  hook: KubeObject,
  outcomes: ReadonlyMap<string, Outcome>,
): Pick<PlannedHook, "clusters"> & { readonly problem?: string } {
  const outcome = outcomes.get(refKey(refOf(hookTemplate(hook))));
  if (outcome === undefined || outcome.unknown !== undefined) return { clusters: undefined };
  const clusters = outcome.copies.map(({ cluster }) => cluster).sort();
  const [problem] = outcome.problems;
  if (problem !== undefined) return { clusters, problem };
  return clusters.length > 0 || !runsPods(hook) ? { clusters } : { clusters, problem: describeUnplaced(hookRef(hook)) };
}
