// Pull mode where the store is a real kube-apiserver, with the loops of kube-controller-manager that sign: tokens, the
// cluster-info and certificates are those of Kubernetes, and no admission of ours stands before them.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Cluster } from "../../api/cluster.ts";
import { type Listener, listen } from "../../fleets/apiserver/http/listener.ts";
import { createSimulatedCluster, type SimulatedCluster } from "../../fleets/simulator/simulated-cluster.ts";
import { type HttpTransport, openHttpTransportFile } from "../../kube/client/http-transport.ts";
import { KubeClient } from "../../kube/client/kube-client.ts";
import { findReady } from "../../reconciler/controllers/clusters/cluster-object.ts";
import { systemClock } from "../../runtime/clock.ts";
import { silentLogger } from "../../runtime/logger.ts";
import { ChildCommand, runFlaghoist } from "./support/child-agent.ts";
import { eventually as within } from "./support/eventually.ts";
import { deployment, policy } from "./support/manifests.ts";
import { applyAll, ref } from "./support/plane.ts";
import { at } from "./support/reading.ts";
import { findKubeAssets, type RealApiServer, startRealApiServer } from "./support/real-api-server.ts";

const assets = assetsWithSigners();
const NAME = "edge";
const CLUSTER = { apiVersion: "cluster.karmada.io/v1alpha1", kind: "Cluster", name: NAME };
const WEB = ref("apps/v1 Deployment", "default", "web");
const RBAC = "rbac.authorization.k8s.io";
const LIMIT_MS = 45_000;

function assetsWithSigners(): string | undefined {
  const found = findKubeAssets();
  if (found === undefined || existsSync(join(found, "kube-controller-manager"))) return found;
  console.warn(`skipped Pull mode on a real kube-apiserver: ${found} has no kube-controller-manager`);
  return undefined;
}

function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return within(check, { withinMs: LIMIT_MS });
}

// One story, in the order in which it happens.
describe.skipIf(assets === undefined)(
  "Pull mode with a real kube-apiserver as the store",
  { timeout: 3 * LIMIT_MS },
  () => {
    const folder = mkdtempSync(join(tmpdir(), "flaghoist-agent-store-"));
    const file = (name: string): string => join(folder, name);
    let server: RealApiServer;
    let signers: ChildProcess;
    let plane: ChildCommand;
    let agent: ChildCommand;
    let member: SimulatedCluster;
    let listener: Listener;
    let http: HttpTransport;
    let client: KubeClient;

    beforeAll(async () => {
      server = await startRealApiServer(assets ?? "", ["--enable-bootstrap-token-auth"]);
      const ca = ["--cluster-signing-cert-file", join(server.pki, "ca.crt"), "--cluster-signing-key-file"];
      signers = spawn(
        join(assets ?? "", "kube-controller-manager"),
        [
          ...["--kubeconfig", server.kubeconfig, "--controllers", "bootstrapsigner,tokencleaner,csrsigning"],
          ...[...ca, join(server.pki, "ca.key"), "--leader-elect=false", "--secure-port=0"],
        ],
        { stdio: "ignore" },
      );
      process.once("exit", () => signers.kill("SIGKILL"));
      http = await openHttpTransportFile(server.kubeconfig);
      client = new KubeClient(http.send);
      await publishClusterInfo();
      plane = new ChildCommand(["up", "--store", server.kubeconfig, "--data", file("plane")], folder);
      plane.start();
      member = await createSimulatedCluster({ name: NAME, clock: systemClock, logger: silentLogger, readyAfterMs: 20 });
      listener = await listen(member.served, {
        host: "127.0.0.1",
        port: 0,
        directory: file("member-pki"),
        clock: systemClock,
        logger: silentLogger,
      });
      writeFileSync(file("member.yaml"), listener.adminKubeconfig());
      const pace = ["--cluster-status-update-frequency=200ms", "--cluster-success-threshold=100ms", "--log-level=warn"];
      agent = new ChildCommand(["agent", "--cluster-name", NAME, "--kubeconfig", file("member.yaml"), ...pace], folder);
      await eventually(() => expect(plane.log).toMatch(/Control plane on/));
    }, 3 * LIMIT_MS);

    afterAll(async () => {
      await agent?.kill();
      await plane?.kill("SIGTERM");
      signers?.kill("SIGKILL");
      await listener?.close();
      await member?.close();
      await http?.close();
      await server?.close();
      rmSync(folder, { recursive: true, force: true });
    });

    /** As `karmadactl init` and kubeadm do: where the control plane is, for everybody to read. */
    async function publishClusterInfo(): Promise<void> {
      const data = readFileSync(join(server.pki, "ca.crt")).toString("base64");
      const kubeconfig = JSON.stringify({
        apiVersion: "v1",
        kind: "Config",
        clusters: [{ name: "", cluster: { server: server.url, "certificate-authority-data": data } }],
      });
      const name = "system:karmada:bootstrap-signer-clusterinfo";
      const rules = [{ apiGroups: [""], resources: ["configmaps"], resourceNames: ["cluster-info"], verbs: ["get"] }];
      await eventually(() =>
        applyAll(
          client,
          {
            apiVersion: "v1",
            kind: "ConfigMap",
            metadata: { name: "cluster-info", namespace: "kube-public" },
            data: { kubeconfig },
          },
          { apiVersion: `${RBAC}/v1`, kind: "Role", metadata: { name, namespace: "kube-public" }, rules },
          {
            apiVersion: `${RBAC}/v1`,
            kind: "RoleBinding",
            metadata: { name, namespace: "kube-public" },
            roleRef: { apiGroup: RBAC, kind: "Role", name },
            subjects: [{ apiGroup: RBAC, kind: "User", name: "system:anonymous" }],
          },
        ),
      );
    }

    it("registers a cluster by a token of that server, and its agent drives it", async () => {
      const create = ["token", "create", "--print-register-command", "--kubeconfig", server.kubeconfig];
      const [, ...line] = (await runFlaghoist(create, folder)).out.trim().split(" ");

      const registered = await eventually(async () => {
        const outcome = await runFlaghoist(
          [...line, "--cluster-name", NAME, "--kubeconfig", file("member.yaml")],
          folder,
        );
        // The signer needs a moment for a new token.
        expect(outcome).toMatchObject({ code: 0 });
        return outcome;
      });
      expect(registered.out).toMatch(/edge is registered .*in Pull mode/);
      agent.start();
      await eventually(async () => {
        const ready = findReady(await client.get<Cluster>(CLUSTER))?.status;
        expect({ ready, log: agent.log }).toMatchObject({ ready: "True" });
      });
      await applyAll(client, deployment({ namespace: "default", replicas: 2 }), policy({ namespace: "default" }));
      await eventually(async () => expect(at(await member.client.find(WEB), "spec", "replicas")).toBe(2));
      await eventually(async () => expect(at(await client.get(WEB), "status", "readyReplicas")).toBe(2));
    });

    it("leaves again, with what was placed there and with its rights", async () => {
      const left = await runFlaghoist(["unregister", NAME, "--kubeconfig", file("member.yaml")], folder);

      expect(left).toMatchObject({ code: 0, err: "" });
      expect(await member.client.find(WEB)).toBeUndefined();
      await eventually(async () =>
        expect(await client.find(ref(`${RBAC}/v1 ClusterRole`, "", "system:karmada:edge:agent"))).toBeUndefined(),
      );
      expect(
        await client.find(ref(`${RBAC}/v1 ClusterRole`, "", "system:karmada:agent-rbac-generator")),
      ).toBeUndefined();
    });
  },
);
