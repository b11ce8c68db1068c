// What of which request is audited: the rules of audit.k8s.io/v1 Policy.
import type { UserInfo } from "../../../kube/client/transport.ts";
import type { RequestTrace } from "../request/trace.ts";

/** How much of a request is recorded, from nothing to both bodies. */
export const AUDIT_LEVELS = ["None", "Metadata", "Request", "RequestResponse"] as const;
export type AuditLevel = (typeof AUDIT_LEVELS)[number];

export const AUDIT_STAGES = ["RequestReceived", "ResponseStarted", "ResponseComplete", "Panic"] as const;
export type AuditStage = (typeof AUDIT_STAGES)[number];

/** Resources of one API group; `resources` empty means all of it. */
export interface GroupResources {
  readonly group: string;
  readonly resources: readonly string[];
  readonly resourceNames: readonly string[];
}

/** An empty list asks for nothing. */
export interface AuditRule {
  readonly level: AuditLevel;
  readonly users: readonly string[];
  readonly userGroups: readonly string[];
  readonly verbs: readonly string[];
  readonly resources: readonly GroupResources[];
  readonly namespaces: readonly string[];
  readonly nonResourceURLs: readonly string[];
  readonly omitStages: readonly AuditStage[];
  readonly omitManagedFields: boolean | undefined;
}

export interface AuditPolicy {
  readonly rules: readonly AuditRule[];
  readonly omitStages: readonly AuditStage[];
  readonly omitManagedFields: boolean;
}

/** What is recorded of one request. */
export interface AuditDecision {
  readonly level: AuditLevel;
  readonly omitStages: ReadonlySet<AuditStage>;
  readonly omitManagedFields: boolean;
}

/** A request as rules see it. */
export interface AuditedRequest {
  readonly user: UserInfo | undefined;
  readonly verb: string;
  readonly path: string;
  /** Undefined for paths that are no resources. */
  readonly resource:
    | {
        readonly group: string;
        readonly resource: string;
        readonly subresource: string;
        readonly namespace: string;
        readonly name: string;
      }
    | undefined;
}

/** Bodies of these are never recorded: they hold credentials. By `group/resource[/subresource]`. */
export const CONFIDENTIAL: readonly string[] = [
  "/secrets",
  "/serviceaccounts/token",
  "authentication.k8s.io/tokenreviews",
];

export function auditedRequest(trace: RequestTrace): AuditedRequest {
  const { target, verb, path, user } = trace;
  if (target === undefined) return { user, verb, path, resource: undefined };
  const { group, resource, subresource = "", name = "" } = target;
  // As the reference: a Namespace is in itself.
  const isNamespace = group === "" && resource === "namespaces";
  const namespace = isNamespace ? name : (target.namespace ?? "");
  return { user, verb, path, resource: { group, resource, subresource, namespace, name } };
}

/** The first rule that matches decides; without one nothing is recorded. `confidential` never goes above Metadata. */
export function decideAudit(
  policy: AuditPolicy,
  request: AuditedRequest,
  confidential: ReadonlySet<string>,
): AuditDecision {
  const rule = policy.rules.find((each) => matches(each, request));
  if (rule === undefined) return { level: "None", omitStages: new Set(), omitManagedFields: false };
  const { resource } = request;
  const isConfidential =
    resource !== undefined &&
    (confidential.has(`${resource.group}/${resource.resource}`) ||
      confidential.has(`${resource.group}/${resource.resource}/${resource.subresource}`));
  const isCapped = isConfidential && (rule.level === "Request" || rule.level === "RequestResponse");
  return {
    level: isCapped ? "Metadata" : rule.level,
    omitStages: new Set([...policy.omitStages, ...rule.omitStages]),
    omitManagedFields: rule.omitManagedFields ?? policy.omitManagedFields,
  };
}

function matches(rule: AuditRule, request: AuditedRequest): boolean {
  const { users, userGroups, verbs, namespaces, resources, nonResourceURLs } = rule;
  const { user } = request;
  if (users.length > 0 && !users.includes(user?.name ?? "")) return false;
  if (userGroups.length > 0 && !(user?.groups ?? []).some((group) => userGroups.includes(group))) return false;
  if (verbs.length > 0 && !verbs.includes(request.verb)) return false;
  if (namespaces.length > 0 || resources.length > 0) return matchesResource(rule, request.resource);
  if (nonResourceURLs.length === 0) return true;
  return request.resource === undefined && nonResourceURLs.some((url) => matchesPath(url, request.path));
}

function matchesResource({ namespaces, resources }: AuditRule, asked: AuditedRequest["resource"]): boolean {
  if (asked === undefined) return false;
  if (namespaces.length > 0 && !namespaces.includes(asked.namespace)) return false;
  if (resources.length === 0) return true;
  return resources.some(
    (each) =>
      each.group === asked.group &&
      (each.resources.length === 0 ||
        (matchesName(each, asked.name) && each.resources.some((text) => matchesText(text, asked)))),
  );
}

function matchesName({ resourceNames }: GroupResources, name: string): boolean {
  return resourceNames.length === 0 || resourceNames.includes(name);
}

function matchesText(text: string, asked: NonNullable<AuditedRequest["resource"]>): boolean {
  const { resource, subresource } = asked;
  const full = subresource === "" ? resource : `${resource}/${subresource}`;
  if (text === "*" || text === full) return true;
  if (subresource !== "" && text === `*/${subresource}`) return true;
  return text === `${resource}/*`;
}

function matchesPath(url: string, path: string): boolean {
  if (url === "*") return true;
  return url.endsWith("*") ? path.startsWith(url.slice(0, -1)) : url === path;
}
