// Which accurate estimators are asked and served, from the command line: Karmada's flags by their names.
import { resolve } from "node:path";
import { isDuration, parseDuration } from "../../runtime/duration.ts";
import type {
  EstimatorProfile,
  EstimatorServingProfile,
  RemoteEstimatorProfile,
} from "../controllers/scheduling/estimator-profile.ts";
import { booleanOption, type CommandOption, type Invocation, stringOption, UsageError } from "./command.ts";

const DEFAULT_PORT = "10352";
const DEFAULT_PREFIX = "karmada-scheduler-estimator";
const DEFAULT_NAMESPACE = "karmada-system";

/** Flags of Karmada's scheduler, which mean nothing unless it asks estimators. */
const REMOTE_OPTIONS: Readonly<Record<string, CommandOption>> = {
  "disable-scheduler-estimator-in-pull-mode": {
    type: "boolean",
    help: "with --enable-scheduler-estimator: leave out clusters in pull mode",
  },
  "scheduler-estimator-timeout": {
    type: "string",
    value: "DURATION",
    help: "longest wait for the estimators of all clusters together (default: 3s)",
  },
  "scheduler-estimator-port": { type: "string", value: "PORT", help: `port of estimators (default: ${DEFAULT_PORT})` },
  "scheduler-estimator-service-prefix": {
    type: "string",
    value: "PREFIX",
    help: `estimators are Services PREFIX-CLUSTER (default: ${DEFAULT_PREFIX})`,
  },
  "scheduler-estimator-service-namespace": {
    type: "string",
    value: "NAMESPACE",
    help: `namespace of these Services (default: ${DEFAULT_NAMESPACE})`,
  },
  "scheduler-estimator-ca-file": { type: "string", value: "FILE", help: "authority of the estimators' certificates" },
  "scheduler-estimator-cert-file": { type: "string", value: "FILE", help: "certificate to show to estimators" },
  "scheduler-estimator-key-file": { type: "string", value: "FILE", help: "key of that certificate" },
  "insecure-skip-estimator-verify": { type: "boolean", help: "take any certificate of an estimator" },
};

/** Flags of Karmada's estimator, for what serves estimates. */
export const SERVING_OPTIONS: Readonly<Record<string, CommandOption>> = {
  "grpc-auth-cert-file": { type: "string", value: "FILE", help: "certificate of the estimator service" },
  "grpc-auth-key-file": { type: "string", value: "FILE", help: "key of that certificate" },
  "grpc-client-ca-file": {
    type: "string",
    value: "FILE",
    help: "authority of clients' certificates; without one of it nobody is answered",
  },
  "insecure-skip-grpc-client-verify": { type: "boolean", help: "answer clients without such a certificate, too" },
};

export const ESTIMATOR_OPTIONS: Readonly<Record<string, CommandOption>> = {
  "accurate-estimator": {
    type: "boolean",
    help: "schedule by what fits on the members' nodes, beside the sums they report",
  },
  "enable-scheduler-estimator": {
    type: "boolean",
    help: "schedule by what the members' karmada-scheduler-estimators say",
  },
  ...REMOTE_OPTIONS,
  "estimator-port": {
    type: "string",
    value: "PORT",
    help: "be the estimator of every member for a Karmada scheduler, on this port (0 takes any)",
  },
  "estimator-host": {
    type: "string",
    value: "ADDRESS",
    help: "with --estimator-port: address to listen on (default: 127.0.0.1)",
  },
  ...SERVING_OPTIONS,
};

/** Throws a usage error that names the option. */
export function readEstimatorSettings(invocation: Invocation): EstimatorProfile {
  const remote = readRemote(invocation);
  const port = stringOption(invocation, "estimator-port");
  if (port === undefined)
    refuseWithout(invocation, ["estimator-host", ...Object.keys(SERVING_OPTIONS)], "estimator-port");
  return {
    inProcess: booleanOption(invocation, "accurate-estimator"),
    remote,
    serving:
      port === undefined
        ? undefined
        : readServing(invocation, stringOption(invocation, "estimator-host") ?? "127.0.0.1", {
            name: "estimator-port",
            value: port,
          }),
  };
}

/** Where and how estimates are served. Throws a usage error that names the option. */
export function readServing(
  invocation: Invocation,
  host: string,
  port: { readonly name: string; readonly value: string },
): EstimatorServingProfile {
  const [certFile, keyFile] = readPair(invocation, "grpc-auth-cert-file", "grpc-auth-key-file");
  const clientCaFile = fileOption(invocation, "grpc-client-ca-file");
  if (clientCaFile !== undefined && certFile === undefined)
    throw new UsageError("--grpc-client-ca-file needs --grpc-auth-cert-file: without TLS clients show no certificate");
  return {
    host,
    port: parsePort(port.name, port.value),
    certFile,
    keyFile,
    clientCaFile,
    insecureSkipClientVerify: booleanOption(invocation, "insecure-skip-grpc-client-verify"),
  };
}

function readRemote(invocation: Invocation): RemoteEstimatorProfile | undefined {
  if (!booleanOption(invocation, "enable-scheduler-estimator")) {
    refuseWithout(invocation, Object.keys(REMOTE_OPTIONS), "enable-scheduler-estimator");
    return undefined;
  }
  const timeout = stringOption(invocation, "scheduler-estimator-timeout") ?? "3s";
  if (!isDuration(timeout) || parseDuration(timeout) <= 0)
    throw new UsageError(`--scheduler-estimator-timeout takes a duration such as 3s, not "${timeout}"`);
  const [certFile, keyFile] = readPair(invocation, "scheduler-estimator-cert-file", "scheduler-estimator-key-file");
  return {
    timeoutMs: parseDuration(timeout),
    port: parsePort("scheduler-estimator-port", stringOption(invocation, "scheduler-estimator-port") ?? DEFAULT_PORT),
    servicePrefix: stringOption(invocation, "scheduler-estimator-service-prefix") ?? DEFAULT_PREFIX,
    serviceNamespace: stringOption(invocation, "scheduler-estimator-service-namespace") ?? DEFAULT_NAMESPACE,
    skipsPull: booleanOption(invocation, "disable-scheduler-estimator-in-pull-mode"),
    caFile: fileOption(invocation, "scheduler-estimator-ca-file"),
    certFile,
    keyFile,
    insecureSkipVerify: booleanOption(invocation, "insecure-skip-estimator-verify"),
  };
}

function refuseWithout(invocation: Invocation, names: readonly string[], needed: string): void {
  const idle = names.find((name) => booleanOption(invocation, name) || stringOption(invocation, name) !== undefined);
  if (idle !== undefined) throw new UsageError(`--${idle} has no effect without --${needed}`);
}

function readPair(invocation: Invocation, cert: string, key: string): [string | undefined, string | undefined] {
  const files = [fileOption(invocation, cert), fileOption(invocation, key)] as [string | undefined, string | undefined];
  if ((files[0] === undefined) !== (files[1] === undefined)) throw new UsageError(`--${cert} and --${key} go together`);
  return files;
}

function fileOption(invocation: Invocation, name: string): string | undefined {
  const path = stringOption(invocation, name);
  return path === undefined || path === "" ? undefined : resolve(invocation.io.cwd, path);
}

function parsePort(name: string, text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new UsageError(`--${name} takes a number up to 65535, not "${text}"`);
  return port;
}
