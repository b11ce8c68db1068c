// Review kinds: questions to the server, answered and not stored.
import type { ApiResponse } from "../../../kube/client/transport.ts";
import { isObject, type JsonObject, type KubeObject } from "../../../kube/object.ts";
import { rfc3339 } from "../../../runtime/clock.ts";
import type { KindStrategy } from "../registry/kind.ts";
import { decodeBody } from "../request/body.ts";
import type { Exchange } from "../request/exchange.ts";
import { readWriteOptions } from "../request/options.ts";
import { answerValue } from "./answers.ts";

const AUTHENTICATION = "authentication.k8s.io";
const AUTHORIZATION = "authorization.k8s.io";

export function isReview(kind: KindStrategy): boolean {
  return kind.group === AUTHENTICATION || kind.group === AUTHORIZATION;
}

export async function handleReview(exchange: Exchange): Promise<ApiResponse> {
  const options = readWriteOptions(exchange.query, "CreateOptions");
  const review = decodeBody(exchange.request, exchange.kind, options.fieldValidation, exchange.warnings);
  return answerValue(exchange, 201, {
    ...review,
    metadata: { ...review.metadata, creationTimestamp: null },
    ...statusOf(exchange, review),
  });
}

function statusOf(exchange: Exchange, review: KubeObject): { metadata?: JsonObject; status: JsonObject } {
  const { user, kind, server } = exchange;
  const spec = isObject(review["spec"]) ? review["spec"] : {};
  const userInfo = {
    username: user.name,
    ...(user.uid === undefined ? {} : { uid: user.uid }),
    groups: [...user.groups],
    ...(user.extra === undefined
      ? {}
      : { extra: Object.fromEntries(Object.entries(user.extra).map(([key, values]) => [key, [...values]])) }),
  };
  switch (kind.kind) {
    case "SelfSubjectReview":
      return { metadata: { creationTimestamp: rfc3339(server.clock.now()) }, status: { userInfo } };
    case "SelfSubjectAccessReview":
      return { status: access(exchange, spec, user) };
    case "SubjectAccessReview":
    case "LocalSubjectAccessReview": {
      const groups = Array.isArray(spec["groups"]) ? spec["groups"].map(String) : [];
      return { status: access(exchange, spec, { name: String(spec["user"] ?? ""), groups }) };
    }
    case "SelfSubjectRulesReview":
      return {
        status: {
          resourceRules: [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }],
          nonResourceRules: [{ verbs: ["*"], nonResourceURLs: ["*"] }],
          incomplete: false,
        },
      };
    default:
      return { status: { user: {} } };
  }
}

function access(exchange: Exchange, spec: Record<string, unknown>, user: Exchange["user"]): JsonObject {
  const resource = spec["resourceAttributes"];
  const path = spec["nonResourceAttributes"];
  const text = (value: unknown): string => (typeof value === "string" ? value : "");
  const decision = exchange.server.authorizer({
    user,
    verb: text(isObject(resource) ? resource["verb"] : isObject(path) ? path["verb"] : ""),
    resource: isObject(resource)
      ? {
          group: text(resource["group"]),
          resource: text(resource["resource"]),
          subresource: text(resource["subresource"]) || undefined,
          namespace: text(resource["namespace"]) || undefined,
          name: text(resource["name"]) || undefined,
        }
      : undefined,
    path: isObject(path) ? text(path["path"]) : "",
  });
  return { allowed: decision.allowed, ...(decision.reason === "" ? {} : { reason: decision.reason }) };
}
