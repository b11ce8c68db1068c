// Defaults and rules of PropagationPolicy and ClusterPropagationPolicy beyond their schema.
import { checkQualifiedName } from "../../kube/names.ts";
import { cloneJson } from "../../kube/object.ts";
import type {
  ClusterPropagationPolicy,
  FailoverBehavior,
  PropagationPolicy,
  PropagationSpec,
  StatePreservation,
  Suspension,
} from "../policy.ts";
import type { AdmissionContext } from "./context.ts";
import { forbidden, invalid, type Refusal, required } from "./field-error.ts";
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
  for (const constraint of spec.placement?.spreadConstraints ?? []) {
    if (!constraint.spreadByField && !constraint.spreadByLabel) constraint.spreadByField = "cluster";
    if (!constraint.minGroups) constraint.minGroups = 1;
  }
  // A ServiceImport is of no use without the Service derived from it.
  if (spec.resourceSelectors?.some(({ apiVersion, kind }) => isServiceImport(apiVersion, kind)))
    spec.propagateDeps = true;
  const scheduling = spec.placement?.replicaScheduling;
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

/** What keeps the policy from being stored; `old` is the stored one on update. */
export function validatePropagationPolicy(policy: PropagationPolicy, old?: PropagationPolicy): readonly Refusal[] {
  const namespace = policy.metadata.namespace ?? "";
  const foreign = policy.spec.resourceSelectors.flatMap((selector, index) =>
    selector.namespace && selector.namespace !== namespace
      ? [
          invalid(
            `spec.resourceSelectors[${index}].namespace`,
            selector.namespace,
            `a PropagationPolicy selects objects of its own namespace only, which is ${JSON.stringify(namespace)}; use a ClusterPropagationPolicy for others`,
          ),
        ]
      : [],
  );
  return [...foreign, ...validatePolicy(policy, old)];
}

/** What keeps the policy from being stored; `old` is the stored one on update. */
export function validateClusterPropagationPolicy(
  policy: ClusterPropagationPolicy,
  old?: ClusterPropagationPolicy,
): readonly Refusal[] {
  return validatePolicy(policy, old);
}

function validatePolicy(policy: Policy, old: Policy | undefined): Refusal[] {
  return [...validateIdentity(policy, old), ...validatePropagationSpec(policy.spec)];
}

function validateIdentity(policy: Policy, old: Policy | undefined): Refusal[] {
  const refusals: Refusal[] = [];
  const label = ID_LABEL[policy.kind];
  const field = `metadata.labels[${label}]`;
  const id = policy.metadata.labels?.[label];
  const oldId = old?.metadata.labels?.[label];
  if (!id) refusals.push(required(field, "the label with the id of the policy must stay"));
  else if (oldId && id !== oldId)
    refusals.push(invalid(field, id, `the id of a policy cannot change from ${JSON.stringify(oldId)}`));
  if (old !== undefined) {
    const scheduler = policy.spec.schedulerName ?? DEFAULT_SCHEDULER;
    const oldScheduler = old.spec.schedulerName ?? DEFAULT_SCHEDULER;
    if (scheduler !== oldScheduler) {
      refusals.push(
        invalid(
          "spec.schedulerName",
          scheduler,
          `the scheduler of a policy cannot change from ${JSON.stringify(oldScheduler)}`,
        ),
      );
    }
  }
  return refusals;
}

/** The rules that need nothing but the spec; usable on a file that was not stored yet. */
export function validatePropagationSpec(spec: PropagationSpec): Refusal[] {
  const unnamed = spec.resourceSelectors.flatMap((selector, index) =>
    spec.preemption === "Always" && !selector.name
      ? [required(`spec.resourceSelectors[${index}].name`, "preemption Always needs the names of the objects")]
      : [],
  );
  return [
    ...unnamed,
    ...validatePlacement(spec.placement, "spec.placement"),
    ...validateFailover(spec.failover, spec.propagateDeps === true),
    ...validateSuspension(spec.suspension),
  ];
}

function validateFailover(failover: FailoverBehavior | undefined, propagateDeps: boolean): Refusal[] {
  const refusals: Refusal[] = [];
  const application = failover?.application;
  if (application) {
    const at = "spec.failover.application";
    const { gracePeriodSeconds, decisionConditions, purgeMode = "Gracefully" } = application;
    if (!propagateDeps) {
      refusals.push(invalid("spec.propagateDeps", false, "must be true where failover.application is set"));
    }
    const tolerationSeconds = decisionConditions?.tolerationSeconds;
    if (tolerationSeconds != null && tolerationSeconds < 0) {
      refusals.push(invalid(`${at}.decisionConditions.tolerationSeconds`, tolerationSeconds, "must not be negative"));
    }
    if (!isGraceful(purgeMode) && gracePeriodSeconds != null) {
      refusals.push(
        invalid(
          `${at}.gracePeriodSeconds`,
          gracePeriodSeconds,
          `has no meaning with purgeMode ${purgeMode}; only Gracefully waits`,
        ),
      );
    }
    if (isGraceful(purgeMode) && gracePeriodSeconds == null) {
      refusals.push(required(`${at}.gracePeriodSeconds`, "purgeMode Gracefully needs it"));
    }
    if (isGraceful(purgeMode) && gracePeriodSeconds != null && gracePeriodSeconds <= 0) {
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
  return [
    forbidden(
      "spec.suspension",
      "dispatching holds back every cluster already; take away dispatching or dispatchingOnClusters",
    ),
  ];
}
