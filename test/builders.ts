// Valid objects with few words, for tests in any folder.
import type { Cluster, Taint } from "../api/cluster.ts";
import type {
  ClusterPropagationPolicy,
  OverridePolicy,
  Placement,
  PropagationPolicy,
  ResourceSelector,
  RuleWithCluster,
} from "../api/policy.ts";
import type { ResourceBinding, ResourceBindingStatus, TargetCluster } from "../api/work.ts";
import { type KubeObject, refOf } from "../kube/object.ts";
import type { Outcome } from "../reconciler/plan/river.ts";
import type { World } from "../reconciler/plan/world.ts";

const DEPLOYMENTS: ResourceSelector = { apiVersion: "apps/v1", kind: "Deployment" };

export interface ClusterWords {
  readonly name: string;
  readonly region?: string;
  readonly provider?: string;
  readonly labels?: Record<string, string>;
  readonly taints?: Taint[];
  readonly ready?: boolean;
  /** Kinds it serves, as `apps/v1 Deployment`; Deployments, ConfigMaps and Services unless told otherwise. */
  readonly kinds?: readonly string[];
  /** What it can hold in all, such as `{ cpu: "10", memory: "10Gi", pods: "110" }`. */
  readonly allocatable?: Record<string, string>;
}

/** A cluster that is ready and serves the usual kinds. */
export function cluster(words: ClusterWords): Cluster {
  const { name, region, provider, labels, taints, ready = true, allocatable } = words;
  const kinds = words.kinds ?? ["apps/v1 Deployment", "v1 ConfigMap", "v1 Service"];
  const enablements = new Map<string, { name: string; kind: string }[]>();
  for (const text of kinds) {
    const [apiVersion = "", kind = ""] = text.split(" ");
    enablements.set(apiVersion, [...(enablements.get(apiVersion) ?? []), { name: `${kind.toLowerCase()}s`, kind }]);
  }
  const condition = (type: string, status: "True" | "False") => ({
    type,
    status,
    reason: status === "True" ? "ClusterReady" : "ClusterNotReachable",
    message: status === "True" ? "cluster is healthy and ready to accept workloads" : "cluster is not reachable",
    lastTransitionTime: "2026-01-01T00:00:00Z",
  });
  return {
    apiVersion: "cluster.karmada.io/v1alpha1",
    kind: "Cluster",
    metadata: { name, ...(labels === undefined ? {} : { labels }) },
    spec: {
      syncMode: "Push",
      ...(region === undefined ? {} : { region }),
      ...(provider === undefined ? {} : { provider }),
      ...(taints === undefined ? {} : { taints }),
    },
    status: {
      apiEnablements: [...enablements].map(([groupVersion, resources]) => ({ groupVersion, resources })),
      conditions: [condition("Ready", ready ? "True" : "False"), condition("CompleteAPIEnablements", "True")],
      ...(allocatable === undefined ? {} : { resourceSummary: { allocatable } }),
    },
  };
}

export interface PolicyWords {
  readonly name: string;
  readonly namespace?: string;
  /** Selects Deployments unless told otherwise. */
  readonly selects?: readonly ResourceSelector[];
  /** Shorthand for a placement by names. */
  readonly clusters?: string[];
  readonly placement?: Placement;
  readonly priority?: number;
  readonly propagateDeps?: boolean;
}

/** A PropagationPolicy as the server has stored it: with its permanent id. */
export function policy(words: PolicyWords): PropagationPolicy {
  const { name, namespace = "shop" } = words;
  return {
    apiVersion: "policy.karmada.io/v1alpha1",
    kind: "PropagationPolicy",
    metadata: { name, namespace, labels: { "propagationpolicy.karmada.io/permanent-id": `id-of-${name}` } },
    spec: policySpec(words),
  };
}

/** As `policy`, cluster-wide. */
export function clusterPolicy(words: Omit<PolicyWords, "namespace">): ClusterPropagationPolicy {
  const { name } = words;
  return {
    apiVersion: "policy.karmada.io/v1alpha1",
    kind: "ClusterPropagationPolicy",
    metadata: { name, labels: { "clusterpropagationpolicy.karmada.io/permanent-id": `id-of-${name}` } },
    spec: policySpec(words),
  };
}

function policySpec({ selects, clusters, placement, priority, propagateDeps }: PolicyWords): PropagationPolicy["spec"] {
  const named = clusters === undefined ? {} : { clusterAffinity: { clusterNames: clusters } };
  return {
    resourceSelectors: [...(selects ?? [DEPLOYMENTS])],
    placement: { ...named, ...placement },
    ...(priority === undefined ? {} : { priority }),
    ...(propagateDeps === undefined ? {} : { propagateDeps }),
  };
}

