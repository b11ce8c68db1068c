// Defaults and rules of PropagationPolicy and ClusterPropagationPolicy beyond their schema.
import { checkQualifiedName } from "../../kube/names.ts";
import { cloneJson } from "../../kube/object.ts";
import type {
  ClusterPropagationPolicy,
  FailoverBehavior,
  PropagationPolicy,
  PropagationSpec,
  ResourceSelector,
  StatePreservation,
  Suspension,
} from "../policy.ts";
import type { AdmissionContext } from "./context.ts";
import { invalid, type Refusal, required } from "./field-error.ts";
import { validatePlacement } from "./placement.ts";

type Policy = PropagationPolicy | ClusterPropagationPolicy;

const ID_LABEL = {
  PropagationPolicy: "propagationpolicy.karmada.io/permanent-id",
  ClusterPropagationPolicy: "clusterpropagationpolicy.karmada.io/permanent-id",
} as const;

const FINALIZER = {
  PropagationPolicy: "karmada.io/propagation-policy-controller",
  ClusterPropagationPolicy: "karmada.io/cluster-propagation-policy-controller",
} as const;

const DEFAULT_SCHEDULER = "default-scheduler";
const DEFAULT_GRACE_PERIOD_SECONDS = 600;

/** A copy of the policy as it is stored. The defaults of the schema are expected to be there already. */
export function defaultPropagationPolicy(policy: PropagationPolicy, context: AdmissionContext): PropagationPolicy {
  const copy = cloneJson(policy);
  for (const selector of copy.spec.resourceSelectors ?? []) {
    if (!selector.namespace) selector.namespace = context.requestNamespace;
  }
  defaultSpec(copy.spec);
  markNew(copy, context);
  return copy;
}

/** A copy of the policy as it is stored. The defaults of the schema are expected to be there already. */
export function defaultClusterPropagationPolicy(
  policy: ClusterPropagationPolicy,
  context: AdmissionContext,
): ClusterPropagationPolicy {
  const copy = cloneJson(policy);
  defaultSpec(copy.spec);
  markNew(copy, context);
  return copy;
}

function markNew(policy: Policy, { operation, newUuid }: AdmissionContext): void {
  if (operation !== "CREATE") return;
  // As Karmada: an id that comes with a new policy is not kept, so that a copied file never claims another's objects.
  policy.metadata.labels = { ...policy.metadata.labels, [ID_LABEL[policy.kind]]: newUuid() };
  const finalizers = policy.metadata.finalizers ?? [];
  const finalizer = FINALIZER[policy.kind];
  if (!finalizers.includes(finalizer)) policy.metadata.finalizers = [...finalizers, finalizer];
}

function defaultSpec(spec: PropagationSpec): void {
  // As Karmada stores it; an empty placement is every cluster, as none is.
  spec.placement ??= {};
  for (const constraint of spec.placement.spreadConstraints ?? []) {
    if (!constraint.spreadByField && !constraint.spreadByLabel) constraint.spreadByField = "cluster";
    if (!constraint.minGroups) constraint.minGroups = 1;
  }
  // A ServiceImport is of no use without the Service derived from it.
  if (spec.resourceSelectors?.some(({ apiVersion, kind }) => isServiceImport(apiVersion, kind)))
    spec.propagateDeps = true;
  const scheduling = spec.placement.replicaScheduling;
  if (scheduling?.replicaSchedulingType === "Divided" && !scheduling.replicaDivisionPreference) {
    scheduling.replicaDivisionPreference = "Weighted";
  }
  const application = spec.failover?.application;
  if (application && isGraceful(application.purgeMode)) application.gracePeriodSeconds ??= DEFAULT_GRACE_PERIOD_SECONDS;
}

// Until version 1.18 Karmada called it Graciously; stored objects may still say so.
function isGraceful(purgeMode: string | undefined): boolean {
  return purgeMode === "Gracefully" || purgeMode === "Graciously";
}

function isServiceImport(apiVersion: string, kind: string): boolean {
  return apiVersion === "multicluster.x-k8s.io/v1alpha1" && kind === "ServiceImport";
}

/**
 * What keeps the policy from being stored, in Karmada's order; `old` is the stored one on update. Differs from Karmada: a
 * change of the scheduler or the id does not hide what else is wrong.
 */
export function validatePropagationPolicy(policy: PropagationPolicy, old?: PropagationPolicy): readonly Refusal[] {
  return validatePolicy(policy, old, policy.metadata.namespace ?? "");
}

/** What keeps the policy from being stored; `old` is the stored one on update. */
export function validateClusterPropagationPolicy(
  policy: ClusterPropagationPolicy,
  old?: ClusterPropagationPolicy,
): readonly Refusal[] {
  return validatePolicy(policy, old, "");
}

function validatePolicy(policy: Policy, old: Policy | undefined, namespace: string): Refusal[] {
  return [...validateIdentity(policy, old), ...validatePropagationSpec(policy.spec, namespace)];
}

