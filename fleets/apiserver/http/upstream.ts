// Requests that this server passes on to another one: bodies stream both ways, and connections can be taken over.
// HTTP/1.1, because only that can be upgraded. Redirects are answers: nothing is followed.
import { Agent, type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest, type RequestOptions, Agent as TlsAgent } from "node:https";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import type { ApiResponse } from "../../../kube/client/transport.ts";
import { AppError, messageOf } from "../../../runtime/errors.ts";
import { forwardedResponseHeaders, type HeaderMap } from "./forwarded-headers.ts";

export interface UpstreamTls {
  /** PEM of the authorities to trust; the system's when absent. */
  readonly ca?: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  /** The name that the certificate must have, when it is not the host's. */
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
}

export interface UpstreamTarget {
  /** `https://host:port` or `http://host:port`; its path is not looked at. */
  readonly origin: URL;
  readonly tls: UpstreamTls;
  /** An HTTP proxy that connects to the origin (CONNECT), and what to tell it. */
  readonly proxy?: { readonly url: URL; readonly headers: HeaderMap };
}

export interface UpstreamRequest {
  readonly method: string;
  /** With query, escaped as it is to be sent. */
  readonly path: string;
  readonly headers: HeaderMap;
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array> | undefined;
  /** Length of a body that streams, when it is known. */
  readonly bodyLength?: number | undefined;
  /** Asks to take the connection over, in this protocol. */
  readonly upgrade?: string | undefined;
  /** Longest wait for the answer to begin once the body is sent; absent waits for ever. */
  readonly answerTimeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const CONNECT_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_MS = 30_000;
const IDLE_SOCKETS = 16;
const SAFE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/** One server that requests are passed on to. */
export class Upstream {
  readonly #target: UpstreamTarget;
  readonly #agent: Agent;

  constructor(target: UpstreamTarget) {
    this.#target = target;
    const options = { keepAlive: true, keepAliveMsecs: KEEP_ALIVE_MS, maxFreeSockets: IDLE_SOCKETS };
    if (target.proxy !== undefined) this.#agent = new TunnelAgent(target, options);
    else this.#agent = target.origin.protocol === "https:" ? new TlsAgent(options) : new Agent(options);
  }

  /**
   * The answer, as soon as its headers are there. Throws `upstream-unreachable` and `upstream-timeout`; a connection that
   * breaks later makes reading the body fail.
   */
  async send(request: UpstreamRequest): Promise<ApiResponse> {
    try {
      return await this.#attempt(request);
    } catch (error) {
      // The other side may have closed an idle connection just as it was taken for this request.
      if (!(error instanceof StaleConnection) || !SAFE_METHODS.has(request.method)) throw asAppError(error);
      try {
        return await this.#attempt(request);
      } catch (again) {
        throw asAppError(again);
      }
    }
  }

  /** Keeps no connection any longer than its request lasts. */
  retire(): void {
    this.#agent.maxFreeSockets = 0;
    for (const sockets of Object.values(this.#agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
  }

  /** Ends all requests. Tunnels belong to their callers. */
  destroy(): void {
    this.#agent.destroy();
  }

  #attempt(request: UpstreamRequest): Promise<ApiResponse> {
    const { origin, tls } = this.#target;
    const secure = origin.protocol === "https:";
    const { body, upgrade } = request;
    const headers = mutable(request.headers);
    if (upgrade !== undefined) Object.assign(headers, { connection: "Upgrade", upgrade });
    if (body !== undefined) {
      const length = lengthOf(body, request.bodyLength);
      // Always said: for some methods Node sends a body without telling where it ends.
      if (length === undefined) headers["transfer-encoding"] = "chunked";
      else headers["content-length"] = String(length);
    }
    const options: RequestOptions & { readonly strictContentLength: boolean } = {
      host: unbracketed(origin.hostname),
      port: origin.port === "" ? (secure ? 443 : 80) : Number(origin.port),
      method: request.method,
      path: request.path,
      headers,
      agent: this.#agent,
      // What the peer reads as the body is what was announced, or the connection ends.
      strictContentLength: true,
      ...(request.signal === undefined ? {} : { signal: request.signal }),
      ...(secure ? tls : {}),
    };
    return new Promise((resolve, reject) => {
      const sent = (secure ? httpsRequest : httpRequest)(options);
      const timers = new AnswerTimers(sent, request.answerTimeoutMs, origin);
      sent.on("error", (error) => {
        timers.stop();
        const stale = sent.reusedSocket && "code" in error && (error.code === "ECONNRESET" || error.code === "EPIPE");
        reject(stale ? new StaleConnection(error.message, { cause: error }) : error);
      });
      sent.on("response", (answer) => {
        timers.stop();
        resolve(answerOf(answer));
      });
      if (upgrade !== undefined) {
        sent.on("upgrade", (answer, socket, head) => {
          timers.stop();
          resolve(tunnelOf(answer, socket, head));
        });
      }
      writeBody(sent, body).catch((error: unknown) => sent.destroy(error instanceof Error ? error : undefined));
    });
  }
}

class StaleConnection extends Error {}

/** Ends a request whose connection or answer is too long in coming. The answer has its time once the body is sent. */
class AnswerTimers {
  readonly #connecting: NodeJS.Timeout;
  #answering: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(sent: ClientRequest, answerTimeoutMs: number | undefined, origin: URL) {
    const expire = (what: string, ms: number): NodeJS.Timeout =>
      setTimeout(() => sent.destroy(timeout(`${origin.host} ${what} within ${ms / 1000} s`)), ms);
    this.#connecting = expire("took no connection", CONNECT_TIMEOUT_MS);
    sent.on("socket", (socket) => {
      const done = (): void => clearTimeout(this.#connecting);
      if (!socket.connecting && !("secureConnecting" in socket && socket.secureConnecting === true)) done();
      else socket.once("encrypted" in socket ? "secureConnect" : "connect", done);
    });
    if (answerTimeoutMs === undefined) return;
    sent.once("finish", () => {
      if (!this.#stopped) this.#answering = expire("began no answer", answerTimeoutMs);
    });
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#connecting);
    clearTimeout(this.#answering);
  }
}

function timeout(message: string): AppError {
  return new AppError("upstream-timeout", message, { recovery: "retry" });
}

function asAppError(error: unknown): unknown {
  if (error instanceof AppError || (error instanceof Error && error.name === "AbortError")) return error;
  return new AppError("upstream-unreachable", messageOf(error), { recovery: "retry", cause: error });
}

function mutable(headers: HeaderMap): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, typeof value === "string" ? value : [...value]]),
  );
}

