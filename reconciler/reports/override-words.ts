// Overridden fields in words, the same in every report.
import type { OverriddenField } from "../plan/overridden-fields.ts";
import { clusterList, originText, value } from "./words.ts";

/** `← override shop/registry-by-region, rule 1 (deploy/policies.yaml:3, commit 3f9c2ab)`. */
export function overrideSource({ policy, rule, origin }: OverriddenField): string {
  const kind = policy.kind === "ClusterOverridePolicy" ? "cluster override" : "override";
  const name = policy.namespace === undefined ? policy.name : `${policy.namespace}/${policy.name}`;
  return `← ${kind} ${name}, rule ${rule}${originText(origin)}`;
}

/** `image eu.example/web:1 (was web:1) ← override shop/registry, rule 1`. */
export function overrideText(field: OverriddenField): string {
  const before = field.old === undefined ? "" : ` (was ${value(field.old)})`;
  const what = field.value === undefined ? "removed" : value(field.value);
  return `${shortPath(field.path)} ${what}${before} ${overrideSource(field)}`;
}

/** Images are known by that one word; any other field is named whole, without the pod template's way down. */
function shortPath(path: string): string {
  const image = /^spec\.template\.spec\.containers\[([^\]]+)\]\.image$/.exec(path);
  return image === null ? path.replace(/^spec\.template\.spec\./, "…") : "image";
}

/** The same override in many clusters, said once: `image … ← override … in paris-1, paris-2`. */
export function groupedOverrides(
  copies: readonly { readonly cluster: string; readonly overrides: readonly OverriddenField[] }[],
): string[] {
  const groups = new Map<string, string[]>();
  for (const { cluster, overrides } of copies) {
    for (const field of overrides) {
      const text = overrideText(field);
      const clusters = groups.get(text);
      if (clusters === undefined) groups.set(text, [cluster]);
      else clusters.push(cluster);
    }
  }
  return [...groups].map(([text, clusters]) => `${text} in ${clusterList(clusters)}`);
}
