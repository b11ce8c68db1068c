// What Kubernetes and Prometheus ask a standing estimator: is it alive, is it ready, what does it do.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { EstimateType } from "../../fleets/estimator/service.ts";
import { AppError, messageOf } from "../../runtime/errors.ts";
import { METRICS_TYPE, Metrics } from "../../runtime/metrics.ts";
import { UsageError } from "./command.ts";

const SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

export class EstimatorProbes {
  isReady = false;
  readonly #server: Server | undefined;
  readonly #metrics = new Metrics();
  // Names and labels are Karmada's.
  readonly #requests = this.#metrics.counter({
    name: "karmada_scheduler_estimator_estimating_request_total",
    help: "Number of scheduler estimator requests",
    labels: ["result", "type"],
  });
  readonly #durations = this.#metrics.histogram({
    name: "karmada_scheduler_estimator_estimating_algorithm_duration_seconds",
    help: "Estimating algorithm latency in seconds for each step",
    labels: ["result", "type", "step"],
    buckets: SECONDS,
  });

  private constructor(server: Server | undefined) {
    this.#server = server;
  }

  /** Listens on `address`, `HOST:PORT`; nowhere when it is absent or "0". Throws a usage error, or why it cannot listen. */
  static async start(address: string | undefined): Promise<EstimatorProbes> {
    if (address === undefined || address === "0") return new EstimatorProbes(undefined);
    const match = /^(.*):(\d{1,5})$/.exec(address);
    if (match === null) throw new UsageError(`--health-probe-bind-address takes HOST:PORT, not "${address}"`);
    const server = createServer();
    const probes = new EstimatorProbes(server);
    server.on("request", (request, response) => {
      void probes.#answer(request.url ?? "/").then(({ status, type, body }) => {
        response.writeHead(status, { "content-type": type }).end(body);
      });
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", (error) =>
        reject(
          new AppError("estimator-probes-failed", `cannot listen on ${address}: ${messageOf(error)}`, {
            recovery: "stall",
            cause: error,
          }),
        ),
      );
      server.listen(Number(match[2]), match[1] === "" ? undefined : match[1], resolve);
    });
    return probes;
  }

  /** The port it listens on; undefined when it does not. */
  get port(): number | undefined {
    return this.#server === undefined ? undefined : (this.#server.address() as AddressInfo).port;
  }

  observe(type: EstimateType, failed: boolean, ms: number): void {
    const result = failed ? "error" : "success";
    this.#requests.of({ result, type }).add(1);
    this.#durations.of({ result, type, step: "Total" }).observe(ms / 1000);
  }

  async close(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    server.closeAllConnections();
    await new Promise<void>((done) => server.close(() => done()));
  }

  async #answer(url: string): Promise<{ readonly status: number; readonly type: string; readonly body: string }> {
    const plain = "text/plain; charset=utf-8";
    switch (url.split("?", 1)[0]) {
      case "/healthz":
      case "/livez":
        return { status: 200, type: plain, body: "ok" };
      case "/readyz":
        return this.isReady
          ? { status: 200, type: plain, body: "ok" }
          : { status: 503, type: plain, body: "nodes and pods are not read yet" };
      case "/metrics":
        return { status: 200, type: METRICS_TYPE, body: await this.#metrics.text() };
      default:
        return { status: 404, type: plain, body: "there are /healthz, /readyz and /metrics" };
    }
  }
}
