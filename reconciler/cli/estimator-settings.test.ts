import { describe, expect, it } from "vitest";
import { type Invocation, UsageError } from "./command.ts";
import { readEstimatorSettings } from "./estimator-settings.ts";

function given(values: Record<string, string | boolean>): Invocation {
  return {
    positionals: [],
    values,
    io: { out: () => {}, err: () => {}, isTerminal: false, env: {}, cwd: "/etc/flaghoist" },
    signal: new AbortController().signal,
    runCommand: async () => 0,
  };
}

describe("readEstimatorSettings", () => {
  it("asks no accurate estimator unless told", () => {
    expect(readEstimatorSettings(given({}))).toEqual({ inProcess: false, remote: undefined, serving: undefined });
  });

  it("asks in this process with --accurate-estimator", () => {
    expect(readEstimatorSettings(given({ "accurate-estimator": true })).inProcess).toBe(true);
  });

  it("has Karmada's defaults for --enable-scheduler-estimator", () => {
    expect(readEstimatorSettings(given({ "enable-scheduler-estimator": true })).remote).toEqual({
      timeoutMs: 3_000,
      port: 10_352,
      servicePrefix: "karmada-scheduler-estimator",
      serviceNamespace: "karmada-system",
      skipsPull: false,
      caFile: undefined,
      certFile: undefined,
      keyFile: undefined,
      insecureSkipVerify: false,
    });
  });

  it("reads every option of Karmada's, files from the working directory", () => {
    const values = {
      "enable-scheduler-estimator": true,
      "disable-scheduler-estimator-in-pull-mode": true,
      "scheduler-estimator-timeout": "500ms",
      "scheduler-estimator-port": "9000",
      "scheduler-estimator-service-prefix": "estimator",
      "scheduler-estimator-service-namespace": "fleet",
      "scheduler-estimator-ca-file": "ca.crt",
      "scheduler-estimator-cert-file": "/tls/tls.crt",
      "scheduler-estimator-key-file": "/tls/tls.key",
      "insecure-skip-estimator-verify": true,
    };
    expect(readEstimatorSettings(given(values)).remote).toEqual({
      timeoutMs: 500,
      port: 9_000,
      servicePrefix: "estimator",
      serviceNamespace: "fleet",
      skipsPull: true,
      caFile: "/etc/flaghoist/ca.crt",
      certFile: "/tls/tls.crt",
      keyFile: "/tls/tls.key",
      insecureSkipVerify: true,
    });
  });

  it("serves on loopback unless told another address", () => {
    const serving = readEstimatorSettings(given({ "estimator-port": "0" })).serving;
    expect(serving).toMatchObject({ host: "127.0.0.1", port: 0, certFile: undefined });
  });

  it.each<[Record<string, string | boolean>, string]>([
    [
      { "scheduler-estimator-port": "1" },
      "--scheduler-estimator-port has no effect without --enable-scheduler-estimator",
    ],
    [{ "grpc-auth-cert-file": "a" }, "--grpc-auth-cert-file has no effect without --estimator-port"],
    [{ "estimator-port": "many" }, '--estimator-port takes a number up to 65535, not "many"'],
    [{ "estimator-port": "70000" }, '--estimator-port takes a number up to 65535, not "70000"'],
    [
      { "estimator-port": "1", "grpc-auth-cert-file": "a" },
      "--grpc-auth-cert-file and --grpc-auth-key-file go together",
    ],
    [{ "estimator-port": "1", "grpc-client-ca-file": "a" }, "--grpc-client-ca-file needs --grpc-auth-cert-file"],
    [
      { "enable-scheduler-estimator": true, "scheduler-estimator-timeout": "soon" },
      '--scheduler-estimator-timeout takes a duration such as 3s, not "soon"',
    ],
    [
      { "enable-scheduler-estimator": true, "scheduler-estimator-timeout": "0s" },
      '--scheduler-estimator-timeout takes a duration such as 3s, not "0s"',
    ],
  ])("refuses %o", (values, message) => {
    expect(() => readEstimatorSettings(given(values))).toThrow(UsageError);
    expect(() => readEstimatorSettings(given(values))).toThrow(message);
  });
});
