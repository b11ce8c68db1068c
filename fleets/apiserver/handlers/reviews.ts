// Review kinds: questions to the server, answered and not stored.
import type { ApiResponse, UserInfo } from "../../../kube/client/transport.ts";
import { isObject, type JsonObject, type KubeObject } from "../../../kube/object.ts";
import { rfc3339 } from "../../../runtime/clock.ts";
import type { KindStrategy } from "../registry/kind.ts";
import { decodeBody } from "../request/body.ts";
import type { Exchange } from "../request/exchange.ts";
import { readWriteOptions } from "../request/options.ts";
import { TOKEN_ISSUER } from "../tokens/service-account-tokens.ts";
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
  switch (kind.kind) {
    case "SelfSubjectReview":
      return { metadata: { creationTimestamp: rfc3339(server.clock.now()) }, status: { userInfo: userInfoOf(user) } };
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
    case "TokenReview":
      return { status: reviewToken(exchange, spec) };
    default:
      return { status: {} };
  }
}

function reviewToken(exchange: Exchange, spec: Record<string, unknown>): JsonObject {
  const user = exchange.server.checkToken(String(spec["token"] ?? ""));
  if (user === undefined) return { user: {}, error: "[invalid bearer token, token lookup failed]" };
  const audiences = Array.isArray(spec["audiences"]) ? spec["audiences"].map(String) : [TOKEN_ISSUER];
  return { authenticated: true, user: userInfoOf(user), audiences };
}

function userInfoOf(user: UserInfo): JsonObject {
  const extra = Object.entries(user.extra ?? {}).map(([key, values]) => [key, [...values]]);
  return {
    username: user.name,
    ...(user.uid === undefined ? {} : { uid: user.uid }),
    groups: [...user.groups],
    ...(extra.length === 0 ? {} : { extra: Object.fromEntries(extra) }),
  };
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
