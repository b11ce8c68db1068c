// The two servers that are compared: ours, and kube-apiserver with etcd.
import type { ChildProcess } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CertificateSet, ensureCertificates } from "../../fleets/apiserver/http/certificates.ts";
import { sleep, systemClock } from "../../runtime/clock.ts";
import { freePorts } from "../e2e/support/real-api-server.ts";
import { type Endpoint, LoadClient } from "./support-apiserver-client.ts";
import type { DelayReport } from "./support-loop-delay.ts";
import { endProcess, spawnPinned } from "./support-processes.ts";

const START_LIMIT_MS = 300_000;
const RUNNER = join(import.meta.dirname, "support-apiserver-runner.ts");

/** A server that is measured. */
export interface Side extends Endpoint {
  readonly name: string;
  /** The processes that do its work. */
  pids(): number[];
  /** Starts it, on the data that it had; resolves when it answers. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Delays of the event loop since the last call; undefined where there is none. */
  delay(): Promise<DelayReport | undefined>;
}

export class OurServer implements Side {
  readonly name = "flaghoist";
  readonly url: string;
  readonly certificates: CertificateSet;
  readonly #folder: string;
  readonly #port: number;
  #child: ChildProcess | undefined;

  private constructor(folder: string, port: number, certificates: CertificateSet) {
    this.#folder = folder;
    this.#port = port;
    this.url = `https://127.0.0.1:${port}`;
    this.certificates = certificates;
  }

  static async create(folder: string): Promise<OurServer> {
    const [port = 0] = await freePorts(1);
    const names = ["localhost", "127.0.0.1"];
    return new OurServer(folder, port, await ensureCertificates(join(folder, "pki"), names, systemClock));
  }

  pids(): number[] {
    return this.#child?.pid === undefined ? [] : [this.#child.pid];
  }

  async start(): Promise<void> {
    const args = [...process.execArgv, ...runnerFlags(), RUNNER, this.#folder, String(this.#port)];
    const child = spawnPinned(process.execPath, args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    this.#child = child;
    await new Promise<void>((resolve, reject) => {
      child.once("message", () => resolve());
      child.once("exit", (code) => reject(new Error(`our server ended with ${code}`)));
    });
    await ready(this, "/readyz");
  }

  async stop(): Promise<void> {
    if (this.#child !== undefined) await endProcess(this.#child, "SIGTERM");
    this.#child = undefined;
  }

  delay(): Promise<DelayReport | undefined> {
    const child = this.#child;
    if (child === undefined) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      // The runner sends nothing else after its start.
      child.once("message", (message) => resolve((message as { delay: DelayReport }).delay));
      child.send("delay");
    });
  }
}

/** Flags for our server alone, to look into it: `FLAGHOIST_BENCH_NODE="--cpu-prof --cpu-prof-dir=/tmp"`. */
function runnerFlags(): string[] {
  return (process.env["FLAGHOIST_BENCH_NODE"] ?? "").split(" ").filter((flag) => flag !== "");
}

/** Folder of kube-apiserver and etcd; undefined, with the reason printed, when there are none. */
export function findReference(): string | undefined {
  const folder = process.env["KUBEBUILDER_ASSETS"];
  if (folder !== undefined && ["etcd", "kube-apiserver"].every((name) => existsSync(join(folder, name)))) return folder;
  const why = folder === undefined ? "KUBEBUILDER_ASSETS is not set" : `${folder} has no etcd and kube-apiserver`;
  process.stdout.write(`kube-apiserver and etcd are not measured: ${why} (deploy/real-cluster/build makes them)\n`);
  return undefined;
}

/** kube-apiserver with etcd as people run them: TLS, RBAC, every write on disk before its answer. */
export class RealServer implements Side {
  readonly name = "kube-apiserver + etcd";
  readonly url: string;
  readonly certificates: CertificateSet;
  readonly #assets: string;
  readonly #folder: string;
  readonly #ports: readonly number[];
  #children: ChildProcess[] = [];

