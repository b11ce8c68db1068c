// Everything that decides what runs where, at one moment: the input of plans and explanations.
import type { Cluster } from "../../api/cluster.ts";
import type { ResourceInterpreterCustomization, ResourceInterpreterWebhookConfiguration } from "../../api/config.ts";
import type { ClusterOverridePolicy, OverridePolicy } from "../../api/policy.ts";
import type { KubeClient } from "../../kube/client/kube-client.ts";
import { equalJson, formatApiVersion, type KubeObject, type ObjectRef, refKey, refOf } from "../../kube/object.ts";
import { mapLimit } from "../../runtime/parallel.ts";
import { OverridePolicyIndex, type OverridePolicySource } from "../overrides/override-policies.ts";
import { readSkipList, whyNotTemplate, whyNotTemplateKind } from "../policies/considered.ts";
import { type Policy, policyKey } from "../policies/policy-index.ts";
import { type AnyBinding, BINDING_API_VERSION } from "../works/binding.ts";

const POLICY_API = "policy.karmada.io/v1alpha1";
const CLUSTER_API = "cluster.karmada.io/v1alpha1";
const CONFIG_API = "config.karmada.io/v1alpha1";

export interface World {
  readonly clusters: readonly Cluster[];
  readonly policies: readonly Policy[];
  readonly overridePolicies: readonly OverridePolicy[];
  readonly clusterOverridePolicies: readonly ClusterOverridePolicy[];
  readonly bindings: readonly AnyBinding[];
  /** Every object that a policy could place. */
  readonly templates: readonly KubeObject[];
  readonly priorityClasses: ReadonlyMap<string, number>;
  /** In a partial world: PodDisruptionBudgets that may be about its objects, where they are no templates of it. */
  readonly budgets?: readonly KubeObject[];
  /** What users say of their kinds; none when absent. */
  readonly interpretation?: WorldInterpretation;
  /** Not all templates are here, so that who needs whom is taken from the bindings. */
  readonly partial?: boolean;
  /** In a partial world: override policies, by `refKey`, whose objects are all here, so that something can be said of them. */
  readonly lintedOverrides?: ReadonlySet<string>;
  /** In a partial world: namespaces in which all is here that what changes selects, or is selected by. */
  readonly relatedNamespaces?: ReadonlySet<string>;
  /** What `changeWorld` took away, so that nothing follows it any more. */
  readonly removed?: readonly ObjectRef[];
  /** Templates that `changeWorld` changed, as they were; new ones are there with no predecessor. By `refKey`. */
  readonly previous?: ReadonlyMap<string, KubeObject | undefined>;
  /** Policies that `changeWorld` changed, by `policyKey`. */
  readonly changed?: ReadonlySet<string>;
}

const OVERRIDES = new WeakMap<World, OverridePolicyIndex>();

/** The override policies of a world, found by what they select. */
export function overridePoliciesOf(world: World): OverridePolicySource {
  let index = OVERRIDES.get(world);
  if (index === undefined) {
    index = new OverridePolicyIndex([...world.clusterOverridePolicies, ...world.overridePolicies]);
    OVERRIDES.set(world, index);
  }
  return index;
}

/** The objects that decide what kinds mean. */
export interface WorldInterpretation {
  readonly customizations: readonly ResourceInterpreterCustomization[];
  readonly webhookConfigurations: readonly ResourceInterpreterWebhookConfiguration[];
}

/** Reads what decides the meaning of kinds from a control plane. */
export async function loadInterpretation(client: KubeClient): Promise<WorldInterpretation> {
  const [customizations, webhookConfigurations] = await Promise.all([
    client.list<ResourceInterpreterCustomization>(CONFIG_API, "ResourceInterpreterCustomization"),
    client.list<ResourceInterpreterWebhookConfiguration>(CONFIG_API, "ResourceInterpreterWebhookConfiguration"),
  ]);
  return { customizations: customizations.items, webhookConfigurations: webhookConfigurations.items };
}

/** Everything of a world but templates and their bindings. */
export type WorldRules = Omit<World, "templates" | "bindings">;

/** Reads what decides where things go from a control plane. */
export async function loadRules(client: KubeClient): Promise<WorldRules> {
  const list = lister(client);
  const [clusters, policies, clusterPolicies, overridePolicies, clusterOverridePolicies, classes, interpretation] =
    await Promise.all([
      list<Cluster>(CLUSTER_API, "Cluster"),
      list<Policy>(POLICY_API, "PropagationPolicy"),
      list<Policy>(POLICY_API, "ClusterPropagationPolicy"),
      list<OverridePolicy>(POLICY_API, "OverridePolicy"),
      list<ClusterOverridePolicy>(POLICY_API, "ClusterOverridePolicy"),
      list("scheduling.k8s.io/v1", "PriorityClass"),
      loadInterpretation(client),
    ]);
  return {
    clusters,
    policies: [...policies, ...clusterPolicies],
    overridePolicies,
    clusterOverridePolicies,
    priorityClasses: new Map(classes.map((object) => [object.metadata.name ?? "", Number(object["value"] ?? 0)])),
    interpretation,
  };
}

