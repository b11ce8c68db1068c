// One request from its arrival to the end of its answer: time limit, counting, logging, audit around its handling.
import type { ApiRequest, ApiResponse } from "../../../kube/client/transport.ts";
import { timedOut, timeLimitOf } from "../request/limits.ts";
import { Query } from "../request/query.ts";
import { parseResourcePath } from "../request/request-info.ts";
import { RequestTrace } from "../request/trace.ts";
import type { ServerContext } from "../server-context.ts";
import { type PathHandler, refusal, route, verbOfMethod } from "./router.ts";

/** Answers one request; never rejects. */
export async function serve(server: ServerContext, other: PathHandler, request: ApiRequest): Promise<ApiResponse> {
  const trace = beginTrace(server, request);
  let answer: ApiResponse;
  try {
    const limitMs = timeLimitOf(trace);
    answer =
      limitMs === undefined
        ? await route(server, other, request, trace)
        : await routeWithin(limitMs, server, other, trace);
  } catch (error) {
    answer = refusal(server, error);
  }
  return answered(server, trace, answer);
}

/** Answers a request whose credentials do not hold. */
export function reject(server: ServerContext, request: ApiRequest, error: unknown): ApiResponse {
  const trace = beginTrace(server, request);
  server.metrics.authenticated(undefined);
  const answer = refusal(server, error);
  server.metrics.answered(trace, answer);
  server.audit?.rejected(trace, answer);
  logRequest(server, trace, answer.status);
  return answer;
}

function beginTrace(server: ServerContext, request: ApiRequest): RequestTrace {
  const trace = new RequestTrace(request, server.clock.now());
  const target = parseResourcePath(trace.path);
  if (target === undefined) return trace;
  trace.target = target;
  trace.kind = server.registry.find(target.group, target.version, target.resource);
  trace.verb = verbOfMethod(request.method, target, new Query(trace.query)) ?? trace.verb;
  return trace;
}

async function routeWithin(
  limitMs: number,
  server: ServerContext,
  other: PathHandler,
  trace: RequestTrace,
): Promise<ApiResponse> {
  const { request } = trace;
  const late = new AbortController();
  const { signal } = late;
  const onAbort = (): void => late.abort();
  if (request.signal?.aborted === true) late.abort();
  request.signal?.addEventListener("abort", onAbort, { once: true });
  let fail: (error: Error) => void = () => {};
  const expired = new Promise<never>((_resolve, reject) => {
    fail = reject;
  });
  const timer = server.clock.after(limitMs, () => {
    late.abort();
    server.metrics.terminated(trace, 504);
    fail(timedOut());
  });
  try {
    return await Promise.race([route(server, other, { ...request, signal }, trace), expired]);
  } finally {
    timer.cancel();
    request.signal?.removeEventListener("abort", onAbort);
  }
}

function answered(server: ServerContext, trace: RequestTrace, answer: ApiResponse): ApiResponse {
  server.metrics.answered(trace, answer);
  const finish = (): void => {
    server.audit?.complete(trace, answer);
    logRequest(server, trace, answer.status);
  };
  if (!isStream(trace, answer)) {
    trace.end();
    finish();
    return answer;
  }
  server.audit?.started(trace, answer);
  trace.onEnd(finish);
  if (answer.tunnel !== undefined) {
    answer.tunnel.once("close", () => trace.end());
    return answer;
  }
  // Watches tell their end themselves, whichever of their two forms is read.
  if (answer.events !== undefined) return answer;
  return { ...answer, body: endAfter(answer.body as AsyncIterable<Uint8Array>, trace) };
}

/** Whether the answer goes on for as long as somebody reads. Bodies are looked at last: reading one may make it. */
function isStream(trace: RequestTrace, answer: ApiResponse): boolean {
  if (answer.events !== undefined || answer.tunnel !== undefined) return true;
  return trace.isLong && !(answer.body instanceof Uint8Array);
}

async function* endAfter(body: AsyncIterable<Uint8Array>, trace: RequestTrace): AsyncIterable<Uint8Array> {
  try {
    yield* body;
  } finally {
    trace.end();
  }
}

/** Queries stay out of the log: they are passed on to other servers, and may hold what only those should see. */
function logRequest(server: ServerContext, trace: RequestTrace, code: number): void {
  const { user, impersonated, request } = trace;
  const fields = {
    verb: trace.verb,
    path: trace.path,
    user: user?.name,
    as: impersonated?.name,
    code,
    ms: Math.round(trace.seconds * 1e6) / 1e3,
    auditId: request.peer === undefined ? undefined : trace.auditId,
  };
  if (server.logsRequests && request.peer !== undefined) server.logger.info("answered a request", fields);
  else server.logger.debug("answered a request", fields);
}
