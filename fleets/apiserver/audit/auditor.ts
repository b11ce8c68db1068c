// Decides what is recorded of each request, and hands it to the log.
import type { ApiRequest, ApiResponse } from "../../../kube/client/transport.ts";
import { isObject } from "../../../kube/object.ts";
import { parseYaml } from "../../../kube/yaml.ts";
import type { Clock } from "../../../runtime/clock.ts";
import { decodeBody } from "../request/body.ts";
import { parseJson } from "../request/json-parser.ts";
import type { ServerMetrics } from "../request/server-metrics.ts";
import type { RequestTrace } from "../request/trace.ts";
import { encodeJson } from "../storage/json-text.ts";
import { type AuditedAnswer, auditEvent } from "./event.ts";
import {
  type AuditDecision,
  type AuditPolicy,
  type AuditStage,
  auditedRequest,
  CONFIDENTIAL,
  decideAudit,
} from "./policy.ts";

/** Takes lines without waiting. False when it has no room: the line is lost. */
export interface AuditSink {
  write(line: string): boolean;
  /** Has `listener` told how many of the lines it took could not be written. */
  onLost?(listener: (lines: number) => void): void;
}

export interface AuditOptions {
  readonly policy: AuditPolicy;
  readonly sink: AuditSink;
  /** Further resources whose bodies are never recorded, as `group/resource`. */
  readonly confidential?: readonly string[];
}

/** As the reference marks entries whose bodies were left out for their size. */
const TRUNCATED = "audit.k8s.io/truncated";

export class Auditor {
  readonly #options: AuditOptions;
  readonly #metrics: ServerMetrics;
  readonly #clock: Clock;
  readonly #confidential: ReadonlySet<string>;
  readonly #decisions = new WeakMap<RequestTrace, AuditDecision>();

  constructor(options: AuditOptions, metrics: ServerMetrics, clock: Clock) {
    this.#options = options;
    this.#metrics = metrics;
    this.#clock = clock;
    options.sink.onLost?.((lines) => metrics.auditLost(lines));
    this.#confidential = new Set([...CONFIDENTIAL, ...(options.confidential ?? [])]);
  }

  /** It is known who asks for what; nothing was done yet. */
  received(trace: RequestTrace): void {
    this.#record(trace, "RequestReceived", undefined);
  }

  /** The headers of a stream were sent. */
  started(trace: RequestTrace, response: ApiResponse): void {
    if (trace.isLong) this.#record(trace, "ResponseStarted", response);
  }

  /** Nothing more will be sent. */
  complete(trace: RequestTrace, response: ApiResponse): void {
    this.#record(trace, trace.panic === undefined ? "ResponseComplete" : "Panic", response);
  }

  /** As the reference: a request with bad credentials has this one entry. */
  rejected(trace: RequestTrace, response: ApiResponse): void {
    this.#record(trace, "ResponseStarted", response);
  }

  #record(trace: RequestTrace, stage: AuditStage, response: ApiResponse | undefined): void {
    const decision = this.#decisionOf(trace);
    if (decision.level === "None" || decision.omitStages.has(stage)) return;
    const answer = response === undefined ? undefined : withBodies(trace, decision, response);
    const line = `${encodeJson(auditEvent(trace, decision, stage, this.#clock.now(), answer))}\n`;
    if (this.#options.sink.write(line)) this.#metrics.audited();
    else this.#metrics.auditLost();
  }

  #decisionOf(trace: RequestTrace): AuditDecision {
    let decision = this.#decisions.get(trace);
    if (decision === undefined) {
      decision = decideAudit(this.#options.policy, auditedRequest(trace), this.#confidential);
      this.#decisions.set(trace, decision);
      this.#metrics.auditLevel(decision.level);
    }
    return decision;
  }
}

function withBodies(trace: RequestTrace, { level }: AuditDecision, response: ApiResponse): AuditedAnswer {
  const isStream = response.events !== undefined || response.tunnel !== undefined;
  // Long lists are made while they are sent: making one at once, for the log, would hold up everybody.
  const isLong = response.source !== undefined;
  if (level === "RequestResponse" && !isStream && isLong) trace.annotations.set(TRUNCATED, "true");
  return {
    response,
    requestObject: level === "Request" || level === "RequestResponse" ? requestObject(trace) : undefined,
    responseObject: level === "RequestResponse" && !isStream && !isLong ? response.parsed : undefined,
  };
}

/** What was sent, decoded as the handler does; undefined when nothing was, or nothing that can be read. */
function requestObject(trace: RequestTrace): unknown {
  const { request, kind, verb, target } = trace;
  try {
    const isWhole = verb === "create" || verb === "update";
    if (kind !== undefined && isWhole && target?.subresource === undefined && hasBody(request)) {
      const object = decodeBody(request, kind, "Ignore", []);
      kind.applyDefaults(object, undefined);
      return object;
    }
    const sent = request.object ?? parsedBody(request);
    const isDeletion = verb === "delete" || verb === "deletecollection";
    return isDeletion && isObject(sent) ? { ...DELETE_OPTIONS, ...withoutType(sent) } : sent;
  } catch {
    // The answer says what is wrong with it.
    return undefined;
  }
}

/** As the reference shows options, whatever the client calls them. */
const DELETE_OPTIONS = { kind: "DeleteOptions", apiVersion: "meta.k8s.io/__internal" };

function withoutType(object: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { kind: _kind, apiVersion: _version, ...rest } = object;
  return rest;
}

function hasBody({ object, body }: ApiRequest): boolean {
  return object !== undefined || (body !== undefined && body.length > 0);
}

/** JSON and YAML; the log's field holds any JSON, and a JSON patch is a list. */
function parsedBody(request: ApiRequest): unknown {
  const type = request.headers?.["content-type"] ?? "";
  if (request.body === undefined || request.body.length === 0 || type.includes("protobuf")) return undefined;
  const text = typeof request.body === "string" ? request.body : Buffer.from(request.body).toString();
  return type.includes("yaml") ? parseYaml(text) : parseJson(text, true).value;
}
