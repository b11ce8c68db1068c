// The subresource `clusters/proxy`: requests that the control plane passes on to a member, in the name of the caller.
import type { Cluster } from "../../api/cluster.ts";
import type { ApiRequest, ApiResponse, Transport, UserInfo } from "../../kube/client/transport.ts";
import { AppError, messageOf } from "../../runtime/errors.ts";
import type { Logger } from "../../runtime/logger.ts";
import { forwardedRequestHeaders } from "../apiserver/http/forwarded-headers.ts";
import { badRequest, requestTooLarge, type StatusError, statusError } from "../apiserver/registry/status-error.ts";
import { leadsUpwards } from "../apiserver/request/request-info.ts";
import type { Connector } from "../apiserver/server-context.ts";
import { impersonationHeaders, needsWholeIdentity } from "./impersonation-headers.ts";
import {
  type MemberConnection,
  openMemberConnection,
  readConnectionSource,
  type SecretReader,
} from "./member-connection.ts";

export interface ClusterProxyOptions {
  readonly readSecret: SecretReader;
  /** Members that live in this process, by cluster name. */
  readonly local?: (clusterName: string) => Transport | undefined;
  readonly logger: Logger;
  /** Longest wait for a member's answer to begin, streams excepted. Default 70 s: members themselves give up at 60 s. */
  readonly answerTimeoutMs?: number;
}

/** One request through the proxy, authenticated and authorised. */
export interface ProxyCall {
  readonly request: ApiRequest;
  readonly user: UserInfo;
  readonly cluster: Cluster;
  /** Path in the member as it was sent, escapes and all: empty, or starting with `/`. */
  readonly rest: string;
  /** As it was sent, without `?`. */
  readonly query: string;
}

const ANSWER_TIMEOUT_MS = 70_000;
const MAX_LOCAL_BODY_BYTES = 3 * 1024 * 1024;
const MAX_CONNECTIONS = 1000;
const STREAM_QUERY = /(?:^|&)(?:watch|follow)=(?!false|0)/;

/** Passes requests to members. Connections are kept, and made anew when a Cluster or its Secrets change. */
export class ClusterProxy {
  readonly #options: ClusterProxyOptions;
  readonly #connections = new Map<string, MemberConnection>();

  constructor(options: ClusterProxyOptions) {
    this.#options = options;
  }

  /** The member's answer as it is. Throws a StatusError when there is none. */
  async answer(call: ProxyCall): Promise<ApiResponse> {
    const name = call.cluster.metadata.name ?? "";
    if (leadsUpwards(call.rest)) {
      throw badRequest(
        `the path ${JSON.stringify(call.rest)} is refused: it has "." or ".." segments or broken escapes`,
      );
    }
    try {
      const local = this.#options.local?.(name);
      return local === undefined ? await this.#send(call, name) : await this.#sendLocal(call, local);
    } catch (error) {
      throw this.#refusal(name, error);
    }
  }

  /** Ends all connections. */
  close(): void {
    for (const connection of this.#connections.values()) connection.upstream.destroy();
    this.#connections.clear();
  }

  async #send(call: ProxyCall, name: string): Promise<ApiResponse> {
    const { request, user, rest, query } = call;
    const connection = await this.#connect(call.cluster, name);
    const whole = needsWholeIdentity(user) && (await connection.mayImpersonateWhole());
    const sent = request.headers ?? {};
    const upgrade = request.canUpgrade === true ? sent["upgrade"] : undefined;
    const streams = upgrade !== undefined || STREAM_QUERY.test(query);
    const answer = await connection.upstream.send({
      method: request.method,
      path: `${connection.prefix}${pathOf(rest, query)}`,
      headers: { ...forwardedRequestHeaders(sent), ...connection.authorization, ...impersonationHeaders(user, whole) },
      body: request.stream ?? request.body,
      bodyLength: lengthOf(sent["content-length"]),
      upgrade,
      answerTimeoutMs: streams ? undefined : (this.#options.answerTimeoutMs ?? ANSWER_TIMEOUT_MS),
      signal: request.signal,
    });
    return checked(answer, connection, name, pathOf(rest, query));
  }

  async #sendLocal(call: ProxyCall, transport: Transport): Promise<ApiResponse> {
    const { request, user, rest, query } = call;
    const sent = request.headers ?? {};
    const upgrade = request.canUpgrade === true ? sent["upgrade"] : undefined;
    const body = request.stream === undefined ? request.body : await collected(request.stream);
    const patience = new AbortController();
    const limitMs = this.#options.answerTimeoutMs ?? ANSWER_TIMEOUT_MS;
    const late = (): void => patience.abort(new AppError("upstream-timeout", "no answer began", { recovery: "retry" }));
    const timer = upgrade !== undefined || STREAM_QUERY.test(query) ? undefined : setTimeout(late, limitMs);
    try {
      return await transport({
        method: request.method,
        path: pathOf(rest, query),
        headers: {
          ...forwardedRequestHeaders(sent),
          ...(upgrade === undefined ? {} : { connection: "Upgrade", upgrade }),
        },
        user,
        signal: request.signal === undefined ? patience.signal : AbortSignal.any([request.signal, patience.signal]),
        ...(body === undefined ? {} : { body }),
        ...(upgrade === undefined ? {} : { canUpgrade: true }),
      });
    } finally {
      clearTimeout(timer);
    }
  }

