// Requests to an API server by HTTPS. Watches have connections of their own, so that they never starve requests.
import { readFileSync } from "node:fs";
import { type Dispatcher, Pool, ProxyAgent } from "undici";
import { AppError, messageOf } from "../../runtime/errors.ts";
import { stringifyJson } from "../json.ts";
import { apiUnreachable } from "./status-error.ts";
import type { ApiRequest, ApiResponse, Transport } from "./transport.ts";

const WATCH_SILENCE_MS = 300_000;

export interface HttpTransportOptions {
  /** Text of a kubeconfig. */
  readonly kubeconfig: string;
  /** Context to use instead of the current one. */
  readonly context?: string | undefined;
  /**
   * Refuses what reaches out of the text: commands, credential plug-ins, files of this machine. For kubeconfigs that come
   * from others, such as a Secret.
   */
  readonly selfContained?: boolean;
  /** Longest wait for an answer to begin, and between its parts; watches may be silent for some minutes. */
  readonly timeoutMs?: number;
  /** Most connections for requests; watches come on top. */
  readonly maxConnections?: number;
}

export interface HttpTransport {
  readonly send: Transport;
  readonly server: string;
  close(): Promise<void>;
}

interface Credentials {
  readonly headers: Record<string, string>;
  readonly tls: {
    ca?: string | Buffer;
    cert?: string | Buffer;
    key?: string | Buffer;
    rejectUnauthorized?: boolean;
    servername?: string;
  };
}

/**
 * Opens a transport by kubeconfig. Credentials of every form that a kubeconfig can hold (certificates, tokens, files,
 * exec plug-ins) are resolved by the client library; tokens are looked up again once a minute.
 * Throws `kubeconfig-invalid` for a text that is none or names no cluster.
 */
export async function openHttpTransport(options: HttpTransportOptions): Promise<HttpTransport> {
  // The library is heavy (about 80 MB): only programs that talk to a remote cluster pay for it, and only for this module.
  const { KubeConfig } = await import("@kubernetes/client-node/dist/config.js");
  const config = new KubeConfig();
  try {
    config.loadFromString(options.kubeconfig);
  } catch (error) {
    throw kubeconfigInvalid(messageOf(error), error);
  }
  if (options.context !== undefined) config.setCurrentContext(options.context);
  if (options.selfContained === true) refuseReferences(config.getCurrentUser(), config.getCurrentCluster());
  const cluster = config.getCurrentCluster();
  if (cluster === null || !URL.canParse(cluster.server)) {
    throw kubeconfigInvalid(`context "${config.getCurrentContext()}" names no cluster with a server URL`, undefined);
  }
  const url = new URL(cluster.server);
  const prefix = url.pathname.replace(/\/$/, "");

  async function credentials(): Promise<Credentials> {
    const request: Record<string, unknown> = {};
    await config.applyToHTTPSOptions(request);
    const headers: Record<string, string> = {};
    if (typeof request["headers"] === "object" && request["headers"] !== null) {
      for (const [name, value] of Object.entries(request["headers"])) headers[name.toLowerCase()] = String(value);
    }
    if (typeof request["auth"] === "string")
      headers["authorization"] = `Basic ${Buffer.from(request["auth"]).toString("base64")}`;
    const tls: Credentials["tls"] = {};
    for (const name of ["ca", "cert", "key"] as const) {
      const value = request[name];
      if (typeof value === "string" || Buffer.isBuffer(value)) tls[name] = value;
    }
    if (request["rejectUnauthorized"] === false || cluster?.skipTLSVerify === true) tls.rejectUnauthorized = false;
    if (typeof request["servername"] === "string") tls.servername = request["servername"];
    return { headers, tls };
  }

  async function refreshed(): Promise<Credentials> {
    try {
      return await credentials();
    } catch (error) {
      // Plug-ins and files fail for reasons of their own, and may work the next time.
      headersAt = 0;
      throw new AppError("kubeconfig-credentials-failed", `the credentials cannot be renewed: ${messageOf(error)}`, {
        recovery: "retry",
        cause: error,
      });
    }
  }

  let first: Credentials;
  try {
    first = await credentials();
  } catch (error) {
    throw kubeconfigInvalid(messageOf(error), error);
  }
  let headers = first.headers;
  let headersAt = Date.now();
  const timeout = options.timeoutMs ?? 30_000;
  const shared = {
    connect: { ...first.tls, timeout: Math.min(timeout, 10_000) },
    headersTimeout: timeout,
    pipelining: 1,
    // A request that is aborted before its answer leaves a session of HTTP/2 behind that later ends the process: its idle
    // time-out is thrown where nobody can catch it.
    allowH2: false,
  };
  const proxy = cluster.proxyUrl;
  function connections(limit: { readonly connections: number | null; readonly bodyTimeout: number }): Dispatcher {
    if (proxy === undefined || proxy === "") return new Pool(url.origin, { ...shared, ...limit });
    return new ProxyAgent({ ...shared, ...limit, uri: proxy, requestTls: shared.connect });
  }
  const requests = connections({ connections: options.maxConnections ?? 16, bodyTimeout: timeout });
  // A followed log may rightly be silent for ever.
  const streams = connections({ connections: null, bodyTimeout: 0 });

  async function send(request: ApiRequest): Promise<ApiResponse> {
    if (Date.now() - headersAt > 60_000) {
      headersAt = Date.now();
      headers = (await refreshed()).headers;
    }
    const stream = isStream(request);
    const pool = stream ? streams : requests;
    try {
      const answer = await pool.request({
        origin: url.origin,
        // The server refuses methods that it does not know.
        method: request.method as "GET",
        path: prefix + request.path,
        headers: { accept: "application/json", "user-agent": "flaghoist/0.1", ...headers, ...request.headers },
        body: request.body ?? (request.object === undefined ? null : stringifyJson(request.object)),
        signal: request.signal ?? null,
        // Servers send a bookmark about once a minute: a watch that is silent for longer has lost its connection.
        ...(isWatch(request) ? { bodyTimeout: WATCH_SILENCE_MS } : {}),
      });
      const answerHeaders: Record<string, string | string[]> = {};
      for (const [name, value] of Object.entries(answer.headers)) if (value !== undefined) answerHeaders[name] = value;
      if (stream && answer.statusCode === 200)
        return { status: answer.statusCode, headers: answerHeaders, body: answer.body };
      return {
        status: answer.statusCode,
        headers: answerHeaders,
        body: new Uint8Array(await answer.body.arrayBuffer()),
      };
    } catch (error) {
      if (request.signal?.aborted === true) throw error;
      throw apiUnreachable(`${request.method} ${url.origin}${prefix}${request.path.split("?")[0]}`, error);
    }
  }
  return {
    send,
    server: cluster.server,
    close: async () => {
      await Promise.all([requests.destroy(), streams.destroy()]);
    },
  };
}

