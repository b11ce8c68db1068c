// Workloads that would all go with one part of the fleet, though their policy asks for several.
import type { Cluster } from "../../../api/cluster.ts";
import type { ReportFinding } from "../../../api/plan-report.ts";
import { assertNever } from "../../../runtime/errors.ts";
import { objectName } from "../../reports/words.ts";
import type { Outcome } from "../river.ts";
import { about, type ReviewedSide } from "./reviewed-change.ts";

type Domain = "provider" | "region" | "zone" | "cluster";

/** Widest first: what all lies in one region is in one zone for no reason of its own. */
const DOMAINS: readonly Domain[] = ["provider", "region", "zone", "cluster"];

export function oneFailureDomain({ outcomes, world, change }: ReviewedSide): readonly ReportFinding[] {
  const clusters = new Map(world.clusters.map((cluster) => [cluster.metadata.name ?? "", cluster]));
  return [...change.touched].flatMap((key): ReportFinding[] => {
    const outcome = outcomes.get(key);
    const replicas = outcome?.copies.reduce((sum, copy) => sum + (copy.replicas ?? 0), 0) ?? 0;
    if (outcome === undefined || replicas < 2) return [];
    const used = outcome.copies.filter((copy) => (copy.replicas ?? 0) > 0).map(({ cluster }) => clusters.get(cluster));
    for (const domain of DOMAINS) {
      const asked = whatAsks(outcome, domain);
      const values = new Set(used.map((cluster) => domainOf(cluster, domain)));
      const [only] = values;
      if (asked === undefined || values.size !== 1 || only === undefined || only === "") continue;
      return [
        {
          rule: "one-failure-domain",
          severity: "warning",
          ...about(change, outcome.ref),
          clusters: used.map((cluster) => cluster?.metadata.name ?? "").sort(),
          message: `all ${replicas} replicas of ${objectName(outcome.ref)} are in ${domain} ${only} and stop with it: its policy ${asked}`,
          advice: `set minGroups: 2 for ${domain} in spec.placement.spreadConstraints of its policy`,
        },
      ];
    }
    return [];
  });
}

/** What of the placement asks for several; undefined when nothing does. */
function whatAsks({ policy }: Outcome, domain: Domain): string | undefined {
  const { spreadConstraints = [], replicaScheduling, clusterAffinity } = policy?.spec.placement ?? {};
  const constraint = spreadConstraints.find(({ spreadByField }) => spreadByField === domain);
  if (constraint !== undefined) {
    const { minGroups = 1, maxGroups = 0 } = constraint;
    if (minGroups > 1) return `asks for ${minGroups} at least`;
    return maxGroups > 1 ? `allows up to ${maxGroups}, but asks for one only` : undefined;
  }
  const isDivided = replicaScheduling?.replicaSchedulingType === "Divided";
  const isWeighted = replicaScheduling?.replicaDivisionPreference === "Weighted";
  const named = clusterAffinity?.clusterNames?.length ?? 0;
  return domain === "cluster" && isDivided && isWeighted && named > 1 ? `divides it over ${named} clusters` : undefined;
}

function domainOf(cluster: Cluster | undefined, domain: Domain): string | undefined {
  if (cluster === undefined) return undefined;
  const { zone, zones = [], region, provider } = cluster.spec;
  switch (domain) {
    case "cluster":
      return cluster.metadata.name;
    case "zone":
      return zones.length > 0 ? zones.join(" ") : zone;
    case "region":
      return region;
    case "provider":
      return provider;
    default:
      return assertNever(domain);
  }
}
