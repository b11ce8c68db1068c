// A gRPC server: unary calls over HTTP/2, with TLS or without.
import {
  constants,
  createSecureServer,
  createServer,
  type Http2SecureServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { AddressInfo } from "node:net";
import type { SecureContextOptions } from "node:tls";
import type { Clock } from "../../../runtime/clock.ts";
import { messageOf } from "../../../runtime/errors.ts";
import type { Logger } from "../../../runtime/logger.ts";
import { FrameReader, frame } from "./frames.ts";
import { encodeMessage, GRPC_CODES, GrpcError, parseTimeout } from "./status.ts";

/** The limit of other servers of gRPC. */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;
const MOST_STREAMS = 1_000;
/** How long a request may take to arrive when its caller sets no limit. */
const LONGEST_CALL_MS = 60_000;

/** How long the rest of a request may go on coming that is answered already. */
const REST_MS = 5_000;

export interface GrpcCall {
  /** Aborts when the caller gives up or its time is over. */
  readonly signal: AbortSignal;
  readonly metadata: IncomingHttpHeaders;
}

/** Answers one method. What it throws is the caller's answer: a `GrpcError` as it is, others as UNKNOWN. */
export type GrpcMethod = (request: Uint8Array, call: GrpcCall) => Promise<Uint8Array>;

export interface ServerTls extends Pick<SecureContextOptions, "cert" | "key"> {
  /** Authorities of clients' certificates; with it, clients must have one. */
  readonly clientCa?: string | Buffer | undefined;
}

export interface GrpcServerOptions {
  readonly host: string;
  /** 0 takes any. */
  readonly port: number;
  readonly tls?: ServerTls | undefined;
  /** By path: `/package.Service/Method`. */
  readonly methods: ReadonlyMap<string, GrpcMethod>;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface GrpcServer {
  readonly port: number;
  /** Lets calls end that run, for a moment, and closes. */
  close(): Promise<void>;
}

/** Resolves when the server listens; rejects when it cannot. */
export async function startGrpcServer(options: GrpcServerOptions): Promise<GrpcServer> {
  const { host, port, tls, clock, logger } = options;
  const settings = { maxConcurrentStreams: MOST_STREAMS };
  const server: Http2Server | Http2SecureServer =
    tls === undefined
      ? createServer({ settings })
      : createSecureServer({
          settings,
          cert: tls.cert,
          key: tls.key,
          allowHTTP1: false,
          // As Karmada's estimators.
          minVersion: "TLSv1.3",
          ...(tls.clientCa === undefined ? {} : { ca: tls.clientCa, requestCert: true, rejectUnauthorized: true }),
        });
  const sessions = new Set<ServerHttp2Session>();
  server.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
    session.on("error", (error) => logger.debug("connection failed", { error: messageOf(error) }));
  });
  server.on("tlsClientError", (error) => logger.debug("connection refused", { error: messageOf(error) }));
  server.on("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    stream.on("error", (error) => logger.debug("call was cut", { error: messageOf(error) }));
    void answer(stream, headers, options);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  return {
    // A listening server on TCP has such an address.
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const session of sessions) session.close();
      const timer = clock.after(1_000, () => {
        for (const session of sessions) session.destroy();
      });
      await closed;
      timer.cancel();
    },
  };
}

async function answer(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  options: GrpcServerOptions,
): Promise<void> {
  const { clock, methods, logger } = options;
  const path = String(headers[":path"]);
  if (headers[":method"] !== "POST" || !String(headers["content-type"]).startsWith("application/grpc")) {
    stream.respond({ ":status": headers[":method"] === "POST" ? 415 : 405 }, { endStream: true });
    return;
  }
  const ended = new AbortController();
  stream.once("close", () => ended.abort(new GrpcError("CANCELLED", "the caller gave up")));
  const timer = clock.after(parseTimeout(headers["grpc-timeout"] as string | undefined) ?? LONGEST_CALL_MS, () =>
    ended.abort(new GrpcError("DEADLINE_EXCEEDED", "the time of the caller is over")),
  );
  try {
    const method = methods.get(path);
    if (method === undefined) throw new GrpcError("UNIMPLEMENTED", `there is no method ${path}`);
    const request = await readRequest(stream, ended.signal);
    const message = await method(request, { signal: ended.signal, metadata: headers });
    if (ended.signal.aborted) throw ended.signal.reason;
    sendMessage(stream, message);
  } catch (error) {
    const known = error instanceof GrpcError ? error : new GrpcError("UNKNOWN", messageOf(error), error);
    if (known.status === "UNKNOWN") logger.warn("call failed", { path, error: known.message });
    sendError(stream, known, clock);
  } finally {
    timer.cancel();
  }
}

function readRequest(stream: ServerHttp2Stream, signal: AbortSignal): Promise<Uint8Array> {
  const reader = new FrameReader(MAX_MESSAGE_BYTES);
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => {
      // What is still on its way is of no use.
      stream.resume();
      reject(error);
    };
    signal.addEventListener("abort", () => fail(signal.reason), { once: true });
    stream.on("data", (part: Buffer) => {
      try {
        reader.add(part);
      } catch (error) {
        stream.removeAllListeners("data");
        fail(error);
      }
    });
    stream.once("end", () => {
      try {
        const message = reader.finish();
        if (message === undefined) throw new GrpcError("INTERNAL", "the request has no message");
        resolve(message);
      } catch (error) {
        reject(error);
      }
    });
  });
}

const OK_HEADERS = { ":status": 200, "content-type": "application/grpc" };

function sendMessage(stream: ServerHttp2Stream, message: Uint8Array): void {
  if (stream.destroyed || stream.headersSent) return;
  stream.respond(OK_HEADERS, { waitForTrailers: true });
  stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": String(GRPC_CODES.OK) }));
  stream.end(frame(message));
}

function sendError(stream: ServerHttp2Stream, error: GrpcError, clock: Clock): void {
  if (stream.destroyed || stream.headersSent) return;
  const status = { "grpc-status": String(GRPC_CODES[error.status]), "grpc-message": encodeMessage(error.message) };
  stream.respond({ ...OK_HEADERS, ...status }, { endStream: true });
  if (stream.readableEnded) return;
  // Nobody reads the rest of the request. A stream that is closed at once would take the answer with it.
  stream.resume();
  const timer = clock.after(REST_MS, () => stream.close(constants.NGHTTP2_NO_ERROR));
  stream.once("close", () => timer.cancel());
}
