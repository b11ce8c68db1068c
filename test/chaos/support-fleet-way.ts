// A way to a member on which answers get lost or come by halves, refusals come from nowhere and watches hear nothing.
import { apiUnreachable } from "../../kube/client/status-error.ts";
import type { ApiRequest, ApiResponse, Transport, TransportEvent } from "../../kube/client/transport.ts";
import type { Random } from "../../runtime/random.ts";

/** What can be wrong with it, each as a share of requests from 0 to 1. */
export interface WayTrouble {
  /** The request is carried out; the connection breaks amid the answer. */
  readonly lostAnswers?: number;
  /** The request is carried out; what comes of the answer is its first part, as if that were all. */
  readonly halfBodies?: number;
  /** Nobody believes the server to be the member: it has another certificate than the one that is known. */
  readonly strangeCertificate?: boolean;
  /** Requests that change something are refused with `status`. */
  readonly refusals?: { readonly status: 409 | 410 | 422; readonly share: number };
  /** Watches stay open and are told nothing. */
  readonly staleWatches?: boolean;
}

const REASONS = { 409: "Conflict", 410: "Expired", 422: "Invalid" } as const;

/** The ways to all members; everything is well until `trouble` says otherwise. */
export class BrokenWays {
  readonly #random: Random;
  readonly #troubles = new Map<string, WayTrouble>();
  readonly #waiting = new Map<string, (() => void)[]>();

  constructor(random: Random) {
    this.#random = random;
  }

  /** In place of what was wrong before; undefined mends it. */
  trouble(cluster: string, trouble: WayTrouble | undefined): void {
    if (trouble === undefined) this.#troubles.delete(cluster);
    else this.#troubles.set(cluster, trouble);
    if (trouble?.staleWatches === true) return;
    for (const resume of this.#waiting.get(cluster) ?? []) resume();
    this.#waiting.delete(cluster);
  }

  mendAll(): void {
    for (const cluster of [...this.#troubles.keys()]) this.trouble(cluster, undefined);
  }

  readonly way = (cluster: string, plain: Transport): Transport => {
    return async (request) => {
      const { refusals, lostAnswers = 0, halfBodies = 0, strangeCertificate } = this.#troubles.get(cluster) ?? {};
      if (strangeCertificate === true)
        throw apiUnreachable(`${request.method} ${request.path}`, new Error("self-signed certificate"));
      if (refusals !== undefined && isWrite(request) && this.#random.chance(refusals.share))
        return refusal(refusals.status);
      const answer = await plain(request);
      if (answer.events !== undefined) return { ...answer, events: this.#held(cluster, answer.events, request.signal) };
      if (lostAnswers > 0 && this.#random.chance(lostAnswers))
        throw apiUnreachable(`${request.method} ${request.path}`, new Error("unexpected end of the body"));
      return halfBodies > 0 && this.#random.chance(halfBodies) ? half(answer) : answer;
    };
  };

  async *#held(
    cluster: string,
    events: AsyncIterable<TransportEvent>,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<TransportEvent, void, void> {
    for await (const event of events) {
      while (this.#troubles.get(cluster)?.staleWatches === true && signal?.aborted !== true)
        await this.#mended(cluster, signal);
      const { halfBodies = 0, strangeCertificate } = this.#troubles.get(cluster) ?? {};
      if (strangeCertificate === true) throw new Error("read ECONNRESET");
      // A line that ends in its middle is no event any more.
      if (halfBodies > 0 && this.#random.chance(halfBodies)) throw new SyntaxError("Unexpected end of JSON input");
      yield event;
    }
  }

  #mended(cluster: string, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.set(cluster, [...(this.#waiting.get(cluster) ?? []), resolve]);
      signal?.addEventListener("abort", () => resolve(), { once: true });
    });
  }
}

/** The same answer as it is when the connection ends in its middle, and nobody says how long it was to be. */
function half({ status, headers, body }: ApiResponse): ApiResponse {
  if (!(body instanceof Uint8Array)) return { status, headers, body };
  return { status, headers, body: body.subarray(0, Math.floor(body.byteLength / 2)) };
}

function isWrite({ method, path }: ApiRequest): boolean {
  return method !== "GET" && !path.includes("dryRun=All");
}

function refusal(status: keyof typeof REASONS): ApiResponse {
  const object = {
    kind: "Status",
    apiVersion: "v1",
    status: "Failure",
    code: status,
    reason: REASONS[status],
    message: `refused by the suite with ${status}`,
  };
  return { status, headers: { "content-type": "application/json" }, body: Buffer.from(JSON.stringify(object)) };
}
