// Starts the accurate estimators that a profile asks for: in this process, remote ones, and the service for others.
import { readFileSync } from "node:fs";
import type { Cluster } from "../../../api/cluster.ts";
import type { EstimateDetails } from "../../../fleets/capacity-watch.ts";
import type { ChannelTls } from "../../../fleets/estimator/grpc/channel.ts";
import { startGrpcServer } from "../../../fleets/estimator/grpc/server.ts";
import { LocalEstimator } from "../../../fleets/estimator/local-estimator.ts";
import { RemoteEstimators } from "../../../fleets/estimator/remote-estimators.ts";
import { estimatorMethods } from "../../../fleets/estimator/service.ts";
import type { Fleet } from "../../../fleets/fleet.ts";
import type { KubeClient } from "../../../kube/client/kube-client.ts";
import { isObject } from "../../../kube/object.ts";
import { AppError, messageOf } from "../../../runtime/errors.ts";
import type { AssumedWorkload } from "../../scheduler/options.ts";
import type { Controller, ControllerContext, Profile } from "../context.ts";
import { AccurateEstimates } from "./accurate-estimates.ts";
import type { UnschedulableReplicas } from "./descheduler.ts";
import type { EstimatorServingProfile, RemoteEstimatorProfile } from "./estimator-profile.ts";
import type { FleetState } from "./fleet-state.ts";
import type { SchedulingInput } from "./scheduling-inputs.ts";

/** What the fleet must keep of nodes and pods for the estimates that the profile asks for; undefined: sums are enough. */
export function estimateDetails(profile: Profile): EstimateDetails | undefined {
  const { estimators, descheduler, featureGates, compatibility } = profile;
  // The descheduler counts here unless remote estimators count for it.
  const counts = descheduler !== undefined && estimators.remote === undefined;
  if (!estimators.inProcess && estimators.serving === undefined && !counts) return undefined;
  return {
    arithmetic: compatibility === "karmada" ? "karmada" : "kubernetes",
    quotas: featureGates.ResourceQuotaEstimate,
  };
}

export interface Estimators extends Controller {
  /** For the scheduler. */
  readonly inputs: readonly SchedulingInput[];
  /** For the descheduler; undefined when nobody counts. */
  readonly unschedulable: UnschedulableReplicas | undefined;
  /** Port of the service for others; undefined when there is none. */
  readonly port: number | undefined;
  /** Whether a remote estimator of the cluster was found. */
  hasRemote(cluster: string): boolean;
}

export interface EstimatorsOptions {
  readonly context: ControllerContext;
  readonly fleet: Fleet;
  readonly fleetState: FleetState;
  /** Workloads on their way to a cluster; none without gate SchedulingOvercommitProtection. */
  readonly assumedIn: (cluster: string) => readonly AssumedWorkload[];
}

/** Rejects when the service for others cannot listen, or a file it needs cannot be read. */
export async function startEstimators(options: EstimatorsOptions): Promise<Estimators> {
  const { context, fleet, fleetState } = options;
  const { estimators, featureGates } = context.profile;
  const local =
    estimateDetails(context.profile) === undefined
      ? undefined
      : new LocalEstimator({
          cluster: (name) => fleet.get(name)?.capacity.estimated,
          assumed: featureGates.SchedulingOvercommitProtection,
        });
  const remote = estimators.remote === undefined ? undefined : startRemote(context, estimators.remote);
  const server =
    local === undefined || estimators.serving === undefined
      ? undefined
      : await serveEstimates(context, local, fleet, estimators.serving);
  const asked = { local: estimators.inProcess ? local : undefined, remote };
  const assumedIn = (cluster: string) =>
    options.assumedIn(cluster).map(({ namespace = "", components }) => ({
      namespace,
      components: components.map((component) => ({ ...component, name: component.name ?? "" })),
    }));
  return {
    inputs:
      asked.local === undefined && remote === undefined
        ? []
        : [new AccurateEstimates({ context, fleet: fleetState, ...asked, assumedIn })],
    unschedulable: local === undefined && remote === undefined ? undefined : unschedulableFrom(context, local, remote),
    port: server?.port,
    hasRemote: (cluster) => remote?.has(cluster) === true,
    stop: async () => {
      remote?.close();
      await server?.close();
    },
  };
}

/** In this process where that is possible, else by protocol. */
function unschedulableFrom(
  { clock }: ControllerContext,
  local: LocalEstimator | undefined,
  remote: RemoteEstimators | undefined,
): UnschedulableReplicas {
  return {
    unschedulable: async (cluster, { apiVersion, kind, namespace = "", name }, thresholdMs, signal) => {
      // As Karmada's: of nothing else it is counted. Asking would only be refused.
      if (kind !== "Deployment") return undefined;
      const request = { cluster, workload: { apiVersion, kind, namespace, name }, thresholdMs };
      const own = await local?.unschedulable(request, clock.now(), { anyway: true, signal });
      return own ?? (await remote?.unschedulable(request, signal));
    },
  };
}

