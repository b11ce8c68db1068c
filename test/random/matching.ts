// Random objects, selectors and policies that select them, for tests of matching.
import type { ClusterPropagationPolicy, PropagationPolicy, ResourceSelector } from "../../api/policy.ts";
import type { KubeObject } from "../../kube/object.ts";
import type { Dice } from "../../reconciler/scheduler/testing/random-cases.ts";

const KINDS = [
  { apiVersion: "apps/v1", kind: "Deployment" },
  { apiVersion: "apps/v1beta1", kind: "Deployment" },
  { apiVersion: "v1", kind: "ConfigMap" },
  { apiVersion: "v1", kind: "Service" },
  { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole" },
] as const;
const NAMES = ["web", "api", "web:admin", "Web", "wéb", "a".repeat(63)] as const;
const NAMESPACES = ["shop", "team-a", "default", "kube-system"] as const;
const LABELS: Readonly<Record<string, readonly string[]>> = {
  app: ["web", "api", ""],
  tier: ["front", "back"],
  "example.com/team": ["a", "b", "ünï"],
};
const KEYS = [...Object.keys(LABELS), "absent"];

export function randomLabels(dice: Dice): Record<string, string> {
  const some = Object.entries(LABELS).filter(() => dice.chance(0.6));
  return Object.fromEntries(some.map(([key, values]) => [key, dice.pick(values)]));
}

/** An object with identity and labels, as much as matching looks at. */
export function randomResource(dice: Dice): KubeObject {
  const kind = dice.pick(KINDS);
  const labels = randomLabels(dice);
  return {
    ...kind,
    metadata: {
      name: dice.pick(NAMES),
      ...(kind.kind === "ClusterRole" ? {} : { namespace: dice.pick(NAMESPACES) }),
      ...(Object.keys(labels).length > 0 ? { labels } : {}),
    },
  };
}

type LabelSelector = NonNullable<ResourceSelector["labelSelector"]>;

/** Every form of label selector, those that are not valid included. */
export function randomLabelSelector(dice: Dice): LabelSelector {
  const key = dice.chance(0.04) ? "not a key" : dice.pick(KEYS);
  const value = dice.chance(0.03) ? "not a value!" : dice.pick(LABELS[key] ?? ["x"]);
  const operator = dice.pick(["In", "NotIn", "Exists", "DoesNotExist", ...(dice.chance(0.1) ? ["in", "Gt"] : [])]);
  const wantsValues = operator === "In" || operator === "NotIn";
  const values = dice.chance(0.05) ? [] : [value, ...dice.some(["web", "front", "a", ""], 0.3)];
  const withValues = wantsValues !== dice.chance(0.05);
  const expression = { key, operator, ...(withValues ? { values } : {}) };
  const form = dice.between(0, 3);
  // Operators outside the schema are wanted here.
  return {
    ...(form === 0 || form === 2 ? { matchLabels: { [key]: value } } : {}),
    ...(form === 1 || form === 2 ? { matchExpressions: [expression] } : {}),
  } as LabelSelector;
}

/** A selector that is likely to select `resource`. */
export function randomSelector(dice: Dice, resource: KubeObject): ResourceSelector {
  const kind = dice.chance(0.85) ? resource : dice.pick(KINDS);
  const { name = "", namespace = "" } = resource.metadata;
  return {
    apiVersion: dice.chance(0.95) ? kind.apiVersion : "apps/v1",
    kind: dice.chance(0.97) ? kind.kind : kind.kind.toLowerCase(),
    ...(dice.chance(0.6) ? { namespace: dice.chance(0.8) ? namespace : dice.pick(NAMESPACES) } : {}),
    ...(dice.chance(0.35) ? { name: dice.chance(0.8) ? name : dice.pick(NAMES) } : {}),
    ...(dice.chance(0.5) ? { labelSelector: randomLabelSelector(dice) } : {}),
  };
}

export type AnyPolicy = PropagationPolicy | ClusterPropagationPolicy;

/** Policies of which several may select the resource, with ties of every sort. */
export function randomPolicies(dice: Dice, resource: KubeObject): AnyPolicy[] {
  const own = resource.metadata.namespace;
  const seen = new Set<string>();
  return Array.from({ length: dice.between(0, 12) }, (): AnyPolicy => {
    const namespaced = dice.chance(0.55);
    const namespace = dice.chance(0.8) && own !== undefined ? own : dice.pick(NAMESPACES);
    const selectors = Array.from({ length: dice.between(1, 3) }, () => randomSelector(dice, resource));
    const spec = {
      conflictResolution: "Abort" as const,
      preemption: "Never" as const,
      schedulerName: "default-scheduler",
      placement: { clusterAffinity: { clusterNames: ["member1"] } },
      ...(dice.chance(0.85) ? { priority: dice.pick([0, 0, 5, 5, -5, 10, 2_147_483_647, -2_147_483_648]) } : {}),
      resourceSelectors: selectors.map((selector) => (namespaced ? { ...selector, namespace } : selector)),
    };
    const name = dice.pick(["a", "b", "aa", "a-1", "a.1", "z", "10", "9", "policy-a", "policy-b"]);
    const metadata = {
      name,
      ...(dice.chance(0.1) ? { deletionTimestamp: "2025-03-04T00:00:00Z", finalizers: ["karmada.io/x"] } : {}),
    };
    const apiVersion = "policy.karmada.io/v1alpha1";
    return namespaced
      ? { apiVersion, kind: "PropagationPolicy", metadata: { ...metadata, namespace }, spec }
      : { apiVersion, kind: "ClusterPropagationPolicy", metadata, spec };
  }).filter((policy) => {
    const key = `${policy.kind}/${policy.metadata.namespace ?? ""}/${policy.metadata.name}`;
    return !seen.has(key) && seen.add(key) !== undefined;
  });
}
