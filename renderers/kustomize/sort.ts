// The order in which a build prints its objects.

import { renderError } from "../errors.ts";
import type { SortOptions } from "./kustomization.ts";
import type { Resource } from "./resource.ts";

const FIRST = [
  "Namespace",
  "ResourceQuota",
  "StorageClass",
  "CustomResourceDefinition",
  "ServiceAccount",
  "PodSecurityPolicy",
  "Role",
  "ClusterRole",
  "RoleBinding",
  "ClusterRoleBinding",
  "ConfigMap",
  "Secret",
  "Endpoints",
  "Service",
  "LimitRange",
  "PriorityClass",
  "PersistentVolume",
  "PersistentVolumeClaim",
  "Deployment",
  "StatefulSet",
  "CronJob",
  "PodDisruptionBudget",
];
const LAST = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

/** Orders objects as `sortOptions` of the root asks; `fallback` holds when it does not say. */
export function sortResources(
  resources: readonly Resource[],
  options: SortOptions | undefined,
  fallback: "legacy" | "none",
  file: string,
): Resource[] {
  const order = options === undefined ? fallback : options.order;
  if (order !== "legacy" && order !== "fifo" && order !== "none") {
    const what = `sortOptions.order must be legacy or fifo, not ${JSON.stringify(order ?? "")}`;
    throw renderError("render-sort-options", what, { file, path: "sortOptions.order" });
  }
  if (order === "fifo" && options?.legacySortOptions !== undefined) {
    const what = "sortOptions.legacySortOptions only goes with the order legacy";
    throw renderError("render-sort-options", what, { file, path: "sortOptions.legacySortOptions" });
  }
  if (order !== "legacy") return [...resources];
  const custom = options?.legacySortOptions;
  return sortLegacy(
    resources,
    custom === undefined ? FIRST : (custom.orderFirst ?? []),
    custom === undefined ? LAST : (custom.orderLast ?? []),
  );
}

function sortLegacy(resources: readonly Resource[], first: readonly string[], last: readonly string[]): Resource[] {
  const ranks = new Map<string, number>();
  for (const [index, kind] of first.entries()) ranks.set(kind, index - first.length);
  for (const [index, kind] of last.entries()) ranks.set(kind, index + 1);
  const keyed = resources.map((resource) => {
    const { group, version, kind, name, namespace } = resource.currentId;
    const gvk = `${group === "" ? "~G" : group}_${version === "" ? "~V" : version}_${kind === "" ? "~K" : kind}`;
    const dotted = [kind, version, group].map((part) => part).join(".");
    return {
      resource,
      rank: ranks.get(kind) ?? 0,
      gvk,
      id: `${dotted}|${namespace === "" ? "~X" : namespace}|${name}`,
    };
  });
  keyed.sort((a, b) => a.rank - b.rank || compareText(a.gvk, b.gvk) || compareText(a.id, b.id));
  return keyed.map(({ resource }) => resource);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
