// Keeps a Pod of a DaemonSet on each node that it is for.
import { isNamespaceEnding } from "../../../../kube/client/status-error.ts";
import { isObject, type KubeObject } from "../../../../kube/object.ts";
import { attempt, perform, type Reconcile, type Steps, tell } from "../../kernel/action.ts";
import type { StateChange } from "../../kernel/cluster-state.ts";
import {
  type Controller,
  controllerOf,
  objectKey,
  splitKey,
  type World,
  watchOwned,
  watchSelf,
} from "../../kernel/controller.ts";
import { claimObjects, watchOrphans } from "../controller-refs.ts";
import { removeRevisions } from "../revisions/write-revisions.ts";
import { slowStart } from "../slow-start.ts";
import { readHistory, surplusHistory } from "./daemon-set-history.ts";
import {
  type DaemonSetChanges,
  type DaemonSetView,
  isOver,
  planRollingUpdate,
  planUpkeep,
  podsByNode,
} from "./daemon-set-plan.ts";
import { daemonSetSpec, isNodeAltered, newDaemonPod, nodeTest } from "./daemon-set-spec.ts";
import { countNodes, isStatusOutdated, withCounts } from "./daemon-set-status.ts";
import { PodBackoff } from "./pod-backoff.ts";

const SETS = "apps/daemonsets";
/** So many Pods are created, and so many deleted, in one go. */
const MOST_AT_ONCE = 250;

/** Keeps a Pod of each DaemonSet on every node that it is for. */
export function daemonSetController(): Controller {
  const backoff = new PodBackoff();
  const ownedRevisions = watchOwned("apps/controllerrevisions", "DaemonSet");
  return {
    name: "daemonset-controller",
    manager: "kube-controller-manager",
    watches: [
      watchSelf(SETS),
      watchOwned("pods", "DaemonSet"),
      watchOrphans("pods", SETS),
      {
        resource: ownedRevisions.resource,
        keys: (change, world) => (change.type === "added" ? [] : ownedRevisions.keys(change, world)),
      },
      watchOrphans("apps/controllerrevisions", SETS),
      { resource: "nodes", keys: concernedByNode },
    ],
    reconcile: (key, world) => reconcile(key, world, backoff),
  };
}

/**
 * The sets that a node's change concerns. As Kubernetes 1.36: those that gain or lose a Pod there, and those that have one
 * there and one misplaced somewhere; others learn of the node when they next run for another reason. Nor does anybody hear
 * of a node's end.
 */
function* concernedByNode({ type, object: node, previous }: StateChange, { state }: World): Iterable<string> {
  if (type === "deleted") return;
  const before = type === "updated" ? previous() : undefined;
  if (before !== undefined && !isNodeAltered(before, node)) return;
  const occupied = new Set<string>();
  for (const pod of state.podsOn(node.metadata.name ?? "")) {
    const owner = controllerOf(pod);
    if (owner?.kind === "DaemonSet") occupied.add(`${pod.metadata.namespace}/${owner.name}`);
  }
  for (const set of state.list(SETS)) {
    const { shouldRun, mayStay } = nodeTest(set)(node);
    const hasPod = occupied.has(objectKey(set));
    const status = (set["status"] ?? {}) as { readonly numberMisscheduled?: number };
    if (hasPod ? !mayStay || (status.numberMisscheduled ?? 0) > 0 : shouldRun) yield objectKey(set);
  }
}

function* reconcile(key: string, world: World, backoff: PodBackoff): Reconcile {
  const { namespace, name } = splitKey(key);
  const set = world.state.get(SETS, namespace, name);
  if (set === undefined) return undefined;
  if (isSelectingAll(set)) {
    const message = "This daemon set is selecting all pods. A non-empty selector is required.";
    yield* tell(set, "Warning", "SelectingAll", message);
    return undefined;
  }
  // As Kubernetes: the history of a set on its way out may be gone already, so that its status cannot be told.
  if (set.metadata.deletionTimestamp !== undefined) return undefined;
  const history = yield* readHistory(set, yield* claimObjects(set, "pods", world), world);
  const view = yield* viewOf(set, history.hash, world);
  let afterMs: number | undefined;
  let failure: unknown;
  try {
    afterMs = yield* keepUp(view, backoff);
    const { revisionHistoryLimit = 10 } = daemonSetSpec(set);
    const pods = yield* claimObjects(set, "pods", world);
    yield* removeRevisions(surplusHistory(history.old, pods, revisionHistoryLimit));
  } catch (error) {
    failure = error;
  }
  const counts = countNodes(yield* viewOf(set, history.hash, world));
  yield* updateStatus(set, counts, world);
  if (failure !== undefined) throw failure;
  const { minReadySeconds = 0 } = daemonSetSpec(set);
  if (minReadySeconds > 0 && counts.numberReady !== counts.numberAvailable)
    afterMs = Math.min(afterMs ?? Number.POSITIVE_INFINITY, minReadySeconds * 1000);
  return afterMs === undefined ? undefined : { afterMs };
}

