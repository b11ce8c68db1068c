// Runs Jobs to their end.
import { type Reconcile, writeStatus } from "../../kernel/action.ts";
import { type Controller, splitKey, type World, watchSelf } from "../../kernel/controller.ts";
import { isJobAtRest, jobStatus } from "../../workload-status.ts";

export function jobController(): Controller {
  return { name: "job-controller", manager: "kube-controller-manager", watches: [watchSelf("batch/jobs")], reconcile };
}

function* reconcile(key: string, world: World): Reconcile {
  const { namespace, name } = splitKey(key);
  const job = world.state.get("batch/jobs", namespace, name);
  if (job === undefined || job.metadata.deletionTimestamp !== undefined || isJobAtRest(job)) return undefined;
  const age = world.now() - Date.parse(job.metadata.creationTimestamp ?? "");
  if (age < world.traits.jobRunsMs) return { afterMs: world.traits.jobRunsMs - age };
  yield* writeStatus(job, jobStatus(job, world.now()));
  return undefined;
}
