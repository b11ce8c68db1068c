// Finds a node for each Pod, as kube-scheduler does with its default configuration.
import { CLAIMS, CLASSES, VOLUMES } from "../controllers/volumes/volume-facts.ts";
import { attempt, type Reconcile, type Steps, tell } from "../kernel/action.ts";
import type { StateChange } from "../kernel/cluster-state.ts";
import type { Controller, Watch, World } from "../kernel/controller.ts";
import { bindVolumes } from "./bind-volumes.ts";
import { ClusterWatch } from "./cluster-watch.ts";
import { type Failure, FailureMemory } from "./failure-memory.ts";
import { fitMessage, NO_NODES } from "./fit-message.ts";
import { ownSelector } from "./own-selector.ts";
import { type Placement, placePod } from "./place-pod.ts";
import { type PodFacts, readPod } from "./pod-facts.ts";
import { preempt } from "./preempt.ts";
import { findPreemption } from "./preemption.ts";
import { reportFailure } from "./report-failure.ts";
import type { Pending } from "./scheduling-queue.ts";
import type { VolumePlan } from "./volume-fit.ts";

const BUDGETS = "policy/poddisruptionbudgets";
/** There is one queue for all Pods. */
const QUEUE = "/queue";
/** First wait after a refusal of the server. */
const RETRY_MS = 1_000;

/** One per cluster: it keeps what it has seen of the cluster. */
export function podScheduler(): Controller {
  const watch = new ClusterWatch();
  const failures = new FailureMemory();
  const follow = (resource: string, note: (change: StateChange) => void): Watch => ({
    resource,
    keys: (change) => {
      note(change);
      return watch.queue.hasActive ? [QUEUE] : [];
    },
  });
  return {
    name: "default-scheduler",
    manager: "kube-scheduler",
    watches: [
      follow("pods", (change) => watch.notePod(change)),
      follow("nodes", (change) => watch.noteNode(change)),
      follow("namespaces", (change) => watch.noteNamespace(change)),
      follow(CLAIMS, (change) => watch.noteClaim(change)),
      follow(VOLUMES, () => watch.noteStorage()),
      follow(CLASSES, () => watch.noteStorage()),
    ],
    *reconcile(_key: string, world: World): Reconcile {
      const now = world.now();
      watch.queue.wakeDue(now);
      for (let next = watch.queue.pop(); next !== undefined; next = watch.queue.pop())
        yield* schedule(next, watch, failures, world);
      const left = watch.queue.wakeDue(now);
      return left === undefined ? undefined : { afterMs: Math.max(1, left) };
    },
  };
}

function* schedule(pending: Pending, watch: ClusterWatch, failures: FailureMemory, world: World): Steps<void> {
  const { cache, queue } = watch;
  const { pod } = pending;
  const placement: Placement = {
    cache,
    storage: world.state,
    ownSelector: (each) => ownSelector(each, world.state),
  };
  const assumed = watch.awaitingVolumes.get(pod.uid);
  if (assumed !== undefined) {
    // Its place was kept while its volumes were made: it goes there unless that is no longer possible.
    watch.awaitingVolumes.delete(pod.uid);
    cache.deletePod(pod.uid);
  }
  const kept: PodFacts = assumed === undefined ? pod : { ...pod, nominatedNode: assumed };
  if (cache.nodes().length === 0) {
    yield* fail(pending, { plugins: undefined, message: NO_NODES, clears: true }, watch, world);
    return;
  }
  const known = failures.find(pod, cache.version);
  if (known !== undefined) {
    yield* fail(pending, known, watch, world);
    return;
  }
  const result = placePod(kept, placement, world.random);
  if (result.fits) {
    const plan = result.node.facts === undefined ? undefined : result.cycle.volumes?.planFor(result.node.facts);
    yield* assign(pending, result.node.name, plan, watch, world);
    return;
  }
  const { diagnosis, cycle } = result;
  const found = findPreemption(pod, diagnosis, cycle, cache, () => world.state.list(BUDGETS), world.random);
  const count = cache.nodes().length;
  const { plugins } = diagnosis;
  if (!found.helps) {
    const failure = { plugins, message: fitMessage(count, diagnosis, found.message), clears: found.clears };
    failures.remember(pod, cache.version, failure);
    yield* fail(pending, failure, watch, world);
    return;
  }
  queue.wait(pending, plugins, world.now());
  const { node } = found.candidate;
  cache.nominate({ ...pod, nominatedNode: node }, node);
  yield* reportFailure(pending, fitMessage(count, diagnosis, undefined), node, world);
  yield* preempt(pod, found.candidate, watch, world);
}

/** Keeps the Pod waiting and tells why. */
function* fail(pending: Pending, failure: Failure, { queue, cache }: ClusterWatch, world: World): Steps<void> {
  queue.wait(pending, failure.plugins, world.now());
  if (failure.clears) cache.nominate(pending.pod, undefined);
  yield* reportFailure(pending, failure.message, failure.clears ? "" : undefined, world);
}

/** Binds a Pod to a node, or has its volumes made there first. */
function* assign(
  pending: Pending,
  node: string,
  plan: VolumePlan | undefined,
  watch: ClusterWatch,
  world: World,
): Steps<void> {
  const { cache, queue } = watch;
  const pod: PodFacts = { ...pending.pod, nominatedNode: undefined };
  cache.nominate(pod, undefined);
  if (plan !== undefined && plan.bind.length + plan.provision.length > 0) {
    cache.setPod(pod, node);
    watch.awaitingVolumes.set(pod.uid, node);
    yield* bindVolumes(plan, node, world);
    return;
  }
  const outcome = yield* attempt({ do: "bind", pod: pod.object, node });
  if (outcome.ok) {
    queue.remove(pod.uid);
    const key = pod.key;
    yield* tell(pod.object, "Normal", "Scheduled", `Successfully assigned ${key} to ${node}`);
    return;
  }
  const { code = 0 } = outcome.error.status;
  const present = world.state.get("pods", pod.namespace, pod.object.metadata.name ?? "");
  // Somebody else was faster, or it is gone.
  if (present === undefined || present.metadata.uid !== pod.uid || readPod(present).nodeName !== undefined) {
    queue.remove(pod.uid);
    return;
  }
  world.logger.debug("a pod could not be bound", { object: pod.key, code });
  const now = world.now();
  queue.wait(pending, undefined, now, now + RETRY_MS);
}