  async #connect(cluster: Cluster, name: string): Promise<MemberConnection> {
    const source = await readConnectionSource(cluster, this.#options.readSecret);
    const known = this.#connections.get(name);
    if (known?.wasMadeFrom(source.madeFrom) === true) return known;
    const made = await openMemberConnection(cluster, source);
    const current = this.#connections.get(name);
    if (current?.wasMadeFrom(source.madeFrom) === true) return current;
    current?.upstream.retire();
    this.#connections.delete(name);
    this.#connections.set(name, made);
    const [oldest] = this.#connections;
    if (this.#connections.size > MAX_CONNECTIONS && oldest !== undefined) {
      oldest[1].upstream.retire();
      this.#connections.delete(oldest[0]);
    }
    return made;
  }

  #refusal(name: string, error: unknown): unknown {
    if (!(error instanceof AppError)) return error;
    const cluster = `cluster ${JSON.stringify(name)}`;
    const why = messageOf(error);
    this.#options.logger.debug("got no answer from a member", { cluster: name, code: error.code, error: why });
    const look = `'kubectl describe cluster ${name}' tells how it fares`;
    switch (error.code) {
      case "cluster-not-configured":
      case "kubeconfig-invalid":
        return unavailable(`${cluster} cannot be reached: ${why}`);
      case "upstream-timeout":
        return statusError(504, "Timeout", `${cluster} does not answer in time: ${why}; ${look}`, {});
      case "upstream-unreachable":
      case "upstream-proxy-unsupported":
      case "api-unreachable":
        return unavailable(`${cluster} does not answer: ${why}; ${look}`);
      default:
        return error;
    }
  }
}

/** Answers the subresource on an embedded server. */
export function clusterConnector(proxy: ClusterProxy): Connector {
  return ({ request, user, object, rest, query }) => {
    // The server validates what it stores of this kind.
    const cluster = object as unknown as Cluster;
    return proxy.answer({ request, user, cluster, rest, query });
  };
}

function unavailable(message: string): StatusError {
  return statusError(503, "ServiceUnavailable", message, {});
}

function pathOf(rest: string, query: string): string {
  return `${rest === "" ? "/" : rest}${query === "" ? "" : `?${query}`}`;
}

function lengthOf(header: string | undefined): number | undefined {
  const length = Number(header);
  return header !== undefined && Number.isSafeInteger(length) && length >= 0 ? length : undefined;
}

/** Keeps callers in the member: an answer may send them elsewhere in it, and nowhere else. */
function checked(answer: ApiResponse, connection: MemberConnection, name: string, asked: string): ApiResponse {
  if (answer.status === 401) {
    const text = `cluster ${name} does not accept the account that acts for others (spec.impersonatorSecretRef)`;
    return { ...answer, headers: { ...answer.headers, warning: `299 - "${text}"` } };
  }
  const location = answer.headers["location"];
  if (answer.status < 300 || answer.status > 399 || location === undefined) return answer;
  const inside = pathInMember(String(location), asked, connection);
  if (inside !== undefined) {
    const base = `/apis/cluster.karmada.io/v1alpha1/clusters/${name}/proxy`;
    return { ...answer, headers: { ...answer.headers, location: `${base}${inside}` } };
  }
  if (!(answer.body instanceof Uint8Array)) discard(answer.body);
  throw statusError(
    502,
    "BadGateway",
    `cluster ${JSON.stringify(name)} redirects to another server, which is refused`,
    {},
  );
}

/** The path and query of a redirection that stays in the member, without the member's prefix. */
function pathInMember(location: string, asked: string, { origin, prefix }: MemberConnection): string | undefined {
  const base = `${origin}${prefix}${asked}`;
  if (!URL.canParse(location, base)) return undefined;
  const url = new URL(location, base);
  const path = `${url.pathname}${url.search}`;
  if (url.origin !== origin || !(path === prefix || path.startsWith(`${prefix}/`))) return undefined;
  return path.slice(prefix.length);
}

function discard(body: AsyncIterable<Uint8Array>): void {
  void body[Symbol.asyncIterator]()
    .return?.()
    .catch(() => undefined);
}

async function collected(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.byteLength;
    if (size > MAX_LOCAL_BODY_BYTES) throw requestTooLarge(MAX_LOCAL_BODY_BYTES);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
