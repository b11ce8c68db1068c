// The part of a control plane that a change can concern, so that a plan costs what the change does and not what the fleet
// has: the objects that change, those that changed policies select, and what goes along with either.
import type { OverridePolicy, ResourceSelector } from "../../api/policy.ts";
import type { KubeClient } from "../../kube/client/kube-client.ts";
import { type KubeObject, type ObjectRef, parseApiVersion, refKey, refOf } from "../../kube/object.ts";
import { mapLimit } from "../../runtime/parallel.ts";
import type { Interpretation } from "../controllers/interpretation/interpretation.ts";
import { letPendingPass } from "../interpreter/answers.ts";
import type { Dependency } from "../interpreter/interpreter.ts";
import { readSkipList, whyNotTemplate } from "../policies/considered.ts";
import type { AnyBinding } from "../works/binding.ts";
import { bindingName } from "../works/naming.ts";
import type { FolderChange } from "./folder-change.ts";
import { podLabels } from "./replica-minimum.ts";
import { findRelated } from "./safety/related-objects.ts";
import { sourceChanges } from "./source-changes.ts";
import { loadRules, loadWorld, type World, type WorldInterpretation } from "./world.ts";

const POLICY_GROUP = "policy.karmada.io";
const PROPAGATION_KINDS: ReadonlySet<string> = new Set(["PropagationPolicy", "ClusterPropagationPolicy"]);
const OVERRIDE_KINDS: ReadonlySet<string> = new Set(["OverridePolicy", "ClusterOverridePolicy"]);

/** Kinds whose change may concern any object. */
const FAR_REACHING: ReadonlySet<string> = new Set([
  "cluster.karmada.io/Cluster",
  "apiextensions.k8s.io/CustomResourceDefinition",
  "config.karmada.io/ResourceInterpreterCustomization",
  "config.karmada.io/ResourceInterpreterWebhookConfiguration",
  "policy.karmada.io/ClusterTaintPolicy",
  "scheduling.k8s.io/PriorityClass",
]);

/** The world as far as the change concerns it, with what else is asked for; all of it when that cannot be told. */
export async function loadConcernedWorld(
  client: KubeClient,
  change: FolderChange,
  interpretationOf: (rules: WorldInterpretation | undefined) => Interpretation,
  signal: AbortSignal,
  also: readonly ResourceSelector[] = [],
): Promise<World> {
  if (reachesFar(change)) return loadWorld(client);
  const rules = await loadRules(client);
  const scope = new Scope(client, signal);
  const versions = [
    ...change.desired.flatMap(({ object, before }) => (before === undefined ? [object] : [object, before])),
    ...(change.base ?? []).map(({ object }) => object),
  ];
  await scope.addAll(versions.map(refOf));
  await scope.addAll(change.removed.map(({ object }) => object));
  // As the control plane has them, policies may select more than either side of the change says.
  const policies = [...versions, ...scope.objects].filter(isPolicy);
  if (policies.some((policy) => OVERRIDE_KINDS.has(policy.kind) && selectorsOf(policy).length === 0))
    return loadWorld(client);
  for (const policy of policies) await scope.addSelected(selectorsOf(policy));
  const linted = new Set(
    policies.filter(({ kind }) => OVERRIDE_KINDS.has(kind)).map((policy) => refKey(refOf(policy))),
  );
  for (const policy of [...rules.overridePolicies, ...rules.clusterOverridePolicies] as readonly OverridePolicy[]) {
    const selectors = selectorsOf(policy);
    // What is said about all objects of a kind is not looked into for one of them.
    if (selectors.length === 0 || !selectors.every(({ name }) => name)) continue;
    if (!selectors.some((selector) => scope.has(selector))) continue;
    await scope.addSelected(selectors);
    linted.add(refKey(refOf(policy as unknown as KubeObject)));
  }
  await scope.addSelected(also);
  const interpretation = interpretationOf(rules.interpretation);
  const referrers = [...scope.templates, ...versions.filter(isTemplate)];
  const needs = await interpretation.decide(
    (interpreter) =>
      referrers.flatMap((template): readonly Dependency[] => {
        const { group, version } = parseApiVersion(template.apiVersion);
        if (!interpreter.hookEnabled({ group, version, kind: template.kind }, "InterpretDependency")) return [];
        try {
          return interpreter.getDependencies(template);
        } catch (error) {
          letPendingPass(error);
          // The river says what is wrong with it.
          return [];
        }
      }),
    { signal },
  );
  await scope.addSelected(needs.map(selectorOf));
  const related = await findRelated(subjectsOf(change, versions, scope), (kind, namespace) =>
    scope.list(kind, namespace),
  );
  for (const object of related.objects) scope.add(object);
  return {
    ...rules,
    relatedNamespaces: related.namespaces,
    bindings: await scope.bindings(),
    templates: scope.templates,
    budgets: await loadBudgets(client, [...scope.templates, ...versions], signal),
    partial: true,
    lintedOverrides: linted,
  };
}

