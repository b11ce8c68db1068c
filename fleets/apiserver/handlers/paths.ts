// Paths that are no resources: version, health, discovery.
import type { ApiRequest, ApiResponse, UserInfo } from "../../../kube/client/transport.ts";
import type { Discovery } from "../discovery/discovery.ts";
import { methodNotAllowed, statusError } from "../registry/status-error.ts";
import type { Query } from "../request/query.ts";
import type { ServerContext } from "../server-context.ts";
import { TOKEN_ISSUER } from "../tokens/service-account-tokens.ts";
import { jsonResponse, textResponse } from "./answers.ts";
import { answerHealth } from "./health.ts";
import type { PathHandler } from "./router.ts";

const VERSION = {
  major: "1",
  minor: "36",
  emulationMajor: "1",
  emulationMinor: "36",
  minCompatibilityMajor: "1",
  minCompatibilityMinor: "35",
  gitVersion: "v1.36.3+flaghoist",
  gitCommit: "unknown",
  gitTreeState: "clean",
  buildDate: "1970-01-01T00:00:00Z",
  goVersion: "none",
  compiler: "none",
  platform: "linux/amd64",
};
const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores";
const PUBLIC = /^\/(?:version|healthz|livez|readyz)(?:\/|$)/;

/** Serves further paths, such as the OpenAPI documents; undefined for paths it does not know. */
export type ExtraPaths = (
  path: string,
  headers: Readonly<Record<string, string>>,
  query: Query,
) => ApiResponse | undefined;

export function createPathHandler(server: ServerContext, discovery: Discovery, extra: ExtraPaths): PathHandler {
  return async (request: ApiRequest, path: string, query: Query, user: UserInfo) => {
    if (!PUBLIC.test(path)) authorizePath(server, user, request.method, path);
    const health = answerHealth(server, path, query);
    if (health !== undefined) return health;
    const headers = request.headers ?? {};
    const answer = answerPath(server, discovery, extra, path, headers, query);
    if (answer === undefined) return undefined;
    if (request.method !== "GET" && request.method !== "HEAD") throw methodNotAllowed();
    return answer;
  };
}

function authorizePath(server: ServerContext, user: UserInfo, method: string, path: string): void {
  const verb = method === "GET" || method === "HEAD" ? "get" : method.toLowerCase();
  if (server.authorizer({ user, verb, resource: undefined, path }).allowed) return;
  const message = `forbidden: User ${JSON.stringify(user.name)} cannot ${verb} path ${JSON.stringify(path)}`;
  throw statusError(403, "Forbidden", message, {});
}

function answerPath(
  server: ServerContext,
  discovery: Discovery,
  extra: ExtraPaths,
  path: string,
  headers: Readonly<Record<string, string>>,
  query: Query,
): ApiResponse | undefined {
  const bare = path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
  if (bare === "/version") return jsonResponse(200, VERSION);
  if (bare === "/.well-known/openid-configuration") {
    return jsonResponse(200, {
      issuer: TOKEN_ISSUER,
      jwks_uri: `https://${headers["host"] ?? server.name}/openid/v1/jwks`,
      response_types_supported: ["id_token"],
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: ["ES256"],
    });
  }
  if (bare === "/openid/v1/jwks") {
    return jsonResponse(200, server.tokens.keySet(), { "content-type": "application/jwk-set+json" });
  }
  if (bare === "/metrics") return textResponse(200, metricsText(server), { "content-type": METRICS_TYPE });
  if (bare === "/") {
    const paths = [
      ...discovery.paths(),
      "/healthz",
      "/livez",
      "/metrics",
      "/openapi/v2",
      "/openapi/v3",
      "/readyz",
      "/version",
    ];
    return jsonResponse(200, { paths: paths.sort() });
  }
  return discovery.answer(bare, headers, headers["host"] ?? server.name) ?? extra(bare, headers, query);
}

/** What can be told without a metrics library: how far the store is. */
function metricsText(server: ServerContext): string {
  const lines: string[] = [
    "# HELP apiserver_storage_objects Number of stored objects at the time of last check split by kind.",
    "# TYPE apiserver_storage_objects gauge",
  ];
  for (const resource of server.store.resources().sort()) {
    lines.push(`apiserver_storage_objects{resource="${resource}"} ${server.store.list(resource).length}`);
  }
  lines.push("# TYPE apiserver_storage_revision counter", `apiserver_storage_revision ${server.store.revision}`);
  return `${lines.join("\n")}\n`;
}
