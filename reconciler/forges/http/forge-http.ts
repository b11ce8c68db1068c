// Requests to a provider: credentials, repetition, limits and errors, the same for all of them.
import { type Clock, sleep } from "../../../runtime/clock.ts";
import { AppError } from "../../../runtime/errors.ts";
import { formatBytes } from "../../../sources/git/limits.ts";
import * as errors from "../errors.ts";
import type { Call } from "../forge.ts";
import { AnswerTooLarge, Connection, ConnectionFailure, type ForgeTls, type Incoming } from "./connection.ts";
import type { ForgeAuth } from "./credentials.ts";
import { errorWords } from "./error-words.ts";
import { JsonReader } from "./json-reader.ts";
import { pauseOf, waitOf } from "./rate-limit.ts";

export interface HttpLimits {
  /** For one answer. */
  readonly timeoutMs: number;
  /** How often a request that may be repeated is sent. */
  readonly attempts: number;
  /** Longest that one call waits for a rate limit; beyond it throws `forge-rate-limited`. */
  readonly patienceMs: number;
  readonly maxBytes: number;
  readonly maxPages: number;
}

export const HTTP_LIMITS: HttpLimits = {
  timeoutMs: 30_000,
  attempts: 4,
  patienceMs: 90_000,
  maxBytes: 64 << 20,
  maxPages: 200,
};

export interface ForgeHttpOptions {
  readonly provider: string;
  readonly repository: string;
  /** Paths of requests follow it. */
  readonly apiUrl: string;
  readonly auth: ForgeAuth;
  readonly clock: Clock;
  /** At least 0, below 1: spreads repetitions. */
  readonly random: () => number;
  readonly tls?: ForgeTls | undefined;
  readonly limits?: Partial<HttpLimits> | undefined;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

export interface ForgeRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Below the API's URL, parts already escaped (`path` of this file); or a whole URL of the same host. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | undefined>> | undefined;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** What is done, in the imperative, for errors: `list the comments of pull request 7`. */
  readonly what: string;
  /** The right that it needs, in the provider's words. */
  readonly needs: string;
  /** Statuses that are answers too, beside the successes. */
  readonly accept?: readonly number[];
  /** Whether doing it twice is as good as once. By default everything but a POST is. */
  readonly repeatable?: boolean;
}

export interface ForgeAnswer {
  readonly status: number;
  readonly headers: Incoming["headers"];
  readonly json: JsonReader;
  /** The answer's URL, to which links of it are relative. */
  readonly url: URL;
  /** Makes an error about this answer. */
  readonly bad: (why: string) => AppError;
  /** Makes the error of a request that the provider does not take, for an accepted status that turns out to be one. */
  readonly refused: () => AppError;
}

const MAX_REDIRECTS = 3;
const FIRST_PAUSE_MS = 500;

/** Joins parts of a path, each escaped: `path("repos", owner, name)` is `/repos/owner/name`. No part leads elsewhere. */
export function path(...parts: readonly (string | number)[]): string {
  return parts.map((part) => `/${escapePart(String(part))}`).join("");
}

/** Dots alone mean places in a URL, also when they are escaped; escaped twice they are a name that nothing has. */
function escapePart(part: string): string {
  return part === "." || part === ".." ? part.replaceAll(".", "%252E") : encodeURIComponent(part.toWellFormed());
}

/** Requests to one provider about one repository. */
export class ForgeHttp {
  readonly #options: ForgeHttpOptions;
  readonly #limits: HttpLimits;
  readonly #base: URL;
  readonly #connection: Connection;
  /** Until when the provider wants to be left alone. */
  #closedUntil = 0;

  constructor(options: ForgeHttpOptions) {
    this.#options = options;
    this.#limits = { ...HTTP_LIMITS, ...options.limits };
    this.#base = new URL(options.apiUrl);
    this.#connection = new Connection(this.#base, options.tls);
  }

  get limits(): HttpLimits {
    return this.#limits;
  }

  close(): void {
    this.#connection.close();
    this.#options.auth.close?.();
  }

