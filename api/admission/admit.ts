// Defaults and rules of every kind of ours, by kind.
import { type KubeObject, parseApiVersion } from "../../kube/object.ts";
import { AUTOSCALING_GROUP, type CronFederatedHPA, type FederatedHPA } from "../autoscaling.ts";
import { CLUSTER_GROUP, type Cluster } from "../cluster.ts";
import {
  CONFIG_GROUP,
  type ResourceInterpreterCustomization,
  type ResourceInterpreterWebhookConfiguration,
} from "../config.ts";
import { featureGates } from "../feature-gates.ts";
import { GITOPS_GROUP, type GitRepository, type Sync } from "../gitops.ts";
import { type MultiClusterService, NETWORKING_GROUP } from "../networking.ts";
import {
  type ClusterOverridePolicy,
  type ClusterPropagationPolicy,
  type OverridePolicy,
  POLICY_GROUP,
  type PropagationPolicy,
} from "../policy.ts";
import type { FederatedResourceQuota } from "../quota.ts";
import type { ClusterTaintPolicy } from "../taint-policy.ts";
import { type ClusterResourceBinding, type ResourceBinding, WORK_GROUP, type Work } from "../work.ts";
import { defaultCluster, validateCluster, validateClusterTaintPolicy } from "./cluster.ts";
import type { AdmissionContext, ValidationOptions } from "./context.ts";
import type { Refusal } from "./field-error.ts";
import { validateGitRepository, validateSync } from "./gitops.ts";
import { validateCustomization, validateInterpreterWebhooks } from "./interpreter.ts";
import { defaultMultiClusterService, validateMultiClusterService } from "./multicluster-service.ts";
import { defaultOverridePolicy, validateClusterOverridePolicy, validateOverridePolicy } from "./override.ts";
import {
  defaultClusterPropagationPolicy,
  defaultPropagationPolicy,
  validateClusterPropagationPolicy,
  validatePropagationPolicy,
} from "./propagation.ts";
import { validateFederatedResourceQuota } from "./quota.ts";
import { validateCronFederatedHPA, validateFederatedHPA } from "./scaling.ts";
import { defaultBinding, defaultWork, validateResourceBinding } from "./work.ts";

// The callers hold objects that have passed the kind's schema; the compiler cannot know that from their kind.
type Checked = never;

interface Rules {
  readonly applyDefaults?: (object: Checked, context: AdmissionContext) => KubeObject;
  readonly validate?: (object: Checked, old: Checked | undefined, options: ValidationOptions) => readonly Refusal[];
}

const RULES: Readonly<Record<string, Rules>> = {
  [`${POLICY_GROUP}/PropagationPolicy`]: {
    applyDefaults: (policy: PropagationPolicy, context) => defaultPropagationPolicy(policy, context),
    validate: (policy: PropagationPolicy, old: PropagationPolicy | undefined) => validatePropagationPolicy(policy, old),
  },
  [`${POLICY_GROUP}/ClusterPropagationPolicy`]: {
    applyDefaults: (policy: ClusterPropagationPolicy, context) => defaultClusterPropagationPolicy(policy, context),
    validate: (policy: ClusterPropagationPolicy, old: ClusterPropagationPolicy | undefined) =>
      validateClusterPropagationPolicy(policy, old),
  },
  [`${POLICY_GROUP}/OverridePolicy`]: {
    applyDefaults: (policy: OverridePolicy, context) => defaultOverridePolicy(policy, context),
    validate: (policy: OverridePolicy) => validateOverridePolicy(policy),
  },
  [`${POLICY_GROUP}/ClusterOverridePolicy`]: {
    validate: (policy: ClusterOverridePolicy) => validateClusterOverridePolicy(policy),
  },
  [`${POLICY_GROUP}/ClusterTaintPolicy`]: {
    validate: (policy: ClusterTaintPolicy, _, options) =>
      validateClusterTaintPolicy(policy, options.allowNoExecuteTaintPolicy),
  },
  [`${WORK_GROUP}/ResourceBinding`]: {
    applyDefaults: (binding: ResourceBinding, context) => defaultBinding(binding, context),
    validate: (binding: ResourceBinding, _, { featureGates: gates }) =>
      validateResourceBinding(binding, featureGates(gates).MultiplePodTemplatesScheduling),
  },
  [`${WORK_GROUP}/ClusterResourceBinding`]: {
    applyDefaults: (binding: ClusterResourceBinding, context) => defaultBinding(binding, context),
  },
  [`${WORK_GROUP}/Work`]: { applyDefaults: (work: Work, context) => defaultWork(work, context) },
  [`${POLICY_GROUP}/FederatedResourceQuota`]: {
    validate: (quota: FederatedResourceQuota) => validateFederatedResourceQuota(quota),
  },
  [`${CONFIG_GROUP}/ResourceInterpreterWebhookConfiguration`]: {
    validate: (configuration: ResourceInterpreterWebhookConfiguration) => validateInterpreterWebhooks(configuration),
  },
  [`${CONFIG_GROUP}/ResourceInterpreterCustomization`]: {
    validate: (customization: ResourceInterpreterCustomization, _, { checkScript }) =>
      validateCustomization(customization, checkScript),
  },
  [`${AUTOSCALING_GROUP}/FederatedHPA`]: { validate: (hpa: FederatedHPA) => validateFederatedHPA(hpa) },
  [`${AUTOSCALING_GROUP}/CronFederatedHPA`]: { validate: (hpa: CronFederatedHPA) => validateCronFederatedHPA(hpa) },
  [`${NETWORKING_GROUP}/MultiClusterService`]: {
    applyDefaults: (service: MultiClusterService, context) => defaultMultiClusterService(service, context),
    validate: (service: MultiClusterService, old: MultiClusterService | undefined) =>
      validateMultiClusterService(service, old),
  },
  [`${GITOPS_GROUP}/GitRepository`]: {
    validate: (repository: GitRepository) => validateGitRepository(repository),
  },
  [`${GITOPS_GROUP}/Sync`]: { validate: (sync: Sync) => validateSync(sync) },
  [`${CLUSTER_GROUP}/Cluster`]: {
    applyDefaults: (cluster: Cluster, context) => defaultCluster(cluster, context),
    validate: (cluster: Cluster) => validateCluster(cluster),
  },
};

/** True when `defaultObject` or `validateObject` does something for objects of this kind. */
export function hasAdmissionRules(group: string, kind: string): boolean {
  return `${group}/${kind}` in RULES;
}

/** The object as it is to be stored; the same object when nothing changes. It must fit the schema of its kind. */
export function defaultObject(object: KubeObject, context: AdmissionContext): KubeObject {
  return rulesFor(object)?.applyDefaults?.(object as Checked, context) ?? object;
}

/** What keeps an object that fits the schema of its kind from being stored; `old` is the stored one on update. */
export function validateObject(
  object: KubeObject,
  old?: KubeObject,
  options: ValidationOptions = {},
): readonly Refusal[] {
  return rulesFor(object)?.validate?.(object as Checked, old as Checked | undefined, options) ?? [];
}

function rulesFor(object: KubeObject): Rules | undefined {
  return RULES[`${parseApiVersion(object.apiVersion).group}/${object.kind}`];
}