const BUDGET_API = "policy/v1";

/** The PodDisruptionBudgets of the namespaces in which something has Pods. */
async function loadBudgets(
  client: KubeClient,
  objects: readonly KubeObject[],
  signal: AbortSignal,
): Promise<readonly KubeObject[]> {
  const namespaces = new Set(
    objects.filter((object) => podLabels(object) !== undefined).map(({ metadata }) => metadata.namespace ?? ""),
  );
  if (namespaces.size === 0 || (await client.mapper.find(BUDGET_API, "PodDisruptionBudget")) === undefined) return [];
  const lists = await mapLimit([...namespaces], 8, async (namespace) => {
    const { items } = await client.list(BUDGET_API, "PodDisruptionBudget", { namespace, signal });
    return items;
  });
  return lists.flat();
}

/** What changes in any of its versions, and what changed policies may move. */
function subjectsOf(change: FolderChange, versions: readonly KubeObject[], scope: Scope): readonly KubeObject[] {
  const changed = new Set(sourceChanges(change.desired, change.removed).map(({ object }) => refKey(object)));
  const isChanged = (object: KubeObject): boolean => changed.has(refKey(refOf(object)));
  const all = [...versions, ...scope.objects];
  return all.some((object) => isPolicy(object) && isChanged(object))
    ? all.filter(isTemplate)
    : all.filter((object) => isTemplate(object) && isChanged(object));
}

function reachesFar({ desired, removed, base = [] }: FolderChange): boolean {
  const reaches = ({ apiVersion, kind }: ObjectRef): boolean =>
    FAR_REACHING.has(`${parseApiVersion(apiVersion).group}/${kind}`);
  const isAboutAll = (object: KubeObject): boolean =>
    OVERRIDE_KINDS.has(object.kind) && isPolicy(object) && selectorsOf(object).length === 0;
  return (
    [...desired, ...base].some(({ object }) => isAboutAll(object)) ||
    desired.some(({ object, before }) => reaches(refOf(object)) || (before !== undefined && isAboutAll(before))) ||
    removed.some(({ object }) => reaches(object) || (object.apiVersion === "v1" && object.kind === "Namespace"))
  );
}

function isPolicy({ apiVersion, kind }: KubeObject): boolean {
  return (
    parseApiVersion(apiVersion).group === POLICY_GROUP && (PROPAGATION_KINDS.has(kind) || OVERRIDE_KINDS.has(kind))
  );
}

const SKIPPED = readSkipList();

function isTemplate(object: KubeObject): boolean {
  return (
    whyNotTemplate(object, SKIPPED) === undefined &&
    !isPolicy(object) &&
    !object.apiVersion.startsWith("gitops.flaghoist.io/")
  );
}

