// The connections of a listener: what they may cost, when idle ones go, and how all end.
import type { IncomingMessage } from "node:http";
import type { Http2SecureServer, Http2ServerRequest, Http2ServerResponse, ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";

/** Longest wait for a TLS handshake, and for the head of an HTTP/1.1 request (as the reference). */
export const HANDSHAKE_MS = 10_000;
export const HEAD_MS = 32_000;
/** As the reference: HTTP/2 connections without requests are closed after this. */
const IDLE_MS = 90_000;
const KEEP_ALIVE_MS = 30_000;
/** Streams of one HTTP/2 connection at a time. An informer-heavy client holds about 70. */
export const MOST_STREAMS = 1000;
/** HTTP/2 streams that a client may reset: this many at once, and this many a second after that. */
export const RESETS_AT_ONCE = 1000;
export const RESETS_A_SECOND = 33;

/** The library's servers have it for their HTTP/1.1 connections; its types leave it out. */
type ClosableServer = Http2SecureServer & { closeIdleConnections(): void };

export class Connections {
  readonly #server: ClosableServer;
  readonly #sessions = new Map<ServerHttp2Session, number>();
  readonly #sockets = new Set<Socket>();
  /** The connections below TLS, by the port of the other end. */
  readonly #raw = new Map<string, Socket>();
  readonly #requests = new Set<Http2ServerResponse>();
  #isClosing = false;

  constructor(server: Http2SecureServer) {
    // See ClosableServer.
    this.#server = server as ClosableServer;
    server.on("connection", (socket: Socket) => {
      const end = endOf(socket);
      this.#raw.set(end, socket);
      socket.once("close", () => this.#raw.delete(end));
    });
    server.on("session", (session) => this.#watchSession(session));
    server.on("secureConnection", (socket) => {
      this.#sockets.add(socket);
      // Finds peers that are gone while a watch has nothing to say.
      socket.setKeepAlive(true, KEEP_ALIVE_MS);
      socket.on("close", () => this.#sockets.delete(socket));
    });
  }

  #watchSession(session: ServerHttp2Session): void {
    this.#sessions.set(session, 0);
    session.on("close", () => this.#sessions.delete(session));
    session.on("stream", (stream) => {
      this.#sessions.set(session, (this.#sessions.get(session) ?? 0) + 1);
      stream.once("close", () => {
        const open = this.#sessions.get(session);
        if (open !== undefined) this.#sessions.set(session, open - 1);
      });
    });
    session.setTimeout(IDLE_MS, () => {
      if (this.#sessions.get(session) === 0) session.close();
    });
    // A connection that came while closing gets its GOAWAY too.
    if (this.#isClosing) session.close();
  }

  /** Ends a connection at once, as a machine does that knows nothing of it. */
  reset(socket: Socket): void {
    const raw = this.#raw.get(endOf(socket));
    // TLS itself knows no reset.
    if (raw === undefined) socket.destroy();
    else raw.resetAndDestroy();
  }

  /** Counts a request until its response is closed. */
  began(request: Http2ServerRequest | IncomingMessage, response: Http2ServerResponse): void {
    this.#requests.add(response);
    response.once("close", () => this.#requests.delete(response));
    // HTTP/1.1 has no GOAWAY: the answer says that it is the last one.
    if (this.#isClosing && request.httpVersionMajor === 1) response.setHeader("connection", "close");
  }

  /**
   * Takes no more connections, tells those that are there, and resolves when the last answer is sent, at the latest
   * after `graceMs`: `giveUp` is called then and what is left is cut off.
   */
  async close(graceMs: number, giveUp: () => void): Promise<void> {
    this.#isClosing = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const session of this.#sessions.keys()) session.close();
    this.#server.closeIdleConnections();
    // Answers that are being sent leave idle connections behind.
    for (const response of this.#requests)
      response.once("close", () => setImmediate(() => this.#server.closeIdleConnections()));
    const timer = setTimeout(() => {
      giveUp();
      for (const socket of this.#sockets) socket.destroy();
    }, graceMs);
    await closed;
    clearTimeout(timer);
  }
}

function endOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
