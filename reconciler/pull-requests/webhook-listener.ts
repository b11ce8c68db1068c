// The port by which Git hosts tell of pull requests, comments and pushes. Strangers reach it: until a delivery proves to
// come from who knows the secret, everything that it may take is bounded.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer, type Server as SecureServer } from "node:https";
import { type AddressInfo, isIP, type Socket } from "node:net";
import type { Clock } from "../../runtime/clock.ts";
import { messageOf } from "../../runtime/errors.ts";
import type { Logger } from "../../runtime/logger.ts";
import type { Family, Metrics, NumberSeries } from "../../runtime/metrics.ts";
import type { ForgeKind } from "../forges/forge.ts";
import { WEBHOOK_MAX_BYTES } from "../forges/webhooks/read-webhook.ts";
import type { WebhookEvent } from "../forges/webhooks/webhook-event.ts";
import { webhookPortRefused } from "./webhooks/errors.ts";
import { DeliveryJudge, type Verdict, type VerdictName } from "./webhooks/judge-delivery.ts";
import { Latest } from "./webhooks/latest.ts";
import { Pace } from "./webhooks/pace.ts";
import { type BodyLimits, BodyReceiver } from "./webhooks/receive-body.ts";
import { followTlsFiles, readTlsFiles, type TlsFiles } from "./webhooks/tls-files.ts";

/** Who is to be believed at a path, and about what. */
export interface WebhookRoute {
  readonly kind: ForgeKind;
  /** `owner/name`: deliveries about others are ignored. */
  readonly repository: string;
  /** Asked for each delivery. None: nobody is believed. */
  readonly secrets: () => Promise<readonly string[]>;
}

export interface WebhookLimits extends BodyLimits {
  /** Further ones are cut off. */
  readonly connections: number;
  /** Deliveries at a time; further ones are answered 503. */
  readonly deliveries: number;
  /** Longest time that a handshake, and then the head of a request, may take to arrive. */
  readonly headMs: number;
  /** How long a connection may do nothing between two requests. */
  readonly idleMs: number;
  /** Of one connection. */
  readonly requests: number;
}

export interface WebhookListenerOptions {
  /** Address to bind. */
  readonly host: string;
  /** 0 picks a free port. */
  readonly port: number;
  /** Read again while they are in use. Without them, what is in front has to speak TLS. */
  readonly tls?: TlsFiles | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** What stands behind a path; asked for each request. */
  readonly find: (path: string) => WebhookRoute | undefined;
  /** Called after the sender has its answer. What the event says is a hint: the provider is to be asked. */
  readonly onEvent: (path: string, event: WebhookEvent) => void;
  readonly limits?: Partial<WebhookLimits> | undefined;
}

export interface WebhookListener {
  /** `http://host:port`. */
  readonly url: string;
  /** Takes nothing more; what is arriving is answered 503. No event comes after it is called. */
  close(): Promise<void>;
}

const LIMITS: WebhookLimits = {
  connections: 200,
  deliveries: 64,
  headMs: 10_000,
  bodyMs: 10_000,
  idleMs: 5_000,
  requests: 100,
  maxBytes: WEBHOOK_MAX_BYTES,
  heldBytes: 4 * WEBHOOK_MAX_BYTES,
};
const MOST_HEADER_BYTES = 16_384;
const MOST_HEADERS = 100;
/** How often connections are looked at for being late. */
const CHECK_MS = 1000;
/** The rest of a body is read for so long after it was refused: many senders read no answer before they have sent all. */
const DISCARD_MS = 2000;
const CLOSE_MS = 2000;
const MOST_PATHS = 1000;
const COMPLAINTS = { burst: 1, perSecond: 1 / 60 };

/** Where the deliveries of a Reporter are taken. */
export function webhookPath(namespace: string, name: string): string {
  return `/hook/${namespace}/${name}`;
}

/** Opens the port. Throws `webhook-port-taken`, `webhook-port-refused` or `webhook-tls-unusable`. */
export async function startWebhookListener(options: WebhookListenerOptions): Promise<WebhookListener> {
  const port = new WebhookPort(options);
  await port.open();
  return port;
}

