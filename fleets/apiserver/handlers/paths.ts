// Paths that are no resources: version, health, discovery.
import type { ApiResponse, UserInfo } from "../../../kube/client/transport.ts";
import { METRICS_TYPE } from "../../../runtime/metrics.ts";
import type { Discovery } from "../discovery/discovery.ts";
import { methodNotAllowed, statusError } from "../registry/status-error.ts";
import type { Query } from "../request/query.ts";
import type { RequestTrace } from "../request/trace.ts";
import type { ServerContext } from "../server-context.ts";
import { TOKEN_ISSUER } from "../tokens/service-account-tokens.ts";
import { jsonResponse, textResponse } from "./answers.ts";
import { answerHealth } from "./health.ts";
import { isAllowed, type PathHandler } from "./router.ts";

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
const PUBLIC = /^\/(?:version|healthz|livez|readyz)(?:\/|$)/;

/** What the server says of itself, as a release of the reference or as our own. */
function versionOf(gitVersion: string | undefined): Readonly<Record<string, string>> {
  if (gitVersion === undefined) return VERSION;
  const [, major = "", minor = ""] = /^v(\d+)\.(\d+)/.exec(gitVersion) ?? [];
  const minCompatibilityMinor = String(Math.max(0, Number(minor) - 1));
  return { ...VERSION, gitVersion, major, minor, emulationMajor: major, emulationMinor: minor, minCompatibilityMinor };
}

/** Serves further paths, such as the OpenAPI documents; undefined for paths it does not know. */
export type ExtraPaths = (
  path: string,
  headers: Readonly<Record<string, string>>,
  query: Query,
) => ApiResponse | undefined;

export function createPathHandler(server: ServerContext, discovery: Discovery, extra: ExtraPaths): PathHandler {
  return async (trace: RequestTrace, query: Query, user: UserInfo) => {
    const { request, path } = trace;
    if (PUBLIC.test(path)) noteAccess(server, trace, user);
    else authorizePath(server, trace, user);
    const health = answerHealth(server, path, query);
    if (health !== undefined) return health;
    const headers = request.headers ?? {};
    if (path === "/metrics" && (request.method === "GET" || request.method === "HEAD"))
      return textResponse(200, await server.metrics.text(), { "content-type": METRICS_TYPE });
    const answer = answerPath(server, discovery, extra, path, headers, query);
    if (answer === undefined) return undefined;
    if (request.method !== "GET" && request.method !== "HEAD") throw methodNotAllowed();
    return answer;
  };
}

/** What everybody may read is answered whatever the roles say; the record tells by which. */
function noteAccess(server: ServerContext, trace: RequestTrace, user: UserInfo): void {
  if (!isAllowed(server, trace, { user, verb: "get", resource: undefined, path: trace.path }))
    trace.decision = { allowed: true, reason: "" };
}

function authorizePath(server: ServerContext, trace: RequestTrace, user: UserInfo): void {
  const { path } = trace;
  const { method } = trace.request;
  const verb = method === "GET" || method === "HEAD" ? "get" : method.toLowerCase();
  if (isAllowed(server, trace, { user, verb, resource: undefined, path })) return;
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
  if (bare === "/version") return jsonResponse(200, versionOf(server.gitVersion?.()));
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
