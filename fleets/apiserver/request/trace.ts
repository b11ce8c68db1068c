// What one request turned out to be: filled on its way, read by metrics, request log and audit.
import { randomUUID } from "node:crypto";
import type { ApiRequest, UserInfo } from "../../../kube/client/transport.ts";
import type { AccessDecision } from "../authorization/access.ts";
import type { KindStrategy } from "../registry/kind.ts";
import { type ResourcePath, splitPath } from "./request-info.ts";

const LONG_SUBRESOURCES: ReadonlySet<string> = new Set(["attach", "exec", "log", "portforward", "proxy"]);

export class RequestTrace {
  readonly request: ApiRequest;
  /** Milliseconds since the epoch. */
  readonly receivedMs: number;
  /** Of the process' own clock, for durations. */
  readonly startedAt = performance.now();
  readonly path: string;
  readonly query: string;
  /** The verb of authorisation: `list`; the method in lower case for paths that are no resources. */
  verb: string;
  target: ResourcePath | undefined;
  /** Undefined for paths that are no resources, and for resources that are not there. */
  kind: KindStrategy | undefined;
  /** Who sent the request; undefined when the credentials do not hold. */
  user: UserInfo | undefined;
  /** As whom the sender acts, when it asked to. */
  impersonated: UserInfo | undefined;
  decision: AccessDecision | undefined;
  /** What nobody foresaw. */
  panic: unknown;
  /** Time that admission took, which is other programs' for the most part. */
  waitedSeconds = 0;
  /** Added to the audit record. */
  readonly annotations = new Map<string, string>();
  #auditId: string | undefined;
  #onEnd: (() => void)[] = [];

  constructor(request: ApiRequest, receivedMs: number) {
    this.request = request;
    this.receivedMs = receivedMs;
    const { path, query } = splitPath(request.path);
    this.path = path;
    this.query = query;
    this.verb = request.method.toLowerCase();
  }

  /** The request's Audit-Id header, or an id of its own. */
  get auditId(): string {
    this.#auditId ??= this.request.headers?.["audit-id"] ?? randomUUID();
    return this.#auditId;
  }

  /** Requests that last as long as somebody listens: watches, and what is passed on to other servers. */
  get isLong(): boolean {
    return this.verb === "watch" || LONG_SUBRESOURCES.has(this.target?.subresource ?? "");
  }

  get changes(): boolean {
    return this.request.method !== "GET" && this.request.method !== "HEAD" && this.request.method !== "OPTIONS";
  }

  get seconds(): number {
    return (performance.now() - this.startedAt) / 1000;
  }

  /** Calls `fn` once when the answer is complete, or for a stream when it has ended. */
  onEnd(fn: () => void): void {
    this.#onEnd.push(fn);
  }

  /** The answer is complete. Further calls do nothing. */
  end(): void {
    const calls = this.#onEnd;
    this.#onEnd = [];
    for (const call of calls) call();
  }
}
