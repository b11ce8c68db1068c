// Why an object is where it is: everything that decided about it, from the policy down to single fields.
import { GITOPS_GROUP } from "../../api/gitops.ts";
import type { ResourceBindingStatus } from "../../api/work.ts";
import { type KubeObject, type ObjectRef, parseApiVersion, refKey, refOf } from "../../kube/object.ts";
import { AppError } from "../../runtime/errors.ts";
import { SYNC_NAME_LABEL, SYNC_NAMESPACE_LABEL } from "../controllers/sync/sync-decisions.ts";
import { readSkipList, whyNotTemplate } from "../policies/considered.ts";
import type { AnyBinding } from "../works/binding.ts";
import { explainCluster } from "./explain-clusters.ts";
import { explainNotes } from "./explain-notes.ts";
import { byName, explainPlacement } from "./explain-placement.ts";
import { nameOfPolicy, nearPolicies, otherPolicies, whyChosen } from "./explain-policies.ts";
import { explainRelocation } from "./explain-relocation.ts";
import { type Explanation, NOTHING } from "./explanation.ts";
import { isNamespace, namespaceCopies, whyNamespaceStays } from "./namespaces.ts";
import type { Origin } from "./origin.ts";
import { findOverridePolicy, type PolicyOrigin } from "./overridden-fields.ts";
import { findBinding, type RiverOptions, runRiver } from "./river.ts";
import { explainLeaders, explainRollout } from "./rollout-report.ts";
import type { World } from "./world.ts";

export interface ExplainOptions extends RiverOptions {
  /** Where an object is written, for those of which it is known. */
  readonly originOf?: (object: KubeObject) => Origin | undefined;
}

/** Explains one of the world's templates. Throws `object-unknown` when the world does not have it. */
export function explain(world: World, object: ObjectRef, options: ExplainOptions): Explanation {
  const template = world.templates.find((candidate) => refKey(refOf(candidate)) === refKey(object));
  if (template === undefined)
    throw new AppError("object-unknown", `there is no ${object.kind} ${object.name}`, { recovery: "stall" });
  const originOf = options.originOf ?? originByLabels;
  const policyOrigin = policyOriginIn(world, originOf);
  const common = { object, origin: originOf(template) };
  const kept = whyKept(template);
  if (kept !== undefined) return { ...NOTHING, ...common, state: "kept", reason: kept };

  if (isNamespace(template))
    return { ...NOTHING, ...common, state: "everywhere", ...everywhere(world, template, options, policyOrigin) };

  const outcome = runRiver({ ...world, templates: [template], partial: true }, { ...options, explain: true }).get(
    refKey(object),
  );
  const stored = findBinding(world, template);
  const policy = outcome?.policy ?? outcome?.waiting;
  const follows = referrersOf(world, stored);
  const about = {
    ...common,
    follows,
    policy:
      policy === undefined
        ? undefined
        : { ...nameOfPolicy(policy), why: whyChosen(template, policy, world), origin: originOf(policy) },
    otherPolicies: policy === undefined ? [] : otherPolicies(template, policy, world),
    nearPolicies: policy === undefined ? nearPolicies(template, world) : [],
    problems: [...(outcome?.problems ?? []), ...(outcome?.unknown === undefined ? [] : [outcome.unknown])],
    blocking: blockingConditions(stored?.status),
    lastScheduledTime: stored?.status?.lastScheduledTime,
    notes: [
      ...explainNotes({ template, policy, stored, desired: outcome?.binding }),
      ...explainRelocation(stored, world.clusters, options.now),
      ...explainRollout(stored, world.clusters),
      ...explainLeaders(template, stored, world),
    ],
  };
  const binding = outcome?.binding ?? stored;
  if (binding === undefined) {
    const reason = outcome?.unknown ?? outcome?.problems[0];
    return { ...NOTHING, ...about, state: policy === undefined ? "unclaimed" : "unplaced", reason };
  }
  return {
    ...NOTHING,
    ...about,
    ...explainPlacement({ world, template, outcome, stored, binding, options, policyOrigin }),
  };
}

function policyOriginIn(world: World, originOf: (object: KubeObject) => Origin | undefined): PolicyOrigin {
  const policies = [...world.clusterOverridePolicies, ...world.overridePolicies];
  return (policy) => {
    const object = findOverridePolicy(policies, policy);
    return object === undefined ? undefined : originOf(object);
  };
}

/** Why the object never leaves the control plane; undefined when it may. */
function whyKept(template: KubeObject): string | undefined {
  if (isNamespace(template)) return whyNamespaceStays(template);
  const { group } = parseApiVersion(template.apiVersion);
  // What feeds the control plane itself.
  if (group === GITOPS_GROUP) return `objects of group ${group} are not propagated`;
  return whyNotTemplate(template, readSkipList());
}

function everywhere(
  world: World,
  namespace: KubeObject,
  options: RiverOptions,
  policyOrigin: PolicyOrigin,
): Pick<Explanation, "clusters" | "problems"> {
  const made = namespaceCopies(world, namespace, options);
  const copies = new Map(made.copies.map((copy) => [copy.cluster, copy]));
  const clusters = [...world.clusters].sort(byName).map((cluster) => {
    const copy = copies.get(cluster.metadata.name ?? "");
    return explainCluster({
      cluster,
      trace: undefined,
      scheduling: undefined,
      placement: {},
      present: copy === undefined ? undefined : { replicas: undefined, follows: false },
      copy,
      policyOrigin,
      status: undefined,
      leaving: cluster.metadata.deletionTimestamp === undefined ? undefined : "the cluster is being removed",
    });
  });
  return { clusters, problems: made.problems };
}

/** By the labels of a Sync. The revision and file are not on the object. */
export function originByLabels(object: KubeObject): Origin | undefined {
  const labels = object.metadata.labels ?? {};
  const name = labels[SYNC_NAME_LABEL];
  return name === undefined ? undefined : { sync: `${labels[SYNC_NAMESPACE_LABEL] ?? ""}/${name}` };
}

function referrersOf(world: World, binding: AnyBinding | undefined): ObjectRef[] {
  return (binding?.spec.requiredBy ?? []).map(({ name, namespace }) => {
    const referrer = world.bindings.find(
      (other) => other.metadata.name === name && (other.metadata.namespace ?? "") === (namespace ?? ""),
    );
    const resource = referrer?.spec.resource;
    return resource === undefined
      ? { apiVersion: "work.karmada.io/v1alpha2", kind: "ResourceBinding", namespace, name }
      : { apiVersion: resource.apiVersion, kind: resource.kind, namespace: resource.namespace, name: resource.name };
  });
}

function blockingConditions(status: ResourceBindingStatus | undefined): Explanation["blocking"] {
  return (status?.conditions ?? [])
    .filter((condition) => condition.status === "False")
    .map(({ type, reason, message }) => ({ type, reason, message }));
}
