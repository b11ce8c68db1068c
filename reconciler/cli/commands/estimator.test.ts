import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CertificateSet, ensureCertificates } from "../../../fleets/apiserver/http/certificates.ts";
import { listen } from "../../../fleets/apiserver/http/listener.ts";
import type { ChannelTls } from "../../../fleets/estimator/grpc/channel.ts";
import { GrpcChannel } from "../../../fleets/estimator/grpc/channel.ts";
import { decodeCount, encodeReplicasRequest } from "../../../fleets/estimator/messages.ts";
import { METHODS } from "../../../fleets/estimator/service.ts";
import { createSimulatedCluster } from "../../../fleets/simulator/simulated-cluster.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { silentLogger } from "../../../runtime/logger.ts";
import { eventually } from "../../../test/e2e/support/eventually.ts";
import { freePorts } from "../../../test/e2e/support/real-api-server.ts";
import { EXIT, type ExitCode } from "../command.ts";
import { runCli } from "../main.ts";

const folder = mkdtempSync(join(tmpdir(), "flaghoist-estimator-"));
const closers: (() => Promise<unknown>)[] = [];
let certificates: CertificateSet;

beforeAll(async () => {
  const member = await createSimulatedCluster({
    name: "member1",
    clock: systemClock,
    logger: silentLogger,
    nodeShape: { cpu: "4", memory: "16Gi", pods: 110 },
  });
  const listener = await listen(new Map([["", member.server]]), {
    host: "127.0.0.1",
    port: 0,
    directory: join(folder, "member"),
    clock: systemClock,
    logger: silentLogger,
  });
  writeFileSync(join(folder, "kubeconfig"), listener.adminKubeconfig());
  closers.push(
    () => member.close(),
    () => listener.close(),
  );
  certificates = await ensureCertificates(join(folder, "pki"), ["127.0.0.1"], systemClock);
  writeFileSync(join(folder, "ca.crt"), certificates.caPem);
  writeFileSync(join(folder, "tls.crt"), certificates.server.certificate);
  writeFileSync(join(folder, "tls.key"), certificates.server.key);
});

afterAll(async () => {
  for (const close of closers.reverse()) await close();
  rmSync(folder, { recursive: true, force: true });
});

interface Run {
  readonly ended: Promise<ExitCode>;
  readonly out: () => string;
  readonly err: () => string;
  stop(): void;
}

function run(...args: readonly string[]): Run {
  const abort = new AbortController();
  const [out, err]: [string[], string[]] = [[], []];
  const io = {
    out: (text: string) => void out.push(text),
    err: (text: string) => void err.push(text),
    isTerminal: false,
    env: {},
    cwd: folder,
  };
  const ended = runCli(["estimator", ...args], io, abort.signal);
  return { ended, out: () => out.join(""), err: () => err.join(""), stop: () => abort.abort() };
}

const CLUSTER = ["--cluster-name", "member1", "--cluster-kubeconfig", "kubeconfig", "--host", "127.0.0.1"];

async function portOf(started: Run): Promise<number> {
  return eventually(() => {
    const match = /estimating for cluster member1 on 127\.0\.0\.1:(\d+)/.exec(started.out());
    expect(match, started.err()).not.toBeNull();
    return Number(match?.[1]);
  });
}

async function ask(port: number, tls: ChannelTls | undefined): Promise<number> {
  const channel = new GrpcChannel({ resolve: async () => [`127.0.0.1:${port}`], tls: () => tls, clock: systemClock });
  try {
    const requirements = { resourceRequest: { cpu: "3" } };
    const request = encodeReplicasRequest({ cluster: "member1", requirements, assumed: [] });
    return decodeCount(await channel.unary(METHODS.replicas, request, { timeoutMs: 3_000 }));
  } finally {
    channel.close();
  }
}

describe("flaghoist estimator", () => {
  it("answers what fits on the cluster's nodes until it is stopped", async () => {
    const started = run(...CLUSTER, "--port", "0");
    expect(await ask(await portOf(started), undefined)).toBe(3);
    started.stop();
    expect(await started.ended).toBe(EXIT.ok);
  });

  it("answers over TLS those who show a certificate of its authority", async () => {
    const files = [
      "--grpc-auth-cert-file",
      "tls.crt",
      "--grpc-auth-key-file",
      "tls.key",
      "--grpc-client-ca-file",
      "ca.crt",
    ];
    const started = run(...CLUSTER, "--server-port", "0", ...files);
    const port = await portOf(started);
    const { caPem, admin } = certificates;

    expect(await ask(port, { ca: caPem, cert: admin.certificate, key: admin.key })).toBe(3);
    await expect(ask(port, { ca: caPem })).rejects.toMatchObject({ status: "UNAVAILABLE" });
    await expect(ask(port, { cert: admin.certificate, key: admin.key })).rejects.toMatchObject({
      status: "UNAVAILABLE",
    });
    await expect(ask(port, undefined)).rejects.toMatchObject({ status: "UNAVAILABLE" });
    expect(await ask(port, { rejectUnauthorized: false, cert: admin.certificate, key: admin.key })).toBe(3);
    started.stop();
    expect(await started.ended).toBe(EXIT.ok);
  });

  it("tells Kubernetes when it is ready, and Prometheus what it did", async () => {
    const [probes] = await freePorts(1);
    const started = run(...CLUSTER, "--port", "0", "--health-probe-bind-address", `127.0.0.1:${probes}`);
    const port = await portOf(started);
    await ask(port, undefined);
    const read = async (path: string): Promise<string> => (await fetch(`http://127.0.0.1:${probes}${path}`)).text();

    expect(await read("/healthz")).toBe("ok");
    expect(await read("/readyz")).toBe("ok");
    expect(await read("/metrics")).toContain(
      'karmada_scheduler_estimator_estimating_request_total{result="success",type="MaxAvailableReplicas"} 1',
    );
    started.stop();
    expect(await started.ended).toBe(EXIT.ok);
  });

  it.each<[string, readonly string[], ExitCode, string]>([
    ["no cluster", ["--cluster-kubeconfig", "kubeconfig"], EXIT.usage, "--cluster-name is missing"],
    ["no kubeconfig", ["--cluster-name", "member1"], EXIT.usage, "--cluster-kubeconfig is missing"],
    ["a kubeconfig that is not there", ["--cluster-name", "m", "--kubeconfig", "none"], EXIT.failed, "cannot read"],
    [
      "a gate that is none",
      [...CLUSTER, "--feature-gates", "X=true"],
      EXIT.usage,
      '--feature-gates: there is no gate "X"',
    ],
    ["half a key pair", [...CLUSTER, "--grpc-auth-key-file", "tls.key"], EXIT.usage, "go together"],
    [
      "a certificate that is not there",
      [...CLUSTER, "--port", "0", "--grpc-auth-cert-file", "none", "--grpc-auth-key-file", "tls.key"],
      EXIT.failed,
      "estimates cannot be served on 127.0.0.1:0",
    ],
  ])("ends with a clear word when it is given %s", async (_what, args, code, message) => {
    const started = run(...args);
    expect(await started.ended).toBe(code);
    expect(started.err()).toContain(message);
  });
});
