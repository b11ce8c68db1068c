// Namespaces go to every cluster by themselves, without a policy.
import type { KubeObject } from "../../kube/object.ts";
import { applyOverrides } from "../overrides/apply-overrides.ts";
import { readSkipList } from "../policies/considered.ts";
import { isReservedNamespace } from "../works/naming.ts";
import { DEFAULT_METADATA_STRIPPING, trackingKeys, withoutTrackingKeys } from "../works/tracking-metadata.ts";
import type { Copy } from "./copy.ts";
import type { World } from "./world.ts";

const SKIP_LABEL = "namespace.karmada.io/skip-auto-propagation";

export function isNamespace(object: KubeObject): boolean {
  return object.apiVersion === "v1" && object.kind === "Namespace";
}

/** Why a namespace stays in the control plane; undefined when it goes to every cluster. */
export function whyNamespaceStays(namespace: KubeObject): string | undefined {
  const { name = "", labels } = namespace.metadata;
  if (name === "default") return "every cluster has a namespace default of its own";
  if (isReservedNamespace(name)) return "the control plane keeps it for itself";
  if (readSkipList().skipsNamespace(name)) return "namespaces of that name are not propagated";
  return labels?.[SKIP_LABEL]?.toLowerCase() === "true" ? `its label ${SKIP_LABEL} says so` : undefined;
}

/** The copies of a namespace: one in every cluster that is not being removed. */
export function namespaceCopies(world: World, namespace: KubeObject): Copy[] {
  if (whyNamespaceStays(namespace) !== undefined) return [];
  const { name, labels, annotations } = namespace.metadata;
  const clean: KubeObject = {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: {
      ...(name === undefined ? {} : { name }),
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
    },
  };
  const stripped = trackingKeys(namespace, DEFAULT_METADATA_STRIPPING);
  return world.clusters
    .filter((cluster) => cluster.metadata.deletionTimestamp === undefined)
    .map((cluster) => {
      const overrides = applyOverrides({
        object: clean,
        cluster,
        clusterOverridePolicies: world.clusterOverridePolicies,
        overridePolicies: [],
      });
      const manifest = withoutTrackingKeys(overrides.object, namespace, stripped);
      return { cluster: cluster.metadata.name ?? "", manifest, replicas: undefined, overrides };
    });
}
