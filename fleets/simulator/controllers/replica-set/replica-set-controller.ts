// Keeps the wanted number of Pods of a ReplicaSet, or of a ReplicationController.
import { isNamespaceEnding } from "../../../../kube/client/status-error.ts";
import type { KubeObject } from "../../../../kube/object.ts";
import { rfc3339 } from "../../../../runtime/clock.ts";
import { attempt, type Reconcile, type Steps, tell, writeStatus } from "../../kernel/action.ts";
import type { Resource, StateChange } from "../../kernel/cluster-state.ts";
import {
  type Controller,
  controllerOf,
  splitKey,
  type Watch,
  type World,
  watchOwned,
  watchSelf,
} from "../../kernel/controller.ts";
import { candidatesOf, claimAmong, isSelectedBy, watchOrphans } from "../controller-refs.ts";
import { nextAvailabilityMs } from "../pod-availability.ts";
import { isActive, isTerminating, podOf } from "../pod-object.ts";
import { podFromTemplate } from "../pod-template.ts";
import { growingBatches } from "../slow-start.ts";
import { inDeletionOrder } from "./deletion-order.ts";
import { type ReplicaSet, sizeOf } from "./replica-set.ts";
import { type PodsOfSet, replicaSetStatus } from "./replica-set-status.ts";

/** What is made or deleted in one run at most, as Kubernetes does. */
const BURST = 500;
/** So long a server takes from marking a Pod that goes at once to removing it: two writes of etcd. */
const REMOVAL_MS = 5;

/** Pods that went in the instant in which they were marked, by the set's key: they are still counted once. */
type Vanished = Map<string, KubeObject[]>;

interface SetKind {
  readonly controller: string;
  readonly resource: Resource;
  readonly kind: string;
  /** Whether the status counts Pods on their way out. */
  readonly tellsTerminating: boolean;
}

const REPLICA_SET: SetKind = {
  controller: "replicaset-controller",
  resource: "apps/replicasets",
  kind: "ReplicaSet",
  tellsTerminating: true,
};

const REPLICATION_CONTROLLER: SetKind = {
  controller: "replication-controller",
  resource: "replicationcontrollers",
  kind: "ReplicationController",
  tellsTerminating: false,
};

/** Of ReplicaSets. */
export function replicaSetController(): Controller {
  return controllerOfSets(REPLICA_SET);
}

/** Of ReplicationControllers, which are ReplicaSets by another name. */
export function replicationController(): Controller {
  return controllerOfSets(REPLICATION_CONTROLLER);
}

function controllerOfSets(kind: SetKind): Controller {
  const vanished: Vanished = new Map();
  const owned = watchOwned("pods", kind.kind);
  const ownedPods: Watch = {
    ...owned,
    keys: (change, world) => {
      const keys = [...owned.keys(change, world)];
      if (kind.tellsTerminating && isMarked(change))
        for (const key of keys) vanished.set(key, [...(vanished.get(key) ?? []), change.object]);
      return keys;
    },
  };
  return {
    name: kind.controller,
    manager: "kube-controller-manager",
    watches: [watchSelf(kind.resource), ownedPods, watchOrphans("pods", kind.resource)],
    reconcile: (key, world) => reconcile(kind, key, world, vanished),
  };
}

/** Whether a Pod has just been asked to go at once. */
function isMarked({ type, object, previous }: StateChange): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds } = object.metadata;
  if (type !== "updated" || deletionTimestamp === undefined || deletionGracePeriodSeconds !== 0) return false;
  return previous()?.metadata.deletionTimestamp === undefined;
}