/** An answer that is not about what a delivery says. */
interface Answer extends Omit<Verdict, "name"> {
  readonly name: VerdictName | "unknown" | "failed" | "gone";
  readonly route?: WebhookRoute;
}

class WebhookPort implements WebhookListener {
  readonly #options: WebhookListenerOptions;
  readonly #limits: WebhookLimits;
  readonly #bodies: BodyReceiver;
  readonly #judge: DeliveryJudge;
  readonly #answers: Family<"provider" | "outcome", NumberSeries>;
  readonly #complaints = new Latest<Pace>(MOST_PATHS);
  readonly #closing = new AbortController();
  readonly #sockets = new Set<Socket>();
  readonly #server: Server | SecureServer;
  #follower: { stop(): void } | undefined;
  #running = 0;
  url = "";

  constructor(options: WebhookListenerOptions) {
    this.#options = options;
    this.#limits = { ...LIMITS, ...options.limits };
    this.#bodies = new BodyReceiver(this.#limits, options.clock);
    this.#judge = new DeliveryJudge(options.clock);
    this.#server = this.#createServer();
    this.#answers = options.metrics.counter({
      name: "webhook_deliveries_total",
      help: "Deliveries of webhooks of Git hosts, by provider and by what became of them.",
      labels: ["provider", "outcome"] as const,
    });
    const connections = { name: "webhook_connections", help: "Connections to the port for webhooks." };
    options.metrics.readings(connections, () => [[{}, this.#sockets.size]]);
  }

  #createServer(): Server | SecureServer {
    const { tls, clock, logger } = this.#options;
    const { headMs, bodyMs, idleMs, connections, requests } = this.#limits;
    const settings = {
      maxHeaderSize: MOST_HEADER_BYTES,
      headersTimeout: headMs,
      // For what nobody waits for any more: the rest of a body that was refused.
      requestTimeout: headMs + bodyMs + DISCARD_MS,
      keepAliveTimeout: idleMs,
      connectionsCheckingInterval: Math.min(CHECK_MS, headMs),
      noDelay: true,
    };
    let server: Server | SecureServer;
    if (tls === undefined) server = createServer(settings);
    else {
      const pair = readTlsFiles(tls);
      const secure = createSecureServer({ ...settings, ...pair, minVersion: "TLSv1.2", handshakeTimeout: headMs });
      this.#follower = followTlsFiles({
        files: tls,
        pair,
        clock,
        logger,
        onChange: (changed) => secure.setSecureContext(changed),
      });
      server = secure;
    }
    server.maxHeadersCount = MOST_HEADERS;
    server.maxRequestsPerSocket = requests;
    server.maxConnections = connections;
    server.on("request", (request, response) => void this.#serve(request, response, false));
    server.on("checkContinue", (request, response) => void this.#serve(request, response, true));
    server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    return server;
  }

  async open(): Promise<void> {
    const { host, port, tls, logger } = this.#options;
    const shown = isIP(host) === 6 ? `[${host}]` : host;
    try {
      await new Promise<void>((resolve, reject) => {
        this.#server.once("error", reject);
        this.#server.listen(port, host, () => {
          this.#server.off("error", reject);
          resolve();
        });
      });
    } catch (error) {
      this.#follower?.stop();
      throw webhookPortRefused(error, `${shown}:${port}`) ?? error;
    }
    const { port: number } = this.#server.address() as AddressInfo;
    this.url = `${tls === undefined ? "http" : "https"}://${shown}:${number}`;
    logger.info("opened the port for webhooks", { url: this.url });
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#closing.abort();
    this.#follower?.stop();
    this.#server.closeIdleConnections();
    const timer = this.#options.clock.after(CLOSE_MS, () => {
      for (const socket of this.#sockets) socket.destroy();
    });
    await closed;
    timer.cancel();
  }

  async #serve(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): Promise<void> {
    const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
    this.#running += 1;
    let answer: Answer;
    try {
      answer = await this.#answer(request, path, () => {
        if (expectsContinue) response.writeContinue();
      });
    } catch (error) {
      this.#options.logger.error("failed to judge a delivery", { path, error: messageOf(error) });
      answer = { name: "failed", status: 500, text: "this control plane failed; its log says why" };
    } finally {
      this.#running -= 1;
    }
    if (answer.name === "gone") return;
    this.#record(path, answer);
    this.#send(request, response, answer);
    const { event } = answer;
    if (event === undefined) return;
    setImmediate(() => {
      if (!this.#closing.signal.aborted) this.#handOn(path, event);
    });
  }

  async #answer(request: IncomingMessage, path: string, goOn: () => void): Promise<Answer> {
    // Of every path, so that it does not tell which ones there are.
    if (request.method !== "POST") return { name: "unknown", status: 405, text: "webhooks are delivered by POST" };
    const route = this.#options.find(path);
    if (route === undefined) return { name: "unknown", status: 404, text: "there is nothing here" };
    if (this.#running > this.#limits.deliveries)
      return { name: "limited", status: 503, text: "too many deliveries at a time", route };
    let secrets: readonly string[];
    try {
      secrets = await route.secrets();
    } catch (error) {
      this.#complain(path, "could not read the secret of a webhook", { error: messageOf(error) });
      return { name: "failed", status: 503, text: "the secret of this webhook cannot be read now", route };
    }
    goOn();
    const body = await this.#bodies.receive(request, this.#closing.signal);
    if (body === undefined) return { name: "gone", status: 0, text: "" };
    if (!Buffer.isBuffer(body)) return { name: "limited", status: body.status, text: body.reason, route };
    const { kind, repository } = route;
    return { ...this.#judge.judge({ path, kind, repository, secrets, headers: request.headers, body }), route };
  }

  #send(request: IncomingMessage, response: ServerResponse, { status, text }: Answer): void {
    // A body that did not arrive in time is not waited for any longer.
    const isLast = status === 408 || this.#closing.signal.aborted;
    response.writeHead(status, {
      "content-type": "text/plain; charset=utf-8",
      "content-length": Buffer.byteLength(text) + 1,
      "x-content-type-options": "nosniff",
      ...(status === 405 ? { allow: "POST" } : {}),
      ...(status === 429 || status === 503 ? { "retry-after": "60" } : {}),
      ...(isLast ? { connection: "close" } : {}),
    });
    if (isLast || request.complete) {
      response.end(`${text}\n`);
      return;
    }
    // A connection that is closed while bytes arrive is reset, and the answer may be lost with it.
    response.write(`${text}\n`);
    const timer = this.#options.clock.after(DISCARD_MS, () => request.socket.destroy());
    const finish = () => {
      timer.cancel();
      response.end();
    };
    request.once("end", finish).once("close", finish).resume();
  }

  #handOn(path: string, event: WebhookEvent): void {
    try {
      this.#options.onEvent(path, event);
    } catch (error) {
      this.#options.logger.error("failed to act upon a delivery", { path, error: messageOf(error) });
    }
  }

  /** Counts it, and says so; never what is in it. */
  #record(path: string, { name, status, text, route, event }: Answer): void {
    this.#answers.of({ provider: route?.kind ?? "", outcome: name }).add(1);
    const { logger } = this.#options;
    if (event !== undefined) logger.debug("took a delivery", { path, event: event.type, id: shown(event.deliveryId) });
    else if (route !== undefined && (name === "refused" || name === "limited"))
      this.#complain(path, "refused a delivery", { status, reason: text });
    else logger.debug("answered a delivery", { path: shown(path), status, reason: text });
  }

  /** Strangers can make it as often as they like: once a minute for each path is enough to know. */
  #complain(path: string, what: string, fields: Readonly<Record<string, unknown>>): void {
    let pace = this.#complaints.get(path);
    if (pace === undefined) {
      pace = new Pace(COMPLAINTS, this.#options.clock);
      this.#complaints.set(path, pace);
    }
    const { logger } = this.#options;
    if (pace.take()) logger.warn(what, { path, ...fields });
    else logger.debug(what, { path, ...fields });
  }
}

function shown(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