/** Reads the whole world from a control plane; with `only`, no templates but that one. */
export async function loadWorld(client: KubeClient, only?: ObjectRef): Promise<World> {
  const list = lister(client);
  const [rules, bindings, clusterBindings] = await Promise.all([
    loadRules(client),
    list<AnyBinding>(BINDING_API_VERSION, "ResourceBinding"),
    list<AnyBinding>(BINDING_API_VERSION, "ClusterResourceBinding"),
  ]);
  return {
    ...rules,
    bindings: [...bindings, ...clusterBindings],
    templates: only === undefined ? await loadTemplates(client) : [await client.get(only)],
    ...(only === undefined ? {} : { partial: true }),
  };
}

function lister(client: KubeClient): <T extends KubeObject>(apiVersion: string, kind: string) => Promise<T[]> {
  return async <T extends KubeObject>(apiVersion: string, kind: string): Promise<T[]> =>
    (await client.list<T>(apiVersion, kind)).items;
}

async function loadTemplates(client: KubeClient): Promise<KubeObject[]> {
  const skipped = readSkipList();
  const kinds = new Map<string, readonly [string, string]>();
  for (const { group, version, kind, verbs } of await client.mapper.all()) {
    const apiVersion = formatApiVersion(group, version);
    const isTemplate =
      verbs.includes("list") &&
      verbs.includes("watch") &&
      group !== "gitops.flaghoist.io" &&
      whyNotTemplateKind(apiVersion, kind, skipped) === undefined;
    if (isTemplate && !kinds.has(`${group}/${kind}`)) kinds.set(`${group}/${kind}`, [apiVersion, kind]);
  }
  const lists = await mapLimit(
    [...kinds.values()],
    8,
    async ([apiVersion, kind]) => (await client.list(apiVersion, kind)).items,
  );
  return lists.flat().filter((object) => whyNotTemplate(object, skipped) === undefined);
}

/**
 * The world with these objects put in place of those of the same name, and the removed ones gone; a removed namespace
 * takes along what is in it.
 */
export function changeWorld(world: World, put: readonly KubeObject[], removed: readonly ObjectRef[]): World {
  const replaced = new Set([...put.map(refOf), ...removed].map(refKey));
  const emptied = new Set(
    removed.filter((ref) => ref.kind === "Namespace" && ref.apiVersion === "v1").map((ref) => ref.name),
  );
  const kept = <T extends KubeObject>(objects: readonly T[]): T[] =>
    objects.filter((object) => !replaced.has(refKey(refOf(object))) && !emptied.has(object.metadata.namespace ?? ""));
  const ofKind = <T extends KubeObject>(apiVersion: string, ...kinds: string[]): T[] =>
    // Kinds of these groups have these types.
    put.filter((object) => object.apiVersion === apiVersion && kinds.includes(object.kind)) as T[];
  const skipped = readSkipList();
  const templates = put.filter(
    (object) =>
      object.apiVersion !== POLICY_API &&
      whyNotTemplate(object, skipped) === undefined &&
      !object.apiVersion.startsWith("gitops.flaghoist.io/"),
  );
  const known = new Map(world.policies.map((policy) => [policyKey(policy), policy]));
  const before = new Map(world.templates.map((object) => [refKey(refOf(object)), object]));
  const policies = ofKind<Policy>(POLICY_API, "PropagationPolicy", "ClusterPropagationPolicy");
  return {
    ...world,
    clusters: [...kept(world.clusters), ...ofKind<Cluster>(CLUSTER_API, "Cluster")],
    policies: [...kept(world.policies), ...policies],
    overridePolicies: [...kept(world.overridePolicies), ...ofKind<OverridePolicy>(POLICY_API, "OverridePolicy")],
    clusterOverridePolicies: [
      ...kept(world.clusterOverridePolicies),
      ...ofKind<ClusterOverridePolicy>(POLICY_API, "ClusterOverridePolicy"),
    ],
    templates: [...kept(world.templates), ...templates],
    removed: [...(world.removed ?? []), ...removed],
    ...(world.budgets === undefined ? {} : { budgets: kept(world.budgets) }),
    interpretation: {
      customizations: [
        ...kept(world.interpretation?.customizations ?? []),
        ...ofKind<ResourceInterpreterCustomization>(CONFIG_API, "ResourceInterpreterCustomization"),
      ],
      webhookConfigurations: [
        ...kept(world.interpretation?.webhookConfigurations ?? []),
        ...ofKind<ResourceInterpreterWebhookConfiguration>(CONFIG_API, "ResourceInterpreterWebhookConfiguration"),
      ],
    },
    previous: new Map(
      templates
        .map((object) => ({ key: refKey(refOf(object)), object }))
        .filter(({ key, object }) => !hasSameContent(before.get(key), object))
        .map(({ key }) => [key, before.get(key)]),
    ),
    changed: new Set(policies.filter((policy) => !hasSameContent(known.get(policyKey(policy)), policy)).map(policyKey)),
  };
}

/** Equal but for what the server keeps in the metadata. */
function hasSameContent(a: KubeObject | undefined, b: KubeObject): boolean {
  if (a === undefined) return false;
  const { managedFields: _a, resourceVersion: _b, generation: _c, ...left } = a.metadata;
  const { managedFields: _d, resourceVersion: _e, generation: _f, ...right } = b.metadata;
  return equalJson({ ...a, metadata: left, status: undefined }, { ...b, metadata: right, status: undefined });
}