function* reconcile(kind: SetKind, key: string, world: World, vanished: Vanished): Reconcile {
  const { namespace, name } = splitKey(key);
  const marked = vanished.get(key) ?? [];
  vanished.delete(key);
  // Defaulted by the server.
  const set = world.state.get(kind.resource, namespace, name) as ReplicaSet | undefined;
  if (set === undefined) return undefined;
  const pods = yield* claimPods(kind, set, marked, world);
  const failure = set.metadata.deletionTimestamp === undefined ? yield* managePods(set, pods.active, world) : undefined;
  // Of those that it deleted itself it hears nothing in between: its calls end when the Pods are gone.
  vanished.delete(key);
  const now = world.now();
  // As Kubernetes: of the Pods before this run made or deleted some; their own events bring the set back.
  const status = replicaSetStatus(set, pods, failure?.message, now, rfc3339(now));
  yield* writeStatus(set, status as Record<string, unknown>);
  if (failure !== undefined) throw failure.cause;
  // As Kubernetes: the end of such a Pod is told after its mark.
  if (marked.length > 0) return { afterMs: REMOVAL_MS };
  const { minReadySeconds = 0 } = set.spec;
  if (minReadySeconds === 0 || status.readyReplicas === status.availableReplicas) return undefined;
  const afterMs = nextAvailabilityMs(pods.active, minReadySeconds, now);
  return { afterMs: afterMs ?? minReadySeconds * 1000 };
}

function* claimPods(kind: SetKind, set: ReplicaSet, marked: readonly KubeObject[], world: World): Steps<PodsOfSet> {
  const candidates = candidatesOf(set, "pods", world).map(podOf);
  const active = yield* claimAmong(set, candidates.filter(isActive));
  const present = new Set(candidates.map(({ metadata }) => metadata.uid));
  const gone = marked.filter(({ metadata }) => !present.has(metadata.uid)).map(podOf);
  const terminating = [...candidates, ...gone].filter(
    (pod) => isTerminating(pod) && controllerOf(pod) !== undefined && isSelectedBy(set, pod),
  );
  return { active, terminating: kind.tellsTerminating ? terminating : undefined };
}

/** Why Pods could not be made or deleted. */
interface Failure {
  readonly message: string;
  readonly cause: unknown;
}

function* managePods(set: ReplicaSet, active: readonly KubeObject[], world: World): Steps<Failure | undefined> {
  const surplus = active.length - sizeOf(set);
  if (surplus < 0) return yield* createPods(set, Math.min(-surplus, BURST));
  if (surplus > 0) {
    const order = surplus < active.length ? inDeletionOrder(active, podsOfSiblings(set, world), world.now()) : active;
    return yield* deletePods(set, order.slice(0, Math.min(surplus, BURST)));
  }
  return undefined;
}

/** Makes Pods in growing batches, and none after one that was refused: a full quota is not asked a hundred times. */
function* createPods(set: ReplicaSet, count: number): Steps<Failure | undefined> {
  const pods = Array.from({ length: count }, () => podFromTemplate(set, set.spec.template));
  for (const batch of growingBatches(pods)) {
    let failure: Failure | undefined;
    for (const object of batch) {
      const outcome = yield* attempt({ do: "create", object });
      if (outcome.ok) {
        const name = outcome.object?.metadata.name ?? "";
        yield* tell(set, "Normal", "SuccessfulCreate", `Created pod: ${name}`);
      } else if (!isNamespaceEnding(outcome.error)) {
        const { message = "" } = outcome.error.status;
        yield* tell(set, "Warning", "FailedCreate", `Error creating: ${message}`);
        failure ??= { message, cause: outcome.error };
      }
    }
    if (failure !== undefined) return failure;
  }
  return undefined;
}

function* deletePods(set: ReplicaSet, pods: readonly KubeObject[]): Steps<Failure | undefined> {
  let failure: Failure | undefined;
  for (const pod of pods) {
    const outcome = yield* attempt({ do: "delete", object: pod });
    if (outcome.ok) yield* tell(set, "Normal", "SuccessfulDelete", `Deleted pod: ${pod.metadata.name}`);
    else if (outcome.error.status.code !== 404) {
      const { message = "" } = outcome.error.status;
      yield* tell(set, "Warning", "FailedDelete", `Error deleting: ${message}`);
      failure ??= { message: `unable to delete pods: ${message}`, cause: outcome.error };
    }
  }
  return failure;
}

/** The Pods of all sets of the same Deployment, this one's included; none of a set that stands alone. */
function podsOfSiblings(set: ReplicaSet, { state }: World): KubeObject[] {
  const owner = controllerOf(set);
  if (owner === undefined) return [];
  const deployment: KubeObject = { ...owner, metadata: { uid: owner.uid } };
  return state.ownedBy(deployment, "apps/replicasets").flatMap((sibling) => state.ownedBy(sibling, "pods"));
}
