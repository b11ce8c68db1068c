// Review kinds: questions to the server, answered and not stored.
import type { ApiResponse, UserInfo } from "../../../kube/client/transport.ts";
import { isObject, type JsonObject, type KubeObject } from "../../../kube/object.ts";
import { rfc3339 } from "../../../runtime/clock.ts";
import { runSteps } from "../../../runtime/steps.ts";
import type { PolicyRule } from "../authorization/rbac-objects.ts";
import type { KindStrategy } from "../registry/kind.ts";
import { badRequest, invalid } from "../registry/status-error.ts";
import { decodeBody } from "../request/body.ts";
import type { Exchange } from "../request/exchange.ts";
import { readWriteOptions } from "../request/options.ts";
import { TOKEN_ISSUER } from "../tokens/service-account-tokens.ts";
import { admitSubresource } from "./admission.ts";
import { answerValue } from "./answers.ts";
import { ownershipRequestOf, writeRequestOf } from "./create-update.ts";
import { ownershipAfterUpdate } from "./field-ownership.ts";
import { checkAccessReview } from "./review-validation.ts";

const AUTHENTICATION = "authentication.k8s.io";
const AUTHORIZATION = "authorization.k8s.io";

export function isReview(kind: KindStrategy): boolean {
  return kind.group === AUTHENTICATION || kind.group === AUTHORIZATION;
}

export async function handleReview(exchange: Exchange): Promise<ApiResponse> {
  const { kind } = exchange;
  const options = readWriteOptions(exchange.query, "CreateOptions");
  const sent = decodeBody(exchange.request, kind, options.fieldValidation, exchange.warnings);
  const write = writeRequestOf(exchange, options);
  const gvk = { group: kind.group, version: kind.version, kind: kind.kind };
  // A KubeObject of decoded JSON.
  const json = sent as unknown as JsonObject;
  const review = await runSteps(admitSubresource(write, "CREATE", gvk, sent.metadata.name ?? "", json));
  const spec = isObject(review["spec"]) ? review["spec"] : {};
  const { status, ...rest } = await answerReview(exchange, review, spec);
  const { apiVersion, kind: name } = review;
  if (rest.metadata !== undefined) return answerValue(exchange, 201, { kind: name, apiVersion, ...rest, status });
  const managedFields = ownershipAfterUpdate(ownershipRequestOf(exchange, options), undefined, review);
  const namespace = exchange.target.namespace;
  const given = kind.kind === "TokenReview" ? review.metadata.name : undefined;
  const metadata = {
    ...(given === undefined || given === "" ? {} : { name: given }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(managedFields === undefined ? {} : { managedFields }),
  };
  return answerValue(exchange, 201, { kind: name, apiVersion, metadata, spec, status });
}

interface ReviewAnswer {
  readonly status: JsonObject;
  /** Set for kinds that answer without what was asked. */
  readonly metadata?: JsonObject;
  readonly spec?: JsonObject;
}

async function answerReview(
  exchange: Exchange,
  review: KubeObject,
  spec: Record<string, unknown>,
): Promise<ReviewAnswer> {
  const { user, kind, server } = exchange;
  switch (kind.kind) {
    case "SelfSubjectReview":
      return { metadata: { creationTimestamp: rfc3339(server.clock.now()) }, status: { userInfo: userInfoOf(user) } };
    case "SelfSubjectAccessReview":
      return { status: access(exchange, review, spec, user) };
    case "SubjectAccessReview":
    case "LocalSubjectAccessReview": {
      const groups = Array.isArray(spec["groups"]) ? spec["groups"].map(String) : [];
      return { status: access(exchange, review, spec, { name: String(spec["user"] ?? ""), groups }) };
    }
    case "SelfSubjectRulesReview":
      return { metadata: {}, spec: {}, status: listRules(exchange, spec) };
    case "TokenReview":
      return { status: await reviewToken(exchange, spec) };
    default:
      return { status: {} };
  }
}

function listRules({ server, user }: Exchange, spec: Record<string, unknown>): JsonObject {
  const namespace = text(spec["namespace"]);
  if (namespace === "") throw badRequest("no namespace on request");
  const everything: PolicyRule[] = [
    { verbs: ["*"], apiGroups: ["*"], resources: ["*"] },
    { verbs: ["*"], nonResourceURLs: ["*"] },
  ];
  const rules =
    server.rbac === undefined ? everything : [...server.rbac.rulesOf(user, namespace)].map(({ rule }) => rule);
  const isPath = (rule: PolicyRule): boolean => (rule.nonResourceURLs?.length ?? 0) > 0;
  return {
    // Rules are JSON data.
    resourceRules: rules.filter((rule) => !isPath(rule)) as unknown as JsonObject[],
    nonResourceRules: rules.filter(isPath) as unknown as JsonObject[],
    incomplete: false,
  };
}

async function reviewToken(exchange: Exchange, spec: Record<string, unknown>): Promise<JsonObject> {
  const token = text(spec["token"]);
  if (token === "") throw badRequest("token is required for TokenReview in authentication");
  const given = Array.isArray(spec["audiences"]) ? spec["audiences"].map(String) : [];
  const audiences = given.length === 0 ? [TOKEN_ISSUER] : given;
  const verdict = await exchange.server.reviewToken(token, audiences);
  if (verdict === undefined) return { user: {}, error: "invalid bearer token" };
  return { authenticated: true, user: userInfoOf(verdict.user), audiences: [...verdict.audiences] };
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
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

function access(
  exchange: Exchange,
  review: KubeObject,
  spec: Record<string, unknown>,
  user: Exchange["user"],
): JsonObject {
  const resource = spec["resourceAttributes"];
  const path = spec["nonResourceAttributes"];
  const errors = checkAccessReview(review, exchange.target.namespace);
  // The reference names no kind here.
  if (errors.length > 0) throw invalid({ group: AUTHORIZATION, kind: "" }, "", errors);
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
