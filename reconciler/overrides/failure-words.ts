// Failed overrides in words: as Karmada's events say it, and as a person can act on it.

import type { FailedOverride } from "./errors.ts";
import { describePolicy, type PolicyRef } from "./override-result.ts";

type Failure = FailedOverride & { readonly problem: string };

const MOST_CLUSTERS = 3;

/** `override policy(shop/registry)`, `cluster override policy(mirrors)`: how Karmada's events name a policy. */
export function policyInEvents({ kind, namespace = "", name }: PolicyRef): string {
  return kind === "OverridePolicy" ? `override policy(${namespace}/${name})` : `cluster override policy(${name})`;
}

/** Message of Karmada's event ApplyOverridePolicySucceed. */
export function appliedWords(policy: PolicyRef, cluster: string): string {
  return `Apply ${policyInEvents(policy)} for cluster(${cluster}) succeed.`;
}

/** Message of Karmada's event ApplyOverridePolicyFailed. */
export function failedWords({ policy, cluster }: FailedOverride): string {
  return `Apply ${policyInEvents(policy)} for cluster(${cluster}) failed.`;
}

/** One sentence for each way in which overrides fail: where the policy says it, in which clusters, and why. */
export function failureSentences(failures: readonly Failure[]): string[] {
  const groups = new Map<string, Failure[]>();
  for (const failure of failures) {
    const key = `${describePolicy(failure.policy)}\n${failure.field}\n${failure.problem}`;
    groups.set(key, [...(groups.get(key) ?? []), failure]);
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const where = clustersText(group.map(({ cluster }) => cluster));
    return [`${describePolicy(first.policy)}, ${first.field}, cannot be carried out for ${where}: ${first.problem}`];
  });
}

function clustersText(names: readonly string[]): string {
  if (names.length === 1) return `cluster ${names[0]}`;
  const shown = names.slice(0, MOST_CLUSTERS).join(", ");
  return names.length <= MOST_CLUSTERS
    ? `clusters ${shown}`
    : `clusters ${shown} and ${names.length - MOST_CLUSTERS} more`;
}