  /**
   * Sends until there is an answer that counts. What may be repeated is, after failures of the network and of the server;
   * a POST only where the server cannot have done it, else `forge-outcome-unknown` is thrown.
   */
  async send(request: ForgeRequest, call: Call): Promise<ForgeAnswer> {
    const { clock, random } = this.#options;
    const repeatable = request.repeatable ?? request.method !== "POST";
    const name = this.#nameOf(request);
    let patience = this.#limits.patienceMs;
    let renewed = false;
    for (let attempt = 1; ; ) {
      patience -= await this.#waitForOpening(name, patience, call);
      let failed: AppError;
      let sent = true;
      try {
        const answer = await this.#exchange(request, name, call);
        const verdict = this.#judge(request, name, answer);
        if (verdict === "limited") continue;
        if (!(verdict instanceof AppError)) return verdict;
        if (verdict.code === "forge-auth-failed" && !renewed && this.#options.auth.renew()) {
          renewed = true;
          continue;
        }
        if (verdict.recovery !== "retry" || verdict.code === "forge-conflict") throw verdict;
        failed = verdict;
      } catch (error) {
        if (!(error instanceof ConnectionFailure)) throw error;
        failed = errors.forgeUnreachable(name, this.#redact(error.message), error);
        sent = error.sent;
      }
      if (sent && !repeatable) throw errors.forgeOutcomeUnknown(name, failed);
      if (attempt >= this.#limits.attempts) throw failed;
      await sleep(clock, FIRST_PAUSE_MS * 2 ** (attempt - 1) * (0.5 + random()), call.signal);
      attempt++;
    }
  }

  /** The same, for what a request is called in errors. */
  nameOf(request: ForgeRequest): errors.RequestName {
    return this.#nameOf(request);
  }

  async #waitForOpening(name: errors.RequestName, patience: number, call: Call): Promise<number> {
    const wait = this.#closedUntil - this.#options.clock.now();
    if (wait <= 0) return 0;
    if (wait > patience) throw errors.forgeRateLimited(name, wait, 429);
    await sleep(this.#options.clock, wait, call.signal);
    return wait;
  }

  async #exchange(request: ForgeRequest, name: errors.RequestName, call: Call): Promise<Incoming & { url: URL }> {
    const { auth, clock, headers } = this.#options;
    let url = this.#urlOf(request);
    const body = request.body === undefined ? undefined : JSON.stringify(request.body);
    for (let hops = 0; ; hops++) {
      const late = new AbortController();
      const timer = clock.after(this.#limits.timeoutMs, () => late.abort());
      try {
        const answer = await this.#connection.send({
          method: request.method,
          url,
          headers: {
            accept: "application/json",
            ...headers,
            ...(body === undefined ? {} : { "content-type": "application/json" }),
            ...(await auth.headers(call)),
            ...request.headers,
          },
          body,
          signal: AbortSignal.any([call.signal, late.signal]),
          maxBytes: this.#limits.maxBytes,
        });
        const target = this.#redirect(request, name, url, answer);
        if (target === undefined) return { ...answer, url };
        if (hops >= MAX_REDIRECTS) throw errors.forgeBadAnswer(name, "it redirects too often");
        url = target;
      } catch (error) {
        call.signal.throwIfAborted();
        if (late.signal.aborted) {
          throw new ConnectionFailure(`no answer within ${this.#limits.timeoutMs / 1000}s`, true, error);
        }
        if (error instanceof AnswerTooLarge) {
          const most = formatBytes(this.#limits.maxBytes);
          throw errors.forgeTooLarge(name, `the answer has more than ${most}, which is not read`);
        }
        throw error;
      } finally {
        timer.cancel();
      }
    }
  }

  /** Where to ask instead. Credentials never go to another host, and bodies only where the method is kept. */
  #redirect(request: ForgeRequest, name: errors.RequestName, from: URL, answer: Incoming): URL | undefined {
    const { status } = answer;
    const { location } = answer.headers;
    if (![301, 302, 303, 307, 308].includes(status) || location === undefined) return undefined;
    const target = URL.parse(location, from);
    if (target === null) throw errors.forgeBadAnswer(name, "it redirects to something that is no URL");
    // Azure DevOps sends those it does not know to its page for signing in.
    if (/signin|login|sign_in/i.test(target.pathname)) throw errors.forgeAuthFailed(name, "", status);
    if (target.origin !== this.#base.origin) {
      throw errors.forgeBadAnswer(name, `it redirects to ${target.origin}, and credentials do not go to other hosts`);
    }
    if (request.method !== "GET" && status !== 307 && status !== 308) {
      throw errors.forgeBadAnswer(
        name,
        `it redirects a ${request.method} to ${target.pathname}: name the repository as it is called now`,
      );
    }
    return target;
  }

