// The client that drives both servers alike.
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from "node:http2";
import { Pool } from "undici";
import type { CertificateSet } from "../../fleets/apiserver/http/certificates.ts";

/** Where a server listens and how to be its administrator. */
export interface Endpoint {
  readonly url: string;
  readonly certificates: CertificateSet;
}

export interface LoadOptions {
  readonly version: "1.1" | "2";
  readonly connections: number;
}

export interface LoadAnswer {
  readonly status: number;
  /** Size of the body. */
  readonly bytes: number;
  /** The body, when it was asked for. */
  readonly text: string;
}

/** Sends requests over HTTP/1.1 or HTTP/2 with the administrator's certificate. Bodies are counted and dropped. */
export class LoadClient {
  readonly #pool: Pool | undefined;
  readonly #sessions: ClientHttp2Session[] = [];
  readonly #connect: (() => ClientHttp2Session) | undefined;
  #next = 0;

  constructor(side: Endpoint, options: LoadOptions) {
    const { caPem: ca, admin } = side.certificates;
    const tls = { ca, cert: admin.certificate, key: admin.key };
    if (options.version === "1.1") {
      const timeouts = { headersTimeout: 600_000, bodyTimeout: 0 };
      this.#pool = new Pool(side.url, { connections: options.connections, connect: tls, allowH2: false, ...timeouts });
      return;
    }
    this.#connect = () => {
      const session = connect(side.url, { ...tls, settings: { initialWindowSize: 4_194_304 } });
      session.on("error", () => {});
      session.once("connect", () => session.setLocalWindowSize(16_777_216));
      return session;
    };
    for (let i = 0; i < options.connections; i++) this.#sessions.push(this.#connect());
  }

  async send(method: string, path: string, body?: string, type?: string, keep = false): Promise<LoadAnswer> {
    const headers = {
      accept: "application/json",
      ...(body === undefined ? {} : { "content-type": type ?? "application/json" }),
    };
    if (this.#pool === undefined) return this.#sendHttp2(method, path, headers, body, keep);
    const answer = await this.#pool.request({
      method: method as "GET",
      path,
      headers,
      ...(body === undefined ? {} : { body }),
    });
    if (keep) {
      const text = await answer.body.text();
      return { status: answer.statusCode, bytes: text.length, text };
    }
    let bytes = 0;
    for await (const chunk of answer.body) bytes += (chunk as Buffer).length;
    return { status: answer.statusCode, bytes, text: "" };
  }

  /** Opens a stream over HTTP/2; resolves when its headers have come. */
  stream(path: string, onData: (chunk: Buffer) => void): Promise<ClientHttp2Stream> {
    const stream = this.#session().request({ ":path": path, accept: "application/json" });
    stream.on("data", onData);
    stream.on("error", () => {});
    return new Promise((resolve, reject) => {
      stream.once("response", (headers) => {
        if (headers[":status"] === 200) resolve(stream);
        else reject(new Error(`a watch was answered with ${headers[":status"]}`));
      });
      stream.once("close", () => reject(new Error("a watch was refused")));
    });
  }

  async close(): Promise<void> {
    await this.#pool?.destroy();
    for (const session of this.#sessions) session.destroy();
  }

  #session(): ClientHttp2Session {
    const at = this.#next++ % Math.max(1, this.#sessions.length);
    const session = this.#sessions[at];
    if (session === undefined || this.#connect === undefined) throw new Error("this client speaks HTTP/1.1 only");
    if (!session.closed && !session.destroyed) return session;
    // Servers close connections that were idle for long, as while the other side was measured.
    const renewed = this.#connect();
    this.#sessions[at] = renewed;
    return renewed;
  }

  #sendHttp2(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    body: string | undefined,
    keep: boolean,
  ): Promise<LoadAnswer> {
    return new Promise((resolve, reject) => {
      const stream = this.#session().request({ ...headers, ":method": method, ":path": path });
      let status = 0;
      let bytes = 0;
      const chunks: Buffer[] = [];
      stream.on("response", (answer) => {
        status = Number(answer[":status"]);
      });
      stream.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (keep) chunks.push(chunk);
      });
      stream.on("error", reject);
      stream.on("close", () => {
        if (stream.rstCode === constants.NGHTTP2_NO_ERROR)
          resolve({ status, bytes, text: keep ? Buffer.concat(chunks).toString() : "" });
        else reject(new Error(`the stream was reset with ${stream.rstCode}`));
      });
      stream.end(body);
    });
  }
}

/** Runs `count` requests with `parallel` of them on the way at any time. */
export async function loop(count: number, parallel: number, request: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  async function worker(): Promise<void> {
    for (let index = next++; index < count; index = next++) await request(index);
  }
  await Promise.all(Array.from({ length: parallel }, worker));
}
