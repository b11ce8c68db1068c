// Which Pods a ResourceQuota with scopes is about.
import { isObject, type KubeObject } from "../../../../kube/object.ts";
import { podOf } from "../pod-object.ts";
import { isBestEffort } from "./quota-usage.ts";

interface ScopeRequirement {
  readonly scopeName: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

export interface ResourceQuota extends KubeObject {
  readonly spec?: {
    readonly hard?: Readonly<Record<string, string>>;
    readonly scopes?: readonly string[];
    readonly scopeSelector?: { readonly matchExpressions?: readonly ScopeRequirement[] };
  };
  readonly status?: {
    readonly hard?: Readonly<Record<string, string>>;
    readonly used?: Readonly<Record<string, string>>;
  };
}

/** Whether an object is in all scopes of a quota. Only Pods and claims are in any. */
export function isInScopes({ spec = {} }: ResourceQuota, resource: string, object: KubeObject): boolean {
  const requirements = [
    ...(spec.scopes ?? []).map((scopeName): ScopeRequirement => ({ scopeName, operator: "Exists" })),
    ...(spec.scopeSelector?.matchExpressions ?? []),
  ];
  return requirements.every((requirement) => {
    if (resource === "pods") return isPodInScope(requirement, object);
    return resource === "persistentvolumeclaims" && isClaimInScope(requirement, object);
  });
}

function isPodInScope(requirement: ScopeRequirement, object: KubeObject): boolean {
  const pod = podOf(object);
  const hasDeadline = pod.spec.activeDeadlineSeconds !== undefined;
  switch (requirement.scopeName) {
    case "Terminating":
      return hasDeadline;
    case "NotTerminating":
      return !hasDeadline;
    case "BestEffort":
      return isBestEffort(pod);
    case "NotBestEffort":
      return !isBestEffort(pod);
    case "PriorityClass":
      return fits(requirement, pod.spec.priorityClassName);
    case "CrossNamespacePodAffinity":
      return reachesOtherNamespaces(object);
    default:
      return false;
  }
}

function isClaimInScope(requirement: ScopeRequirement, object: KubeObject): boolean {
  const spec = isObject(object["spec"]) ? object["spec"] : {};
  const name = spec["volumeAttributesClassName"];
  return requirement.scopeName === "VolumeAttributesClass" && fits(requirement, typeof name === "string" ? name : "");
}

function fits({ operator, values = [] }: ScopeRequirement, value = ""): boolean {
  switch (operator) {
    case "Exists":
      return value !== "";
    case "DoesNotExist":
      return value === "";
    case "In":
      return value !== "" && values.includes(value);
    case "NotIn":
      return !values.includes(value);
    default:
      return false;
  }
}

/** Whether the Pod wants to be near, or far from, Pods of other namespaces. */
function reachesOtherNamespaces(object: KubeObject): boolean {
  const { affinity = {} } = (object["spec"] ?? {}) as { affinity?: Record<string, Record<string, unknown>> };
  return ["podAffinity", "podAntiAffinity"].some((kind) => {
    const rules = affinity[kind] ?? {};
    const list = (name: string): unknown[] => (Array.isArray(rules[name]) ? rules[name] : []);
    const preferred = list("preferredDuringSchedulingIgnoredDuringExecution").map((each) =>
      isObject(each) ? each["podAffinityTerm"] : undefined,
    );
    const terms = [...list("requiredDuringSchedulingIgnoredDuringExecution"), ...preferred].filter(isObject);
    return terms.some(
      ({ namespaces, namespaceSelector }) =>
        namespaceSelector !== undefined || (Array.isArray(namespaces) && namespaces.length > 0),
    );
  });
}
