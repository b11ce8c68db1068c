// Our admission rules in the form that the embedded API server takes.

import { defaultObject, hasAdmissionRules, validateObject } from "../../api/admission/admit.ts";
import { agentWriteRefusal } from "../../api/admission/agent-writes.ts";
import type { ValidationOptions } from "../../api/admission/context.ts";
import { deletionRefusal } from "../../api/admission/deletion.ts";
import type { FieldError } from "../../api/admission/field-error.ts";
import { accessRefusal, concernsAccess, withoutRules } from "../../api/admission/generated-access.ts";
import { validateCustomizationAmong } from "../../api/admission/interpreter.ts";
import { type FindNaming, rivalWarnings } from "../../api/admission/rival-policies.ts";
import { objectWarnings, warningText } from "../../api/admission/warnings.ts";
import { CLUSTER_GROUP, type Cluster } from "../../api/cluster.ts";
import { CONFIG_GROUP, type ResourceInterpreterCustomization } from "../../api/config.ts";
import { type FeatureGates, featureGates } from "../../api/feature-gates.ts";
import { type ClusterPropagationPolicy, POLICY_GROUP, type PropagationPolicy } from "../../api/policy.ts";
import { type ResourceBinding, WORK_GROUP } from "../../api/work.ts";
import type { AdmissionPlugin, AdmissionRefusal } from "../../fleets/apiserver/registry/admission.ts";
import type { UserInfo } from "../../kube/client/transport.ts";
import { equalJson, type KubeObject, parseApiVersion } from "../../kube/object.ts";
import type { Clock } from "../../runtime/clock.ts";
import { messageOf } from "../../runtime/errors.ts";
import {
  type BindingWrite,
  concernsQuota,
  QUOTA_EXCEEDED,
  type QuotaEnforcement,
} from "../controllers/quota/quota-enforcement.ts";
import { checkCustomizationScript } from "../interpreter/customization/compile-customization.ts";
import type { AnyOverridePolicy } from "../overrides/order.ts";
import { policyWarnings } from "../overrides/policy-warnings.ts";
import type { PolicyIndex } from "../policies/policy-index.ts";

/** A write, as far as our rules look at it. For DELETE `object` is the present one. */
export interface RuledWrite {
  readonly operation: "CREATE" | "UPDATE" | "DELETE" | "CONNECT";
  readonly subresource: string | undefined;
  readonly namespace: string | undefined;
  readonly object: KubeObject;
  readonly oldObject: KubeObject | undefined;
  readonly dryRun: boolean;
  /** Who writes. */
  readonly user: Pick<UserInfo, "name">;
  /** Says something to whoever writes, without refusing it. */
  warn(text: string): void;
}

type Verdict = readonly FieldError[] | AdmissionRefusal;

/** Defaulting and validation of Karmada's kinds and ours, and deletion protection for every kind. */
export interface AdmissionRules {
  /** The object to store instead, or undefined to leave it. */
  mutate(write: RuledWrite): KubeObject | undefined;
  /** At once, but for writes that quotas must be asked about. Never rejects. */
  validate(write: RuledWrite): Verdict | Promise<Verdict>;
}

export interface AdmissionSettings {
  readonly clock: Clock;
  readonly newUuid: () => string;
  /** Gates that are not as Karmada has them by default. */
  readonly featureGates?: Partial<FeatureGates> | undefined;
  /** Karmada's `--allow-no-execute-taint-policy`. */
  readonly allowNoExecuteTaintPolicy?: boolean | undefined;
  /** As Karmada, or with warnings of what surely is not meant. */
  readonly compatibility?: "karmada" | "flaghoist" | undefined;
  /** Asked behind the gate FederatedQuotaEnforcement only. */
  readonly quotas?: QuotaEnforcement | undefined;
  /** The policies there are; undefined until they are known. */
  readonly policies?: (() => PolicyIndex | undefined) | undefined;
  /** The Clusters that are known by now. */
  readonly clusters?: (() => Iterable<Cluster>) | undefined;
  /** The customizations that are known by now. */
  readonly customizations?: (() => Iterable<ResourceInterpreterCustomization>) | undefined;
}