function lengthOf(body: NonNullable<UpstreamRequest["body"]>, known: number | undefined): number | undefined {
  if (typeof body === "string") return Buffer.byteLength(body);
  return body instanceof Uint8Array ? body.byteLength : known;
}

async function writeBody(sent: ClientRequest, body: UpstreamRequest["body"]): Promise<void> {
  if (body === undefined || typeof body === "string" || body instanceof Uint8Array) {
    // As bytes: with a text as the body, Node encodes the headers along with it.
    sent.end(typeof body === "string" ? Buffer.from(body) : body);
    return;
  }
  for await (const chunk of body) {
    // The peer has answered and closed: it does not want the rest.
    if (sent.destroyed) return;
    if (!sent.write(chunk)) await writable(sent);
  }
  sent.end();
}

function writable(sent: ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      sent.off("drain", go);
      sent.off("close", go);
      resolve();
    };
    sent.on("drain", go);
    sent.on("close", go);
  });
}

function answerOf(answer: IncomingMessage): ApiResponse {
  return { status: answer.statusCode ?? 502, headers: forwardedResponseHeaders(answer.headers), body: answer };
}

function tunnelOf(answer: IncomingMessage, socket: Duplex, head: Buffer): ApiResponse {
  if (head.byteLength > 0) socket.unshift(head);
  // A session in a shell may be silent for hours.
  if ("setKeepAlive" in socket) (socket as Socket).setKeepAlive(true, KEEP_ALIVE_MS).setNoDelay(true).setTimeout(0);
  const headers = { ...forwardedResponseHeaders(answer.headers), upgrade: answer.headers.upgrade ?? "" };
  return { status: 101, headers, body: Buffer.alloc(0), tunnel: socket };
}

function unbracketed(host: string): string {
  return host.startsWith("[") ? host.slice(1, -1) : host;
}

/** Reaches the origin through an HTTP proxy. */
class TunnelAgent extends Agent {
  readonly #target: UpstreamTarget;

  constructor(target: UpstreamTarget, options: ConstructorParameters<typeof Agent>[0]) {
    super(options);
    this.#target = target;
    // What the agent takes for the scheme of its requests.
    Object.assign(this, { protocol: target.origin.protocol });
  }

  override createConnection(_options: unknown, callback?: (error: Error | null, socket: Duplex) => void): undefined {
    connectThrough(this.#target).then(
      (socket) => callback?.(null, socket),
      // On failure there is no socket, whatever the type says.
      (error: unknown) => callback?.(error as Error, undefined as unknown as Duplex),
    );
    return undefined;
  }
}

function connectThrough({ origin, tls, proxy }: UpstreamTarget): Promise<Duplex> {
  if (proxy === undefined) throw new Error("there is no proxy to connect through");
  const { url, headers } = proxy;
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    const message = `proxies of type ${url.protocol.slice(0, -1)} are not supported; use an http or https proxy`;
    return Promise.reject(new AppError("upstream-proxy-unsupported", message, { recovery: "stall" }));
  }
  const secure = origin.protocol === "https:";
  const authority = `${origin.hostname}:${origin.port === "" ? (secure ? 443 : 80) : origin.port}`;
  const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return new Promise((resolve, reject) => {
    const asked = (url.protocol === "https:" ? httpsRequest : httpRequest)({
      host: unbracketed(url.hostname),
      port: url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port),
      method: "CONNECT",
      path: authority,
      agent: false,
      headers: {
        host: authority,
        ...(credentials === ":"
          ? {}
          : { "proxy-authorization": `Basic ${Buffer.from(credentials).toString("base64")}` }),
        ...mutable(headers),
      },
    });
    asked.setTimeout(CONNECT_TIMEOUT_MS, () => asked.destroy(timeout(`the proxy ${url.host} did not connect`)));
    asked.on("error", reject);
    asked.on("response", (answer) => {
      asked.destroy();
      reject(new Error(`the proxy ${url.host} refuses to connect to ${authority}: status ${answer.statusCode}`));
    });
    asked.on("connect", (answer, socket) => {
      if (answer.statusCode !== 200) {
        socket.destroy();
        reject(new Error(`the proxy ${url.host} refuses to connect to ${authority}: status ${answer.statusCode}`));
        return;
      }
      (socket as Socket).setTimeout(0).setNoDelay(true);
      if (!secure) {
        resolve(socket);
        return;
      }
      const host = unbracketed(origin.hostname);
      const servername = tls.servername ?? (/^[\d.]+$|:/.test(host) ? undefined : host);
      resolve(connectTls({ socket, host, ...tls, ...(servername === undefined ? {} : { servername }) }));
    });
    asked.end();
  });
}