function validateIdentity(policy: Policy, old: Policy | undefined): Refusal[] {
  const refusals: Refusal[] = [];
  if (old !== undefined) {
    const scheduler = policy.spec.schedulerName ?? DEFAULT_SCHEDULER;
    const oldScheduler = old.spec.schedulerName ?? DEFAULT_SCHEDULER;
    if (scheduler !== oldScheduler) {
      const words = `the scheduler of a policy cannot change from ${JSON.stringify(oldScheduler)}; delete and create it`;
      refusals.push(invalid("spec.schedulerName", scheduler, words));
    }
  }
  const label = ID_LABEL[policy.kind];
  const field = `metadata.labels[${label}]`;
  const id = policy.metadata.labels?.[label];
  const oldId = old?.metadata.labels?.[label];
  if (old !== undefined && (id ?? "") !== (oldId ?? "")) {
    const words = `the id of a policy is given when it is created and cannot change from ${JSON.stringify(oldId ?? "")}`;
    refusals.push(invalid(field, id ?? "", words));
  }
  if (id === undefined) refusals.push(required(field, "the label with the id of the policy must stay"));
  return refusals;
}

function validatePropagationSpec(spec: PropagationSpec, namespace: string): Refusal[] {
  const refusals = validatePlacement(spec.placement, "spec.placement");
  if (spec.failover?.application && spec.propagateDeps !== true) {
    refusals.push(invalid("spec.propagateDeps", false, "must be true where failover.application is set"));
  }
  return [
    ...refusals,
    ...validateFailover(spec.failover),
    ...validateSelectorNamespaces(spec.resourceSelectors, namespace, "PropagationPolicy"),
    ...validateSelectorNames(spec),
    ...validateSuspension(spec.suspension),
  ];
}

/** Policies of a namespace select there only. `namespace` is empty for those that may select anywhere. */
export function validateSelectorNamespaces(
  selectors: readonly ResourceSelector[],
  namespace: string,
  kind: "PropagationPolicy" | "OverridePolicy",
): Refusal[] {
  if (namespace === "") return [];
  const article = kind === "OverridePolicy" ? "an" : "a";
  const words = `${article} ${kind} selects objects of its own namespace only, which is ${JSON.stringify(namespace)}; use a Cluster${kind} for others`;
  return selectors.flatMap((selector, index) =>
    (selector.namespace ?? "") === namespace
      ? []
      : [invalid(`spec.resourceSelectors[${index}].namespace`, selector.namespace ?? "", words)],
  );
}

function validateSelectorNames({ preemption, resourceSelectors }: PropagationSpec): Refusal[] {
  if (preemption !== "Always") return [];
  return resourceSelectors.flatMap(({ name }, index) =>
    name
      ? []
      : [
          invalid(
            `spec.resourceSelectors[${index}].name`,
            "",
            "preemption Always takes objects from other policies, so it needs the names of the objects",
          ),
        ],
  );
}

function validateFailover(failover: FailoverBehavior | undefined): Refusal[] {
  const refusals: Refusal[] = [];
  const application = failover?.application;
  if (application) {
    const at = "spec.failover.application";
    const { gracePeriodSeconds, decisionConditions, purgeMode } = application;
    const tolerationSeconds = decisionConditions?.tolerationSeconds;
    if (tolerationSeconds != null && tolerationSeconds < 0) {
      refusals.push(invalid(`${at}.decisionConditions.tolerationSeconds`, tolerationSeconds, "must not be negative"));
    }
    if (!isGraceful(purgeMode) && gracePeriodSeconds != null) {
      refusals.push(
        invalid(
          `${at}.gracePeriodSeconds`,
          gracePeriodSeconds,
          `has no meaning with purgeMode ${purgeMode ?? JSON.stringify("")}; only Gracefully waits`,
        ),
      );
    }
    if (isGraceful(purgeMode) && gracePeriodSeconds == null) {
      refusals.push(invalid(`${at}.gracePeriodSeconds`, null, "purgeMode Gracefully needs it"));
    }
    if (gracePeriodSeconds != null && gracePeriodSeconds <= 0) {
      refusals.push(invalid(`${at}.gracePeriodSeconds`, gracePeriodSeconds, "must be more than 0"));
    }
    refusals.push(...validateStatePreservation(application.statePreservation, `${at}.statePreservation`));
  }
  refusals.push(
    ...validateStatePreservation(failover?.cluster?.statePreservation, "spec.failover.cluster.statePreservation"),
  );
  return refusals;
}

function validateStatePreservation(preservation: StatePreservation | undefined, at: string): Refusal[] {
  return (preservation?.rules ?? []).flatMap(({ aliasLabelName }, index) =>
    checkQualifiedName(aliasLabelName).map((words) =>
      invalid(`${at}.rules[${index}].aliasLabelName`, aliasLabelName, words),
    ),
  );
}

function validateSuspension(suspension: Suspension | undefined): Refusal[] {
  const clusters = suspension?.dispatchingOnClusters?.clusterNames ?? [];
  if (suspension?.dispatching !== true || clusters.length === 0) return [];
  // Differs from Karmada, which names a field that does not exist, spec.suspension.suspension.
  const words = "dispatching holds back every cluster already; take away dispatching or dispatchingOnClusters";
  return [invalid("spec.suspension", {}, words)];
}
