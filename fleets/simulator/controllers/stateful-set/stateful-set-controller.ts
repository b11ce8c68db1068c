// Keeps the numbered Pods of a StatefulSet, their claims and its revisions.
import type { KubeObject } from "../../../../kube/object.ts";
import { perform, type Reconcile, type Steps } from "../../kernel/action.ts";
import { type Controller, objectKey, splitKey, type World, watchOwned, watchSelf } from "../../kernel/controller.ts";
import { claimObjects, isSelectedBy, watchOrphans } from "../controller-refs.ts";
import { nextAvailabilityMs } from "../pod-availability.ts";
import {
  type ControllerRevision,
  chooseStatefulSetRevision,
  sortRevisions,
  surplusRevisions,
} from "../revisions/controller-revisions.ts";
import { createRevision, removeRevisions } from "../revisions/write-revisions.ts";
import { slowStart } from "../slow-start.ts";
import { areClaimsRight, deletePod, takeStep } from "./stateful-pods.ts";
import { planStatefulSet, type StatefulSetPlan, type Turn } from "./stateful-set-plan.ts";
import { isNamedBySet, type Revisions, revisionOf, statefulSetSpec } from "./stateful-set-spec.ts";
import { isOutdated, printedStatus, type StatefulSetStatus, statefulSetStatus } from "./stateful-set-status.ts";

const SETS = "apps/statefulsets";
/**
 * So long the garbage collector of a real cluster takes to find what a set on its way out has made again. Ours takes it at
 * once, and a revision would come and go with each of the set's Pods.
 */
const COLLECTION_MS = 100;

/** So long the calls take between giving the claims of a surplus Pod their owners and deleting it: others act upon that. */
const CALL_MS = 5;

/** Keeps the Pods of StatefulSets, one after the other where they ask for it. */
export function statefulSetController(): Controller {
  const lastCreated: LastCreated = new Map();
  return {
    name: "statefulset-controller",
    manager: "kube-controller-manager",
    watches: [watchSelf(SETS), watchOwned("pods", "StatefulSet"), watchOrphans("pods", SETS)],
    reconcile: (key, world) => reconcile(key, world, lastCreated),
  };
}

/** When sets on their way out have last created a revision, by uid. */
type LastCreated = Map<string, number>;

function* reconcile(key: string, world: World, lastCreated: LastCreated): Reconcile {
  const { namespace, name } = splitKey(key);
  const set = world.state.get(SETS, namespace, name);
  if (set === undefined) {
    forget(lastCreated, world.now());
    return undefined;
  }
  // As Kubernetes: a set on its way out may not adopt its revisions, and does nothing at all once it has lost one.
  if (set.metadata.deletionTimestamp !== undefined && hasOrphanedRevision(set, world)) return undefined;
  const history = sortRevisions(yield* claimObjects(set, "apps/controllerrevisions", world));
  const pods = yield* claimObjects(set, "pods", world, (pod) => isNamedBySet(set, pod));
  const { revisions, collisionCount } = yield* revisionsOf(set, history, world, lastCreated);
  const now = world.now();
  // What is written below does not count until the next run, as in a controller that has not heard of it yet.
  const plan = planStatefulSet(set, revisions, pods, now);
  const { replaced, failure, isPaused } = yield* carryOutPlan(set, plan, world);
  const counted = set.metadata.deletionTimestamp === undefined ? [...plan.replicas, ...plan.condemned] : pods;
  const status = statefulSetStatus(set, revisions, counted, { collisionCount, replaced, nowMs: now });
  yield* updateStatus(set, status, world);
  const live = new Set([revisions.current, revisions.update].map((revision) => revision.metadata.name));
  for (const pod of pods) live.add(revisionOf(pod));
  const { revisionHistoryLimit = 10, minReadySeconds = 0 } = statefulSetSpec(set);
  yield* removeRevisions(surplusRevisions(history, (each) => live.has(each.metadata.name), revisionHistoryLimit));
  if (failure !== undefined) throw failure;
  if (isPaused) return { afterMs: CALL_MS };
  if (status.readyReplicas === status.availableReplicas) return undefined;
  const afterMs = nextAvailabilityMs(pods, minReadySeconds, now);
  return afterMs === undefined ? undefined : { afterMs };
}

