// Calls of webhooks: one JSON document out, one in, over HTTPS with an authority of the webhook's own. Errors are worded
// as the reference's, because people search for these texts.
import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { Agent, request as httpsRequest } from "node:https";
import type { Clock } from "../../../runtime/clock.ts";

export interface CallTarget {
  /** As sent and as shown in errors. */
  readonly url: URL;
  /** Where to connect, when that is not the host of the URL. */
  readonly address?: { readonly host: string; readonly port: number } | undefined;
  /** PEM of the authorities to trust; those of the system when absent. */
  readonly ca?: string | undefined;
}

export interface CallOptions {
  readonly body: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Longer answers are cut off and refused; 3 MiB when absent. */
  readonly maxAnswerBytes?: number;
}

export interface CallAnswer {
  readonly status: number;
  readonly text: string;
}

/** No answer came, or none that may be read. The message names the call. */
export class CallError extends Error {}

/** Answers hold an object of at most 1.5 MiB, as a patch or in several versions. */
const MAX_ANSWER_BYTES = 3 * 1024 * 1024;
const MOST_AGENTS = 64;
const IDLE_SOCKETS = 8;
const HTTPS_PORT = 443;

const HEADERS = {
  "content-type": "application/json",
  accept: "application/json, */*",
};

/** Keeps connections to webhooks open between calls. */
export class JsonCaller {
  readonly #clock: Clock;
  readonly #userAgent: string;
  /** By what makes connections different; the last used at the end. */
  readonly #agents = new Map<string, Agent>();

  constructor(clock: Clock, userAgent = "kube-apiserver-admission") {
    this.#clock = clock;
    this.#userAgent = userAgent;
  }

  /** Posts the body. Redirects are not followed: they would lead where the configuration does not. */
  async post(target: CallTarget, options: CallOptions): Promise<CallAnswer> {
    const abort = new AbortController();
    const timer = this.#clock.after(options.timeoutMs, () => abort.abort("timeout"));
    const signal = options.signal === undefined ? abort.signal : AbortSignal.any([abort.signal, options.signal]);
    try {
      return await this.#exchange(target, options, signal);
    } catch (error) {
      const why = abort.signal.aborted
        ? "context deadline exceeded"
        : options.signal?.aborted === true
          ? "context canceled"
          : reasonOf(error, target);
      throw new CallError(`Post ${JSON.stringify(String(target.url))}: ${why}`, { cause: error });
    } finally {
      timer.cancel();
    }
  }

  close(): void {
    for (const agent of this.#agents.values()) agent.destroy();
    this.#agents.clear();
  }

  async #exchange(target: CallTarget, options: CallOptions, signal: AbortSignal): Promise<CallAnswer> {
    try {
      return await this.#attempt(target, options, signal);
    } catch (error) {
      // The other side may close an idle connection just when it is used again.
      if (!(error instanceof StaleConnection)) throw error;
      return this.#attempt(target, options, signal);
    }
  }

  #attempt(target: CallTarget, options: CallOptions, signal: AbortSignal): Promise<CallAnswer> {
    const { body, maxAnswerBytes = MAX_ANSWER_BYTES } = options;
    const { url, address, ca } = target;
    const host = address?.host ?? url.hostname.replace(/^\[|\]$/g, "");
    const port = address?.port ?? portOf(url);
    return new Promise((resolve, reject) => {
      const sent = httpsRequest(
        {
          method: "POST",
          host,
          port,
          path: `${url.pathname}${url.search}`,
          // The certificate is for the name in the URL, wherever that leads.
          ...(address === undefined ? {} : { servername: url.hostname }),
          headers: {
            ...HEADERS,
            "user-agent": this.#userAgent,
            host: url.host,
            "content-length": Buffer.byteLength(body),
          },
          agent: this.#agentFor(`${host} ${port} ${url.hostname}`, ca),
          signal,
        },
        (answer) => readAnswer(answer, maxAnswerBytes).then(resolve, reject),
      );
      sent.on("error", (error) => {
        const isStale = sent.reusedSocket && "code" in error && error.code === "ECONNRESET";
        reject(isStale ? new StaleConnection() : error);
      });
      sent.end(body);
    });
  }

  #agentFor(place: string, ca: string | undefined): Agent {
    const key = `${place} ${ca === undefined ? "" : createHash("sha256").update(ca).digest("base64")}`;
    let agent = this.#agents.get(key);
    if (agent === undefined)
      agent = new Agent({ keepAlive: true, maxFreeSockets: IDLE_SOCKETS, ...(ca === undefined ? {} : { ca }) });
    else this.#agents.delete(key);
    this.#agents.set(key, agent);
    for (const [oldest, unused] of this.#agents) {
      if (this.#agents.size <= MOST_AGENTS) break;
      this.#agents.delete(oldest);
      // Running calls keep their connections; only idle ones go.
      unused.destroy();
    }
    return agent;
  }
}

class StaleConnection extends Error {}

async function readAnswer(answer: IncomingMessage, maxBytes: number): Promise<CallAnswer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer) {
    // A stream without encoding gives buffers.
    const bytes = chunk as Buffer;
    size += bytes.byteLength;
    if (size > maxBytes) {
      answer.destroy();
      throw new Error(`the answer is larger than ${maxBytes} bytes`);
    }
    chunks.push(bytes);
  }
  if (!answer.complete) throw new Error("unexpected EOF");
  return { status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString() };
}

function portOf(url: URL): number {
  return url.port === "" ? HTTPS_PORT : Number(url.port);
}

const UNKNOWN_AUTHORITY: ReadonlySet<string> = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
]);
const BAD_TIME: ReadonlySet<string> = new Set(["CERT_HAS_EXPIRED", "CERT_NOT_YET_VALID"]);
const DIAL: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  EHOSTUNREACH: "no route to host",
  ENETUNREACH: "network is unreachable",
  ETIMEDOUT: "connection timed out",
};
const CERTIFICATE = "tls: failed to verify certificate: x509: ";

/** What went wrong, in the words of Go's client. */
function reasonOf(error: unknown, target: CallTarget): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error ? String(error.code) : "";
  const host = target.address?.host ?? target.url.hostname;
  const at = `${"address" in error ? String(error.address) : host}:${target.address?.port ?? portOf(target.url)}`;
  if (DIAL[code] !== undefined) return `dial tcp ${at}: connect: ${DIAL[code]}`;
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return `dial tcp: lookup ${host}: no such host`;
  if (UNKNOWN_AUTHORITY.has(code)) return `${CERTIFICATE}certificate signed by unknown authority`;
  if (BAD_TIME.has(code)) return `${CERTIFICATE}certificate has expired or is not yet valid`;
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID")
    return `${CERTIFICATE}certificate is not valid for ${target.url.hostname}`;
  if (code === "EPROTO" && error.message.includes("wrong version number")) {
    return "http: server gave HTTP response to HTTPS client";
  }
  if (code === "ECONNRESET") return "EOF";
  return error.message;
}
