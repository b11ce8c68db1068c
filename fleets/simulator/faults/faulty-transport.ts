// The way to a simulated cluster's API, with whatever is wrong with it.
import type { Party } from "../../../api/fleet-faults.ts";
import { apiUnreachable } from "../../../kube/client/status-error.ts";
import type { ApiRequest, ApiResponse, Transport } from "../../../kube/client/transport.ts";
import type { Clock } from "../../../runtime/clock.ts";
import { sleep } from "../../../runtime/clock.ts";
import { Random } from "../../../runtime/random.ts";
import { jsonResponse } from "../../apiserver/handlers/answers.ts";
import { statusError, tooManyRequests, unauthorized } from "../../apiserver/registry/status-error.ts";
import { type Impairment, type ImpairmentOf, sampleLatency } from "./impairment.ts";
import { isInMissingGroup, mayListGroups, pathNotFound, withoutCache, withoutGroup } from "./missing-group.ts";
import { concerns, partyOf } from "./parties.ts";
import { WatchLease } from "./watch-lease.ts";

/** `down`: nobody answers. `hang`: connections are taken and never answered. `unhealthy`: /readyz fails, the rest works. */
export type SimpleFault = "none" | "down" | "hang" | "unhealthy" | "slow";

const SIMPLE: Readonly<Record<Exclude<SimpleFault, "none">, Impairment>> = {
  down: { kind: "refuse" },
  hang: { kind: "hang" },
  unhealthy: { kind: "unready", check: "etcd" },
  slow: { kind: "delay", latency: { fixed: "2s" } },
};
/** As Go's dialler gives up. */
const DIAL_MS = 30_000;
/** As Go's HTTP/2 finds out that nobody is there: 30 s without a frame, and 15 s without an answer to its ping. */
const PING_MS = 45_000;

/** A request on its way, or a watch that is open. */
interface Flight {
  /** Who asks; of requests that leave the cluster, who is asked. */
  readonly party: Party;
  readonly to: Transport;
  readonly isOutward: boolean;
  readonly abort: AbortController;
  lease: WatchLease | undefined;
}

/** Puts faults in front of a server. Failing ends the watches that are open; recovery ends the requests that hang. */
export class FaultyTransport {
  readonly #inner: Transport;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #impairments = new Set<Impairment>();
  readonly #flights = new Set<Flight>();
  #simple: { readonly fault: SimpleFault; readonly end: () => void } = { fault: "none", end: () => {} };

  constructor(inner: Transport, clock: Clock, random = new Random(1)) {
    this.#inner = inner;
    this.#clock = clock;
    this.#random = random;
  }

  /** The fault of `setFault`. */
  get fault(): SimpleFault {
    return this.#simple.fault;
  }

  /** Sets one simple fault, for everybody, in place of the one before; others stay. */
  setFault(fault: SimpleFault): void {
    this.#simple.end();
    this.#simple = { fault, end: fault === "none" ? () => {} : this.begin(SIMPLE[fault]) };
  }

