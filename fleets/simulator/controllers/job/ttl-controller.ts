// Deletes Jobs some time after they have ended.
import { attempt, type Reconcile } from "../../kernel/action.ts";
import { type Controller, splitKey, type World, watchSelf } from "../../kernel/controller.ts";
import { finishedCondition, type Job, jobOf } from "./job-object.ts";

/** Deletes Jobs that have been over for their `ttlSecondsAfterFinished`. */
export function ttlController(): Controller {
  return {
    name: "ttl-after-finished-controller",
    manager: "kube-controller-manager",
    watches: [watchSelf("batch/jobs")],
    reconcile,
  };
}

function* reconcile(key: string, { state, now }: World): Reconcile {
  const { namespace, name } = splitKey(key);
  const object = state.get("batch/jobs", namespace, name);
  if (object === undefined || object.metadata.deletionTimestamp !== undefined) return undefined;
  const expiry = expiryMs(jobOf(object));
  if (expiry === undefined) return undefined;
  if (expiry > now()) return { afterMs: expiry - now() };
  // The Job goes when its Pods are gone.
  const outcome = yield* attempt({ do: "delete", object, propagation: "Foreground" });
  if (!outcome.ok && outcome.error.status.code !== 404) throw outcome.error;
  return undefined;
}

/** When a Job is to go; undefined while it runs, or when it is to stay. */
function expiryMs({ spec, status }: Job): number | undefined {
  const end = finishedCondition(status);
  if (end === undefined || spec.ttlSecondsAfterFinished === undefined) return undefined;
  return Date.parse(end.lastTransitionTime) + spec.ttlSecondsAfterFinished * 1000;
}
