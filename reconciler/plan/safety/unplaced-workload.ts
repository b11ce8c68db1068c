// Workloads that run nowhere, and kinds that no cluster serves.
import type { Cluster } from "../../../api/cluster.ts";
import type { ReportFinding } from "../../../api/plan-report.ts";
import { type ObjectRef, parseApiVersion } from "../../../kube/object.ts";
import { objectName } from "../../reports/words.ts";
import { withDefinedKinds } from "../definitions.ts";
import { podsOf } from "./pods.ts";
import { about, isOfKind, type ReviewedSide } from "./reviewed-change.ts";

/** What makes pods and is selected by no policy, nor needed by anything that one selects. */
export function workloadWithoutPolicy({ outcomes, change }: ReviewedSide): readonly ReportFinding[] {
  return touchedOutcomes(outcomes, change.touched).flatMap(
    ({ ref, template, policy, waiting, copies, problems, unknown }): ReportFinding[] => {
      if (policy !== undefined || waiting !== undefined || unknown !== undefined) return [];
      if (copies.length > 0 || problems.length > 0 || podsOf(template) === undefined) return [];
      return [
        {
          rule: "workload-unplaced",
          severity: "warning",
          ...about(change, ref),
          message: `${objectName(ref)} runs nowhere: no policy selects it`,
          advice: `add apiVersion ${ref.apiVersion}, kind ${ref.kind}, name ${ref.name} to spec.resourceSelectors of a PropagationPolicy of namespace ${ref.namespace ?? "default"}`,
        },
      ];
    },
  );
}

/** What a policy places and no cluster can take, because none serves its API. */
export function apiNotServed({ outcomes, world, change }: ReviewedSide): readonly ReportFinding[] {
  const definitions = [...outcomes.values()]
    .filter(({ ref }) => isOfKind(ref, "apiextensions.k8s.io/CustomResourceDefinition"))
    .flatMap(({ copies }) => copies);
  const clusters = withDefinedKinds(world.clusters, definitions);
  if (clusters.length === 0 || !clusters.every(isKnown)) return [];
  return touchedOutcomes(outcomes, change.touched).flatMap(({ ref, policy, copies }): ReportFinding[] => {
    if (policy === undefined || clusters.some((cluster) => serves(cluster, ref))) return [];
    const others = otherVersions(clusters, ref);
    return [
      {
        rule: "api-not-served",
        severity: "error",
        ...about(change, ref),
        field: "apiVersion",
        message: `${objectName(ref)} ${copies.length === 0 ? "runs nowhere" : "cannot be applied"}: no cluster serves ${ref.apiVersion} ${ref.kind}`,
        advice:
          others.length > 0
            ? `write it as ${others.join(" or ")}, which clusters serve`
            : "have its definition placed in the clusters, or leave the object out",
      },
    ];
  });
}

function touchedOutcomes<T>(outcomes: ReadonlyMap<string, T>, touched: ReadonlySet<string>): T[] {
  return [...touched].map((key) => outcomes.get(key)).filter((outcome) => outcome !== undefined);
}

/** Of a cluster that did not tell all, nothing is said. */
function isKnown({ status }: Cluster): boolean {
  return (
    (status?.apiEnablements?.length ?? 0) > 0 &&
    status?.conditions?.some(({ type, status: is }) => type === "CompleteAPIEnablements" && is === "True") === true
  );
}

function serves({ status }: Cluster, { apiVersion, kind }: ObjectRef): boolean {
  return (status?.apiEnablements ?? []).some(
    ({ groupVersion, resources = [] }) => groupVersion === apiVersion && resources.some((one) => one.kind === kind),
  );
}

function otherVersions(clusters: readonly Cluster[], { apiVersion, kind }: ObjectRef): readonly string[] {
  const { group } = parseApiVersion(apiVersion);
  const found = clusters.flatMap(({ status }) =>
    (status?.apiEnablements ?? [])
      .filter(
        ({ groupVersion, resources = [] }) =>
          parseApiVersion(groupVersion).group === group && resources.some((one) => one.kind === kind),
      )
      .map(({ groupVersion }) => groupVersion),
  );
  return [...new Set(found)].sort();
}
