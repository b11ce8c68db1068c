// The group cluster.karmada.io as an API server that is not ours passes it on to this process: Clusters from that
// server's own store, and their subresource `proxy`.
import { createHash } from "node:crypto";
import { CLUSTER_GROUP, type Cluster } from "../../api/cluster.ts";
import { jsonResponse } from "../../fleets/apiserver/handlers/answers.ts";
import {
  forwardedResponseHeaders,
  headerNamePart,
  headerValue,
} from "../../fleets/apiserver/http/forwarded-headers.ts";
import {
  badRequest,
  failureStatus,
  forbidden,
  resourceNotFound,
  StatusError,
  unauthorized,
} from "../../fleets/apiserver/registry/status-error.ts";
import {
  parseResourcePath,
  remainderOf,
  segmentsBefore,
  splitPath,
} from "../../fleets/apiserver/request/request-info.ts";
import type { ClusterProxy } from "../../fleets/cluster-proxy/cluster-proxy.ts";
import type { KubeClient } from "../../kube/client/kube-client.ts";
import { ApiStatusError, isNotFound } from "../../kube/client/status-error.ts";
import type { ApiRequest, ApiResponse, Transport, UserInfo } from "../../kube/client/transport.ts";
import { isObject, type JsonObject } from "../../kube/object.ts";
import { messageOf } from "../../runtime/errors.ts";
import type { Logger } from "../../runtime/logger.ts";
import { PUBLIC_PATH, PUBLIC_VERSION, STORE_PATH, STORE_VERSION, throughStoreVersion } from "./cluster-versions.ts";

export interface ClusterExtensionOptions {
  /** The API server as it is, with this process's credentials. */
  readonly store: Transport;
  /** Reads Clusters and Secrets for the proxy. */
  readonly client: KubeClient;
  readonly proxy: ClusterProxy;
  readonly logger: Logger;
}

const VERBS: Readonly<Record<string, string>> = {
  GET: "get",
  HEAD: "get",
  POST: "create",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete",
};
const ANONYMOUS = "system:unauthenticated";
const OPENAPI = `/openapi/v3${PUBLIC_PATH}`;
const STORE_VERBS = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];
const RESOURCES: JsonObject = {
  kind: "APIResourceList",
  apiVersion: "v1",
  groupVersion: `${CLUSTER_GROUP}/${PUBLIC_VERSION}`,
  resources: [
    { name: "clusters", singularName: "cluster", namespaced: false, kind: "Cluster", verbs: STORE_VERBS },
    {
      name: "clusters/proxy",
      singularName: "",
      namespaced: false,
      kind: "ClusterProxyOptions",
      verbs: ["create", "delete", "get", "patch", "update"],
    },
    {
      name: "clusters/status",
      singularName: "",
      namespaced: false,
      kind: "Cluster",
      verbs: ["get", "patch", "update"],
    },
  ],
};

/** Answers requests below `/apis/cluster.karmada.io/v1alpha1` and the group's OpenAPI document. Never rejects. */
export function createClusterExtension(options: ClusterExtensionOptions): Transport {
  const clusters = throughStoreVersion(options.store);
  return async (request) => {
    try {
      return await answer(options, clusters, request);
    } catch (error) {
      if (error instanceof StatusError) return jsonResponse(error.code, error.status, error.headers);
      if (error instanceof ApiStatusError) {
        const { code, reason, message } = error.status;
        return jsonResponse(code, failureStatus(code, reason, message));
      }
      if (request.signal?.aborted !== true)
        options.logger.warn("failed to answer for clusters", { error: messageOf(error) });
      return jsonResponse(500, failureStatus(500, "InternalError", `Internal error occurred: ${messageOf(error)}`));
    }
  };
}

/** True for paths of members: bodies stream, and connections may be upgraded. */
export function isProxyPath(path: string): boolean {
  return /^\/apis\/cluster\.karmada\.io\/v1alpha1\/clusters\/[^/]+\/proxy(?:[/?]|$)/.test(path);
}

