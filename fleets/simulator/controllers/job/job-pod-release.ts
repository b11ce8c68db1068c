// Lets go of Pods that no running Job will count any more: their finalizer would keep them for ever.
import type { KubeObject } from "../../../../kube/object.ts";
import { attempt, type Reconcile, type Steps } from "../../kernel/action.ts";
import type { ClusterState } from "../../kernel/cluster-state.ts";
import { type Controller, controllerOf, objectKey, splitKey, type World } from "../../kernel/controller.ts";
import { isFinished, isManagedElsewhere, jobOf, TRACKING_FINALIZER } from "./job-object.ts";
import { isTracked } from "./job-pods.ts";

/** Takes the finalizer from Pods whose Job is gone or over. */
export function jobPodRelease(): Controller {
  return {
    name: "job-pod-release",
    manager: "kube-controller-manager",
    watches: [
      {
        resource: "pods",
        keys: ({ type, object }, { state }) =>
          type !== "deleted" && isTracked(object) && isOrphan(object, state) ? [objectKey(object)] : [],
      },
      {
        resource: "batch/jobs",
        keys: ({ type, object }, { state }) =>
          type === "deleted" || isFinished(jobOf(object)) ? state.ownedBy(object, "pods").map(objectKey) : [],
      },
    ],
    reconcile,
  };
}

function* reconcile(key: string, { state }: World): Reconcile {
  const { namespace, name } = splitKey(key);
  const pod = state.get("pods", namespace, name);
  if (pod === undefined || !isTracked(pod) || !isOrphan(pod, state)) return undefined;
  yield* releasePod(pod);
  return undefined;
}

/** Takes the finalizer of a Pod away, as the Pod is now; one that is gone has none. */
export function* releasePod(pod: KubeObject): Steps<void> {
  if (!isTracked(pod)) return;
  const finalizers = pod.metadata.finalizers?.filter((each) => each !== TRACKING_FINALIZER) ?? [];
  const patch = { metadata: { finalizers: finalizers.length === 0 ? null : finalizers } };
  const outcome = yield* attempt({ do: "patch", object: pod, patch });
  if (!outcome.ok && outcome.error.status.code !== 404) throw outcome.error;
}

function isOrphan(pod: KubeObject, state: ClusterState): boolean {
  const owner = controllerOf(pod);
  if (owner === undefined) return true;
  if (owner.kind !== "Job" || owner.apiVersion !== "batch/v1") return false;
  const object = state.get("batch/jobs", pod.metadata.namespace, owner.name);
  if (object === undefined || object.metadata.uid !== owner.uid) return true;
  const job = jobOf(object);
  return !isManagedElsewhere(job) && isFinished(job);
}