/** With the namespace that a namespaced policy leaves to itself. An override without selectors is about every object. */
function selectorsOf(policy: KubeObject): readonly ResourceSelector[] {
  const { resourceSelectors = [] } = (policy["spec"] ?? {}) as { resourceSelectors?: readonly ResourceSelector[] };
  const { namespace } = policy.metadata;
  return namespace === undefined
    ? resourceSelectors
    : resourceSelectors.map((selector) => ({ ...selector, namespace }));
}

function selectorOf({ apiVersion, kind, namespace, name, labelSelector }: Dependency): ResourceSelector {
  return {
    apiVersion,
    kind,
    ...(namespace === undefined || namespace === "" ? {} : { namespace }),
    ...(name === undefined || name === "" ? {} : { name }),
    ...(labelSelector == null ? {} : { labelSelector }),
  } as ResourceSelector;
}

/** Objects read once each. */
class Scope {
  readonly #client: KubeClient;
  readonly #signal: AbortSignal;
  readonly #objects = new Map<string, KubeObject>();
  readonly #asked = new Set<string>();

  constructor(client: KubeClient, signal: AbortSignal) {
    this.#client = client;
    this.#signal = signal;
  }

  get objects(): KubeObject[] {
    return [...this.#objects.values()];
  }

  get templates(): KubeObject[] {
    return this.objects.filter(isTemplate);
  }

  has({ apiVersion, kind, namespace, name = "" }: ResourceSelector): boolean {
    return this.#asked.has(refKey({ apiVersion, kind, namespace, name }));
  }

  async addAll(refs: readonly ObjectRef[]): Promise<void> {
    const fresh = refs.filter((ref) => !this.#asked.has(refKey(ref)));
    for (const ref of fresh) this.#asked.add(refKey(ref));
    await mapLimit(fresh, 16, async (ref) => {
      const found = await this.#find(ref);
      if (found !== undefined) this.#objects.set(refKey(ref), found);
    });
  }

  async addSelected(selectors: readonly ResourceSelector[]): Promise<void> {
    const named = selectors.flatMap(({ apiVersion, kind, namespace, name }): ObjectRef[] =>
      name ? [{ apiVersion, kind, namespace, name }] : [],
    );
    await this.addAll(named);
    await mapLimit(
      selectors.filter(({ name }) => !name),
      4,
      async ({ apiVersion, kind, namespace, labelSelector }) => {
        const key = JSON.stringify([apiVersion, kind, namespace, labelSelector]);
        if (this.#asked.has(key) || (await this.#client.mapper.find(apiVersion, kind)) === undefined) return;
        this.#asked.add(key);
        const { items } = await this.#client.list(apiVersion, kind, {
          ...(namespace ? { namespace } : {}),
          signal: this.#signal,
        });
        for (const object of items) this.#objects.set(refKey(refOf(object)), object);
      },
    );
  }

  add(object: KubeObject): void {
    this.#objects.set(refKey(refOf(object)), object);
  }

  /** Everything of a kind in a namespace; nothing of it is added. */
  async list({ apiVersion, kind }: Pick<ObjectRef, "apiVersion" | "kind">, namespace: string): Promise<KubeObject[]> {
    if ((await this.#client.mapper.find(apiVersion, kind)) === undefined) return [];
    return (await this.#client.list(apiVersion, kind, { namespace, signal: this.#signal })).items;
  }

  /** Of every template here. */
  async bindings(): Promise<AnyBinding[]> {
    const found = await mapLimit(this.templates, 16, async ({ kind, metadata }) => {
      const { name = "", namespace } = metadata;
      return this.#find({
        apiVersion: "work.karmada.io/v1alpha2",
        kind: namespace === undefined ? "ClusterResourceBinding" : "ResourceBinding",
        namespace,
        name: bindingName(kind, name),
      });
    });
    // Kinds of these names have these types.
    return found.filter((binding) => binding !== undefined) as unknown as AnyBinding[];
  }

  async #find(ref: ObjectRef): Promise<KubeObject | undefined> {
    if ((await this.#client.mapper.find(ref.apiVersion, ref.kind)) === undefined) return undefined;
    return this.#client.find(ref, this.#signal);
  }
}
