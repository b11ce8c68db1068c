// The port by which an API server that is not ours reaches this process: for its admission webhooks, and for API groups
// that it passes on.
import { isIP } from "node:net";
import { join } from "node:path";
import { FrontProxyTrust, type RequestHeaderOptions } from "../../fleets/apiserver/http/front-proxy.ts";
import { listen } from "../../fleets/apiserver/http/listener.ts";
import type { ApiRequest, ApiResponse, Transport, UserInfo } from "../../kube/client/transport.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/logger.ts";
import { EXTENSION_SERVER_NAME } from "./cluster-registration.ts";

/** Where the API server finds this process. */
export interface AdvertisedAddress {
  readonly host: string;
  /** Undefined: the port that is listened on. */
  readonly port: number | undefined;
}

export interface ExtensionListenerOptions {
  /** Address to bind; undefined: the loopback address when that is what is advertised, else all addresses. */
  readonly host: string | undefined;
  /** Undefined: the advertised one, or any free one. */
  readonly port: number | undefined;
  readonly advertise: AdvertisedAddress;
  /** The authority and the certificates are kept in its folder `pki`. */
  readonly dataFolder: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface ExtensionListener {
  /** `https://host:port` as the API server is to call it. */
  readonly url: string;
  /** PEM of the authority that signed its certificate. */
  readonly caPem: string;
  readonly host: string;
  readonly port: number;
  /**
   * Hands over requests for `prefix` and for paths below it; the longest prefix counts. Callers are anonymous unless the
   * API server says by its certificate who they are (see `trust`): a handler must mind. Bodies of paths for which
   * `passesThrough` is true stream, and their connections may be upgraded.
   */
  route(prefix: string, handler: Transport, passesThrough?: (path: string) => boolean): void;
  /** Takes the word of callers with a certificate of this authority for who the user is. */
  trust(authority: RequestHeaderOptions): void;
  close(): Promise<void>;
}

/** An admission review holds an object twice, each as large as a body of the API may be. */
const MAX_REVIEW_BYTES = 7 * 1024 * 1024;
const CALLER: UserInfo = { name: "system:anonymous", groups: ["system:unauthenticated"] };
const LOOPBACK = new Set(["localhost", "127.0.0.1", "::1"]);

export function isLoopback(host: string): boolean {
  return LOOPBACK.has(host) || host.startsWith("127.");
}

/** Reads `HOST`, `HOST:PORT` or `[ADDRESS]:PORT`; undefined for what is none of them. */
export function parseAdvertisedAddress(text: string): AdvertisedAddress | undefined {
  if (isIP(text) === 6) return { host: text, port: undefined };
  const match = /^(?:\[([^\]]+)\]|([A-Za-z0-9.-]+))(?::([0-9]{1,5}))?$/.exec(text);
  if (match === null) return undefined;
  const [, bracketed, plain, digits] = match;
  if (bracketed !== undefined && isIP(bracketed) !== 6) return undefined;
  const port = digits === undefined ? undefined : Number(digits);
  if (port !== undefined && (port === 0 || port > 65_535)) return undefined;
  return { host: (bracketed ?? plain)!, port };
}

/** Opens the port. Handlers are added as the parts that need them start. */
export async function openExtensionListener(options: ExtensionListenerOptions): Promise<ExtensionListener> {
  const { advertise, dataFolder, clock, logger } = options;
  const handlers = new Map<string, Handler>();
  let frontProxy: FrontProxyTrust | undefined;
  let trusted = "";
  const api = {
    name: "extensions",
    handle: (request: ApiRequest) => dispatch(handlers, request),
    passesThrough: (path: string) => handlerOf(handlers, path)?.passesThrough(path) === true,
    checkToken: () => undefined,
    publishCa: () => {},
  };
  const listener = await listen(api, {
    host: options.host ?? (isLoopback(advertise.host) ? "127.0.0.1" : "0.0.0.0"),
    port: options.port ?? advertise.port ?? 0,
    directory: join(dataFolder, "pki"),
    hostnames: [advertise.host, EXTENSION_SERVER_NAME],
    maxBodyBytes: MAX_REVIEW_BYTES,
    identify: (socket, rawHeaders) => frontProxy?.userOf(socket, rawHeaders) ?? CALLER,
    clock,
    logger,
  });
  const host = isIP(advertise.host) === 6 ? `[${advertise.host}]` : advertise.host;
  return {
    url: `https://${host}:${advertise.port ?? listener.port}`,
    host: advertise.host,
    port: advertise.port ?? listener.port,
    caPem: listener.caPem,
    route(prefix, answer, passesThrough = () => false) {
      if (handlers.has(prefix)) throw new Error(`${prefix} has a handler already`);
      handlers.set(prefix, { answer, passesThrough });
    },
    trust(authority) {
      const text = JSON.stringify(authority);
      if (text === trusted) return;
      frontProxy = new FrontProxyTrust(authority, () => clock.now());
      trusted = text;
    },
    close: () => listener.close(),
  };
}

interface Handler {
  readonly answer: Transport;
  readonly passesThrough: (path: string) => boolean;
}

function handlerOf(handlers: ReadonlyMap<string, Handler>, fullPath: string): Handler | undefined {
  const path = fullPath.split("?")[0] ?? "";
  let best = "";
  for (const prefix of handlers.keys()) {
    if ((path === prefix || path.startsWith(`${prefix}/`)) && prefix.length > best.length) best = prefix;
  }
  return handlers.get(best);
}

async function dispatch(handlers: ReadonlyMap<string, Handler>, request: ApiRequest): Promise<ApiResponse> {
  const handler = handlerOf(handlers, request.path);
  if (handler !== undefined) return handler.answer(request);
  return {
    status: 404,
    headers: { "content-type": "text/plain; charset=utf-8" },
    body: Buffer.from("404 page not found\n"),
  };
}
