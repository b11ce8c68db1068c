// Requests to an API server by HTTPS. Watches have connections of their own, so that they never starve requests.
import { readFileSync } from "node:fs";
import { type Dispatcher, Pool, ProxyAgent } from "undici";
import { AppError, messageOf } from "../../runtime/errors.ts";
import { stringifyJson } from "../json.ts";
import {
  type Credentials,
  type KubeconfigOptions,
  kubeconfigInvalid,
  readKubeconfig,
} from "./kubeconfig-connection.ts";
import { apiUnreachable } from "./status-error.ts";
import type { ApiRequest, ApiResponse, Transport } from "./transport.ts";

const WATCH_SILENCE_MS = 300_000;

export interface HttpTransportOptions extends KubeconfigOptions {
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

/**
 * Opens a transport by kubeconfig. Credentials of every form that a kubeconfig can hold (certificates, tokens, files,
 * exec plug-ins) are resolved by the client library; tokens are looked up again once a minute.
 * Throws `kubeconfig-invalid` for a text that is none or names no cluster.
 */
export async function openHttpTransport(options: HttpTransportOptions): Promise<HttpTransport> {
  const config = await readKubeconfig(options);
  const { url } = config;
  const prefix = url.pathname.replace(/\/$/, "");

  async function refreshed(): Promise<Credentials> {
    try {
      return await config.credentials();
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
    first = await config.credentials();
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
  const proxy = config.proxyUrl;
  function connections(limit: { readonly connections: number | null; readonly bodyTimeout: number }): Dispatcher {
    if (proxy === undefined) return new Pool(url.origin, { ...shared, ...limit });
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
        headers: {
          accept: "application/json",
          "user-agent": "flaghoist/0.1",
          ...headers,
          ...request.headers,
          ...mutableLists(request.headerLists),
        },
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
    server: config.server,
    close: async () => {
      await Promise.all([requests.destroy(), streams.destroy()]);
    },
  };
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

function mutableLists(lists: ApiRequest["headerLists"]): Record<string, string[]> {
  return Object.fromEntries(Object.entries(lists ?? {}).map(([name, values]) => [name, [...values]]));
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
