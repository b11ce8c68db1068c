// The kind Cluster as the embedded server serves it: Karmada has an API server of its own for it, which can do more
// than a custom resource. See `cluster-proxy` for the subresource `proxy`.
import type { Cluster } from "../api/cluster.ts";
import { CLUSTER_GROUP } from "../api/cluster.ts";
import { customResourceDefinition } from "../api/crd.ts";
import { KINDS } from "../api/kinds.ts";
import { findCondition } from "../kube/conditions.ts";
import type { KubeObject } from "../kube/object.ts";
import { CustomKind } from "./apiserver/crd/custom-kind.ts";
import { ageOf } from "./apiserver/kinds/age.ts";
import type { KindStrategy } from "./apiserver/registry/kind.ts";

/** Name of the definition by which other API servers serve Clusters. */
export const CLUSTER_DEFINITION = `clusters.${CLUSTER_GROUP}`;
/** The key of the connector that answers requests to members. */
export const CLUSTER_PROXY = `${CLUSTER_GROUP}/clusters/proxy`;

const NONE = "<none>";
/** As the reference: a connection can be opened by any method, and discovery tells the verbs of them all. */
const CONNECT_VERBS = ["create", "delete", "get", "patch", "update"];

class ClusterKind extends CustomKind {
  override readonly subresources = [
    { name: "proxy", verbs: CONNECT_VERBS, responseKind: { group: "", version: "", kind: "ClusterProxyOptions" } },
    { name: "status", verbs: ["get", "patch", "update"] },
  ];
  readonly strategicMerge = true;
  override readonly unconditionalUpdate: boolean = true;

  override cells(object: KubeObject, nowMs: number): readonly unknown[] {
    // What is stored under this kind has been validated as one.
    const { metadata, spec, status } = object as unknown as Cluster;
    return [
      metadata.name,
      status?.kubernetesVersion ?? "",
      spec.syncMode,
      findCondition(status?.conditions, "Ready")?.status ?? "Unknown",
      ageOf(metadata.creationTimestamp, nowMs),
      spec.zones === undefined || spec.zones.length === 0 ? NONE : spec.zones.join(","),
      orNone(spec.region),
      orNone(spec.provider),
      spec.apiEndpoint ?? "",
      orNone(spec.proxyURL),
    ];
  }
}

function orNone(text: string | undefined): string {
  return text === undefined || text === "" ? NONE : text;
}

/** The strategy of cluster.karmada.io/v1alpha1 Cluster. Holds no state of a store. */
export function clusterKind(): KindStrategy {
  const definition = KINDS.find(({ group, kind }) => group === CLUSTER_GROUP && kind === "Cluster");
  if (definition === undefined) throw new Error("there is no kind Cluster");
  // The generator of definitions writes what the strategy reads.
  const spec = customResourceDefinition(definition)["spec"] as ConstructorParameters<typeof CustomKind>[0];
  const version = spec.versions[0];
  if (version === undefined) throw new Error("the kind Cluster has no version");
  return new ClusterKind(spec, version, {});
}
