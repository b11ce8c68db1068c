// HTTP as Git needs it: one request at a time, credentials that never leave their host, every failure named.

import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { messageOf } from "../../runtime/errors.ts";
import {
  gitAuthFailed,
  gitCorrupt,
  gitInvalidRepository,
  gitRepositoryNotFound,
  gitServerBusy,
  gitTooLarge,
  gitUnreachable,
} from "../errors.ts";
import { explainNetworkCode, isInward, isLoopback, retryAfter } from "../network.ts";
import { redactUrl } from "../redact-url.ts";
import { authorizationOf, type GitCredentials } from "./credentials.ts";
import { formatBytes } from "./limits.ts";

const MAX_REDIRECTS = 5;

export interface GitRequest {
  /** Appended to the repository's URL, such as `/info/refs?service=git-upload-pack`. */
  readonly suffix: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent by POST; without it the request is a GET. */
  readonly body?: Buffer;
  /** Media type that a Git server answers with. */
  readonly contentType: string;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/** Requests to one repository. Redirects of GET requests are followed, remembered, and lose credentials on a new host. */
export class GitHttp {
  readonly #origin: URL;
  readonly #credentials: GitCredentials;
  readonly #agent: HttpAgent;
  /** For hosts that a redirect led to: without certificates of the user. */
  readonly #others: { readonly http: HttpAgent; readonly https: HttpAgent };
  readonly #mayRedirect: (target: URL) => boolean;
  #base: URL;
  /** Requests sent and bytes of answers received so far. */
  requests = 0;
  bytes = 0;

  /** `mayRedirect` has a say in where redirects lead, beside the rules here; it gets the repository's new address. */
  constructor(url: URL, credentials: GitCredentials, mayRedirect: (target: URL) => boolean = () => true) {
    this.#mayRedirect = mayRedirect;
    this.#origin = url;
    this.#base = url;
    this.#credentials = credentials;
    // A proxy cannot reach what listens on this machine only.
    const proxyEnv = isLoopback(url.hostname) ? {} : process.env;
    const common = { keepAlive: true, maxSockets: 4, proxyEnv };
    this.#agent =
      url.protocol === "https:"
        ? new HttpsAgent({
            ...common,
            ...(credentials.caFile === undefined ? {} : { ca: credentials.caFile }),
            ...(credentials.clientCertificate === undefined ? {} : { cert: credentials.clientCertificate }),
            ...(credentials.clientKey === undefined ? {} : { key: credentials.clientKey }),
          })
        : new HttpAgent(common);
    this.#others = { http: new HttpAgent(common), https: new HttpsAgent(common) };
  }

  get url(): string {
    return this.#origin.href;
  }