  #judge(
    request: ForgeRequest,
    name: errors.RequestName,
    answer: Incoming & { url: URL },
  ): ForgeAnswer | AppError | "limited" {
    const { status, headers, url } = answer;
    const now = this.#options.clock.now();
    const text = answer.body.toString("utf8");
    const success = status >= 200 && status < 300 && status !== 203;
    let value: unknown;
    let unreadable: unknown;
    try {
      value = text.trim() === "" ? undefined : JSON.parse(text);
    } catch (error) {
      unreadable = error;
    }
    const said = this.#redact(errorWords(value));
    const words = said === "" ? "" : `: ${said}`;
    const wait = success
      ? pauseOf({ status, headers, message: said }, now)
      : waitOf({ status, headers, message: said }, now);
    if (wait !== undefined) this.#closedUntil = Math.max(this.#closedUntil, now + wait);
    if (success || request.accept?.includes(status) === true) {
      if (success && unreadable !== undefined) return errors.forgeBadAnswer(name, "the answer is no JSON", unreadable);
      const bad = (why: string) => errors.forgeBadAnswer(name, why);
      const refused = () => errors.forgeRefused(name, words, status);
      return { status, headers, json: new JsonReader(value, bad), url, bad, refused };
    }
    if (wait !== undefined) return "limited";
    switch (status) {
      case 203:
      case 401:
        return errors.forgeAuthFailed(name, words, status);
      case 403:
        return errors.forgeForbidden(name, words, neededBy(headers) ?? request.needs, status);
      case 404:
      case 410:
        return errors.forgeNotFound(name, words, neededBy(headers) ?? request.needs, status);
      case 409:
        return errors.forgeConflict(name, words);
      default:
        if (status >= 500 || status === 408)
          return errors.forgeUnavailable(name, `it answered HTTP ${status}${words}`, status);
        return errors.forgeRefused(name, words, status);
    }
  }

  #urlOf(request: ForgeRequest): URL {
    const whole = /^https?:\/\//.test(request.path);
    const url = new URL(whole ? request.path : `${this.#options.apiUrl.replace(/\/$/, "")}${request.path}`);
    for (const [key, value] of Object.entries(request.query ?? {})) {
      if (value !== undefined) url.searchParams.set(key, String(value));
    }
    if (url.origin !== this.#base.origin) throw new Error(`a request to another host: ${url.origin}`);
    return url;
  }

  #nameOf(request: ForgeRequest): errors.RequestName {
    const { provider, repository } = this.#options;
    const { pathname } = this.#urlOf(request);
    return { provider, repository, what: request.what, line: `${request.method} ${pathname}` };
  }

  #redact(text: string): string {
    return this.#options.auth
      .secrets()
      .filter((secret) => secret.length > 3)
      .reduce((clean, secret) => clean.replaceAll(secret, "[secret]"), text);
  }
}

/** What GitHub says would have been enough. */
function neededBy(headers: Incoming["headers"]): string | undefined {
  const permissions = headers["x-accepted-github-permissions"];
  const scopes = headers["x-accepted-oauth-scopes"];
  const parts = [
    typeof permissions === "string" && permissions !== "" ? `the permission ${clip(permissions)}` : "",
    typeof scopes === "string" && scopes !== "" ? `one of the scopes ${clip(scopes)}` : "",
  ].filter((part) => part !== "");
  return parts.length === 0 ? undefined : parts.join(", or ");
}

function clip(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "?").slice(0, 120);
}
