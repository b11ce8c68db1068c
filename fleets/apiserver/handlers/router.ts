// From a request to the handler of its verb.
import type { ApiRequest, ApiResponse, UserInfo } from "../../../kube/client/transport.ts";
import { parseFieldSelector } from "../../../kube/field-selectors.ts";
import { AppError, messageOf } from "../../../runtime/errors.ts";
import { runSteps } from "../../../runtime/steps.ts";
import type { AccessRequest } from "../authorization/access.ts";
import { bearerToken } from "../http/authentication.ts";
import type { KindStrategy } from "../registry/kind.ts";
import {
  failureStatus,
  forbidden,
  methodNotAllowed,
  notFound,
  qualifiedResource,
  resourceNotFound,
  StatusError,
  statusError,
  unauthorized,
} from "../registry/status-error.ts";
import type { Exchange } from "../request/exchange.ts";
import { impersonate } from "../request/impersonation.ts";
import { negotiate, PLAIN, readsOnlyProtobuf } from "../request/negotiation.ts";
import { Query } from "../request/query.ts";
import {
  checkPathName,
  decodePath,
  parseResourcePath,
  type ResourcePath,
  remainderOf,
  segmentsBefore,
  splitPath,
  type Verb,
} from "../request/request-info.ts";
import type { RequestTrace } from "../request/trace.ts";
import type { Connector, ServerContext } from "../server-context.ts";
import { isWriteRefusal } from "../storage/errors.ts";
import { admitSubresource } from "./admission.ts";
import { jsonResponse, servedObject, textResponse, warningHeaders } from "./answers.ts";
import { connectOptions } from "./connect-options.ts";
import { createObject, updateObject, writeRequestOf } from "./create-update.ts";
import { deleteCollection, deleteObject } from "./delete.ts";
import { patchObject } from "./patch.ts";
import { inProtobuf } from "./protobuf-status.ts";
import { getObject, listObjects, requireObject } from "./read.ts";
import { handleReview, isReview } from "./reviews.ts";
import { getScale, writeScale } from "./scale.ts";
import { handleSpecialSubresource, isSpecialSubresource } from "./special-subresources.ts";
import { watchObjects } from "./watch.ts";

/** Answers paths outside `/api/v1/...` and `/apis/group/version/...`; undefined for paths it does not know. */
export type PathHandler = (trace: RequestTrace, query: Query, user: UserInfo) => Promise<ApiResponse | undefined>;

const ENDPOINTS_DEPRECATED = "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice";
const CONNECT_VERBS: Readonly<Record<string, string>> = {
  GET: "get",
  HEAD: "get",
  POST: "create",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete",
};
const MASTER: UserInfo = { name: "system:admin", groups: ["system:masters", "system:authenticated"] };

/** Clients of Kubernetes try ten times after this, and then tell their user. */
const WRITE_AGAIN_S = 1;

/** Answers one request; never rejects. */
export async function route(
  server: ServerContext,
  other: PathHandler,
  request: ApiRequest,
  trace: RequestTrace,
): Promise<ApiResponse> {
  try {
    return await dispatch(server, other, request, trace);
  } catch (error) {
    if (!(error instanceof StatusError) && !(error instanceof AppError)) trace.panic = error;
    const answer = refusal(server, error);
    // Discovery and the like have no such form.
    const isResource = /^\/apis?\/[^/]+\/./.test(request.path);
    return isResource && readsOnlyProtobuf(request.headers?.["accept"]) ? inProtobuf(answer) : answer;
  }
}

/** Whether the request is answered by a connector or another server, which take bodies and connections as they come. */
export function passesThrough(server: ServerContext, fullPath: string): boolean {
  if (server.remotes.ofPath(fullPath) !== undefined) return true;
  const target = resourcePathIn(splitPath(fullPath).path);
  if (target?.subresource === undefined) return false;
  const kind = server.registry.find(target.group, target.version, target.resource);
  return kind !== undefined && connectorOf(server, kind, target) !== undefined;
}

/** The resource of a path; undefined also where the path is refused later. */
function resourcePathIn(path: string): ResourcePath | undefined {
  try {
    return parseResourcePath(path);
  } catch {
    return undefined;
  }
}