/** A placement that divides replicas by fixed weights. */
export function weighted(weights: Readonly<Record<string, number>>): Placement {
  return {
    replicaScheduling: {
      replicaSchedulingType: "Divided",
      replicaDivisionPreference: "Weighted",
      weightPreference: {
        staticWeightList: Object.entries(weights).map(([name, weight]) => ({
          targetCluster: { clusterNames: [name] },
          weight,
        })),
      },
    },
  };
}

export interface OverrideWords {
  readonly name: string;
  readonly namespace?: string;
  readonly selects?: readonly ResourceSelector[];
  readonly rules: readonly RuleWithCluster[];
}

export function overridePolicy({ name, namespace = "shop", selects, rules }: OverrideWords): OverridePolicy {
  return {
    apiVersion: "policy.karmada.io/v1alpha1",
    kind: "OverridePolicy",
    metadata: { name, namespace },
    spec: { resourceSelectors: [...(selects ?? [DEPLOYMENTS])], overrideRules: [...rules] },
  };
}

export interface DeploymentWords {
  readonly name?: string;
  readonly namespace?: string;
  readonly replicas?: number;
  readonly image?: string;
  readonly labels?: Record<string, string>;
  /** Name of a ConfigMap that its container takes its environment from. */
  readonly settings?: string;
}

export function deployment(words: DeploymentWords = {}): KubeObject {
  const { name = "web", namespace = "shop", replicas = 6, image = "shop/web:1", labels, settings } = words;
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace, uid: `uid-of-${name}`, labels: { app: name, ...labels } },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          containers: [
            {
              name: "web",
              image,
              ...(settings === undefined ? {} : { envFrom: [{ configMapRef: { name: settings } }] }),
            },
          ],
        },
      },
    },
  };
}

export function configMap(name: string, data: Record<string, string> = {}, namespace = "shop"): KubeObject {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace, uid: `uid-of-${name}` }, data };
}

/** Where the river takes an object: unchanged copies in these clusters. */
export function outcome(template: KubeObject, clusters: readonly string[]): Outcome {
  const overrides = { object: template, applied: [], appliedAnnotations: {}, provenance: [] };
  return {
    ref: refOf(template),
    template,
    policy: undefined,
    candidates: [],
    binding: undefined,
    decision: undefined,
    copies: clusters.map((cluster) => ({ cluster, manifest: template, replicas: undefined, overrides })),
    problems: [],
  };
}

export interface BindingWords {
  readonly template: KubeObject;
  readonly policy: PropagationPolicy;
  readonly clusters: TargetCluster[];
  readonly replicas?: number;
  readonly status?: ResourceBindingStatus;
}

/** The binding of a template as the control loops leave it. */
export function binding({ template, policy: owner, clusters, replicas, status }: BindingWords): ResourceBinding {
  const { name = "", namespace = "", uid = "" } = template.metadata;
  const placement = owner.spec.placement;
  return {
    apiVersion: "work.karmada.io/v1alpha2",
    kind: "ResourceBinding",
    metadata: {
      name: `${name}-${template.kind.toLowerCase()}`,
      namespace,
      generation: 1,
      labels: { ...owner.metadata.labels, "resourcebinding.karmada.io/permanent-id": `id-of-${name}` },
      annotations: { "policy.karmada.io/applied-placement": JSON.stringify(placement) },
    },
    spec: {
      resource: { apiVersion: template.apiVersion, kind: template.kind, name, namespace, uid },
      clusters,
      ...(placement === undefined ? {} : { placement }),
      ...(replicas === undefined ? {} : { replicas }),
    },
    status: { schedulerObservedGeneration: 1, ...status },
  };
}

/** A template that a policy has claimed. */
export function claimed(template: KubeObject, owner: PropagationPolicy): KubeObject {
  const { name = "", namespace = "", labels } = owner.metadata;
  return {
    ...template,
    metadata: {
      ...template.metadata,
      labels: { ...template.metadata.labels, ...labels },
      annotations: {
        ...template.metadata.annotations,
        "propagationpolicy.karmada.io/namespace": namespace,
        "propagationpolicy.karmada.io/name": name,
      },
    },
  };
}

/** A world of what is given and nothing else. */
export function world(parts: Partial<World>): World {
  return {
    clusters: [],
    policies: [],
    overridePolicies: [],
    clusterOverridePolicies: [],
    bindings: [],
    templates: [],
    priorityClasses: new Map(),
    ...parts,
  };
}
