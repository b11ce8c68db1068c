// Serves API servers over TLS: HTTP/2 and HTTP/1.1 on one port, several servers under path prefixes.
import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import {
  createSecureServer,
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  constants as http2,
} from "node:http2";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { isUnreachable } from "../../../kube/client/status-error.ts";
import type { ApiRequest, ApiResponse, UserInfo } from "../../../kube/client/transport.ts";
import type { Clock } from "../../../runtime/clock.ts";
import { messageOf } from "../../../runtime/errors.ts";
import type { Logger } from "../../../runtime/logger.ts";
import { jsonResponse } from "../handlers/answers.ts";
import { failureStatus, StatusError } from "../registry/status-error.ts";
import { MAX_BODY_BYTES } from "../request/body.ts";
import type { ApiServer } from "../server.ts";
import { authenticate, type TokenCheck } from "./authentication.ts";
import type { KeyPair } from "./certificate-signing.ts";
import { type CertificateSet, ensureCertificates } from "./certificates.ts";
import { Connections, HANDSHAKE_MS, HEAD_MS, MOST_STREAMS, RESETS_A_SECOND, RESETS_AT_ONCE } from "./connections.ts";
import { FrontProxyTrust, type RequestHeaderOptions } from "./front-proxy.ts";
import { formatKubeconfig } from "./kubeconfig.ts";
import { BodyReader, discardRest } from "./request-body.ts";
import { sendAnswer } from "./send-answer.ts";
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
  /** Longest wait for the head and for the body of a request, in milliseconds. */
  readonly headMs?: number;
  readonly bodyMs?: number;
  /** Further names and addresses under which clients reach the listener. */
  readonly hostnames?: readonly string[];
  /** Users of bearer tokens, beside those that each server knows. */
  readonly tokens?: TokenCheck;
  /** Whether requests without credentials are let in as `system:anonymous`. Default true. */
  readonly anonymous?: boolean;
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
  /** Makes a client certificate for a user and its groups, which the listener takes. */
  issue(name: string, groups: readonly string[]): Promise<KeyPair>;
  /** Ends watches, finishes running requests and closes the port. */
  close(): Promise<void>;
}

/** What the listener asks of what it serves. */
export type ServedApi = Pick<ApiServer, "name" | "handle" | "checkToken" | "publishCa"> &
  Partial<Pick<ApiServer, "passesThrough" | "reject" | "drain">>;

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

const SESSION_MEMORY_MB = 1024;
/** Answers that are being made get this long when the listener closes. */
const CLOSE_GRACE_MS = 10_000;
const CHECK_MS = 1000;
const FLOW_IDS = {
  "x-kubernetes-pf-flowschema-uid": "00000000-0000-4000-8000-000000000001",
  "x-kubernetes-pf-prioritylevel-uid": "00000000-0000-4000-8000-000000000002",
};