/** The answer for anything thrown. What nobody foresaw is logged and answered without its details. */
export function refusal(server: ServerContext, error: unknown): ApiResponse {
  if (error instanceof StatusError) return jsonResponse(error.code, error.status, error.headers);
  // A full disk and its kind are anticipated: their place in the code helps nobody.
  if (isWriteRefusal(error)) {
    server.logger.warn("refused a write", { code: error.code, error: error.message });
    const status = failureStatus(507, "InsufficientStorage", error.message, { retryAfterSeconds: WRITE_AGAIN_S });
    return jsonResponse(507, status, { "retry-after": String(WRITE_AGAIN_S) });
  }
  if (error instanceof AppError) server.logger.warn("refused a request", { code: error.code, error: error.message });
  else {
    server.logger.error("failed to answer a request", {
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
  }
  const message = `Internal error occurred: ${messageOf(error)}`;
  return jsonResponse(500, failureStatus(500, "InternalError", message, { causes: [{ message: messageOf(error) }] }));
}

async function dispatch(
  server: ServerContext,
  other: PathHandler,
  request: ApiRequest,
  trace: RequestTrace,
): Promise<ApiResponse> {
  const { path, target } = trace;
  const query = new Query(trace.query);
  if (decodePath(path) === undefined) return textResponse(400, "400 Bad Request");
  if (path.startsWith("//")) return notFoundText();
  if (target === undefined && /^\/apis?\/.*\/\/+[^/]/.test(path)) throw resourceNotFound();
  const user = await userOf(server, trace, (refused, mode) =>
    impersonationRefusal(refused, mode, request, target, path, query),
  );
  server.limits.enter(trace, user);
  const remote = server.remotes.ofPath(path);
  if (remote !== undefined) {
    authorizeRemote(server, trace, user, query);
    return server.remotes.answer(remote, request, user);
  }
  if (target === undefined) {
    const answer = await other(trace, query, user);
    return answer ?? notFoundText();
  }
  if (!server.registry.hasGroupVersion(target.group, target.version)) return notFoundText();
  const { kind, annotations } = trace;
  if (kind === undefined) throw resourceNotFound();
  const connector = connectorOf(server, kind, target);
  if (connector !== undefined) {
    authorize(server, trace, user, connectVerb(request.method), target);
    const headers = request.headers ?? {};
    // Whoever answers says in which form.
    const accepted = PLAIN;
    return connect(
      { server, request, headers, query, target, kind, user, accepted, warnings: [], annotations, trace },
      connector,
    );
  }
  const verb = verbOf(request.method, target, kind, query);
  authorize(server, trace, user, verb, withSelectedName(target, verb, query));
  if (target.name !== undefined) checkPathName(target.name);

  const headers = request.headers ?? {};
  const accepted = negotiate(headers["accept"], headers["user-agent"], query, {
    collection: target.name === undefined && verb !== "create",
    kind,
    watch: verb === "watch",
    streams: verb === "watch" || verb === "list",
  });
  const warnings: string[] = [];
  const exchange: Exchange = {
    server,
    request,
    headers,
    query,
    target,
    kind,
    user,
    accepted,
    warnings,
    annotations,
    trace,
  };
  if (kind.storageKey === "endpoints") exchange.warnings.push(ENDPOINTS_DEPRECATED);
  try {
    return await (target.subresource === undefined
      ? onMain(exchange, verb)
      : onSubresource(exchange, verb, target.subresource));
  } catch (error) {
    if (exchange.warnings.length === 0) throw error;
    // A refusal carries the warnings that came up before it.
    const answer = refusal(server, error);
    return { ...answer, body: answer.body, headers: { ...answer.headers, ...warningHeaders(exchange.warnings) } };
  }
}

async function userOf(
  server: ServerContext,
  trace: RequestTrace,
  refuse: (user: UserInfo, mode: string) => Error,
): Promise<UserInfo> {
  const { request } = trace;
  const user = request.user ?? (await tokenUser(server, request));
  trace.user = user;
  server.metrics.authenticated(user.name);
  server.metrics.began(trace);
  server.audit?.received(trace);
  if (request.headers === undefined) return user;
  const acting = impersonate(user, request.headers, server.authorizer, refuse);
  if (acting !== user) trace.impersonated = acting;
  return acting;
}

/** As the reference: the refusal is about what the other user was to do. */
function impersonationRefusal(
  user: UserInfo,
  mode: string,
  request: ApiRequest,
  target: ResourcePath | undefined,
  path: string,
  query: Query,
): Error {
  const verb = target === undefined ? "get" : (verbOfMethod(request.method, target, query) ?? "get");
  return accessRefusal(user, `impersonate-on:${mode}:${verb}`, target, path);
}

/** In-process callers are trusted, unless they bring a token to be told by it. */
async function tokenUser(server: ServerContext, request: ApiRequest): Promise<UserInfo> {
  const token = bearerToken(request.headers?.["authorization"]);
  if (token === undefined) return MASTER;
  const user = await server.checkToken(token);
  if (user === undefined) throw unauthorized();
  return user;
}

function notFoundText(): ApiResponse {
  return textResponse(404, "404 page not found\n", { "x-content-type-options": "nosniff" });
}

function verbOf(method: string, target: ResourcePath, kind: KindStrategy, query: Query): Verb {
  const verb = verbOfMethod(method, target, query);
  if (verb === undefined) throw methodNotAllowed();
  if (target.subresource !== undefined) return verb;
  // Namespaced objects can be listed over all namespaces, and nothing else.
  if (kind.namespaced && target.namespace === undefined && verb !== "list" && verb !== "watch")
    throw methodNotAllowed();
  if (!kind.namespaced && target.namespace !== undefined) throw resourceNotFound();
  if (!kind.verbs.includes(verb)) throw methodNotAllowed();
  return verb;
}

/** The verb that a method stands for at a path; undefined for a method that none stands for. */
export function verbOfMethod(method: string, target: ResourcePath, query: Query): Verb | undefined {
  const single = target.name !== undefined;
  switch (method) {
    case "GET": {
      if (target.watchPrefix) return "watch";
      if (single) return "get";
      const watch = query.get("watch");
      return watch !== undefined && watch.toLowerCase() !== "false" && watch !== "0" ? "watch" : "list";
    }
    case "POST":
      return single && target.subresource === undefined ? undefined : "create";
    case "PUT":
      return single ? "update" : undefined;
    case "PATCH":
      return single ? "patch" : undefined;
    case "DELETE":
      return single ? "delete" : "deletecollection";
    default:
      return undefined;
  }
}

/** As the reference: who may list one object only asks for it by a field selector. */
function withSelectedName(target: ResourcePath, verb: string, query: Query): ResourcePath {
  if (target.name !== undefined || (verb !== "list" && verb !== "watch")) return target;
  const selector = query.get("fieldSelector") ?? "";
  if (!selector.includes("metadata.name")) return target;
  try {
    const named = parseFieldSelector(selector).find(
      ({ field, operator }) => field === "metadata.name" && operator === "=",
    );
    return named === undefined || named.value === "" || /^\.\.?$|[/%]/.test(named.value)
      ? target
      : { ...target, name: named.value };
  } catch {
    // The list itself says what is wrong with it.
    return target;
  }
}

function authorize(
  server: ServerContext,
  trace: RequestTrace,
  user: UserInfo,
  verb: string,
  target: ResourcePath,
): void {
  const { group, resource, subresource, namespace, name } = target;
  const { path } = trace;
  if (!isAllowed(server, trace, { user, verb, path, resource: { group, resource, subresource, namespace, name } }))
    throw accessRefusal(user, verb, target, path);
}

/** Asks whether somebody may do something, and notes the decision. */
export function isAllowed(server: ServerContext, trace: RequestTrace, question: AccessRequest): boolean {
  const start = performance.now();
  const decision = server.authorizer(question);
  server.metrics.authorized(decision.allowed, (performance.now() - start) / 1000);
  trace.decision = decision;
  return decision.allowed;
}

/** Requests that another server answers are authorised here as well; it knows its kinds, this server only their paths. */
function authorizeRemote(server: ServerContext, trace: RequestTrace, user: UserInfo, query: Query): void {
  const { path, target, request } = trace;
  if (target !== undefined) {
    authorize(server, trace, user, verbOfMethod(request.method, target, query) ?? connectVerb(request.method), target);
    return;
  }
  const verb = request.method === "HEAD" ? "get" : request.method.toLowerCase();
  if (!isAllowed(server, trace, { user, verb, path, resource: undefined })) {
    throw accessRefusal(user, verb, undefined, path);
  }
}

function accessRefusal(user: UserInfo, verb: string, target: ResourcePath | undefined, path: string): Error {
  const who = `User ${JSON.stringify(user.name)} cannot ${verb}`;
  if (target === undefined) {
    return statusError(403, "Forbidden", `forbidden: ${who} path ${JSON.stringify(path)}`, {});
  }
  const { group, resource, subresource, namespace, name } = target;
  const full = subresource === undefined ? resource : `${resource}/${subresource}`;
  const scope = namespace === undefined ? "at the cluster scope" : `in the namespace ${JSON.stringify(namespace)}`;
  const why = `${who} resource ${JSON.stringify(full)} in API group ${JSON.stringify(group)} ${scope}`;
  return forbidden({ group, resource }, name ?? "", why);
}

function onMain(exchange: Exchange, verb: Verb): Promise<ApiResponse> {
  if (isReview(exchange.kind)) return handleReview(exchange);
  switch (verb) {
    case "get":
      return getObject(exchange);
    case "list":
      return listObjects(exchange);
    case "watch":
      return watchObjects(exchange);
    case "create":
      return createObject(exchange);
    case "update":
      return updateObject(exchange);
    case "patch":
      return patchObject(exchange);
    case "delete":
      return deleteObject(exchange);
    case "deletecollection":
      return deleteCollection(exchange);
  }
}

function connectorOf(server: ServerContext, kind: KindStrategy, target: ResourcePath): Connector | undefined {
  if (target.name === undefined || target.subresource === undefined) return undefined;
  return server.connectors.get(`${kind.group}/${kind.plural}/${target.subresource}`);
}

/** As the reference: a method that no verb stands for needs all of them. */
function connectVerb(method: string): string {
  return CONNECT_VERBS[method] ?? "";
}

async function connect(exchange: Exchange, connector: Connector): Promise<ApiResponse> {
  const { request, user, target, kind } = exchange;
  const declared = kind.subresources.find((each) => each.name === target.subresource);
  if (declared === undefined) throw resourceNotFound();
  if (!(request.method in CONNECT_VERBS) && request.method !== "OPTIONS") throw methodNotAllowed();
  const { name } = requireObject(exchange);
  // Logs are read, not connected to.
  if (target.subresource !== "log") {
    const options = connectOptions(exchange);
    const write = writeRequestOf(exchange, { dryRun: false });
    await runSteps(admitSubresource(write, "CONNECT", options.kind, name, options.object));
  }
  // Admission may have taken its time.
  const object = servedObject(requireObject(exchange), kind);
  const { path, query } = splitPath(request.path);
  const rest = remainderOf(path, segmentsBefore(target));
  if (rest === undefined) throw resourceNotFound();
  return connector({ request, user, namespace: target.namespace, name, object, rest, query });
}

function onSubresource(exchange: Exchange, verb: Verb, subresource: string): Promise<ApiResponse> {
  const { kind, target } = exchange;
  const declared = kind.subresources.find((each) => each.name === subresource);
  if (declared === undefined) {
    throw kind.custom && target.name !== undefined
      ? notFound({ group: kind.group, resource: kind.plural }, target.name)
      : resourceNotFound();
  }
  if (!declared.verbs.includes(verb)) throw methodNotAllowed();
  if (isSpecialSubresource(kind, subresource)) return handleSpecialSubresource(exchange, verb, subresource);
  if (subresource === "scale") {
    if (verb === "get") return getScale(exchange);
    if (verb === "update" || verb === "patch") return writeScale(exchange, verb);
  }
  if (verb === "get") return getObject(exchange);
  if (verb === "update") return updateObject(exchange);
  if (verb === "patch") return patchObject(exchange);
  const name = qualifiedResource({ group: kind.group, resource: kind.plural });
  throw new StatusError(
    501,
    failureStatus(501, "NotImplemented", `subresource ${subresource} of ${name} is not served here`),
  );
}
