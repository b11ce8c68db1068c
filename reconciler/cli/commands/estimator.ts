import { resolve } from "node:path";
import { featureGates } from "../../../api/feature-gates.ts";
import { CapacityWatch } from "../../../fleets/capacity-watch.ts";
import { LocalEstimator } from "../../../fleets/estimator/local-estimator.ts";
import { estimatorMethods } from "../../../fleets/estimator/service.ts";
import { Member } from "../../../fleets/member.ts";
import { openHttpTransportFile } from "../../../kube/client/http-transport.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { listenForEstimates } from "../../controllers/scheduling/estimators.ts";
import { type Command, EXIT, type Invocation, stringOption, UsageError } from "../command.ts";
import { EstimatorProbes } from "../estimator-probes.ts";
import { readServing, SERVING_OPTIONS } from "../estimator-settings.ts";
import { gatesOption } from "../scheduling-settings.ts";
import { loggerFor } from "./up.ts";

export const estimatorCommand: Command = {
  name: "estimator",
  summary: "answer Karmada's schedulers what fits on one cluster's nodes",
  usage: "--cluster-name NAME --cluster-kubeconfig FILE [--port PORT]",
  description:
    "Watches the nodes and pods of one cluster and serves Karmada's estimator protocol, in place of karmada-scheduler-estimator. Ends on Ctrl-C. A control plane needs none of these: 'flaghoist up --accurate-estimator' knows as much.",
  options: {
    "cluster-name": { type: "string", value: "NAME", help: "the cluster by the name it is registered under" },
    "cluster-kubeconfig": { type: "string", value: "FILE", help: "how the cluster is reached" },
    kubeconfig: { type: "string", value: "FILE", help: "the same, by Karmada's name" },
    host: { type: "string", value: "ADDRESS", help: "address to listen on (default: 0.0.0.0)" },
    port: { type: "string", value: "PORT", help: "port to listen on (default: 10352; 0 takes any)" },
    "server-port": { type: "string", value: "PORT", help: "the same, by Karmada's name" },
    ...SERVING_OPTIONS,
    "health-probe-bind-address": {
      type: "string",
      value: "HOST:PORT",
      help: "serve /healthz, /readyz and /metrics there (default: nowhere)",
    },
    "feature-gates": {
      type: "string",
      multiple: true,
      value: "GATE=BOOL,...",
      help: "ResourceQuotaEstimate, SchedulingOvercommitProtection",
    },
    compatibility: {
      type: "string",
      value: "MODE",
      help: "flaghoist (default) counts sidecars and requests of whole pods as Kubernetes does, karmada as Karmada does",
    },
    "log-level": { type: "string", value: "LEVEL", help: "debug, info, warn or error (default: info)" },
  },
  examples: [["estimator --cluster-name member1 --cluster-kubeconfig member1.kubeconfig", "on port 10352"]],
  run: async (invocation) => {
    const { io, signal } = invocation;
    const logger = loggerFor(io, stringOption(invocation, "log-level") ?? "info");
    const name = required(invocation, "cluster-name");
    const kubeconfig = resolve(io.cwd, required(invocation, "cluster-kubeconfig", "kubeconfig"));
    const port = stringOption(invocation, "port") ?? stringOption(invocation, "server-port") ?? "10352";
    const serving = readServing(invocation, stringOption(invocation, "host") ?? "0.0.0.0", {
      name: "port",
      value: port,
    });
    const gates = featureGates(gatesOption(invocation));
    const arithmetic = readCompatibility(invocation);
    const probes = await EstimatorProbes.start(stringOption(invocation, "health-probe-bind-address"));
    const transport = await openHttpTransportFile(kubeconfig);
    const member = new Member({
      name,
      transport: transport.send,
      close: transport.close,
      clock: systemClock,
      logger,
    });
    const capacity = new CapacityWatch(member, systemClock, logger, {
      arithmetic,
      quotas: gates.ResourceQuotaEstimate,
    });
    try {
      capacity.start();
      logger.info("reading nodes and pods", { cluster: name, server: transport.server });
      await Promise.race([capacity.synced(), aborted(signal)]);
      if (signal.aborted) return EXIT.ok;
      const estimator = new LocalEstimator({
        cluster: () => capacity.estimated,
        assumed: gates.SchedulingOvercommitProtection,
      });
      const server = await listenForEstimates(serving, {
        methods: estimatorMethods({
          estimator,
          serves: (cluster) => cluster === name,
          served: () => name,
          clock: systemClock,
          observe: (type, failed, ms) => probes.observe(type, failed, ms),
        }),
        clock: systemClock,
        logger,
      });
      probes.isReady = true;
      io.out(`estimating for cluster ${name} on ${serving.host}:${server.port}\n`);
      await aborted(signal);
      probes.isReady = false;
      await server.close();
      return EXIT.ok;
    } finally {
      await capacity.stop();
      await member.close();
      await probes.close();
    }
  },
};

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) done();
    else signal.addEventListener("abort", () => done(), { once: true });
  });
}

function required(invocation: Invocation, name: string, alias?: string): string {
  const value = stringOption(invocation, name) ?? (alias === undefined ? undefined : stringOption(invocation, alias));
  if (value === undefined || value === "") throw new UsageError(`--${name} is missing`);
  return value;
}

function readCompatibility(invocation: Invocation): "karmada" | "kubernetes" {
  const mode = stringOption(invocation, "compatibility") ?? "flaghoist";
  if (mode !== "flaghoist" && mode !== "karmada")
    throw new UsageError(`--compatibility takes flaghoist or karmada, not "${mode}"`);
  return mode === "karmada" ? "karmada" : "kubernetes";
}