function startRemote(context: ControllerContext, profile: RemoteEstimatorProfile): RemoteEstimators {
  const { client, clock, logger } = context;
  const remote = new RemoteEstimators({
    timeoutMs: profile.timeoutMs,
    resolve: (cluster, signal) => addressesOf(client, profile, cluster, signal),
    tls: () => readChannelTls(profile),
    clock,
    logger,
  });
  context.informers.of<Cluster>("cluster.karmada.io/v1alpha1", "Cluster").subscribe(({ type, object }) => {
    const name = object.metadata.name ?? "";
    if (type === "deleted" || (profile.skipsPull && object.spec.syncMode === "Pull")) remote.delete(name);
    else remote.add(name);
  });
  return remote;
}

/**
 * As Karmada: a Service of type ExternalName in the control plane says where, else it is one of the cluster that the
 * control plane runs in, by its name.
 */
async function addressesOf(
  client: KubeClient,
  { servicePrefix, serviceNamespace, port }: RemoteEstimatorProfile,
  cluster: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const name = `${servicePrefix}-${cluster}`;
  const ref = { apiVersion: "v1", kind: "Service", namespace: serviceNamespace, name };
  const service = await client.find(ref, signal);
  if (service === undefined)
    return [`${name}.${serviceNamespace}.svc.cluster.local:${port}`, `${name}.${serviceNamespace}.svc:${port}`];
  const spec = isObject(service["spec"]) ? service["spec"] : {};
  const where = `Service ${serviceNamespace}/${name}`;
  if (spec["type"] !== "ExternalName")
    throw unusable(`${where} is of type ${String(spec["type"])}: only ExternalName is of use here`);
  const ports = (Array.isArray(spec["ports"]) ? spec["ports"] : []).filter(isObject);
  const target = ports.find((each) => each["port"] === port)?.["targetPort"];
  if (typeof target !== "number") throw unusable(`${where} has no port ${port} with a number as its targetPort`);
  return [`${String(spec["externalName"])}:${target}`];
}

function unusable(message: string): AppError {
  return new AppError("estimator-service-unusable", message, { recovery: "retry" });
}

/** As Karmada: TLS when an authority is named, or when any certificate will do. */
function readChannelTls({
  caFile,
  certFile,
  keyFile,
  insecureSkipVerify,
}: RemoteEstimatorProfile): ChannelTls | undefined {
  if (caFile === undefined && !insecureSkipVerify) return undefined;
  return {
    rejectUnauthorized: !insecureSkipVerify,
    ...(caFile === undefined ? {} : { ca: readFileSync(caFile) }),
    ...(certFile === undefined || keyFile === undefined
      ? {}
      : { cert: readFileSync(certFile), key: readFileSync(keyFile) }),
  };
}

async function serveEstimates(
  { clock, logger }: ControllerContext,
  estimator: LocalEstimator,
  fleet: Fleet,
  profile: EstimatorServingProfile,
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const { host } = profile;
  const server = await listenForEstimates(profile, {
    methods: estimatorMethods({
      estimator,
      serves: (cluster) => fleet.get(cluster) !== undefined,
      served: () => "a member of this control plane",
      clock,
    }),
    clock,
    logger,
  });
  logger.info("serving estimates", { host, port: server.port });
  return server;
}

/** Listens as the profile says. Rejects with `estimator-port-taken` or `estimator-tls-invalid`. */
export async function listenForEstimates(
  { host, port, certFile, keyFile, clientCaFile, insecureSkipClientVerify }: EstimatorServingProfile,
  options: Pick<Parameters<typeof startGrpcServer>[0], "methods" | "clock" | "logger">,
): ReturnType<typeof startGrpcServer> {
  try {
    const tls =
      certFile === undefined || keyFile === undefined
        ? undefined
        : {
            cert: readFileSync(certFile),
            key: readFileSync(keyFile),
            clientCa: clientCaFile === undefined || insecureSkipClientVerify ? undefined : readFileSync(clientCaFile),
          };
    return await startGrpcServer({ ...options, host, port, tls });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    const isPort = code === "EADDRINUSE" || code === "EACCES" || code === "EADDRNOTAVAIL";
    throw new AppError(
      isPort ? "estimator-port-taken" : "estimator-tls-invalid",
      `estimates cannot be served on ${host}:${port}: ${messageOf(error)}`,
      { recovery: "stall", cause: error },
    );
  }
}