  /** What is wrong at the moment. */
  get impairments(): readonly Impairment[] {
    return [...this.#impairments];
  }

  /** Adds something that is wrong; the returned function takes exactly that away. */
  begin(impairment: Impairment): () => void {
    // A copy: the same may be there twice.
    const own: Impairment = { ...impairment };
    this.#impairments.add(own);
    for (const flight of this.#concernedBy(own)) this.#strike(own, flight);
    return () => {
      if (this.#impairments.delete(own)) this.#over(own);
    };
  }

  /** Cuts every connection, as a server that restarts does. */
  cut(): void {
    for (const flight of [...this.#flights]) cutFlight(flight);
  }

  /** For callers in this process, who are `control-plane` unless they say who they are. */
  readonly send: Transport = (request) => this.#send(request, partyOf(request), this.#inner);

  /** The way for one party, whatever its requests say. */
  transportFor(party: Party): Transport {
    return (request) => this.#send(request, party, this.#inner);
  }

  /**
   * The way out of the cluster to a party, such as its agents' to the control plane: `inner` as they reach it. Only what is
   * wrong with the network is met there.
   */
  outward(party: Party, inner: Transport): Transport {
    return (request) => this.#send(request, party, inner, true);
  }

  #concernedBy(impairment: Impairment): Flight[] {
    return [...this.#flights].filter((flight) => meets(impairment, flight));
  }

  #strike(impairment: Impairment, flight: Flight): void {
    switch (impairment.kind) {
      case "refuse":
      case "hang":
        cutFlight(flight);
        return;
      case "drop":
        this.#stall(flight);
        return;
      case "watch-limit":
        this.#limitWatch(impairment, flight);
        return;
      default:
        return;
    }
  }

  #over(impairment: Impairment): void {
    // Requests that hang learn that nobody has them.
    if (impairment.kind === "hang") for (const flight of this.#concernedBy(impairment)) cutFlight(flight);
    if (impairment.kind !== "drop") return;
    for (const flight of this.#concernedBy(impairment))
      if (this.#met(flight, "drop").length === 0) flight.lease?.stall(false);
  }

  #met<K extends Impairment["kind"]>(flight: Flight, kind: K): ImpairmentOf<K>[] {
    return [...this.#impairments].filter((each): each is ImpairmentOf<K> => each.kind === kind && meets(each, flight));
  }

  async #send(request: ApiRequest, party: Party, to: Transport, isOutward = false): Promise<ApiResponse> {
    const flight: Flight = { party, to, isOutward, abort: new AbortController(), lease: undefined };
    const { signal } = request;
    const onAbort = (): void => {
      flight.abort.abort(signal?.reason);
      flight.lease?.done();
    };
    if (signal?.aborted === true) onAbort();
    signal?.addEventListener("abort", onAbort, { once: true });
    const land = (): void => {
      this.#flights.delete(flight);
      signal?.removeEventListener("abort", onAbort);
    };
    this.#flights.add(flight);
    try {
      const answer = await this.#answer({ ...request, signal: flight.abort.signal }, flight);
      if (answer.events === undefined) return answer;
      return this.#lend(answer, request, flight, land);
    } catch (error) {
      if (signal?.aborted === true || !flight.abort.signal.aborted) throw error;
      throw apiUnreachable(`${request.method} ${bare(request)}`, flight.abort.signal.reason);
    } finally {
      if (flight.lease === undefined) land();
    }
  }

  async #answer(request: ApiRequest, flight: Flight): Promise<ApiResponse> {
    const { abort, to } = flight;
    const name = `${request.method} ${bare(request)}`;
    if (this.#impairments.size === 0) return to(request);
    const refusal = this.#met(flight, "refuse")[0];
    if (refusal !== undefined) throw apiUnreachable(name, new Error(refusal.reason ?? "connection refused"));
    if (this.#met(flight, "hang").length > 0) return aborted(abort.signal);
    if (this.#met(flight, "drop").length > 0) {
      await sleep(this.#clock, DIAL_MS, abort.signal);
      throw apiUnreachable(name, new Error("i/o timeout"));
    }
    const waits = this.#met(flight, "delay").map(({ latency }) => sampleLatency(latency, this.#random));
    const waitMs = waits.reduce((sum, ms) => sum + ms, 0);
    if (waitMs > 0) await sleep(this.#clock, waitMs, abort.signal);
    if (this.#met(flight, "lose").some(({ share }) => this.#random.chance(share)))
      throw apiUnreachable(name, new Error("connection reset by peer"));
    return this.#refusal(request, flight) ?? this.#pass(request, flight);
  }

  /** What the cluster answers in place of what it was asked for. */
  #refusal(request: ApiRequest, flight: Flight): ApiResponse | undefined {
    const path = bare(request);
    if (this.#met(flight, "unauthorized").length > 0) return errorAnswer(unauthorized());
    for (const { percent, retryAfterMs } of this.#met(flight, "throttle")) {
      if (!this.#random.chance(percent / 100)) continue;
      const seconds = Math.max(1, Math.ceil(retryAfterMs / 1000));
      return errorAnswer(tooManyRequests("Too many requests, please try again later.", seconds));
    }
    for (const { percent, status } of this.#met(flight, "fail"))
      if (this.#random.chance(percent / 100)) return failure(status);
    const unready = this.#met(flight, "unready")[0];
    if (unready !== undefined && (path === "/readyz" || path === "/healthz"))
      return plain(500, `[-]${unready.check} failed: reason withheld\n${path.slice(1)} check failed\n`);
    const missing = this.#met(flight, "group-missing");
    return missing.some((each) => isInMissingGroup(path, each)) ? pathNotFound() : undefined;
  }

  async #pass(request: ApiRequest, flight: Flight): Promise<ApiResponse> {
    const missing = this.#met(flight, "group-missing").filter((each) => mayListGroups(bare(request), each));
    if (missing.length === 0) return flight.to(request);
    const answer = await flight.to(withoutCache(request));
    return missing.reduce((pruned, each) => withoutGroup(pruned, each), answer);
  }

  /** Hands a watch out, so that it can be taken back. */
  #lend(answer: ApiResponse, request: ApiRequest, flight: Flight, land: () => void): ApiResponse {
    const lease = new WatchLease(() => apiUnreachable(`GET ${bare(request)}`, new Error("connection reset")));
    flight.lease = lease;
    lease.signal.addEventListener("abort", () => flight.abort.abort(lease.signal.reason), { once: true });
    lease.onDone(land);
    for (const impairment of this.#impairments) if (meets(impairment, flight)) this.#strike(impairment, flight);
    return lease.hold(answer);
  }

  #stall({ lease }: Flight): void {
    if (lease === undefined) return;
    lease.stall(true);
    const timer = this.#clock.after(PING_MS, () => lease.cut());
    // Whoever hears again in time notices nothing.
    lease.onOpen(() => timer.cancel());
    lease.onDone(() => timer.cancel());
  }

  #limitWatch({ intervalMs, ending }: ImpairmentOf<"watch-limit">, { lease }: Flight): void {
    if (lease === undefined) return;
    const timer = this.#clock.after(intervalMs * (0.5 + this.#random.next()), () => {
      if (ending === "reset") lease.cut();
      else lease.end(ending);
    });
    lease.onDone(() => timer.cancel());
  }
}

function meets({ callers, bothWays }: Impairment, { party, isOutward }: Flight): boolean {
  return concerns(callers, party) && (!isOutward || bothWays === true);
}

function cutFlight({ lease, abort }: Flight): void {
  if (lease === undefined) abort.abort(new Error("connection reset"));
  else lease.cut();
}

function bare({ path }: ApiRequest): string {
  return path.split("?")[0] ?? "";
}

/** Rejects with the signal's reason once it aborts. */
async function aborted(signal: AbortSignal): Promise<never> {
  signal.throwIfAborted();
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));
}

function errorAnswer(error: ReturnType<typeof unauthorized>): ApiResponse {
  return jsonResponse(error.code, error.status, error.headers);
}

/** As the server tells of what went wrong behind it. */
function failure(status: number): ApiResponse {
  switch (status) {
    case 503:
      return errorAnswer(
        statusError(503, "ServiceUnavailable", "the server is currently unable to handle the request", {}),
      );
    case 504:
      return errorAnswer(
        statusError(504, "Timeout", "Timeout: request did not complete within the allotted timeout", {}),
      );
    default: {
      const message = "Internal error occurred: etcdserver: request timed out";
      return errorAnswer(statusError(status, "InternalError", message, {}));
    }
  }
}

function plain(status: number, text: string): ApiResponse {
  return { status, headers: { "content-type": "text/plain; charset=utf-8" }, body: Buffer.from(text) };
}