  close(): void {
    for (const agent of [this.#agent, this.#others.http, this.#others.https]) agent.destroy();
  }

  /** Body of a successful answer, bounded. Throws the matching `git-…` error for any other answer. */
  async send(request: GitRequest): Promise<AsyncIterable<Uint8Array>> {
    let target = new URL(`${this.#base.href.replace(/\/$/, "")}${request.suffix}`);
    for (let hops = 0; ; hops++) {
      const answer = await this.#once(target, request);
      const status = answer.statusCode ?? 0;
      const location = answer.headers.location;
      if (status < 300 || status >= 400 || location === undefined) {
        this.#check(answer, request.contentType);
        return this.#body(answer, request.maxBytes, request.signal);
      }
      answer.resume();
      if (request.body !== undefined) throw gitInvalidRepository(this.url, "redirects a POST, which is not followed");
      if (hops >= MAX_REDIRECTS) throw gitInvalidRepository(this.url, `redirects more than ${MAX_REDIRECTS} times`);
      target = this.#redirect(target, location, request.suffix);
    }
  }

  #once(target: URL, request: GitRequest, again = true): Promise<IncomingMessage> {
    const authorization = this.#mayAuthenticate(target) ? authorizationOf(this.#credentials) : undefined;
    const secure = target.protocol === "https:";
    // A client certificate is a credential too: the agent that holds one serves only its own host.
    const own = target.protocol === this.#origin.protocol && this.#mayAuthenticate(target);
    const agent = own ? this.#agent : this.#others[secure ? "https" : "http"];
    this.requests++;
    return new Promise((resolve, reject) => {
      const outgoing = (secure ? httpsRequest : httpRequest)(
        target,
        {
          method: request.body === undefined ? "GET" : "POST",
          agent,
          signal: request.signal,
          headers: {
            "user-agent": "git/flaghoist",
            ...request.headers,
            ...(authorization === undefined ? {} : { authorization }),
            ...(request.body === undefined ? {} : { "content-length": String(request.body.length) }),
          },
        },
        resolve,
      );
      outgoing.on("error", (error: NodeJS.ErrnoException) => {
        // The server may close a connection it kept open at the moment it is used again; asking twice does no harm.
        const stale = outgoing.reusedSocket && error.code === "ECONNRESET" && !request.signal.aborted;
        if (stale && again) this.#once(target, request, false).then(resolve, reject);
        else reject(this.#failure(error, request.signal));
      });
      outgoing.end(request.body);
    });
  }

  #failure(error: unknown, signal: AbortSignal): unknown {
    if (signal.aborted) return signal.reason;
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (/CERT|SELF_SIGNED|UNABLE_TO|ERR_TLS|EPROTO/.test(code)) {
      return gitUnreachable(this.url, `its TLS certificate is not accepted (${code}); set ca.crt in the secret`, error);
    }
    return gitUnreachable(
      this.url,
      code === "" ? messageOf(error) : `${code} ${explainNetworkCode(code)}`.trimEnd(),
      error,
    );
  }

  /** Same host and port as the user named, or the same host after a move from http to https on the usual ports. */
  #mayAuthenticate(target: URL): boolean {
    if (target.origin === this.#origin.origin) return true;
    const upgraded = this.#origin.protocol === "http:" && target.protocol === "https:";
    return upgraded && target.hostname === this.#origin.hostname && this.#origin.port === "" && target.port === "";
  }

  #redirect(from: URL, location: string, suffix: string): URL {
    let target: URL;
    try {
      target = new URL(location, from);
    } catch {
      throw gitInvalidRepository(this.url, "redirects to something that is no URL");
    }
    if (target.protocol !== "https:" && target.protocol !== from.protocol) {
      throw gitInvalidRepository(this.url, `redirects to ${target.protocol}//, which is not followed`);
    }
    if (isInward(target.hostname) && !isInward(this.#origin.hostname)) {
      throw gitInvalidRepository(this.url, "redirects to an address of this machine or network, which is not followed");
    }
    target.username = "";
    target.password = "";
    const whole = `${target.pathname}${target.search}`;
    // Git's own rule: the new place must be a repository too, so that requests cannot be pointed at arbitrary URLs.
    if (!whole.endsWith(suffix)) throw gitInvalidRepository(this.url, "redirects to something that is no repository");
    const base = new URL(whole.slice(0, -suffix.length) || "/", target);
    if (!this.#mayRedirect(base)) {
      throw gitInvalidRepository(this.url, `redirects to ${redactUrl(base.href)}, which is not allowed`);
    }
    this.#base = base;
    return target;
  }

  #check(answer: IncomingMessage, contentType: string): void {
    const status = answer.statusCode ?? 0;
    const type = (answer.headers["content-type"] ?? "").split(";")[0]?.trim();
    if (status === 200 && type === contentType) return;
    answer.destroy();
    const had = authorizationOf(this.#credentials) !== undefined;
    // Azure DevOps says 203 with a sign-in page.
    if (status === 401 || status === 403 || status === 203) throw gitAuthFailed(this.url, had, status);
    if (status === 404 || status === 410) throw gitRepositoryNotFound(this.url, had);
    if (status === 429 || status >= 500) throw gitServerBusy(this.url, status, retryAfter(answer));
    if (status !== 200) throw gitInvalidRepository(this.url, `answers HTTP ${status}, which no Git server does`);
    throw gitInvalidRepository(this.url, "answers, but not as a Git server: check the URL");
  }

  async *#body(answer: IncomingMessage, maxBytes: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    let received = 0;
    try {
      for await (const chunk of answer) {
        const bytes: Buffer = chunk;
        received += bytes.length;
        this.bytes += bytes.length;
        if (received > maxBytes) throw gitTooLarge(`the answer of ${this.url}`, formatBytes(maxBytes));
        yield bytes;
      }
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (error instanceof Error && "code" in error && error.code === "ECONNRESET") {
        throw gitCorrupt(`the connection to ${this.url} broke inside an answer`, error);
      }
      throw error;
    } finally {
      if (!answer.complete) answer.destroy();
    }
  }
}
