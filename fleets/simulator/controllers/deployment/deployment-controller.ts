// Rolls the ReplicaSets of a Deployment over.
import type { KubeObject } from "../../../../kube/object.ts";
import { rfc3339 } from "../../../../runtime/clock.ts";
import { perform, type Reconcile, remove, type Steps, tell, writeStatus } from "../../kernel/action.ts";
import type { ClusterState } from "../../kernel/cluster-state.ts";
import {
  type Controller,
  controllerOf,
  objectKey,
  splitKey,
  type Watch,
  type World,
  watchOwned,
  watchSelf,
} from "../../kernel/controller.ts";
import { claimObjects, watchOrphans } from "../controller-refs.ts";
import { isTerminal } from "../pod-object.ts";
import { byAge, findSetOfTemplate, type ReplicaSet, sizeOf } from "../replica-set/replica-set.ts";
import { createCurrentSet, syncCurrentSet } from "./current-set.ts";
import { type Deployment, historyLimitOf, isRollingUpdate, wantedOf } from "./deployment.ts";
import {
  countedStatus,
  isComplete,
  type Moment,
  nextProgressCheckMs,
  pauseStatus,
  rolloutStatus,
} from "./deployment-status.ts";
import {
  allSets,
  currentSetSize,
  isActiveSet,
  isScaled,
  type Resize,
  type SetsOf,
  shrinkOldSets,
  sizesAfterScaling,
  sumOf,
} from "./replica-set-sizes.ts";
import { hasReplicasAnnotations, replicasAnnotations, revisionOf, rollbackOf } from "./revisions.ts";
import { rollBack } from "./rollback.ts";

/** Rolls Deployments out by sizing their ReplicaSets. */
export function deploymentController(): Controller {
  return {
    name: "deployment-controller",
    manager: "kube-controller-manager",
    watches: [
      watchSelf("apps/deployments"),
      watchOwned("apps/replicasets", "Deployment"),
      watchOrphans("apps/replicasets", "apps/deployments"),
      LAST_PODS,
    ],
    reconcile,
  };
}

/** A Deployment that recreates waits for its last Pod to be gone. */
const LAST_PODS: Watch = {
  resource: "pods",
  keys: ({ type, object }, { state }) => {
    if (type !== "deleted") return [];
    const set = ownerOf(object, "ReplicaSet", "apps/replicasets", state);
    const deployment = set === undefined ? undefined : ownerOf(set, "Deployment", "apps/deployments", state);
    // Defaulted by the server.
    return deployment === undefined || isRollingUpdate(deployment as Deployment) ? [] : [objectKey(deployment)];
  },
};

function ownerOf(object: KubeObject, kind: string, resource: string, state: ClusterState): KubeObject | undefined {
  const owner = controllerOf(object);
  if (owner?.kind !== kind) return undefined;
  const found = state.get(resource, object.metadata.namespace, owner.name);
  return found?.metadata.uid === owner.uid ? found : undefined;
}

function* reconcile(key: string, world: World): Reconcile {
  const { namespace, name } = splitKey(key);
  // Defaulted by the server.
  let deployment = world.state.get("apps/deployments", namespace, name) as Deployment | undefined;
  if (deployment === undefined) return undefined;
  const now: Moment = { ms: world.now(), text: rfc3339(world.now()) };
  const sets = yield* claimSets(deployment, world);
  if (deployment.metadata.deletionTimestamp !== undefined) {
    yield* writeStatus(deployment, { ...countedStatus(deployment, sets, now) });
    return undefined;
  }
  const pause = pauseStatus(deployment, now);
  if (pause !== undefined) {
    yield* writeStatus(deployment, { ...pause });
    // As Kubernetes: the run goes on with what it had read, so that its next write of the status is refused, and a set
    // that it makes is not spoken of.
    deployment = { ...deployment, status: pause };
  }
  // Otherwise what writes the Deployment or its current set ends the run: the change brings the key back.
  if (sets.current !== undefined && (yield* syncCurrentSet(deployment, sets.current, sets.old, now))) return undefined;
  const rollback = rollbackOf(deployment);
  if (deployment.spec.paused !== true && rollback !== undefined) {
    yield* rollBack(deployment, allSets(sets), rollback);
    return undefined;
  }
  if (deployment.spec.paused === true || isScaled(deployment, sets)) {
    for (const resize of sizesAfterScaling(deployment, sets)) yield* resizeSet(deployment, resize);
    if (deployment.spec.paused === true && rollback === undefined) yield* cleanUp(deployment, sets.old);
    yield* writeStatus(deployment, { ...countedStatus(deployment, sets, now) });
    return undefined;
  }
  return isRollingUpdate(deployment)
    ? yield* rollOut(deployment, sets, now)
    : yield* recreate(deployment, sets, now, world);
}

