// Objects that the scenarios use, valid and small.
import { stringifyJson } from "../../../kube/json.ts";
import type { KubeObject } from "../../../kube/object.ts";

export interface DeploymentOptions {
  readonly name?: string;
  readonly namespace: string;
  readonly replicas?: number;
  readonly image?: string;
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
  /** Fields of the pod's spec beside its container. */
  readonly pod?: Record<string, unknown>;
  /** Fields of its container. */
  readonly container?: Record<string, unknown>;
}

export function deployment(options: DeploymentOptions): KubeObject {
  const { name = "web", namespace, replicas = 6, image = "registry.example/web:1", labels, annotations } = options;
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: {
      name,
      namespace,
      labels: { app: name, ...labels },
      ...(annotations === undefined ? {} : { annotations }),
    },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { ...options.pod, containers: [{ name: "web", image, ...options.container }] },
      },
    },
  };
}

export function configMap(
  namespace: string,
  name: string,
  data: Record<string, string> = { key: "value" },
): KubeObject {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace }, data };
}

export function namespaceObject(name: string, labels?: Record<string, string>): KubeObject {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name, ...(labels === undefined ? {} : { labels }) } };
}

export interface PolicyOptions {
  readonly name?: string;
  readonly namespace: string;
  readonly selectors?: readonly Record<string, unknown>[];
  /** Static weights by cluster; without them every cluster gets all replicas. */
  readonly weights?: Readonly<Record<string, number>>;
  readonly clusters?: readonly string[];
  readonly placement?: Record<string, unknown>;
  readonly spec?: Record<string, unknown>;
}

const EVERY_DEPLOYMENT = { apiVersion: "apps/v1", kind: "Deployment" };

/** A PropagationPolicy; by default for all Deployments of its namespace. */
export function policy(options: PolicyOptions): KubeObject {
  const { name = "everywhere", namespace, selectors = [EVERY_DEPLOYMENT], weights, clusters, placement } = options;
  const names = clusters ?? (weights === undefined ? undefined : Object.keys(weights));
  return {
    apiVersion: "policy.karmada.io/v1alpha1",
    kind: "PropagationPolicy",
    metadata: { name, namespace },
    spec: {
      resourceSelectors: selectors,
      placement: {
        ...(names === undefined ? {} : { clusterAffinity: { clusterNames: names } }),
        ...(weights === undefined ? {} : { replicaScheduling: weighted(weights) }),
        ...placement,
      },
      ...options.spec,
    },
  };
}

function weighted(weights: Readonly<Record<string, number>>): Record<string, unknown> {
  const staticWeightList = Object.entries(weights).map(([cluster, weight]) => ({
    targetCluster: { clusterNames: [cluster] },
    weight,
  }));
  return {
    replicaSchedulingType: "Divided",
    replicaDivisionPreference: "Weighted",
    weightPreference: { staticWeightList },
  };
}

export const EVEN_WEIGHTS = { "tokyo-1": 1, "paris-1": 1, "paris-2": 1 } as const;

/** One document of a manifest file. JSON is YAML. */
export function yamlOf(...objects: readonly KubeObject[]): string {
  return objects.map((object) => `${stringifyJson(object, 2)}\n`).join("---\n");
}

export function gitRepository(
  namespace: string,
  name: string,
  url: string,
  spec: Record<string, unknown> = {},
): KubeObject {
  return {
    apiVersion: "gitops.flaghoist.io/v1alpha1",
    kind: "GitRepository",
    metadata: { name, namespace },
    spec: { url, interval: "300ms", ref: { branch: "main" }, ...spec },
  };
}

export function sync(namespace: string, name: string, spec: Record<string, unknown> = {}): KubeObject {
  return {
    apiVersion: "gitops.flaghoist.io/v1alpha1",
    kind: "Sync",
    metadata: { name, namespace },
    spec: { sourceRef: { kind: "GitRepository", name }, interval: "10m", retryInterval: "300ms", ...spec },
  };
}
