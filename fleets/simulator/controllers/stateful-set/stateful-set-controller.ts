// Keeps the numbered Pods of a StatefulSet.
import type { KubeObject } from "../../../../kube/object.ts";
import { perform, type Reconcile, remove, type Steps, writeStatus } from "../../kernel/action.ts";
import { type Controller, splitKey, type World, watchOwned, watchSelf } from "../../kernel/controller.ts";
import { templateHash } from "../../template-hash.ts";
import { podFor, REVISION_LABEL, templateOf } from "../../workload-objects.ts";
import { statefulSetStatus, wantedReplicas } from "../../workload-status.ts";
import { countPods, isReadyPod } from "../pods.ts";

export function statefulSetController(): Controller {
  return {
    name: "statefulset-controller",
    manager: "kube-controller-manager",
    watches: [watchSelf("apps/statefulsets"), watchOwned("pods", "StatefulSet")],
    reconcile,
  };
}

function* reconcile(key: string, { state }: World): Reconcile {
  const { namespace, name } = splitKey(key);
  const set = state.get("apps/statefulsets", namespace, name);
  if (set === undefined || set.metadata.deletionTimestamp !== undefined) return undefined;
  const revision = templateHash(templateOf(set));
  const podsOfSet = (): KubeObject[] =>
    state.ownedBy(set, "pods").filter((pod) => pod.metadata.deletionTimestamp === undefined);
  yield* advance(
    set,
    podsOfSet().sort((a, b) => ordinalOf(a) - ordinalOf(b)),
    revision,
  );
  const left = podsOfSet();
  const updated = left.filter((pod) => revisionOf(pod) === revision).length;
  const present = state.get("apps/statefulsets", namespace, name);
  if (present !== undefined) yield* writeStatus(present, statefulSetStatus(present, countPods(left, updated)));
  return undefined;
}

/** One step at a time, in order: upwards when pods are missing, downwards when there are too many or they are old. */
function* advance(set: KubeObject, pods: readonly KubeObject[], revision: string): Steps<void> {
  const wanted = wantedReplicas(set);
  for (let ordinal = 0; ordinal < wanted; ordinal++) {
    const name = `${set.metadata.name}-${ordinal}`;
    const pod = pods.find((other) => other.metadata.name === name);
    if (pod === undefined) yield* perform({ do: "create", object: podFor(set, { name, revision }) });
    // The next begins when this one is ready. An old one that never gets ready is replaced below.
    if (pod === undefined || (!isReadyPod(pod) && revisionOf(pod) === revision)) return;
  }
  const surplus = pods.findLast((pod) => ordinalOf(pod) >= wanted);
  const old = pods.findLast((pod) => revisionOf(pod) !== revision);
  const leaving = surplus ?? old;
  if (leaving !== undefined) yield* remove(leaving);
}

function revisionOf(pod: KubeObject): string | undefined {
  return pod.metadata.labels?.[REVISION_LABEL];
}

function ordinalOf(pod: KubeObject): number {
  return Number(/-(\d+)$/.exec(pod.metadata.name ?? "")?.[1] ?? Number.NaN);
}
