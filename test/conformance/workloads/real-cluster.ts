// A real control plane with pretended nodes: etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kwok.
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openHttpTransportFile } from "../../../kube/client/http-transport.ts";
import { KubeClient } from "../../../kube/client/kube-client.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { startControllerManager } from "../../e2e/clients/controller-manager.ts";
import { eventually } from "../../e2e/support/eventually.ts";
import { startRealApiServer } from "../../e2e/support/real-api-server.ts";
import { NODES } from "./script.ts";

export const PROGRAMS = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok"];

/** Everything that acts on workloads, nodes and volumes; nothing that needs a cloud or real networks. */
const CONTROLLERS = [
  ...["namespace-controller", "garbage-collector-controller", "root-ca-certificate-publisher-controller"],
  ...["serviceaccount-controller", "serviceaccount-token-controller", "clusterrole-aggregation-controller"],
  ...["deployment-controller", "replicaset-controller", "replicationcontroller-controller", "statefulset-controller"],
  ...["daemonset-controller", "job-controller", "cronjob-controller", "ttl-after-finished-controller"],
  ...["endpointslice-controller", "endpoints-controller", "endpointslice-mirroring-controller"],
  ...["disruption-controller", "horizontal-pod-autoscaler-controller", "resourcequota-controller"],
  ...["pod-garbage-collector-controller", "node-lifecycle-controller", "taint-eviction-controller"],
  ...["persistentvolume-binder-controller", "persistentvolume-expander-controller"],
  ...["persistentvolumeclaim-protection-controller", "persistentvolume-protection-controller"],
];

export interface RealCluster {
  readonly kubeconfig: string;
  close(): Promise<void>;
}

/** The programs that a folder lacks. */
export function missingPrograms(assets: string): string[] {
  return PROGRAMS.filter((name) => !existsSync(join(assets, name)));
}

/** Starts all of it and waits until the nodes are ready. Its log files are in `folder`, which goes with it. */
export async function startRealCluster(assets: string): Promise<RealCluster> {
  const folder = mkdtempSync(join(tmpdir(), "flaghoist-workloads-"));
  const server = await startRealApiServer(assets);
  const closers: (() => Promise<void>)[] = [() => server.close()];
  async function close(): Promise<void> {
    for (const each of closers.reverse()) await each();
    rmSync(folder, { recursive: true, force: true });
  }
  function run(name: string, args: readonly string[]): void {
    const log = openSync(join(folder, `${name}.log`), "w");
    const child = spawn(join(assets, name), args, { stdio: ["ignore", log, log] });
    closeSync(log);
    const kill = (): void => void child.kill("SIGKILL");
    process.once("exit", kill);
    closers.push(() => ended(child, kill));
  }
  try {
    const { kubeconfig, pki } = server;
    const manager = startControllerManager({
      assets,
      kubeconfig,
      controllers: CONTROLLERS,
      args: [
        "--leader-elect=false",
        ...["--service-account-private-key-file", join(pki, "sa.key"), "--root-ca-file", join(pki, "ca.crt")],
      ],
    });
    closers.push(() => manager.close());
    const scheduler = join(folder, "scheduler.json");
    writeFileSync(
      scheduler,
      JSON.stringify({
        apiVersion: "kubescheduler.config.k8s.io/v1",
        kind: "KubeSchedulerConfiguration",
        clientConnection: { kubeconfig, qps: 500, burst: 1000 },
        leaderElection: { leaderElect: false },
      }),
    );
    run("kube-scheduler", ["--config", scheduler, "--secure-port", "0"]);
    run("kwok", [
      ...["--kubeconfig", kubeconfig, "--config", join(import.meta.dirname, "stages.yaml")],
      ...["--manage-nodes-with-annotation-selector", "kwok.x-k8s.io/node=fake"],
      ...["--node-lease-duration-seconds", "40"],
    ]);
    await makeNodes(kubeconfig);
    return { kubeconfig, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function ended(child: ChildProcess, kill: () => void): Promise<void> {
  process.off("exit", kill);
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  kill();
  await gone;
}

async function makeNodes(kubeconfig: string): Promise<void> {
  const transport = await openHttpTransportFile(kubeconfig);
  const client = new KubeClient(transport.send);
  try {
    for (let index = 0; index < NODES; index++) await client.create(nodeObject(`node-${index}`));
    const capacity = { cpu: "16", memory: "64Gi", pods: "110" };
    for (let index = 0; index < NODES; index++) {
      const ref = { apiVersion: "v1", kind: "Node", name: `node-${index}` };
      await client.patch(ref, { status: { capacity, allocatable: capacity } }, "merge", { subresource: "status" });
    }
    await eventually(async () => (await client.list("v1", "Node")).items.every(isUsable), {
      withinMs: 90_000,
      what: "ready nodes without taints",
    });
  } finally {
    await transport.close();
  }
}

function nodeObject(name: string): KubeObject {
  const labels = { "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64" };
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name, labels, annotations: { "kwok.x-k8s.io/node": "fake" } },
  };
}

function isUsable(node: KubeObject): boolean {
  const { spec, status } = node as unknown as {
    spec?: { taints?: unknown[] };
    status?: { conditions?: { type: string; status: string }[] };
  };
  return (
    (spec?.taints ?? []).length === 0 &&
    status?.conditions?.some((each) => each.type === "Ready" && each.status === "True") === true
  );
}