  private constructor(assets: string, folder: string, ports: readonly number[], certificates: CertificateSet) {
    this.#assets = assets;
    this.#folder = folder;
    this.#ports = ports;
    this.url = `https://127.0.0.1:${ports[0]}`;
    this.certificates = certificates;
  }

  static async create(assets: string, folder: string): Promise<RealServer> {
    mkdirSync(folder, { recursive: true });
    const pki = join(folder, "pki");
    const certificates = await ensureCertificates(pki, ["127.0.0.1", "localhost"], systemClock);
    const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
    writeFileSync(join(pki, "sa.key"), keys.privateKey.export({ type: "sec1", format: "pem" }), { mode: 0o600 });
    writeFileSync(join(pki, "sa.pub"), keys.publicKey.export({ type: "spki", format: "pem" }));
    return new RealServer(assets, folder, await freePorts(3), certificates);
  }

  pids(): number[] {
    return this.#children.flatMap((child) => child.pid ?? []);
  }

  async start(): Promise<void> {
    const pki = join(this.#folder, "pki");
    const [port, clientPort, peerPort] = this.#ports;
    const etcdUrl = `http://127.0.0.1:${clientPort}`;
    const peerUrl = `http://127.0.0.1:${peerPort}`;
    const etcd = this.#spawn("etcd", [
      ...["--data-dir", join(this.#folder, "etcd"), "--log-level", "warn"],
      ...["--listen-client-urls", etcdUrl, "--advertise-client-urls", etcdUrl],
      ...["--listen-peer-urls", peerUrl, "--initial-advertise-peer-urls", peerUrl],
      ...["--initial-cluster", `default=${peerUrl}`],
    ]);
    const server = this.#spawn("kube-apiserver", [
      ...["--bind-address", "127.0.0.1", "--advertise-address", "127.0.0.1", "--secure-port", String(port)],
      ...["--etcd-servers", etcdUrl, "--service-cluster-ip-range", "10.0.0.0/16"],
      ...["--tls-cert-file", join(pki, "server.crt"), "--tls-private-key-file", join(pki, "server.key")],
      ...["--client-ca-file", join(pki, "ca.crt"), "--authorization-mode", "RBAC"],
      ...["--service-account-key-file", join(pki, "sa.pub"), "--service-account-signing-key-file", join(pki, "sa.key")],
      ...["--service-account-issuer", "https://kubernetes.default.svc", "--endpoint-reconciler-type", "none"],
    ]);
    this.#children = [etcd, server];
    await ready(this, "/readyz", () => {
      if (server.exitCode !== null || etcd.exitCode !== null) throw new Error(`the reference ended: ${this.#tail()}`);
    });
  }

  async stop(): Promise<void> {
    for (const child of this.#children.toReversed()) await endProcess(child);
    this.#children = [];
  }

  delay(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  #spawn(name: string, args: readonly string[]): ChildProcess {
    const log = openSync(join(this.#folder, `${name}.log`), "a");
    const child = spawnPinned(join(this.#assets, name), args, { stdio: ["ignore", log, log] });
    closeSync(log);
    return child;
  }

  #tail(): string {
    return ["etcd", "kube-apiserver"]
      .map((name) => readFileSync(join(this.#folder, `${name}.log`), "utf8").slice(-1000))
      .join("\n");
  }
}

async function ready(side: Side, path: string, check: () => void = () => {}): Promise<void> {
  const until = performance.now() + START_LIMIT_MS;
  for (;;) {
    check();
    const client = new LoadClient(side, { version: "1.1", connections: 1 });
    try {
      if ((await client.send("GET", path)).status === 200) return;
    } catch {
      // Not there yet.
    } finally {
      await client.close();
    }
    if (performance.now() > until) throw new Error(`${side.name} does not get ready`);
    await sleep(systemClock, 20);
  }
}
