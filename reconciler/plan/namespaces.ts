// Namespaces go to every cluster by themselves, without a policy.
import type { KubeObject } from "../../kube/object.ts";
import { AppError } from "../../runtime/errors.ts";
import { ObjectOverrides, type OverrideOptions } from "../overrides/apply-overrides.ts";
import { readSkipList } from "../policies/considered.ts";
import { isReservedNamespace } from "../works/naming.ts";
import { DEFAULT_METADATA_STRIPPING, trackingKeys, withoutTrackingKeys } from "../works/tracking-metadata.ts";
import type { Copy } from "./copy.ts";
import { overridePoliciesOf, type World } from "./world.ts";

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

/** The copies of a namespace: one in every cluster that is not being removed; with why there is none in some. */
export function namespaceCopies(
  world: World,
  namespace: KubeObject,
  { compatibility }: OverrideOptions,
): { readonly copies: readonly Copy[]; readonly problems: readonly string[] } {
  if (whyNamespaceStays(namespace) !== undefined) return { copies: [], problems: [] };
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
  const copies: Copy[] = [];
  const problems: string[] = [];
  const overriding = new ObjectOverrides(overridePoliciesOf(world), { compatibility: compatibility ?? "flaghoist" });
  for (const cluster of world.clusters) {
    if (cluster.metadata.deletionTimestamp !== undefined) continue;
    const name = cluster.metadata.name ?? "";
    try {
      const overrides = overriding.apply(clean, cluster);
      const manifest = withoutTrackingKeys(overrides.object, namespace, stripped);
      copies.push({ cluster: name, manifest, replicas: undefined, overrides });
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      problems.push(`cluster ${name}: ${error.message}`);
    }
  }
  return { copies, problems };
}