/** Opens the port and serves `servers` until closed. */
export async function listen(servers: ServedApi | ServersByPrefix, options: ListenOptions): Promise<Listener> {
  const byPrefix = servers instanceof Map ? servers : new Map([["", servers as ServedApi]]);
  const { host, directory, clock } = options;
  const local = ["localhost", "127.0.0.1", "::1", "kubernetes", "kubernetes.default", "kubernetes.default.svc"];
  const isWildcard = host === "0.0.0.0" || host === "::";
  const names = [...new Set([...local, ...(isWildcard ? [] : [host]), ...(options.hostnames ?? [])])];
  const certificates = await ensureCertificates(directory, names, clock);
  for (const server of byPrefix.values())
    server.publishCa(certificates.caPem, certificates.frontProxy, certificates.sign);

  const port = new Port(byPrefix, options, certificates);
  const server = createSecureServer(
    {
      key: certificates.server.key,
      cert: certificates.server.certificate,
      ca: certificates.caPem,
      allowHTTP1: true,
      // An answer in parts must not wait for the client to confirm the first of them (40 ms and more).
      noDelay: true,
      requestCert: true,
      rejectUnauthorized: false,
      minVersion: "TLSv1.2",
      // Node refuses new streams of a connection that holds more than this; one large list exceeds the default of 10.
      maxSessionMemory: SESSION_MEMORY_MB,
      settings: { maxConcurrentStreams: MOST_STREAMS, initialWindowSize: 1_048_576 },
      handshakeTimeout: HANDSHAKE_MS,
      streamResetBurst: RESETS_AT_ONCE,
      streamResetRate: RESETS_A_SECOND,
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
    issue: certificates.issue,
    close: () => port.close(),
  };
}

/** Made once: a reason of its own for each request would cost more than most answers. */
const GONE = new DOMException("the client is gone, or the port closes", "AbortError");

class Port {
  readonly #servers: ServersByPrefix;
  readonly #options: ListenOptions;
  readonly #certificates: CertificateSet;
  /** Servers that publish the authority. */
  readonly #known = new WeakSet<ServedApi>();
  /** Watches say what they have to say and end. */
  readonly #closing = new AbortController();
  readonly #frontProxy: FrontProxyTrust | undefined;
  /** What still runs is given up. */
  readonly #ending = new AbortController();
  readonly #bodies: BodyReader;
  #connections: Connections | undefined;
  readonly #asking = new Set<AbortController>();

  constructor(servers: ServersByPrefix, options: ListenOptions, certificates: CertificateSet) {
    this.#servers = servers;
    this.#options = options;
    this.#certificates = certificates;
    const { requestHeader, clock } = options;
    this.#frontProxy = requestHeader === undefined ? undefined : new FrontProxyTrust(requestHeader, () => clock.now());
    this.#bodies = new BodyReader(options.maxBodyBytes ?? MAX_BODY_BYTES, options.bodyMs);
    for (const server of servers.values()) this.#known.add(server);
  }

  open(server: Http2SecureServer): Promise<void> {
    this.#connections = new Connections(server);
    // The library goes by these properties, which its types leave out.
    Object.assign(server, {
      shouldUpgradeCallback: (request: IncomingMessage) => this.#passesThrough(request),
      headersTimeout: this.#options.headMs ?? HEAD_MS,
      connectionsCheckingInterval: CHECK_MS,
    });
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
    const connections = this.#connections;
    if (connections === undefined) return;
    this.#connections = undefined;
    this.#closing.abort();
    await connections.close(CLOSE_GRACE_MS, () => {
      this.#ending.abort();
      for (const asking of this.#asking) asking.abort(GONE);
    });
  }

  async serve(request: Http2ServerRequest, response: Http2ServerResponse): Promise<void> {
    // The handler hears of the closing of the port too, the sending of its answer does not.
    const asking = new AbortController();
    const abort = new AbortController();
    const end = (): void => {
      asking.abort(GONE);
      abort.abort(GONE);
    };
    response.on("close", end);
    response.on("error", end);
    request.on("error", end);
    this.#connections?.began(request, response);
    const common = { "audit-id": auditId(request.headers), ...FLOW_IDS };
    this.#asking.add(asking);
    if (this.#ending.signal.aborted) asking.abort(GONE);
    try {
      const answer = await this.#answer(request, asking.signal, common["audit-id"]);
      await sendAnswer(request, response, answer, { common, signal: abort.signal, closing: this.#closing.signal });
      if (request.method !== "GET" && request.method !== "HEAD" && !request.readableEnded) discardRest(request);
    } catch (error) {
      if (isUnreachable(error)) this.#leaveUnanswered(request, response);
      else {
        if (!abort.signal.aborted) this.#options.logger.warn("failed to send an answer", { error: messageOf(error) });
        response.destroy();
      }
    } finally {
      this.#asking.delete(asking);
    }
  }

  /**
   * What stands behind a path does not answer, as simulated clusters do that are down. Clients in Go ask again ten times
   * when a connection is reset; over HTTP/2 the stream alone is, which they take as they take a refused connection.
   */
  #leaveUnanswered(request: Received, response: Http2ServerResponse): void {
    if (request.httpVersionMajor === 1) this.#connections?.reset(socketOf(request));
    else response.stream.close(http2.NGHTTP2_INTERNAL_ERROR);
  }

  /** Answers a request that asks for the connection itself. */
  async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const abort = new AbortController();
    const end = (): void => abort.abort();
    socket.on("error", end);
    socket.on("close", end);
    // Nobody can tell the protocol beyond that it is to end.
    const signal = AbortSignal.any([abort.signal, this.#closing.signal]);
    const common = { "audit-id": auditId(request.headers), ...FLOW_IDS };
    try {
      const answer = await this.#answer(request, signal, common["audit-id"], true);
      if (abort.signal.aborted) answer.tunnel?.destroy();
      else await answerUpgrade(socket, head, answer, common);
    } catch (error) {
      if (!signal.aborted && !isUnreachable(error))
        this.#options.logger.warn("failed to send an answer", { error: messageOf(error) });
      socket.destroy();
    }
  }

  #passesThrough(request: IncomingMessage): boolean {
    const found = this.#find(request.url ?? "/");
    return found?.server.passesThrough?.(found.path) === true;
  }

  async #answer(request: Received, signal: AbortSignal, auditId: string, canUpgrade = false): Promise<ApiResponse> {
    try {
      const found = this.#find(request.url ?? "/");
      if (found === undefined) return jsonResponse(404, failureStatus(404, "NotFound", "no server has this path", {}));
      if (!this.#known.has(found.server)) {
        this.#known.add(found.server);
        found.server.publishCa(this.#certificates.caPem, this.#certificates.frontProxy);
      }
      const call: ApiRequest = {
        method: request.method ?? "GET",
        path: found.path,
        headers: { ...plainHeaders(request.headers), "audit-id": auditId },
        peer: peerOf(request),
        signal,
        drain: this.#closing.signal,
      };
      let user: UserInfo;
      try {
        user = await this.#userOf(request, found.server);
      } catch (error) {
        if (found.server.reject === undefined) throw error;
        return found.server.reject(call, error);
      }
      const body = canUpgrade ? { canUpgrade } : await this.#bodyOf(request, found);
      return await found.server.handle({ ...call, user, ...body });
    } catch (error) {
      if (error instanceof StatusError) return jsonResponse(error.code, error.status, error.headers);
      throw error;
    }
  }

  /** The body of a request that is passed on streams; others are read first. */
  async #bodyOf(request: Received, { server, path }: Found): Promise<Pick<ApiRequest, "body" | "stream">> {
    if (server.passesThrough?.(path) !== true) {
      const body = await this.#bodies.read(request);
      return body === undefined ? {} : { body };
    }
    const { headers } = request;
    const announced = headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
    const open = "stream" in request && request.httpVersionMajor === 2 && !request.stream.endAfterHeaders;
    // Whoever stops reading early still answers on the same connection.
    return announced || open ? { stream: request.iterator({ destroyOnReturn: false }) } : {};
  }

  async #userOf(request: Received, server: ServedApi): Promise<UserInfo> {
    const socket = socketOf(request);
    if (this.#options.identify !== undefined) return this.#options.identify(socket, request.rawHeaders);
    const proxied = this.#frontProxy?.userOf(socket, request.rawHeaders);
    if (proxied !== undefined) return proxied;
    return authenticate(socket, request.headers.authorization, {
      checkToken: (token) => this.#options.tokens?.(token) ?? server.checkToken(token),
      anonymous: this.#options.anonymous ?? true,
    });
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
}

function socketOf(request: Received): TLSSocket {
  // The compatibility layer hides methods of the socket for HTTP/2.
  const session = "stream" in request ? request.stream?.session : undefined;
  return (session?.socket ?? request.socket) as TLSSocket;
}

/** The address of the other end; empty when the connection is gone already. */
function peerOf(request: Received): string {
  return (socketOf(request).remoteAddress ?? "").replace(/^::ffff:(?=\d+\.)/, "");
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
