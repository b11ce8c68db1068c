// The order in which a build prints its objects.

import { compareTexts } from "../../../kube/compare-texts.ts";
import { renderError } from "../../errors.ts";
import type { SortOptions } from "../kustomization/kustomization.ts";
import type { Gvk, ResourceId } from "./identity.ts";
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

/**
 * Orders objects as `sortOptions` of the root asks; `fallback` holds when there are none. Throws `render-sort-options`
 * with the field.
 */
export function sortResources(
  resources: readonly Resource[],
  options: SortOptions | undefined,
  fallback: "legacy" | "none",
): Resource[] {
  checkSortOptions(options);
  if ((options?.order ?? fallback) !== "legacy") return [...resources];
  const custom = options?.legacySortOptions;
  return sortLegacy(
    resources,
    custom === undefined ? FIRST : (custom.orderFirst ?? []),
    custom === undefined ? LAST : (custom.orderLast ?? []),
  );
}

function checkSortOptions(options: SortOptions | undefined): void {
  if (options === undefined) return;
  const { order = "", legacySortOptions } = options;
  if (order !== "legacy" && order !== "fifo") {
    const what = `sortOptions.order must be legacy or fifo, not ${JSON.stringify(order)}`;
    throw renderError("render-sort-options", what, { field: ["sortOptions", "order"] });
  }
  if (order === "fifo" && legacySortOptions !== undefined) {
    const what = "sortOptions.legacySortOptions only goes with the order legacy";
    throw renderError("render-sort-options", what, { field: ["sortOptions", "legacySortOptions"] });
  }
}

interface SortKeys {
  readonly gvk: string;
  readonly id: string;
  readonly isCoreNamespace: boolean;
}

interface Keyed extends SortKeys {
  readonly resource: Resource;
  readonly rank: number;
}

function sortKeys({ group, version, kind, name, namespace }: ResourceId): SortKeys {
  return {
    gvk: gvkSortKey({ group, version, kind }),
    id: `${namespace === "" ? "~X" : namespace}|${name === "" ? "~N" : name}`,
    // As kustomize: the core Namespace comes before a custom resource of that kind, others the other way round.
    isCoreNamespace: kind === "Namespace" && group === "",
  };
}

function sortLegacy(resources: readonly Resource[], first: readonly string[], last: readonly string[]): Resource[] {
  const ranks = rankKinds(first, last);
  const keyed = resources.map((resource): Keyed => {
    const keys = resource.fact("sortKeys", () => sortKeys(resource.currentId));
    return { resource, rank: ranks.get(resource.kind) ?? 0, ...keys };
  });
  const compare = (a: Keyed, b: Keyed): number => {
    if (a.rank !== b.rank) return a.rank - b.rank;
    const byGvk = compareTexts(a.gvk, b.gvk);
    if (byGvk === 0) return compareTexts(a.id, b.id);
    const isReversed = (a.isCoreNamespace && isNamespace(b)) || (b.isCoreNamespace && isNamespace(a));
    return isReversed ? -byGvk : byGvk;
  };
  if (ranks.has("Namespace") || keyed.length > MOST_INSERTED) keyed.sort(compare);
  else insertEach(keyed, compare);
  return keyed.map(({ resource }) => resource);
}

/** Up to as many Go's sort inserts one after the other. */
const MOST_INSERTED = 12;

/**
 * Sorts in place. As kustomize: when Namespaces have no rank of their own, their turned order contradicts the one
 * against other kinds, and what comes out depends on the way of sorting.
 */
function insertEach(entries: Keyed[], compare: (a: Keyed, b: Keyed) => number): void {
  for (const [index, entry] of entries.entries()) {
    let place = index;
    while (place > 0 && compare(entry, entries[place - 1]!) < 0) {
      entries[place] = entries[place - 1]!;
      place -= 1;
    }
    entries[place] = entry;
  }
}

function isNamespace(entry: { readonly resource: Resource }): boolean {
  return entry.resource.kind === "Namespace";
}

function rankKinds(first: readonly string[], last: readonly string[]): ReadonlyMap<string, number> {
  const ranks = new Map<string, number>();
  for (const [index, kind] of first.entries()) ranks.set(kind, index - first.length);
  for (const [index, kind] of last.entries()) ranks.set(kind, index + 1);
  return ranks;
}

const DEFAULT_RANKS = rankKinds(FIRST, LAST);

/** Where a kind stands in the built-in order: negative before, positive after all kinds that are not in it. */
export function rankOfKind(kind: string): number {
  return DEFAULT_RANKS.get(kind) ?? 0;
}

/** The text by which kinds of one rank are ordered; absent parts come last. */
export function gvkSortKey({ group, version, kind }: Gvk): string {
  return `${group === "" ? "~G" : group}_${version === "" ? "~V" : version}_${kind === "" ? "~K" : kind}`;
}
