// A real kube-apiserver with its etcd, on loopback, from the binaries in $KUBEBUILDER_ASSETS. Nothing else of
// Kubernetes runs beside it: no garbage collector, no namespace controller.
import { type ChildProcess, spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureCertificates, FRONT_PROXY_NAME } from "../../../fleets/apiserver/http/certificates.ts";
import { formatKubeconfig } from "../../../fleets/apiserver/http/kubeconfig.ts";
import { openHttpTransport } from "../../../kube/client/http-transport.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { eventually } from "./eventually.ts";

export interface RealApiServer {
  readonly url: string;
  /** Path of a kubeconfig file of an administrator. */
  readonly kubeconfig: string;
  /** Folder of its certificates, as `ensureCertificates` makes them. */
  readonly pki: string;
  close(): Promise<void>;
}

const START_LIMIT_MS = 90_000;

/** Folder of the binaries; undefined, with the reason printed, when there are none. */
export function findKubeAssets(): string | undefined {
  const folder = process.env["KUBEBUILDER_ASSETS"];
  const complete = folder !== undefined && ["etcd", "kube-apiserver"].every((name) => existsSync(join(folder, name)));
  if (complete) return folder;
  const why = folder === undefined ? "KUBEBUILDER_ASSETS is not set" : `${folder} has no etcd and kube-apiserver`;
  console.warn(`skipped on a real kube-apiserver: ${why}`);
  return undefined;
}

/** Starts both and waits until the API server is ready. `more` are further arguments of it. */
export async function startRealApiServer(assets: string, more: readonly string[] = []): Promise<RealApiServer> {
  const folder = mkdtempSync(join(tmpdir(), "flaghoist-apiserver-"));
  const pki = join(folder, "pki");
  const certificates = await ensureCertificates(pki, ["127.0.0.1", "localhost"], systemClock);
  const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  writeFileSync(join(pki, "sa.key"), keys.privateKey.export({ type: "sec1", format: "pem" }), { mode: 0o600 });
  writeFileSync(join(pki, "sa.pub"), keys.publicKey.export({ type: "spki", format: "pem" }));

  const [port = 0, clientPort = 0, peerPort = 0] = await freePorts(3);
  const url = `https://127.0.0.1:${port}`;
  const etcdUrl = `http://127.0.0.1:${clientPort}`;
  const peerUrl = `http://127.0.0.1:${peerPort}`;
  const etcd = start(folder, "etcd", join(assets, "etcd"), [
    ...["--data-dir", join(folder, "etcd"), "--unsafe-no-fsync", "--log-level", "warn"],
    ...["--listen-client-urls", etcdUrl, "--advertise-client-urls", etcdUrl],
    ...["--listen-peer-urls", peerUrl, "--initial-advertise-peer-urls", peerUrl, "--initial-cluster"],
    `default=${peerUrl}`,
  ]);
  const server = start(folder, "kube-apiserver", join(assets, "kube-apiserver"), [
    ...["--bind-address", "127.0.0.1", "--advertise-address", "127.0.0.1", "--secure-port", String(port)],
    ...["--etcd-servers", etcdUrl, "--service-cluster-ip-range", "10.0.0.0/16"],
    ...["--tls-cert-file", join(pki, "server.crt"), "--tls-private-key-file", join(pki, "server.key")],
    ...["--client-ca-file", join(pki, "ca.crt"), "--authorization-mode", "RBAC"],
    ...["--service-account-key-file", join(pki, "sa.pub"), "--service-account-signing-key-file", join(pki, "sa.key")],
    ...["--service-account-issuer", "https://kubernetes.default.svc", "--endpoint-reconciler-type", "none"],
    ...["--requestheader-client-ca-file", join(pki, "front-proxy-ca.crt")],
    ...["--requestheader-allowed-names", FRONT_PROXY_NAME, "--requestheader-username-headers", "X-Remote-User"],
    ...["--requestheader-group-headers", "X-Remote-Group", "--requestheader-extra-headers-prefix", "X-Remote-Extra-"],
    ...["--proxy-client-cert-file", join(pki, `${FRONT_PROXY_NAME}.crt`)],
    ...["--proxy-client-key-file", join(pki, `${FRONT_PROXY_NAME}.key`)],
    // Nobody makes service accounts here.
    ...["--disable-admission-plugins", "ServiceAccount", "--profiling=false"],
    ...more,
  ]);

  const kubeconfig = join(folder, "kubeconfig");
  const text = formatKubeconfig([
    {
      name: "real",
      server: url,
      caPem: certificates.caPem,
      credentials: certificates.admin,
    },
  ]);
  writeFileSync(kubeconfig, text, { mode: 0o600 });

  async function close(): Promise<void> {
    await stop(server);
    await stop(etcd);
    rmSync(folder, { recursive: true, force: true });
  }

  try {
    const transport = await openHttpTransport({ kubeconfig: text });
    await eventually(
      async () => {
        if (server.exitCode !== null) throw new Error(`kube-apiserver ended: ${tail(folder, "kube-apiserver")}`);
        return (await transport.send({ method: "GET", path: "/readyz" })).status === 200;
      },
      { withinMs: START_LIMIT_MS, what: "a ready kube-apiserver" },
    );
    await transport.close();
  } catch (error) {
    await close();
    throw error;
  }
  return { url, kubeconfig, pki, close };
}

function start(folder: string, name: string, program: string, args: readonly string[]): ChildProcess {
  const log = openSync(join(folder, `${name}.log`), "w");
  const child = spawn(program, args, { stdio: ["ignore", log, log] });
  closeSync(log);
  // Were this process killed, they would stay behind.
  process.once("exit", () => child.kill("SIGKILL"));
  return child;
}

function tail(folder: string, name: string): string {
  return readFileSync(join(folder, `${name}.log`), "utf8").slice(-2000);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  // Nothing here is kept, so nothing needs a graceful end.
  child.kill("SIGKILL");
  await gone;
}

/** Ports that nobody listens on at the moment. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports: number[] = [];
  for (const server of servers) {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    ports.push(typeof address === "object" && address !== null ? address.port : 0);
  }
  for (const server of servers) await new Promise((resolve) => server.close(resolve));
  return ports;
}
