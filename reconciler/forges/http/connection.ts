// One request over http(s) and its whole answer, bounded.
import { Agent as HttpAgent, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { messageOf } from "../../../runtime/errors.ts";
import { explainNetworkCode, isLoopback } from "../../../sources/network.ts";

/** PEM texts. */
export interface ForgeTls {
  /** Authorities to trust instead of the system's. */
  readonly caFile?: string | undefined;
  readonly clientCertificate?: string | undefined;
  readonly clientKey?: string | undefined;
}

export interface Outgoing {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly signal: AbortSignal;
  readonly maxBytes: number;
}

export interface Incoming {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** No answer, or only a part of one. */
export class ConnectionFailure extends Error {
  /** Whether the server may have got the request. */
  readonly sent: boolean;

  constructor(message: string, sent: boolean, cause: unknown) {
    super(message, { cause });
    this.name = "ConnectionFailure";
    this.sent = sent;
  }
}

/** The answer has more than `maxBytes`. */
export class AnswerTooLarge extends Error {}

const NEVER_SENT = /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ERR_PROXY_TUNNEL)$/;
const TLS_FAILED = /CERT|SELF_SIGNED|UNABLE_TO|ERR_TLS|EPROTO/;

/** Connections to one host. Redirects are answers like any other. */
export class Connection {
  readonly #kept: HttpAgent;
  readonly #fresh: HttpAgent;

  constructor(base: URL, tls: ForgeTls = {}) {
    // A proxy cannot reach what listens on this machine only.
    const proxyEnv = isLoopback(base.hostname) ? {} : process.env;
    const options = {
      proxyEnv,
      maxSockets: 4,
      ...(tls.caFile === undefined ? {} : { ca: tls.caFile }),
      ...(tls.clientCertificate === undefined ? {} : { cert: tls.clientCertificate }),
      ...(tls.clientKey === undefined ? {} : { key: tls.clientKey }),
    };
    const make = (keepAlive: boolean) =>
      base.protocol === "https:" ? new HttpsAgent({ ...options, keepAlive }) : new HttpAgent({ ...options, keepAlive });
    this.#kept = make(true);
    // A kept connection may end just as a request goes out. What must not be done twice takes a connection of its own.
    this.#fresh = make(false);
  }

  close(): void {
    this.#kept.destroy();
    this.#fresh.destroy();
  }

  /** Throws `ConnectionFailure`, `AnswerTooLarge`, or what the signal aborts with. */
  async send(outgoing: Outgoing): Promise<Incoming> {
    try {
      const answer = await this.#begin(outgoing);
      return {
        status: answer.statusCode ?? 0,
        headers: answer.headers,
        body: await readAll(answer, outgoing.maxBytes),
      };
    } catch (error) {
      if (outgoing.signal.aborted) throw outgoing.signal.reason;
      if (error instanceof AnswerTooLarge) throw error;
      const code = error instanceof Error && "code" in error ? String(error.code) : "";
      if (TLS_FAILED.test(code)) {
        throw new ConnectionFailure(
          `its TLS certificate is not accepted (${code}); set a CA certificate`,
          false,
          error,
        );
      }
      const why = code === "" ? messageOf(error) : `${code} ${explainNetworkCode(code)}`.trimEnd();
      throw new ConnectionFailure(why, !NEVER_SENT.test(code), error);
    }
  }

  #begin({ method, url, headers, body, signal }: Outgoing): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const send = url.protocol === "https:" ? httpsRequest : httpRequest;
      const outgoing = send(
        url,
        {
          method,
          signal,
          agent: method === "POST" ? this.#fresh : this.#kept,
          headers: {
            "user-agent": "flaghoist",
            ...headers,
            ...(body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) }),
          },
        },
        resolve,
      );
      outgoing.on("error", reject);
      outgoing.end(body);
    });
  }
}

async function readAll(answer: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of answer) {
      const bytes: Buffer = chunk;
      size += bytes.length;
      if (size > maxBytes) throw new AnswerTooLarge();
      chunks.push(bytes);
    }
  } finally {
    if (!answer.complete) answer.destroy();
  }
  return Buffer.concat(chunks);
}
