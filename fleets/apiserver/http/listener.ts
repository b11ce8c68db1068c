// Serves API servers over TLS: HTTP/2 and HTTP/1.1 on one port, several servers under path prefixes.
import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import {
  createSecureServer,
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { promisify } from "node:util";
import { constants, gzip } from "node:zlib";
import type { ApiRequest, ApiResponse, UserInfo } from "../../../kube/client/transport.ts";
import type { Clock } from "../../../runtime/clock.ts";
import { messageOf } from "../../../runtime/errors.ts";
import type { Logger } from "../../../runtime/logger.ts";
import { jsonResponse } from "../handlers/answers.ts";
import { failureStatus, requestTooLarge, StatusError } from "../registry/status-error.ts";
import { MAX_BODY_BYTES } from "../request/body.ts";
import type { ApiServer } from "../server.ts";
import { authenticate, type TokenCheck } from "./authentication.ts";
import { ensureCertificates } from "./certificates.ts";
import { FrontProxyTrust, type RequestHeaderOptions } from "./front-proxy.ts";
import { formatKubeconfig } from "./kubeconfig.ts";
import { sendBytes, sendPacked, sendSource, sendStream } from "./send-body.ts";
import { answerUpgrade } from "./tunnel.ts";

export interface ListenOptions {
  /** Address to bind. */
  readonly host: string;
  /** 0 picks a free port. */
  readonly port: number;
  /** Where the authority and the certificates are kept; made when missing, private to its owner. */
  readonly directory: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Further names and addresses under which clients reach the listener. */
  readonly hostnames?: readonly string[];
  /** Users of bearer tokens, beside those that each server knows. */
  readonly tokens?: TokenCheck;
  /** Largest body of a request; that of the API when absent. */
  readonly maxBodyBytes?: number;
  /**
   * Tells the user of a request in place of client certificates of our authority and bearer tokens. `rawHeaders` are
   * names and values in turn.
   */
  readonly identify?: (socket: TLSSocket, rawHeaders: readonly string[]) => UserInfo;
  /** The proxy whose word is taken for who the user is. */
  readonly requestHeader?: RequestHeaderOptions;
}

export interface Listener {
  /** `https://host:port`. */
  readonly url: string;
  readonly port: number;
  readonly caPem: string;
  /** A kubeconfig with the administrator's certificate, for the server under `prefix`. Contains a private key. */
  adminKubeconfig(prefix?: string): string;
  /** Ends watches, finishes running requests and closes the port. */
  close(): Promise<void>;
}

/** What the listener asks of what it serves. */
export type ServedApi = Pick<ApiServer, "name" | "handle" | "checkToken" | "publishCa"> &
  Partial<Pick<ApiServer, "passesThrough">>;

/** Servers by path prefix: `""` for the root, `/clusters/a`. Read at every request, so servers may come and go. */
export type ServersByPrefix = ReadonlyMap<string, ServedApi>;

type Headers = Http2ServerRequest["headers"];

interface Found {
  readonly server: ServedApi;
  /** The path as the server knows it. */
  readonly path: string;
}

/** What both versions of HTTP tell of a request. */
type Received = Http2ServerRequest | IncomingMessage;

const COMPRESS_FROM_BYTES = 131_072;
const SESSION_MEMORY_MB = 1024;
const CLOSE_GRACE_MS = 2000;
const DISCARD_MS = 5000;
const FLOW_IDS = {
  "x-kubernetes-pf-flowschema-uid": "00000000-0000-4000-8000-000000000001",
  "x-kubernetes-pf-prioritylevel-uid": "00000000-0000-4000-8000-000000000002",
};
const compress = promisify(gzip);

/** Opens the port and serves `servers` until closed. */
export async function listen(servers: ServedApi | ServersByPrefix, options: ListenOptions): Promise<Listener> {
  const byPrefix = servers instanceof Map ? servers : new Map([["", servers as ServedApi]]);
  const { host, directory, clock } = options;
  const local = ["localhost", "127.0.0.1", "::1", "kubernetes", "kubernetes.default", "kubernetes.default.svc"];
  const isWildcard = host === "0.0.0.0" || host === "::";
  const names = [...new Set([...local, ...(isWildcard ? [] : [host]), ...(options.hostnames ?? [])])];
  const certificates = await ensureCertificates(directory, names, clock);
  for (const server of byPrefix.values()) server.publishCa(certificates.caPem);

  const port = new Port(byPrefix, options, certificates.caPem);
  const server = createSecureServer(
    {
      key: certificates.server.key,
      cert: certificates.server.certificate,
      ca: certificates.caPem,
      allowHTTP1: true,
      requestCert: true,
      rejectUnauthorized: false,
      minVersion: "TLSv1.2",
      // Node refuses new streams of a connection that holds more than this; one large list exceeds the default of 10.
      maxSessionMemory: SESSION_MEMORY_MB,
      settings: { maxConcurrentStreams: 1000, initialWindowSize: 1_048_576 },
    },
    (request, response) => void port.serve(request, response),
  );
  await port.open(server);
  const { port: number } = server.address() as AddressInfo;
  const shown = isWildcard ? "127.0.0.1" : host;
  const url = `https://${shown.includes(":") ? `[${shown}]` : shown}:${number}`;
  return {
    url,
    port: number,
    caPem: certificates.caPem,
    adminKubeconfig: (prefix = "") =>
      formatKubeconfig([
        {
          name: prefix === "" ? (byPrefix.get("")?.name ?? "flaghoist") : prefix.slice(prefix.lastIndexOf("/") + 1),
          server: `${url}${prefix}`,
          caPem: certificates.caPem,
          credentials: certificates.admin,
        },
      ]),
    close: () => port.close(),
  };
}

class Port {
  readonly #servers: ServersByPrefix;
  readonly #options: ListenOptions;
  readonly #caPem: string;
  /** Servers that publish the authority. */
  readonly #known = new WeakSet<ServedApi>();
  readonly #closing = new AbortController();
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #sockets = new Set<Socket>();
  readonly #frontProxy: FrontProxyTrust | undefined;
  #server: Http2SecureServer | undefined;

  constructor(servers: ServersByPrefix, options: ListenOptions, caPem: string) {
    this.#servers = servers;
    this.#options = options;
    this.#caPem = caPem;
    const { requestHeader, clock } = options;
    this.#frontProxy = requestHeader === undefined ? undefined : new FrontProxyTrust(requestHeader, () => clock.now());
    for (const server of servers.values()) this.#known.add(server);
  }

  open(server: Http2SecureServer): Promise<void> {
    this.#server = server;
    server.on("session", (session) => {
      this.#sessions.add(session);
      session.on("close", () => this.#sessions.delete(session));
    });
    server.on("secureConnection", (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
    // The library decides by this property, which its types leave out.
    Object.assign(server, { shouldUpgradeCallback: (request: IncomingMessage) => this.#passesThrough(request) });
    server.on("upgrade", (request, socket, head) => void this.upgrade(request, socket, head));
    server.on("sessionError", (error) => this.#options.logger.debug("lost a connection", { error: messageOf(error) }));
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.#options.port, this.#options.host, () => {
        server.off("error", reject);
        resolve();
      });
    });
  }

  async close(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    this.#closing.abort();
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const session of this.#sessions) session.close();
    // Idle HTTP/1.1 connections and clients that do not read would hold the port open.
    const timer = setTimeout(
      () => {
        for (const socket of this.#sockets) socket.destroy();
      },
      this.#sessions.size === 0 ? 50 : CLOSE_GRACE_MS,
    );
    await closed;
    clearTimeout(timer);
  }

  async serve(request: Http2ServerRequest, response: Http2ServerResponse): Promise<void> {
    const abort = new AbortController();
    const end = (): void => abort.abort();
    response.on("close", end);
    response.on("error", end);
    request.on("error", end);
    const common = { "audit-id": auditId(request.headers), ...FLOW_IDS };
    try {
      const answer = await this.#answer(request, AbortSignal.any([abort.signal, this.#closing.signal]));
      await this.#send(request, response, answer, common, abort.signal);
      if (request.method !== "GET" && request.method !== "HEAD" && !request.readableEnded) discardRest(request);
    } catch (error) {
      if (!abort.signal.aborted) this.#options.logger.warn("failed to send an answer", { error: messageOf(error) });
      response.destroy();
    }
  }

  /** Answers a request that asks for the connection itself. */
  async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const abort = new AbortController();
    const end = (): void => abort.abort();
    socket.on("error", end);
    socket.on("close", end);
    const signal = AbortSignal.any([abort.signal, this.#closing.signal]);
    try {
      const answer = await this.#answer(request, signal, true);
      const common = { "audit-id": auditId(request.headers), ...FLOW_IDS };
      if (abort.signal.aborted) answer.tunnel?.destroy();
      else await answerUpgrade(socket, head, answer, common);
    } catch (error) {
      if (!signal.aborted) this.#options.logger.warn("failed to send an answer", { error: messageOf(error) });
      socket.destroy();
    }
  }

  #passesThrough(request: IncomingMessage): boolean {
    const found = this.#find(request.url ?? "/");
    return found?.server.passesThrough?.(found.path) === true;
  }

  async #answer(request: Received, signal: AbortSignal, canUpgrade = false): Promise<ApiResponse> {
    try {
      const found = this.#find(request.url ?? "/");
      if (found === undefined) return jsonResponse(404, failureStatus(404, "NotFound", "no server has this path", {}));
      if (!this.#known.has(found.server)) {
        this.#known.add(found.server);
        found.server.publishCa(this.#caPem);
      }
      const user = this.#userOf(request, found.server);
      const call: ApiRequest = {
        method: request.method ?? "GET",
        path: found.path,
        headers: plainHeaders(request.headers),
        user,
        signal,
        ...(canUpgrade ? { canUpgrade } : await this.#bodyOf(request, found)),
      };
      return await found.server.handle(call);
    } catch (error) {
      if (error instanceof StatusError) return jsonResponse(error.code, error.status, error.headers);
      throw error;
    }
  }

  /** The body of a request that is passed on streams; others are read first. */
  async #bodyOf(request: Received, { server, path }: Found): Promise<Pick<ApiRequest, "body" | "stream">> {
    if (server.passesThrough?.(path) !== true) {
      const body = await readBody(request, this.#options.maxBodyBytes ?? MAX_BODY_BYTES);
      return body === undefined ? {} : { body };
    }
    const { headers } = request;
    const announced = headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
    const open = "stream" in request && request.httpVersionMajor === 2 && !request.stream.endAfterHeaders;
    // Whoever stops reading early still answers on the same connection.
    return announced || open ? { stream: request.iterator({ destroyOnReturn: false }) } : {};
  }

  #userOf(request: Received, server: ServedApi): UserInfo {
    // The compatibility layer hides methods of the socket for HTTP/2.
    const session = "stream" in request ? request.stream?.session : undefined;
    const socket = (session?.socket ?? request.socket) as TLSSocket;
    if (this.#options.identify !== undefined) return this.#options.identify(socket, request.rawHeaders);
    const proxied = this.#frontProxy?.userOf(socket, request.rawHeaders);
    if (proxied !== undefined) return proxied;
    return authenticate(
      socket,
      request.headers.authorization,
      (token) => this.#options.tokens?.(token) ?? server.checkToken(token),
    );
  }

  /** The server whose prefix the path has, and the rest of the path. */
  #find(path: string): Found | undefined {
    if (path.startsWith("/clusters/")) {
      const at = /^\/clusters\/[^/?]+/.exec(path)?.[0];
      const server = at === undefined ? undefined : this.#servers.get(at);
      if (server !== undefined) {
        const rest = path.slice(at!.length);
        return { server, path: rest.startsWith("/") ? rest : `/${rest}` };
      }
    }
    const root = this.#servers.get("");
    return root === undefined ? undefined : { server: root, path };
  }

  async #send(
    request: Http2ServerRequest,
    response: Http2ServerResponse,
    answer: ApiResponse,
    common: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<void> {
    if (answer.source !== undefined && request.method !== "HEAD") {
      // Lists are packed, watches are not: their events would wait for one another.
      const packs = answer.events === undefined && acceptsGzip(request);
      const encoding = packs ? { "content-encoding": "gzip", vary: "Accept-Encoding" } : {};
      response.writeHead(answer.status, { ...common, ...mutableHeaders(answer.headers), ...encoding });
      if ("flushHeaders" in response && typeof response.flushHeaders === "function") response.flushHeaders();
      await (packs ? sendPacked : sendSource)(response, answer.source, signal);
      return;
    }
    const { body } = answer;
    if (!(body instanceof Uint8Array)) {
      response.writeHead(answer.status, { ...common, ...mutableHeaders(answer.headers) });
      // HTTP/2 sends headers at once; HTTP/1.1 answers come through the same listener and wait for a body.
      if ("flushHeaders" in response && typeof response.flushHeaders === "function") response.flushHeaders();
      await sendStream(response, body, signal);
      return;
    }
    const packed = await this.#packed(request, body);
    response.writeHead(answer.status, {
      ...common,
      ...mutableHeaders(answer.headers),
      ...(packed === undefined ? {} : { "content-encoding": "gzip", vary: "Accept-Encoding" }),
      ...(answer.status === 304 ? {} : { "content-length": String((packed ?? body).byteLength) }),
    });
    if (request.method === "HEAD" || answer.status === 304) response.end();
    else await sendBytes(response, packed ?? body, signal);
  }

  async #packed(request: Http2ServerRequest, body: Uint8Array): Promise<Uint8Array | undefined> {
    if (body.byteLength < COMPRESS_FROM_BYTES) return undefined;
    return acceptsGzip(request) ? compress(body, { level: constants.Z_BEST_SPEED }) : undefined;
  }
}

function acceptsGzip(request: Http2ServerRequest): boolean {
  return /\bgzip\b/.test(String(request.headers["accept-encoding"] ?? ""));
}

/** Reads what is left of a body that was answered early, for a while: the client may not read before it has sent all. */
function discardRest(request: Received): void {
  const timer = setTimeout(() => request.destroy(), DISCARD_MS);
  request.once("close", () => clearTimeout(timer));
  request.once("end", () => clearTimeout(timer));
  request.resume();
}

async function readBody(request: Received, maxBytes: number): Promise<Buffer | undefined> {
  if (request.method === "GET" || request.method === "HEAD") return undefined;
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) throw requestTooLarge(maxBytes);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    // Chunks of a request without encoding are buffers.
    const bytes = chunk as Buffer;
    size += bytes.byteLength;
    if (size > maxBytes) throw requestTooLarge(maxBytes);
    chunks.push(bytes);
  }
  return chunks.length === 0 ? undefined : chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
}

function auditId(headers: Headers): string {
  const given = headers["audit-id"];
  return typeof given === "string" && given !== "" ? given : randomUUID();
}

/** Headers that handlers read; HTTP/2's own and credentials stay here. */
function plainHeaders(headers: Headers): Record<string, string> {
  const plain: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || name.startsWith(":") || name === "authorization") continue;
    plain[name] = typeof value === "string" ? value : value.join(", ");
  }
  const authority = headers[":authority"];
  if (plain["host"] === undefined && typeof authority === "string") plain["host"] = authority;
  return plain;
}

function mutableHeaders(headers: ApiResponse["headers"]): Record<string, string | string[]> {
  const result: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) result[name] = typeof value === "string" ? value : [...value];
  return result;
}
