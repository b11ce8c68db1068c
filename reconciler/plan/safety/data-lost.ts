// What keeps data and goes, or leaves a cluster.
import type { ReportFinding } from "../../../api/plan-report.ts";
import { type KubeObject, refKey } from "../../../kube/object.ts";
import { objectName } from "../../reports/words.ts";
import type { ObjectChange } from "../changes.ts";
import { asObject } from "./pods.ts";
import { about, isOfKind, type ReviewedChange, specOf } from "./reviewed-change.ts";

/** Volumes, claims and sets with state whose copies are deleted. */
export function dataLost(change: ReviewedChange): readonly ReportFinding[] {
  const groups = Map.groupBy(
    change.plan.changes.filter((copy) => copy.change === "deleted"),
    ({ object }) => refKey(object),
  );
  return [...groups].flatMap(([key, copies]): ReportFinding[] => {
    const [first] = copies;
    const old = change.before.outcomes.get(key)?.copies.find(({ cluster }) => cluster === first?.cluster)?.manifest;
    if (first === undefined || old === undefined) return [];
    const clusters = copies.map(({ cluster }) => cluster);
    const words = lossOf(old, first, goesOn(change, key));
    return words === undefined ? [] : [{ ...about(change, first.object), clusters, ...words }];
  });
}

function goesOn({ after }: ReviewedChange, key: string): boolean {
  return (after.outcomes.get(key)?.copies.length ?? 0) > 0;
}

function lossOf(
  manifest: KubeObject,
  { object }: ObjectChange,
  elsewhere: boolean,
): Pick<ReportFinding, "rule" | "severity" | "message" | "advice"> | undefined {
  const name = objectName(object);
  if (isOfKind(object, "/PersistentVolumeClaim"))
    return {
      rule: "claim-removed",
      severity: "error",
      message: `${name} is deleted, and its data with it unless its volume has the reclaim policy Retain${elsewhere ? ": copies in other clusters have volumes of their own" : ""}`,
      advice: "back up the data, or keep the claim: annotate it with argocd.argoproj.io/sync-options: Prune=false",
    };
  if (isOfKind(object, "/PersistentVolume"))
    return {
      rule: "volume-removed",
      severity: "warning",
      message: `${name} is deleted: what it points to stays or goes by its reclaim policy, ${String(specOf(manifest)["persistentVolumeReclaimPolicy"] ?? "Retain")}`,
      advice: "check that no claim is bound to it",
    };
  if (!isOfKind(object, "apps/StatefulSet")) return undefined;
  const claims = specOf(manifest)["volumeClaimTemplates"];
  if (!Array.isArray(claims) || claims.length === 0) return undefined;
  const deletes = asObject(specOf(manifest)["persistentVolumeClaimRetentionPolicy"])["whenDeleted"] === "Delete";
  const starts = elsewhere ? "; where it runs from now on it starts without them" : "";
  return {
    rule: "state-removed",
    severity: deletes ? "error" : "warning",
    message: deletes
      ? `${name} is deleted with the claims of its pods and their data, as its persistentVolumeClaimRetentionPolicy says${starts}`
      : `${name} is deleted; the claims of its pods stay behind with their data${starts}`,
    advice: deletes
      ? "set spec.persistentVolumeClaimRetentionPolicy.whenDeleted to Retain first, in a change of its own"
      : "move or back up the data before, or delete the claims by hand when nobody needs it",
  };
}
