// Another server behind an APIService: requests to it, in the name of their users.
import type { ApiRequest, ApiResponse, UserInfo } from "../../../kube/client/transport.ts";
import { AppError, messageOf } from "../../../runtime/errors.ts";
import { textResponse } from "../handlers/answers.ts";
import { forwardedRequestHeaders, headerNamePart, headerValue } from "../http/forwarded-headers.ts";
import { resolveService, type ServiceAddress } from "../http/service-resolver.ts";
import { Upstream } from "../http/upstream.ts";
import { badRequest, StatusError } from "../registry/status-error.ts";
import { leadsUpwards } from "../request/request-info.ts";
import type { ServerContext } from "../server-context.ts";
import type { ApiServiceSpec, ServiceTarget } from "./api-service.ts";

export interface Backend {
  /** `https://host:port` of the moment. Throws when the Service has no address. */
  resolve(): string;
  /** Passes a request on. Answers 503 when the server is known to be away, or does not answer. */
  answer(request: ApiRequest, user: UserInfo, available: boolean): Promise<ApiResponse>;
  /** Reads a document as the aggregator itself. Rejects without an answer, or when it is too large. */
  read(path: string, headers: Readonly<Record<string, string>>, patienceMs: number): Promise<BackendDocument>;
  close(): void;
}

export interface BackendDocument {
  readonly status: number;
  readonly headers: ApiResponse["headers"];
  readonly text: string;
}

/** Sees everything: what is read as this user tells whether the server works, not what somebody may do. */
const AGGREGATOR: UserInfo = { name: "system:kube-aggregator", groups: ["system:masters"] };
const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024;
const MAX_ADDRESSES = 16;

/** The server of an APIService. Connections are kept by address, and made anew when this server's certificate changes. */
export function openBackend(server: ServerContext, spec: ApiServiceSpec, target: ServiceTarget): Backend {
  const upstreams = new Map<string, Upstream>();

  function address(): ServiceAddress {
    return resolveService(server.store, target);
  }

  function upstream(): Upstream {
    const { host, port, serverName } = address();
    const origin = originOf(host, port);
    const client = server.frontProxy?.client;
    const key = `${origin} ${client?.certificate ?? ""}`;
    const known = upstreams.get(key);
    if (known !== undefined) return known;
    const made = new Upstream({
      origin: new URL(origin),
      tls: {
        servername: serverName,
        rejectUnauthorized: !spec.insecureSkipTlsVerify,
        ...(spec.caPem === undefined ? {} : { ca: spec.caPem }),
        ...(client === undefined ? {} : { cert: client.certificate, key: client.key }),
      },
    });
    upstreams.set(key, made);
    const [oldest] = upstreams;
    if (upstreams.size > MAX_ADDRESSES && oldest !== undefined) {
      oldest[1].retire();
      upstreams.delete(oldest[0]);
    }
    return made;
  }

  return {
    resolve() {
      const { host, port } = address();
      return originOf(host, port);
    },
    async answer(request, user, available) {
      const [path = ""] = request.path.split("?");
      if (leadsUpwards(path)) throw badRequest(`the path ${JSON.stringify(path)} is refused`);
      if (!available) return textResponse(503, "service unavailable\n", { "x-content-type-options": "nosniff" });
      const sent = request.headers ?? {};
      try {
        const answer = await upstream().send({
          method: request.method,
          path: request.path,
          headers: { ...forwardedRequestHeaders(sent), ...identityHeaders(user) },
          body: request.stream ?? request.body,
          bodyLength: lengthOf(sent["content-length"]),
          upgrade: request.canUpgrade === true ? sent["upgrade"] : undefined,
          signal: request.signal,
        });
        if (answer.status < 300 || answer.status > 399 || answer.headers["location"] === undefined) return answer;
        discard(answer);
        return textResponse(502, "the backend attempted to redirect this request, which is not permitted\n");
      } catch (error) {
        if (error instanceof StatusError || request.signal?.aborted === true) throw error;
        if (!(error instanceof AppError)) server.logger.debug("failed to reach a service", { error: messageOf(error) });
        return textResponse(503, `error trying to reach service: ${messageOf(error)}\n`);
      }
    },
    async read(path, headers, patienceMs) {
      const signal = AbortSignal.timeout(patienceMs);
      const answer = await upstream().send({
        method: "GET",
        path,
        headers: { accept: "application/json", ...headers, ...identityHeaders(AGGREGATOR) },
        signal,
      });
      return { status: answer.status, headers: answer.headers, text: await textOf(answer, path) };
    },
    close() {
      for (const each of upstreams.values()) each.retire();
      upstreams.clear();
    },
  };
}

function originOf(host: string, port: number): string {
  return `https://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** Tells the other server who the user is; it believes it by this server's certificate. */
export function identityHeaders(user: UserInfo): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = { "x-remote-user": valueOrRefuse(user.name) };
  if (user.uid !== undefined && user.uid !== "") headers["x-remote-uid"] = valueOrRefuse(user.uid);
  if (user.groups.length > 0) headers["x-remote-group"] = user.groups.map(valueOrRefuse);
  for (const [key, values] of Object.entries(user.extra ?? {})) {
    if (values.length > 0) headers[`x-remote-extra-${headerNamePart(key)}`] = values.map(valueOrRefuse);
  }
  return headers;
}

function valueOrRefuse(text: string): string {
  const value = headerValue(text);
  if (value !== undefined) return value;
  throw badRequest(`the user ${JSON.stringify(text)} cannot be told to a server: no header can hold this text`);
}

function lengthOf(header: string | undefined): number | undefined {
  const length = Number(header);
  return header !== undefined && Number.isSafeInteger(length) && length >= 0 ? length : undefined;
}

function discard({ body }: ApiResponse): void {
  if (body instanceof Uint8Array) return;
  void body[Symbol.asyncIterator]()
    .return?.()
    .catch(() => undefined);
}

async function textOf(answer: ApiResponse, path: string): Promise<string> {
  if (answer.body instanceof Uint8Array) return Buffer.from(answer.body).toString("utf8");
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of answer.body) {
    size += chunk.byteLength;
    if (size > MAX_DOCUMENT_BYTES) throw new Error(`${path} is larger than ${MAX_DOCUMENT_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