async function answer(
  options: ClusterExtensionOptions,
  clusters: Transport,
  request: ApiRequest,
): Promise<ApiResponse> {
  const { path, query } = splitPath(request.path);
  const { user } = request;
  // The API server has asked who it is, and says so by its certificate for such requests.
  if (user === undefined || user.groups.includes(ANONYMOUS)) throw unauthorized();
  if (path === "/openapi/v3") return openApiIndex(options.store);
  if (path === OPENAPI) return openApiDocument(options.store);
  if (path === PUBLIC_PATH || path === `${PUBLIC_PATH}/`) return jsonResponse(200, RESOURCES);
  const target = parseResourcePath(path);
  if (target === undefined || target.resource !== "clusters") throw resourceNotFound();
  if (target.name === undefined || target.subresource !== "proxy") {
    const found = await clusters(asUser(request, user));
    return { ...found, headers: forwardedResponseHeaders(found.headers) };
  }
  await requireAccess(options.client, user, VERBS[request.method] ?? "*", target.name);
  const cluster = await findCluster(options.client, target.name);
  const rest = remainderOf(path, segmentsBefore(target));
  if (rest === undefined) throw resourceNotFound();
  return options.proxy.answer({ request, user, cluster, rest, query });
}

async function findCluster(client: KubeClient, name: string): Promise<Cluster> {
  try {
    return await client.get<Cluster>({ apiVersion: `${CLUSTER_GROUP}/${PUBLIC_VERSION}`, kind: "Cluster", name });
  } catch (error) {
    if (!isNotFound(error)) throw error;
    throw new StatusError(
      404,
      failureStatus(404, "NotFound", `clusters.${CLUSTER_GROUP} ${JSON.stringify(name)} not found`, {
        name,
        group: CLUSTER_GROUP,
        kind: "clusters",
      }),
    );
  }
}

/** The request in the name of its user, so that rules, admission and audit of the API server see who it was. */
function asUser(request: ApiRequest, user: UserInfo): ApiRequest {
  const { user: _user, stream: _stream, ...rest } = request;
  const headers: Record<string, string> = {};
  for (const name of ["accept", "content-type", "user-agent"]) {
    const value = request.headers?.[name];
    if (value !== undefined) headers[name] = value;
  }
  headers["impersonate-user"] = textOf(user.name);
  const groups = user.groups.filter((group) => group !== "system:authenticated");
  const lists: Record<string, readonly string[]> = { "impersonate-group": groups };
  if (user.uid !== undefined && user.uid !== "") headers["impersonate-uid"] = textOf(user.uid);
  for (const [key, values] of Object.entries(user.extra ?? {})) {
    lists[`impersonate-extra-${headerNamePart(key)}`] = values;
  }
  return { ...rest, headers, headerLists: mapValues(lists) };
}

function mapValues(lists: Readonly<Record<string, readonly string[]>>): Record<string, readonly string[]> {
  return Object.fromEntries(Object.entries(lists).map(([name, values]) => [name, values.map(textOf)]));
}

function textOf(text: string): string {
  const value = headerValue(text);
  if (value === undefined) throw badRequest(`the user ${JSON.stringify(text)} cannot be told in a header`);
  return value;
}

async function requireAccess(client: KubeClient, user: UserInfo, verb: string, name: string): Promise<void> {
  const review = await client.raw("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", {
    apiVersion: "authorization.k8s.io/v1",
    kind: "SubjectAccessReview",
    spec: {
      user: user.name,
      groups: user.groups,
      ...(user.uid === undefined ? {} : { uid: user.uid }),
      ...(user.extra === undefined ? {} : { extra: user.extra }),
      resourceAttributes: {
        group: CLUSTER_GROUP,
        version: PUBLIC_VERSION,
        resource: "clusters",
        subresource: "proxy",
        verb,
        name,
      },
    },
  });
  const status = isObject(review) && isObject(review["status"]) ? review["status"] : {};
  if (status["allowed"] === true) return;
  const why = `User ${JSON.stringify(user.name)} cannot ${verb} resource "clusters/proxy" in API group "${CLUSTER_GROUP}" at the cluster scope`;
  throw forbidden({ group: CLUSTER_GROUP, resource: "clusters" }, name, why);
}

/** The store's document of its own version, in the words of the public one. */
async function openApiText(store: Transport): Promise<string> {
  const found = await store({ method: "GET", path: `/openapi/v3${STORE_PATH}` });
  if (found.status !== 200 || !(found.body instanceof Uint8Array)) throw resourceNotFound();
  return Buffer.from(found.body).toString("utf8").replaceAll(STORE_VERSION, PUBLIC_VERSION);
}

async function openApiIndex(store: Transport): Promise<ApiResponse> {
  const hash = createHash("sha512")
    .update(await openApiText(store))
    .digest("hex")
    .toUpperCase();
  const path = PUBLIC_PATH.slice(1);
  return jsonResponse(200, { paths: { [path]: { serverRelativeURL: `${OPENAPI}?hash=${hash}` } } });
}

async function openApiDocument(store: Transport): Promise<ApiResponse> {
  const text = await openApiText(store);
  return { status: 200, headers: { "content-type": "application/json" }, body: Buffer.from(text) };
}