interface Referrer {
  readonly exec?: unknown;
  readonly authProvider?: unknown;
  readonly certFile?: string;
  readonly keyFile?: string;
  readonly caFile?: string;
}

function refuseReferences(user: Referrer | null, cluster: Referrer | null): void {
  const found = [
    user?.exec !== undefined ? "runs a command (exec)" : undefined,
    user?.authProvider !== undefined ? "uses a credential plug-in or a token file" : undefined,
    user?.certFile !== undefined || user?.keyFile !== undefined || cluster?.caFile !== undefined
      ? "names files"
      : undefined,
  ].find((problem) => problem !== undefined);
  if (found !== undefined) {
    throw kubeconfigInvalid(`it ${found}; one that is stored must hold its certificates or token itself`, undefined);
  }
}

/** Opens a transport by a kubeconfig file. Throws `kubeconfig-invalid` when the file cannot be read. */
export async function openHttpTransportFile(path: string, context?: string): Promise<HttpTransport> {
  let kubeconfig: string;
  try {
    kubeconfig = readFileSync(path, "utf8");
  } catch (error) {
    throw kubeconfigInvalid(`cannot read ${path}: ${messageOf(error)}`, error);
  }
  return openHttpTransport({ kubeconfig, context });
}

/** The old form of a watch: `/api/v1/watch/...`. */
const WATCH_PREFIX = /^\/(api|apis\/[^/]+)\/[^/]+\/watch\//;

function isStream(request: ApiRequest): boolean {
  if (request.method !== "GET") return false;
  return /[?&](watch|follow)=(?!false|0)/.test(request.path) || WATCH_PREFIX.test(request.path);
}

function isWatch(request: ApiRequest): boolean {
  return isStream(request) && (request.path.includes("watch=") || WATCH_PREFIX.test(request.path));
}

function kubeconfigInvalid(why: string, cause: unknown): AppError {
  return new AppError("kubeconfig-invalid", `the kubeconfig cannot be used: ${why}`, { recovery: "stall", cause });
}
