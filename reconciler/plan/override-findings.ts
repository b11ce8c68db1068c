// The linter of override policies over a world: the objects it holds, where they go.
import type { Cluster } from "../../api/cluster.ts";
import { refKey, refOf } from "../../kube/object.ts";
import { lintOverrides, type OverrideFinding } from "../overrides/lint.ts";
import { describePolicy } from "../overrides/override-result.ts";
import { effectiveTargets } from "../works/targets.ts";
import { isNamespace, whyNamespaceStays } from "./namespaces.ts";
import type { Outcome } from "./river.ts";
import type { World } from "./world.ts";

/** Findings in a world that `runRiver` was run over. */
export function overrideFindings(
  world: World,
  outcomes: ReadonlyMap<string, Outcome>,
  compatibility: "karmada" | "flaghoist",
): readonly OverrideFinding[] {
  const { lintedOverrides } = world;
  const policies = [...world.clusterOverridePolicies, ...world.overridePolicies].filter(
    (policy) => lintedOverrides === undefined || lintedOverrides.has(refKey(refOf(policy))),
  );
  if (policies.length === 0) return [];
  const clusters = new Map(world.clusters.map((cluster) => [cluster.metadata.name ?? "", cluster]));
  const objects = [...outcomes.values()].map(({ template, binding }) => {
    const names = isNamespace(template)
      ? whyNamespaceStays(template) === undefined
        ? [...clusters.keys()]
        : []
      : binding === undefined
        ? []
        : effectiveTargets(binding).map(({ name }) => name);
    const there = names
      .map((name) => clusters.get(name))
      .filter((cluster): cluster is Cluster => cluster !== undefined);
    return { object: template, clusters: there };
  });
  return lintOverrides({ policies, clusters: world.clusters, objects, compatibility });
}

/** The findings that were not there before. */
export function newFindings(
  before: readonly OverrideFinding[],
  after: readonly OverrideFinding[],
): readonly OverrideFinding[] {
  const known = new Set(before.map(keyOf));
  return after.filter((finding) => !known.has(keyOf(finding)));
}

function keyOf({ policy, code, field, words }: OverrideFinding): string {
  return `${describePolicy(policy)}\n${code}\n${field}\n${words}`;
}