export function admissionRules(settings: AdmissionSettings): AdmissionRules {
  const { clock, newUuid } = settings;
  const gates = featureGates(settings.featureGates);
  const options: ValidationOptions = {
    featureGates: gates,
    allowNoExecuteTaintPolicy: settings.allowNoExecuteTaintPolicy,
    checkScript: checkCustomizationScript,
  };
  const warns = settings.compatibility !== "karmada";
  return {
    mutate({ operation, subresource, namespace = "", object, user }) {
      if ((operation !== "CREATE" && operation !== "UPDATE") || subresource !== undefined) return undefined;
      if (concernsAccess(parseApiVersion(object.apiVersion).group, object.kind))
        return withoutRules({ userName: user.name, operation, object, others: [] });
      const context = { operation, requestNamespace: namespace, nowMs: clock.now(), newUuid };
      const defaulted = defaultObject(object, context);
      return defaulted === object ? undefined : defaulted;
    },
    validate(write) {
      const { operation, subresource, object, oldObject } = write;
      if (operation === "CONNECT") return [];
      const access = accessRefusalOf(write, settings);
      if (access !== undefined) return { code: 403, message: access };
      if (operation === "DELETE") {
        const refusal = deletionRefusal(object);
        return refusal === undefined ? [] : { code: 403, message: refusal };
      }
      if (subresource !== undefined || concernsAccess(parseApiVersion(object.apiVersion).group, object.kind)) return [];
      const agent = agentRefusal(write, settings);
      if (agent !== undefined) return { code: 403, message: agent };
      const refusals = [...validateObject(object, oldObject, options), ...rivalRefusals(object, settings)];
      if (refusals.length > 0) return refusals;
      if (warns) warnOf(write, settings.policies?.(), options);
      const { quotas } = settings;
      if (!gates.FederatedQuotaEnforcement || quotas === undefined || !isBinding(object)) return [];
      const binding: BindingWrite = {
        // It has passed the schema of its kind.
        binding: object as unknown as ResourceBinding,
        old: oldObject as unknown as ResourceBinding | undefined,
        isDryRun: write.dryRun,
      };
      return concernsQuota(binding) ? enforce(quotas, binding) : [];
    },
  };
}

function accessRefusalOf(
  { operation, subresource, object, user }: RuledWrite,
  { clusters }: AdmissionSettings,
): string | undefined {
  if (operation === "CONNECT" || subresource !== undefined) return undefined;
  const isAccess = concernsAccess(parseApiVersion(object.apiVersion).group, object.kind);
  if (operation !== "DELETE" && !isAccess) return undefined;
  return accessRefusal({ userName: user.name, operation, object, others: clusters?.() ?? [] });
}

function agentRefusal({ operation, object, user }: RuledWrite, { clusters }: AdmissionSettings): string | undefined {
  if (object.kind !== "Cluster" || parseApiVersion(object.apiVersion).group !== CLUSTER_GROUP) return undefined;
  if (operation !== "CREATE" && operation !== "UPDATE") return undefined;
  // It has passed the schema of its kind.
  const cluster = object as unknown as Cluster;
  return agentWriteRefusal({ userName: user.name, operation, cluster, others: clusters?.() ?? [] });
}

function rivalRefusals(object: KubeObject, { customizations }: AdmissionSettings): readonly FieldError[] {
  if (object.kind !== "ResourceInterpreterCustomization" || parseApiVersion(object.apiVersion).group !== CONFIG_GROUP)
    return [];
  // It has passed the schema of its kind.
  return validateCustomizationAmong(object as unknown as ResourceInterpreterCustomization, customizations?.() ?? []);
}

function isBinding({ apiVersion, kind }: KubeObject): boolean {
  return kind === "ResourceBinding" && parseApiVersion(apiVersion).group === WORK_GROUP;
}

async function enforce(quotas: QuotaEnforcement, write: BindingWrite): Promise<Verdict> {
  try {
    const exceeded = await quotas.charge(write);
    return exceeded === undefined ? [] : { code: 403, reason: QUOTA_EXCEEDED, message: exceeded };
  } catch (error) {
    // As Karmada: a quota that cannot be asked lets nothing through.
    const message = `the quotas of the namespace could not be charged: ${messageOf(error)}; try again`;
    return { code: 500, reason: "InternalError", message };
  }
}

/** Only of what somebody meant to write: not of a change beside the spec, nor of an object that goes. */
function warnOf(
  { object, oldObject, warn }: RuledWrite,
  policies: PolicyIndex | undefined,
  options: ValidationOptions,
): void {
  if (object.metadata.deletionTimestamp !== undefined) return;
  if (oldObject !== undefined && equalJson(oldObject["spec"], object["spec"])) return;
  for (const warning of objectWarnings(object, options)) warn(warningText(warning));
  if (parseApiVersion(object.apiVersion).group !== POLICY_GROUP) return;
  if (object.kind === "OverridePolicy" || object.kind === "ClusterOverridePolicy") {
    // It has passed the schema of its kind.
    for (const warning of policyWarnings(object as unknown as AnyOverridePolicy)) warn(warningText(warning));
  }
  if (policies === undefined) return;
  if (object.kind !== "PropagationPolicy" && object.kind !== "ClusterPropagationPolicy") return;
  // It has passed the schema of its kind.
  const policy = object as unknown as PropagationPolicy | ClusterPropagationPolicy;
  for (const warning of rivalWarnings(policy, namingIn(policies))) warn(warningText(warning));
}

function namingIn(policies: PolicyIndex): FindNaming {
  return ({ metadata }, { apiVersion, kind, name = "" }) => {
    const { namespaced, cluster } = policies.shortlist({
      apiVersion,
      kind,
      metadata: { name, ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }) },
    });
    return [...namespaced, ...cluster];
  };
}

/** Our rules built in to the embedded server. */
export function karmadaAdmission(settings: AdmissionSettings): AdmissionPlugin {
  const rules = admissionRules(settings);
  return {
    handles: (kind, operation) =>
      operation === "DELETE" ||
      hasAdmissionRules(kind.group, kind.kind) ||
      (operation === "CREATE" && concernsAccess(kind.group, kind.kind)),
    mutate: (request) => rules.mutate(request),
    validate: (request) => rules.validate(request),
  };
}