function* claimSets(deployment: Deployment, world: World): Steps<SetsOf> {
  // Defaulted by the server.
  const sets = (yield* claimObjects(deployment, "apps/replicasets", world)) as ReplicaSet[];
  const current = findSetOfTemplate(deployment.spec.template, sets);
  return { current, old: sets.filter((set) => set !== current) };
}

function* rollOut(deployment: Deployment, sets: SetsOf, now: Moment): Reconcile {
  const { current, old } = sets;
  if (current === undefined) {
    const size = currentSetSize(deployment, 0, sumOf(old, sizeOf));
    yield* createCurrentSet(deployment, old, size, now);
    return undefined;
  }
  const size = currentSetSize(deployment, sizeOf(current), sumOf(allSets(sets), sizeOf));
  if (size !== sizeOf(current)) {
    yield* resizeSet(deployment, { set: current, size });
    return yield* writeRollout(deployment, sets, now);
  }
  const resizes = shrinkOldSets(deployment, { current, old });
  yield* resizeInTurn(deployment, resizes);
  if (resizes.length === 0 && isComplete(deployment, deployment.status ?? {})) yield* cleanUp(deployment, old);
  return yield* writeRollout(deployment, sets, now);
}

function* recreate(deployment: Deployment, sets: SetsOf, now: Moment, world: World): Reconcile {
  const { current, old } = sets;
  const active = old.filter(isActiveSet);
  for (const set of active) yield* resizeSet(deployment, { set, size: 0 });
  if (active.length > 0 || hasOldPods(old, world)) return yield* writeRollout(deployment, sets, now);
  if (current === undefined) {
    yield* createCurrentSet(deployment, old, wantedOf(deployment), now);
    return undefined;
  }
  if (sizeOf(current) !== wantedOf(deployment))
    yield* resizeSet(deployment, { set: current, size: wantedOf(deployment) });
  if (isComplete(deployment, deployment.status ?? {})) yield* cleanUp(deployment, old);
  return yield* writeRollout(deployment, sets, now);
}

/** Whether an old set has Pods, those on their way out included. */
function hasOldPods(old: readonly ReplicaSet[], { state }: World): boolean {
  return old.some(
    (set) => (set.status?.replicas ?? 0) > 0 || state.ownedBy(set, "pods").some((pod) => !isTerminal(pod)),
  );
}

/** As Kubernetes: the status is of the sets before this run changed them; their own events bring the key back. */
function* writeRollout(deployment: Deployment, sets: SetsOf, now: Moment): Reconcile {
  const status = rolloutStatus(deployment, sets, now);
  const written = yield* writeStatus(deployment, { ...status });
  if (written !== deployment) return undefined;
  const afterMs = nextProgressCheckMs(deployment, status, now);
  return afterMs === undefined ? undefined : { afterMs };
}

/** Resizes sets of which one may come twice: the second time as it is after the first. */
function* resizeInTurn(deployment: Deployment, resizes: readonly Resize[]): Steps<void> {
  const latest = new Map<ReplicaSet, ReplicaSet>();
  for (const { set, size } of resizes)
    latest.set(set, yield* resizeSet(deployment, { set: latest.get(set) ?? set, size }));
}

/** Gives a set its size, and the Deployment's to remember. */
function* resizeSet(deployment: Deployment, { set, size, always }: Resize): Steps<ReplicaSet> {
  const before = sizeOf(set);
  if (before === size && (always === undefined || hasReplicasAnnotations(set, deployment))) return set;
  const annotations = { ...set.metadata.annotations, ...replicasAnnotations(deployment) };
  const object = { ...set, metadata: { ...set.metadata, annotations }, spec: { ...set.spec, replicas: size } };
  const resized = yield* perform({ do: "update", object });
  if (before !== size) {
    const direction = before < size ? "up" : "down";
    const message = `Scaled ${direction} replica set ${set.metadata.name} from ${before} to ${size}`;
    yield* tell(deployment, "Normal", "ScalingReplicaSet", message);
  }
  // The server answers with the same kind.
  return (resized ?? object) as ReplicaSet;
}

/** Removes the oldest of the empty old sets above the limit of the history. */
function* cleanUp(deployment: Deployment, old: readonly ReplicaSet[]): Steps<void> {
  const limit = historyLimitOf(deployment);
  if (limit === undefined) return;
  const kept = old.filter((set) => set.metadata.deletionTimestamp === undefined);
  const surplus = kept.length - limit;
  if (surplus <= 0) return;
  for (const set of kept.sort(byRevision).slice(0, surplus)) {
    const followed = (set.metadata.generation ?? 0) <= (set.status?.observedGeneration ?? 0);
    if ((set.status?.replicas ?? 0) === 0 && sizeOf(set) === 0 && followed) yield* remove(set);
  }
}

function byRevision(a: ReplicaSet, b: ReplicaSet): number {
  const [left, right] = [revisionOf(a), revisionOf(b)];
  return left === undefined || right === undefined ? byAge(a, b) : left - right || byAge(a, b);
}