function isSelectingAll(set: KubeObject): boolean {
  const { selector } = daemonSetSpec(set);
  return isObject(selector) && Object.keys(selector).length === 0;
}

function* viewOf(set: KubeObject, hash: string, world: World): Steps<DaemonSetView> {
  const pods = yield* claimObjects(set, "pods", world);
  return {
    set,
    hash,
    nodes: world.state.list("nodes"),
    decide: nodeTest(set),
    podsByNode: podsByNode(pods.filter((pod) => !isOver(pod))),
    nowMs: world.now(),
  };
}

/** Creates and deletes Pods; answers when failed ones are to be looked at again. */
function* keepUp(view: DaemonSetView, backoff: PodBackoff): Steps<number | undefined> {
  const { set, nowMs } = view;
  const status = (set["status"] ?? {}) as { readonly observedGeneration?: number };
  const keyOf = (node: string): string => `${set.metadata.uid}/${status.observedGeneration ?? 0}/${node}`;
  const upkeep = planUpkeep(view, (node) => backoff.heldBackMs(keyOf(node), nowMs) !== undefined);
  for (const { pod, node } of upkeep.ended) {
    const failed = (pod["status"] as { readonly phase?: string }).phase === "Failed";
    const which = `daemon pod ${pod.metadata.namespace}/${pod.metadata.name} on node ${node}`;
    if (failed) {
      backoff.next(keyOf(node), nowMs);
      yield* tell(set, "Warning", "FailedDaemonPod", `Found failed ${which}, will try to kill it`);
    } else {
      yield* tell(set, "Normal", "SucceededDaemonPod", `Found succeeded ${which}, will try to delete it`);
    }
  }
  yield* change(view, upkeep);
  const isQuiet = upkeep.create.length === 0 && upkeep.delete.length === 0;
  // The effects of the upkeep come first: an update goes by what is there then.
  if (isQuiet && daemonSetSpec(set).updateStrategy?.type === "RollingUpdate") {
    yield* change(view, planRollingUpdate(view));
  }
  const delays = upkeep.heldBack.map((node) => backoff.heldBackMs(keyOf(node), nowMs) ?? 0);
  return delays.length === 0 ? undefined : Math.min(...delays);
}

function* change({ set, hash }: DaemonSetView, changes: DaemonSetChanges): Steps<void> {
  let failure: unknown;
  try {
    yield* slowStart(changes.create.slice(0, MOST_AT_ONCE), (node) => createPod(set, node, hash));
  } catch (error) {
    failure = error;
  }
  for (const pod of changes.delete.slice(0, MOST_AT_ONCE)) {
    try {
      yield* deletePod(set, pod);
    } catch (error) {
      failure ??= error;
    }
  }
  if (failure !== undefined) throw failure;
}

function* createPod(set: KubeObject, node: string, hash: string): Steps<void> {
  const outcome = yield* attempt({ do: "create", object: newDaemonPod(set, node, hash) });
  if (outcome.ok) {
    yield* tell(set, "Normal", "SuccessfulCreate", `Created pod: ${outcome.object?.metadata.name}`);
    return;
  }
  // All further ones would fail in the same way: nobody is told, and nobody tries again.
  if (isNamespaceEnding(outcome.error)) return;
  yield* tell(set, "Warning", "FailedCreate", `Error creating: ${outcome.error.status.message}`);
  throw outcome.error;
}

function* deletePod(set: KubeObject, pod: KubeObject): Steps<void> {
  const outcome = yield* attempt({ do: "delete", object: pod });
  if (outcome.ok) {
    yield* tell(set, "Normal", "SuccessfulDelete", `Deleted pod: ${pod.metadata.name}`);
    return;
  }
  if (outcome.error.status.code === 404) return;
  yield* tell(set, "Warning", "FailedDelete", `Error deleting: ${outcome.error.status.message}`);
  throw outcome.error;
}

function* updateStatus(set: KubeObject, counts: ReturnType<typeof countNodes>, { state }: World): Steps<void> {
  const present = state.get(SETS, set.metadata.namespace, set.metadata.name ?? "");
  if (present === undefined || present.metadata.uid !== set.metadata.uid) return;
  const status = withCounts(
    { ...present, metadata: { ...present.metadata, generation: set.metadata.generation ?? 1 } },
    counts,
  );
  if (isStatusOutdated(present, status))
    yield* perform({ do: "update", object: { ...present, status }, subresource: "status" });
}
