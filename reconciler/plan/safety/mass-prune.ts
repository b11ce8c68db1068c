// Much that goes at once: of a Sync, or of a cluster.
import type { ReportFinding } from "../../../api/plan-report.ts";
import { refKey, refOf } from "../../../kube/object.ts";
import { exceededLimit } from "../../controllers/sync/sync-decisions.ts";
import type { HeldCluster, SyncPrune } from "../prunes.ts";
import { about, type ReviewedChange } from "./reviewed-change.ts";

/** A Sync or a cluster that loses more than its limit, or more than half of it. */
export function massPrune(change: ReviewedChange): readonly ReportFinding[] {
  const removed = new Set(change.removed.map(({ object }) => refKey(object)));
  return [
    ...change.prunes.flatMap((prune) => syncFindings(change, prune, removed)),
    ...change.losses.held.map((loss) => clusterFinding(loss, true)),
    ...change.losses.near.map((loss) => clusterFinding(loss, false)),
  ];
}

/** Fewer are no mass, whatever their share. */
const FEW = 2;

function syncFindings(change: ReviewedChange, prune: SyncPrune, gone: ReadonlySet<string>): ReportFinding[] {
  const { sync, wanted } = prune;
  const going = prune.removed.filter((ref) => gone.has(refKey(ref))).length;
  const total = Math.max(prune.total, going);
  if (going === 0) return [];
  if (sync.spec.prune === false) return [];
  const exceeded = exceededLimit(sync, going, total, wanted);
  const near = going > FEW ? exceededLimit(sync, going * 2, total, Math.max(wanted, 1)) : undefined;
  const limit = exceeded ?? near;
  if (limit === undefined) return [];
  const name = `${sync.metadata.namespace}/${sync.metadata.name}`;
  const what = `${going} of ${total} objects of Sync ${name} are deleted`;
  return [
    {
      rule: "mass-prune",
      severity: exceeded !== undefined ? "error" : "warning",
      ...about(change, refOf(sync)),
      message:
        exceeded !== undefined
          ? `${what}, once a person confirms it: the limit is ${limit}`
          : `${what}: this is near the limit of ${limit}`,
      advice:
        "check that each of them is meant to go; annotate those that are to stay with argocd.argoproj.io/sync-options: Prune=false",
    },
  ];
}

function clusterFinding({ cluster, deleted, present }: HeldCluster, isHeld: boolean): ReportFinding {
  const what = `cluster ${cluster} loses ${deleted} of ${present} objects`;
  return {
    rule: "mass-prune",
    severity: isHeld ? "error" : "warning",
    clusters: [cluster],
    message: isHeld
      ? `${what}, once a person confirms it: more go at once than its limit allows`
      : `${what}: this is near the limit beyond which a person must confirm it`,
    advice: "check the policy or the label that takes the cluster out, and change fewer objects at a time",
  };
}
