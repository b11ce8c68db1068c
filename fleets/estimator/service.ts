// Karmada's estimator service, as its schedulers and deschedulers call it.
import type { Clock } from "../../runtime/clock.ts";
import { AppError, messageOf } from "../../runtime/errors.ts";
import { ProtobufError } from "../apiserver/kinds/protobuf-wire.ts";
import type { GrpcCall, GrpcMethod } from "./grpc/server.ts";
import { GrpcError } from "./grpc/status.ts";
import type { LocalEstimator } from "./local-estimator.ts";
import { decodeReplicasRequest, decodeSetsRequest, decodeUnschedulableRequest, encodeCount } from "./messages.ts";

const SERVICE = "/github.com.karmada_io.karmada.pkg.estimator.service.Estimator";

/** Paths of the methods. */
export const METHODS = {
  replicas: `${SERVICE}/MaxAvailableReplicas`,
  sets: `${SERVICE}/MaxAvailableComponentSets`,
  unschedulable: `${SERVICE}/GetUnschedulableReplicas`,
} as const;

/** Metadata that names the workload which is estimated for, for logs of the other side. */
export const OBJECT_METADATA = "object";

export type EstimateType = "MaxAvailableReplicas" | "MaxAvailableComponentSets" | "GetUnschedulableReplicas";

export interface ServiceOptions {
  readonly estimator: LocalEstimator;
  /** Whether this service answers for the cluster. */
  readonly serves: (cluster: string) => boolean;
  /** The clusters that it answers for, for people. */
  readonly served: () => string;
  readonly clock: Clock;
  /** Told of each answer and how long it took. */
  readonly observe?: (type: EstimateType, failed: boolean, ms: number) => void;
}

/** The methods of the service, by path. */
export function estimatorMethods(options: ServiceOptions): ReadonlyMap<string, GrpcMethod> {
  const { estimator, clock } = options;
  return new Map([
    [
      METHODS.replicas,
      method(options, "MaxAvailableReplicas", decodeReplicasRequest, async (request) => estimator.replicas(request)),
    ],
    [
      METHODS.sets,
      method(options, "MaxAvailableComponentSets", decodeSetsRequest, async (request) => estimator.sets(request)),
    ],
    [
      METHODS.unschedulable,
      method(options, "GetUnschedulableReplicas", decodeUnschedulableRequest, (request, { signal }) =>
        estimator.unschedulable(request, clock.now(), { anyway: false, signal }),
      ),
    ],
  ]);
}

function method<R extends { readonly cluster: string }>(
  { serves, served, clock, observe }: ServiceOptions,
  type: EstimateType,
  decode: (bytes: Uint8Array) => R,
  count: (request: R, call: GrpcCall) => Promise<number | undefined>,
): GrpcMethod {
  return async (bytes, call) => {
    const start = clock.now();
    let failed = true;
    try {
      const request = decode(bytes);
      if (!serves(request.cluster))
        throw new GrpcError("UNKNOWN", `cluster name does not match, got: ${request.cluster}, desire: ${served()}`);
      const answer = await count(request, call);
      if (answer === undefined)
        throw new GrpcError("UNAVAILABLE", `nodes and pods of cluster ${request.cluster} are not known (yet)`);
      failed = false;
      return encodeCount(answer);
    } catch (error) {
      throw asGrpcError(error);
    } finally {
      observe?.(type, failed, clock.now() - start);
    }
  };
}

function asGrpcError(error: unknown): GrpcError {
  if (error instanceof GrpcError) return error;
  // As servers in Go say it.
  if (error instanceof ProtobufError)
    return new GrpcError("INTERNAL", `grpc: error unmarshalling request: ${error.message}`, error);
  if (error instanceof AppError && error.code === "estimate-invalid")
    return new GrpcError("INVALID_ARGUMENT", error.message, error);
  return new GrpcError("UNKNOWN", messageOf(error), error);
}