function hasOrphanedRevision(set: KubeObject, { state }: World): boolean {
  const { namespace = "" } = set.metadata;
  return state.orphans("apps/controllerrevisions", namespace).some((revision) => isSelectedBy(set, revision));
}

/** The revisions that the set has and moves to; the latter is created or raised when it is not the last one. */
function* revisionsOf(
  set: KubeObject,
  history: readonly ControllerRevision[],
  world: World,
  lastCreated: LastCreated,
): Steps<{ readonly revisions: Revisions; readonly collisionCount: number }> {
  const status = (set["status"] ?? {}) as Partial<StatefulSetStatus>;
  const collisionCount = status.collisionCount ?? 0;
  const choice = chooseStatefulSetRevision(set, history, collisionCount);
  const current = history.find((revision) => revision.metadata.name === status.currentRevision);
  switch (choice.do) {
    case "keep":
      return { revisions: { current: current ?? choice.revision, update: choice.revision }, collisionCount };
    case "raise": {
      const raised = { ...choice.revision, revision: choice.to };
      yield* perform({ do: "update", object: raised });
      return { revisions: { current: current ?? raised, update: raised }, collisionCount };
    }
    case "create": {
      if (set.metadata.deletionTimestamp !== undefined) {
        const last = lastCreated.get(set.metadata.uid ?? "") ?? Number.NEGATIVE_INFINITY;
        const { revision: draft } = choice;
        if (world.now() - last < COLLECTION_MS)
          return { revisions: { current: current ?? draft, update: draft }, collisionCount };
        lastCreated.set(set.metadata.uid ?? "", world.now());
      }
      const created = yield* createRevision(set, choice.revision, collisionCount, world);
      const update = created.revision;
      return { revisions: { current: current ?? update, update }, collisionCount: created.collisionCount };
    }
  }
}

interface PlanOutcome {
  /** How many Pods were deleted for the new revision. */
  readonly replaced: number;
  /** What made the run end early. */
  readonly failure: unknown;
  /** Whether the rest comes a little later. */
  readonly isPaused: boolean;
}

const UNBROKEN = { replaced: 0, failure: undefined, isPaused: false } as const;

function* carryOutPlan(set: KubeObject, plan: StatefulSetPlan, world: World): Steps<PlanOutcome> {
  try {
    for (const turns of plan.stages) {
      const areWrong = turns.some((turn) => hasClaimsToMend(set, turn, world));
      const isBlocked = yield* takeTurns(set, turns, plan.isOrdered, world);
      if (isBlocked) return UNBROKEN;
      if (areWrong && !turns.some((turn) => hasClaimsToMend(set, turn, world))) return { ...UNBROKEN, isPaused: true };
    }
    if (plan.replaced === undefined) return UNBROKEN;
    yield* deletePod(set, plan.replaced);
    return { ...UNBROKEN, replaced: 1 };
  } catch (failure) {
    return { ...UNBROKEN, failure };
  }
}

function hasClaimsToMend(set: KubeObject, { steps }: Turn, world: World): boolean {
  return steps.some((step) => step.do === "mend-claims" && !areClaimsRight(set, step.pod, world));
}

/** Answers whether a set that goes by order has to wait here. */
function* takeTurns(set: KubeObject, turns: readonly Turn[], isOrdered: boolean, world: World): Steps<boolean> {
  function* take({ steps }: Turn): Steps<void> {
    for (const step of steps) yield* takeStep(set, step, world);
  }
  if (!isOrdered) {
    yield* slowStart(turns, take);
    return false;
  }
  for (const turn of turns) {
    yield* take(turn);
    if (turn.blocks) return true;
  }
  return false;
}

/** As Kubernetes: the whole status is written, so that conditions of others do not last. */
function* updateStatus(set: KubeObject, status: StatefulSetStatus, { state }: World): Steps<void> {
  if (!isOutdated(set, status)) return;
  const { namespace = "", name = "" } = splitKey(objectKey(set));
  const present = state.get(SETS, namespace, name);
  if (present === undefined || present.metadata.uid !== set.metadata.uid) return;
  yield* perform({ do: "update", object: { ...present, status: printedStatus(status) }, subresource: "status" });
}

/** Sets that are gone create nothing any more. */
function forget(lastCreated: LastCreated, nowMs: number): void {
  for (const [uid, at] of lastCreated) if (nowMs - at >= COLLECTION_MS) lastCreated.delete(uid);
}
