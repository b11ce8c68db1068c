// A client of one gRPC server: unary calls over one HTTP/2 connection that is kept, and made anew with back-off.
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
  type SecureClientSessionOptions,
} from "node:http2";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Clock } from "../../../runtime/clock.ts";
import { messageOf } from "../../../runtime/errors.ts";
import { FrameReader, frame } from "./frames.ts";
import { codeName, decodeMessage, formatTimeout, GRPC_CODES, type GrpcCode, GrpcError } from "./status.ts";

/** As other clients of gRPC: from one second up to two minutes. */
const FIRST_BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 120_000;
const BACKOFF_FACTOR = 1.6;
const CONNECT_TIMEOUT_MS = 5_000;
/** A server that leaves a call unanswered and this long a ping has lost its connection. */
const PING_TIMEOUT_MS = 5_000;
/** The limit of other clients of gRPC. */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

/** What TLS needs; absent files of a server without TLS. */
export type ChannelTls = Pick<SecureClientSessionOptions, "ca" | "cert" | "key" | "rejectUnauthorized">;

export interface ChannelOptions {
  /** Addresses `host:port` to try in turn, asked for at each connection. */
  readonly resolve: (signal: AbortSignal) => Promise<readonly string[]>;
  /** Asked for at each connection, so that renewed certificates count; undefined: without TLS. */
  readonly tls: () => ChannelTls | undefined;
  readonly clock: Clock;
}

export interface CallOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly metadata?: Readonly<Record<string, string>>;
}

export class GrpcChannel {
  readonly #options: ChannelOptions;
  readonly #closing = new AbortController();
  #session: ClientHttp2Session | undefined;
  #connecting: Promise<ClientHttp2Session> | undefined;
  #backoffMs = 0;
  #notBefore = 0;
  /** Why there is no connection; undefined before the first attempt and while there is one. */
  failure: string | undefined;

  constructor(options: ChannelOptions) {
    this.#options = options;
  }

  /** Whether a connection stands. */
  get isConnected(): boolean {
    return this.#session !== undefined;
  }

  /** Makes the connection if there is none and it is time. Rejects with `GrpcError`. */
  async connect(): Promise<void> {
    await this.#connected();
  }

  /** One call of `path` (`/package.Service/Method`). Rejects with `GrpcError`. */
  async unary(path: string, request: Uint8Array, options: CallOptions): Promise<Uint8Array> {
    const timeout = new AbortController();
    const timer = this.#options.clock.after(options.timeoutMs, () =>
      timeout.abort(new GrpcError("DEADLINE_EXCEEDED", `no answer within ${options.timeoutMs} ms`)),
    );
    const ended = AbortSignal.any([
      timeout.signal,
      this.#closing.signal,
      ...(options.signal === undefined ? [] : [options.signal]),
    ]);
    try {
      const session = await abortable(this.#connected(), ended);
      return await abortable(call(session, path, request, options, ended), ended);
    } catch (error) {
      if (timeout.signal.aborted) this.#probe();
      throw error instanceof GrpcError ? error : new GrpcError("CANCELLED", messageOf(error), error);
    } finally {
      timer.cancel();
    }
  }

  close(): void {
    this.#closing.abort(new GrpcError("CANCELLED", "the connection was closed"));
    this.#session?.destroy();
    this.#session = undefined;
  }

  async #connected(): Promise<ClientHttp2Session> {
    if (this.#session !== undefined) return this.#session;
    const { clock } = this.#options;
    if (this.#connecting === undefined) {
      if (clock.now() < this.#notBefore) throw new GrpcError("UNAVAILABLE", this.failure ?? "there is no connection");
      this.#connecting = this.#connectToAny().finally(() => {
        this.#connecting = undefined;
      });
    }
    return this.#connecting;
  }

  async #connectToAny(): Promise<ClientHttp2Session> {
    const { clock, resolve, tls } = this.#options;
    const failures: string[] = [];
    try {
      for (const address of await resolve(this.#closing.signal)) {
        try {
          const session = await openSession(address, tls(), clock, this.#closing.signal);
          this.#adopt(session);
          return session;
        } catch (error) {
          failures.push(`${address}: ${messageOf(error)}`);
        }
      }
    } catch (error) {
      failures.push(messageOf(error));
    }
    this.failure = failures.length === 0 ? "there is no address" : failures.join("; ");
    this.#backoffMs = Math.min(MAX_BACKOFF_MS, Math.max(FIRST_BACKOFF_MS, this.#backoffMs * BACKOFF_FACTOR));
    this.#notBefore = clock.now() + this.#backoffMs;
    throw new GrpcError("UNAVAILABLE", this.failure);
  }

  #adopt(session: ClientHttp2Session): void {
    this.#session = session;
    this.failure = undefined;
    this.#backoffMs = 0;
    const forget = (): void => {
      if (this.#session === session) this.#session = undefined;
    };
    session.once("close", forget);
    // A server that is going away answers what it has, and takes no more.
    session.once("goaway", forget);
    // Calls have heard of it through their streams.
    session.on("error", forget);
  }

  /** Whether a connection is dead shows only when somebody asks. */
  #probe(): void {
    const session = this.#session;
    if (session === undefined || session.destroyed) return;
    const timer = this.#options.clock.after(PING_TIMEOUT_MS, () => session.destroy());
    session.ping((error) => {
      timer.cancel();
      if (error !== null) session.destroy();
    });
  }
}

