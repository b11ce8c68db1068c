// One entry of the audit log: audit.k8s.io/v1 Event, with its fields in the order of the reference.
import type { ApiResponse, UserInfo } from "../../../kube/client/transport.ts";
import { isObject, type JsonObject } from "../../../kube/object.ts";
import type { RequestTrace } from "../request/trace.ts";
import type { AuditDecision, AuditStage } from "./policy.ts";
import { auditedRequest } from "./policy.ts";

/** The answer of a request, and the bodies when they are recorded. */
export interface AuditedAnswer {
  readonly response: ApiResponse;
  readonly requestObject: unknown;
  readonly responseObject: unknown;
}

/** Values of these in a query are credentials. */
const SECRET_PARAMETERS = /([?&](?:access_token|token|id_token|password|secret|authorization|sig|signature)=)[^&#]*/gi;

export function auditEvent(
  trace: RequestTrace,
  decision: AuditDecision,
  stage: AuditStage,
  nowMs: number,
  answer: AuditedAnswer | undefined,
): JsonObject {
  const { user, impersonated, request, annotations } = trace;
  const sources = sourceAddresses(trace);
  const agent = request.headers?.["user-agent"];
  const object = objectReference(trace, answer);
  const notes = stage === "RequestReceived" ? {} : { ...decisionNotes(trace), ...Object.fromEntries(annotations) };
  return {
    kind: "Event",
    apiVersion: "audit.k8s.io/v1",
    level: decision.level,
    auditID: trace.auditId,
    stage,
    requestURI: request.path.replace(SECRET_PARAMETERS, "$1REDACTED"),
    verb: trace.verb,
    user: user === undefined ? {} : userJson(user),
    ...(impersonated === undefined
      ? {}
      : {
          impersonatedUser: userJson(impersonated),
          authenticationMetadata: { impersonationConstraint: "impersonate:user-info" },
        }),
    ...(sources.length === 0 ? {} : { sourceIPs: sources }),
    ...(agent === undefined ? {} : { userAgent: agent }),
    ...(object === undefined ? {} : { objectRef: object }),
    ...(answer === undefined ? {} : { responseStatus: responseStatus(answer.response) }),
    ...recorded("requestObject", answer?.requestObject, decision),
    ...recorded("responseObject", answer?.responseObject, decision),
    requestReceivedTimestamp: microTime(trace.receivedMs),
    stageTimestamp: microTime(nowMs),
    ...(Object.keys(notes).length === 0 ? {} : { annotations: notes }),
  };
}

function userJson(user: UserInfo): JsonObject {
  return {
    username: user.name,
    ...(user.uid === undefined || user.uid === "" ? {} : { uid: user.uid }),
    groups: [...user.groups],
    ...(user.extra === undefined
      ? {}
      : { extra: Object.fromEntries(Object.entries(user.extra).map(([key, values]) => [key, [...values]])) }),
  };
}

/** As the reference: what proxies say comes first, the connection's own address last. Empty for callers in-process. */
function sourceAddresses({ request }: RequestTrace): string[] {
  if (request.peer === undefined) return [];
  const headers = request.headers ?? {};
  const told = [...(headers["x-forwarded-for"] ?? "").split(","), headers["x-real-ip"] ?? ""];
  const addresses = [...told, request.peer].map((text) => text.trim()).filter((text) => /^[0-9a-fA-F.:]+$/.test(text));
  return [...new Set(addresses)];
}

function objectReference(trace: RequestTrace, answer: AuditedAnswer | undefined): JsonObject | undefined {
  const { resource } = auditedRequest(trace);
  const { target } = trace;
  if (resource === undefined || target === undefined) return undefined;
  const { uid, resourceVersion, name: given } = metadataOf(answer?.requestObject);
  const made = trace.verb === "create" ? metadataOf(parsedBody(answer?.response)) : {};
  const name = resource.name !== "" ? resource.name : (given ?? made.name ?? "");
  return {
    resource: resource.resource,
    ...(resource.namespace === "" ? {} : { namespace: resource.namespace }),
    ...(name === "" ? {} : { name }),
    ...(uid === undefined ? {} : { uid }),
    ...(resource.group === "" ? {} : { apiGroup: resource.group }),
    apiVersion: target.version,
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
    ...(resource.subresource === "" ? {} : { subresource: resource.subresource }),
  };
}

interface Identity {
  readonly name?: string | undefined;
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
}

function metadataOf(object: unknown): Identity {
  const metadata = isObject(object) && isObject(object["metadata"]) ? object["metadata"] : {};
  const text = (field: unknown): string | undefined => (typeof field === "string" && field !== "" ? field : undefined);
  return {
    name: text(metadata["name"]),
    uid: text(metadata["uid"]),
    resourceVersion: text(metadata["resourceVersion"]),
  };
}

function parsedBody(response: ApiResponse | undefined): unknown {
  return response === undefined || response.events !== undefined ? undefined : response.parsed;
}

/** A Status tells what happened; of other answers only the code is told. */
function responseStatus(response: ApiResponse): JsonObject {
  const body = parsedBody(response);
  if (!isObject(body) || body["kind"] !== "Status") return { metadata: {}, code: response.status };
  const { kind: _kind, apiVersion: _version, metadata: _metadata, code: _code, ...rest } = body;
  // A Status is JSON.
  return { metadata: {}, ...(rest as JsonObject), code: response.status };
}

function recorded(field: string, object: unknown, { omitManagedFields }: AuditDecision): JsonObject {
  if (Array.isArray(object)) return { [field]: object as JsonObject[] };
  if (!isObject(object)) return {};
  // What was sent or answered as JSON.
  return { [field]: (omitManagedFields ? withoutManagedFields(object) : object) as JsonObject };
}

function withoutManagedFields(object: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const result: Record<string, unknown> = { ...object };
  if (isObject(result["metadata"])) {
    const { managedFields: _dropped, ...metadata } = result["metadata"];
    result["metadata"] = metadata;
  }
  const items = result["items"];
  if (Array.isArray(items)) result["items"] = items.map((item) => (isObject(item) ? withoutManagedFields(item) : item));
  return result;
}

function decisionNotes({ decision }: RequestTrace): JsonObject {
  if (decision === undefined) return {};
  return {
    "authorization.k8s.io/decision": decision.allowed ? "allow" : "forbid",
    "authorization.k8s.io/reason": decision.reason,
  };
}

/** metav1.MicroTime. */
function microTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 23)}000Z`;
}
