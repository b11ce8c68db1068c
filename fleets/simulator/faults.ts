// Failures to order: what stands between a simulated cluster and everyone who talks to it.
import { apiUnreachable } from "../../kube/client/status-error.ts";
import type { ApiRequest, ApiResponse, Transport, TransportEvent } from "../../kube/client/transport.ts";
import type { Clock } from "../../runtime/clock.ts";
import { sleep } from "../../runtime/clock.ts";

/** `down`: nobody answers. `hang`: connections are taken and never answered. `unhealthy`: /readyz fails, the rest works. */
export type Fault = "none" | "down" | "hang" | "unhealthy" | "slow";

const SLOW_MS = 2_000;

/** Puts faults in front of a server. Failing ends the watches that are open; recovery ends the requests that hang. */
export class FaultyTransport {
  readonly #inner: Transport;
  readonly #clock: Clock;
  #fault: Fault = "none";
  #cut = new AbortController();

  constructor(inner: Transport, clock: Clock) {
    this.#inner = inner;
    this.#clock = clock;
  }

  get fault(): Fault {
    return this.#fault;
  }

  setFault(fault: Fault): void {
    const hung = this.#fault === "hang";
    this.#fault = fault;
    if (fault !== "down" && fault !== "hang" && !hung) return;
    this.#cut.abort(new Error("connection reset"));
    this.#cut = new AbortController();
  }

  readonly send: Transport = async (request) => {
    const path = request.path.split("?")[0] ?? "";
    switch (this.#fault) {
      case "down":
        throw apiUnreachable(`${request.method} ${path}`, new Error("connection refused"));
      case "hang":
        return this.#hang(request, path);
      case "slow":
        await sleep(this.#clock, SLOW_MS, request.signal);
        break;
      case "unhealthy":
        if (path === "/readyz" || path === "/healthz") return plain(500, "[-]etcd failed: reason withheld\n");
        break;
      case "none":
        break;
    }
    return this.#pass(request);
  };

  async #hang(request: ApiRequest, path: string): Promise<ApiResponse> {
    const cut = this.#cut.signal;
    try {
      await aborted(request.signal === undefined ? cut : AbortSignal.any([request.signal, cut]));
    } catch (error) {
      if (request.signal?.aborted === true) throw error;
    }
    throw apiUnreachable(`${request.method} ${path}`, cut.reason);
  }

  async #pass(request: ApiRequest): Promise<ApiResponse> {
    const cut = this.#cut.signal;
    const signal = request.signal === undefined ? cut : AbortSignal.any([request.signal, cut]);
    const answer = await this.#inner({ ...request, signal });
    if (answer.events === undefined) return answer;
    return { ...answer, events: untilCut(answer.events, cut, request.path) };
  }
}

/** Rejects with the signal's reason once it aborts. */
async function aborted(signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));
}

// A cut connection is an error to the reader, not the clean end of a watch.
async function* untilCut(
  events: AsyncIterable<TransportEvent>,
  cut: AbortSignal,
  path: string,
): AsyncGenerator<TransportEvent> {
  for await (const event of events) {
    if (cut.aborted) break;
    yield event;
  }
  if (cut.aborted) throw apiUnreachable(`GET ${path}`, cut.reason);
}

function plain(status: number, text: string): ApiResponse {
  return { status, headers: { "content-type": "text/plain; charset=utf-8" }, body: Buffer.from(text) };
}