async function openSession(
  address: string,
  tls: ChannelTls | undefined,
  clock: Clock,
  signal: AbortSignal,
): Promise<ClientHttp2Session> {
  const socket = openSocket(address, tls);
  const session = connect(`${tls === undefined ? "http" : "https"}://${address}`, {
    createConnection: () => socket,
    settings: { enablePush: false },
  });
  // A server that refuses our certificate says so when the session already counts as connected, which then hears nothing.
  socket.once("close", () => session.destroy());
  return new Promise((resolve, reject) => {
    const timer = clock.after(CONNECT_TIMEOUT_MS, () =>
      fail(new Error(`no connection within ${CONNECT_TIMEOUT_MS} ms`)),
    );
    function fail(error: Error): void {
      settle();
      session.on("error", () => {});
      session.destroy();
      reject(error);
    }
    function onAbort(): void {
      fail(new Error("the connection was closed"));
    }
    function onClose(): void {
      fail(new Error("the server ended the connection"));
    }
    function settle(): void {
      timer.cancel();
      signal.removeEventListener("abort", onAbort);
      for (const emitter of [session, socket]) emitter.off("error", fail).off("close", onClose);
    }
    signal.addEventListener("abort", onAbort, { once: true });
    for (const emitter of [session, socket]) emitter.once("error", fail).once("close", onClose);
    // The first settings prove that the other side speaks HTTP/2.
    session.once("remoteSettings", () => {
      settle();
      session.unref();
      resolve(session);
    });
  });
}

function openSocket(address: string, tls: ChannelTls | undefined): Socket {
  const { hostname, port } = new URL(`http://${address}`);
  const host = hostname.replace(/^\[|\]$/g, "");
  const where = { host, port: port === "" ? 80 : Number(port) };
  if (tls === undefined) return connectTcp(where);
  return connectTls({ ...where, ...tls, ALPNProtocols: ["h2"], ...(isIP(host) === 0 ? { servername: host } : {}) });
}

function call(
  session: ClientHttp2Session,
  path: string,
  request: Uint8Array,
  options: CallOptions,
  signal: AbortSignal,
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    let stream: ClientHttp2Stream;
    try {
      stream = session.request({
        [constants.HTTP2_HEADER_METHOD]: "POST",
        [constants.HTTP2_HEADER_PATH]: path,
        "content-type": "application/grpc",
        te: "trailers",
        "user-agent": "flaghoist",
        "grpc-timeout": formatTimeout(options.timeoutMs),
        ...options.metadata,
      });
    } catch (error) {
      reject(new GrpcError("UNAVAILABLE", messageOf(error), error));
      return;
    }
    const reader = new FrameReader(MAX_MESSAGE_BYTES);
    let head: IncomingHttpHeaders = {};
    let trailers: IncomingHttpHeaders = {};
    function stop(error: unknown): void {
      signal.removeEventListener("abort", onAbort);
      stream.close(constants.NGHTTP2_CANCEL);
      reject(error);
    }
    function onAbort(): void {
      stop(signal.reason);
    }
    signal.addEventListener("abort", onAbort, { once: true });
    stream.once("response", (headers) => {
      head = headers;
      if (!isGrpc(headers)) stop(withoutStatus(headers));
    });
    stream.once("trailers", (headers) => {
      trailers = headers;
    });
    stream.on("data", (part: Buffer) => {
      try {
        reader.add(part);
      } catch (error) {
        stop(error);
      }
    });
    stream.once("error", (error) => stop(new GrpcError("UNAVAILABLE", messageOf(error), error)));
    stream.once("close", () => {
      signal.removeEventListener("abort", onAbort);
      try {
        resolve(readAnswer(head, trailers, reader));
      } catch (error) {
        reject(error);
      }
    });
    stream.end(frame(request));
  });
}

function isGrpc(head: IncomingHttpHeaders): boolean {
  return Number(head[":status"]) === 200 && String(head["content-type"]).startsWith("application/grpc");
}

function readAnswer(head: IncomingHttpHeaders, trailers: IncomingHttpHeaders, reader: FrameReader): Uint8Array {
  // An answer without a message has its status where others have their headers.
  const status = trailers["grpc-status"] ?? head["grpc-status"];
  if (status === undefined) throw withoutStatus(head);
  const code: GrpcCode = codeName(Number(status));
  if (Number(status) !== GRPC_CODES.OK) {
    const message = String(trailers["grpc-message"] ?? head["grpc-message"] ?? "");
    throw new GrpcError(code, decodeMessage(message) || `the call failed with status ${String(status)}`);
  }
  const message = reader.finish();
  if (message === undefined) throw new GrpcError("INTERNAL", "the answer has no message");
  return message;
}

function withoutStatus(head: IncomingHttpHeaders): GrpcError {
  const status = Number(head[":status"] ?? 0);
  if (status === 0) return new GrpcError("UNAVAILABLE", "the connection ended before the answer");
  if (status === 200) return new GrpcError("UNKNOWN", "the answer is none of gRPC, or was cut short");
  const code: GrpcCode = status === 401 ? "UNAUTHENTICATED" : status === 404 ? "UNIMPLEMENTED" : "UNAVAILABLE";
  return new GrpcError(code, `the server answered with HTTP status ${status}`);
}

/** `promise`, or the reason of `signal` as soon as that aborts. */
function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) {
    promise.catch(() => {});
    return Promise.reject(signal.reason);
  }
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
