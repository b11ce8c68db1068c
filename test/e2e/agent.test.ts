// A cluster that only its agent can reach: registered by a token, driven by a process of its own over loopback.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Cluster } from "../../api/cluster.ts";
import type { Work } from "../../api/work.ts";
import { type Listener, listen } from "../../fleets/apiserver/http/listener.ts";
import { createSimulatedCluster, type SimulatedCluster } from "../../fleets/simulator/simulated-cluster.ts";
import { openHttpTransportFile } from "../../kube/client/http-transport.ts";
import { KubeClient } from "../../kube/client/kube-client.ts";
import type { Condition } from "../../kube/object.ts";
import { systemClock } from "../../runtime/clock.ts";
import { silentLogger } from "../../runtime/logger.ts";
import { ChildCommand, runFlaghoist } from "./support/child-agent.ts";
import { ChildPlane } from "./support/child-plane.ts";
import { eventually as within } from "./support/eventually.ts";
import { deployment, policy } from "./support/manifests.ts";
import { applyAll, ref } from "./support/plane.ts";
import { freePorts } from "./support/real-api-server.ts";

const NAME = "edge";
const CLUSTER = { apiVersion: "cluster.karmada.io/v1alpha1", kind: "Cluster", name: NAME };
const WEB = ref("apps/v1 Deployment", "default", "web");
/** Everything that lasts seconds to minutes, shortened. */
const PLANE_PACE = [
  "--cluster-monitor-period=100ms",
  "--cluster-monitor-grace-period=4s",
  "--cluster-startup-grace-period=60s",
];
const AGENT_PACE = [
  "--cluster-status-update-frequency=200ms",
  "--cluster-failure-threshold=400ms",
  "--cluster-success-threshold=100ms",
  "--cluster-lease-duration=800ms",
  "--log-level=warn",
];

/** Several processes start here, on machines that may be busy. */
const LIMIT_MS = 45_000;

function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return within(check, { withinMs: LIMIT_MS });
}

let folder: string;
let plane: ChildPlane;
let member: SimulatedCluster;
let listener: Listener;
let agent: ChildCommand;

const file = (name: string): string => join(folder, name);
const own = (...args: readonly string[]): string[] => [
  ...args,
  "--kubeconfig",
  file("member.yaml"),
  "--control-plane-kubeconfig",
  file("agent.yaml"),
];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "flaghoist-agent-"));
  const [port = 0] = await freePorts(1);
  plane = new ChildPlane(file("plane"), port, PLANE_PACE);
  member = await createSimulatedCluster({ name: NAME, clock: systemClock, logger: silentLogger, readyAfterMs: 20 });
  listener = await listen(member.served, {
    host: "127.0.0.1",
    port: 0,
    directory: file("member-pki"),
    clock: systemClock,
    logger: silentLogger,
  });
  writeFileSync(file("member.yaml"), listener.adminKubeconfig());
  agent = new ChildCommand([...own("agent", "--cluster-name", NAME), ...AGENT_PACE], folder);
  await plane.start();
}, LIMIT_MS);

afterAll(async () => {
  await agent.kill();
  await plane.kill();
  await listener.close();
  await member.close();
  rmSync(folder, { recursive: true, force: true });
});

const admin = (): string => join(file("plane"), "kubeconfig");

async function readyCondition(): Promise<Condition | undefined> {
  const cluster = await plane.client.find<Cluster>(CLUSTER);
  return cluster?.status?.conditions?.find(({ type }) => type === "Ready");
}

async function becomes(status: Condition["status"]): Promise<void> {
  await eventually(async () =>
    expect({ status: (await readyCondition())?.status, log: agent.log }).toMatchObject({ status }),
  );
}

async function replicasInMember(): Promise<unknown> {
  const found = await member.client.find(WEB);
  return (found?.["spec"] as { replicas?: number } | undefined)?.replicas;
}

async function registerLine(...more: readonly string[]): Promise<string[]> {
  const made = await runFlaghoist(
    ["token", "create", "--print-register-command", "--kubeconfig", admin(), ...more],
    folder,
  );
  expect(made).toMatchObject({ code: 0 });
  const [program, ...line] = made.out.trim().split(" ");
  expect([program, line[0]]).toEqual(["flaghoist", "register"]);
  return line;
}

// One story, in the order in which it happens.
describe("a cluster behind its agent", { timeout: 2 * LIMIT_MS }, () => {
  it("is refused with a wrong hash, and without credentials", async () => {
    const line = await registerLine();
    const at = line.indexOf("--discovery-token-ca-cert-hash");
    const wrong = line.with(at + 1, `sha256:${"0".repeat(64)}`);

    const refused = await runFlaghoist([...own(...wrong), "--cluster-name", NAME], folder);
    expect(refused.code).toBe(1);
    expect(refused.err).toMatch(/cannot be trusted: its authority has another hash/);

    const forged = line.with(line.indexOf("--token") + 1, "abcdef.0123456789abcdef");
    const unknown = await runFlaghoist([...own(...forged), "--cluster-name", NAME, "--discovery-timeout=1s"], folder);
    expect(unknown.code).toBe(1);
    expect(unknown.err).toMatch(/token abcdef is not valid there, or has expired/);

    const early = await runFlaghoist(own("agent", "--cluster-name", NAME), folder);
    expect(early.err).toMatch(/run 'flaghoist register' first/);
  });

  it("registers by a token, with its place and its id", async () => {
    const line = await registerLine();

    const registered = await runFlaghoist(
      [...own(...line), "--cluster-name", NAME, "--cluster-region=eu", "--cluster-zones=a,b", "--label=tier=edge"],
      folder,
    );

    expect(registered).toMatchObject({ code: 0, out: expect.stringMatching(/edge is registered .*in Pull mode/) });
    const { metadata, spec } = await plane.client.get<Cluster>(CLUSTER);
    const id = (await member.client.get(ref("v1 Namespace", "", "kube-system"))).metadata.uid;
    expect(metadata.labels).toEqual({ tier: "edge" });
    expect(spec).toMatchObject({ syncMode: "Pull", region: "eu", zones: ["a", "b"], id });
    // The control plane does not even know where the member is.
    expect(JSON.stringify(spec)).not.toContain(listener.url);
    expect(spec.secretRef).toBeUndefined();
  });

  it("is ready when its agent runs, and gets what is placed there", async () => {
    agent.start();
    await becomes("True");

    await applyAll(
      plane.client,
      deployment({ namespace: "default", replicas: 2 }),
      policy({ name: "web", namespace: "default" }),
    );

    await eventually(async () => expect(await replicasInMember()).toBe(2));
    await eventually(async () => {
      const status = (await plane.client.get(WEB))["status"];
      expect(status).toMatchObject({ readyReplicas: 2 });
    });
    const { status } = await plane.client.get<Cluster>(CLUSTER);
    expect(status).toMatchObject({ nodeSummary: { totalNum: 3 }, kubernetesVersion: expect.stringMatching(/^v1/) });
  });

  it("has drift mended by its agent, and told in the control plane", async () => {
    await member.client.patch(WEB, { spec: { replicas: 5 } }, "merge", { fieldManager: "kubectl-scale" });

    await eventually(async () => expect(await replicasInMember()).toBe(2));
    const { uid } = (await plane.client.get(WEB)).metadata;
    await eventually(async () => {
      const { items } = await plane.client.list("v1", "Event", { namespace: "default" });
      const told = items.find((event) => event["reason"] === "DriftCorrected");
      expect(told).toMatchObject({
        message: expect.stringMatching(/cluster edge: spec\.replicas wanted 2, found 5, by kubectl-scale/),
        involvedObject: { kind: "Deployment", name: "web", uid },
      });
    });
  });

  it("lets its agent do nothing beyond its own cluster", async () => {
    const transport = await openHttpTransportFile(file("agent.yaml"));
    const { send } = transport;
    const status = async (method: string, path: string, object?: unknown): Promise<number> =>
      (
        await send({
          method,
          path,
          ...(object === undefined ? {} : { object, headers: { "content-type": "application/json" } }),
        })
      ).status;
    const clusters = "/apis/cluster.karmada.io/v1alpha1/clusters";
    const core = "/api/v1/namespaces";
    const rbac = "/apis/rbac.authorization.k8s.io/v1";
    const other = {
      apiVersion: CLUSTER.apiVersion,
      kind: "Cluster",
      metadata: { name: "core" },
      spec: { syncMode: "Pull" },
    };
    const binding = {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRoleBinding",
      metadata: { name: "more" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" },
      subjects: [{ kind: "User", name: `system:karmada:agent:${NAME}`, apiGroup: "rbac.authorization.k8s.io" }],
    };
    try {
      expect([
        await status("GET", `${clusters}/${NAME}`),
        await status("GET", clusters),
        await status("POST", clusters, other),
        await status("GET", `${clusters}/${NAME}/proxy/version`),
        await status("GET", `${core}/karmada-cluster/secrets`),
        await status("GET", `${core}/default/secrets`),
        await status("GET", "/apis/apps/v1/namespaces/default/deployments/web"),
        await status("GET", `/apis/work.karmada.io/v1alpha1/works`),
        await status("POST", `${rbac}/clusterrolebindings`, binding),
        await status("GET", `${rbac}/clusterroles`),
      ]).toEqual([200, 403, 403, 403, 403, 403, 403, 403, 403, 403]);
    } finally {
      await transport.close();
    }
  });

  it("is not anybody else's to take: its name is refused to other tokens", async () => {
    const line = await registerLine();
    const again = await runFlaghoist(
      [
        ...line,
        "--cluster-name",
        NAME,
        "--kubeconfig",
        file("member.yaml"),
        "--control-plane-kubeconfig",
        file("b.yaml"),
      ],
      folder,
    );

    expect(again.code).toBe(1);
    expect(again.err).toMatch(/cluster edge exists already/);
  });

  it("answers its proxy with what to do", async () => {
    await expect(
      plane.client.raw("GET", `/apis/cluster.karmada.io/v1alpha1/clusters/${NAME}/proxy/version`),
    ).rejects.toThrow(/cluster "edge" cannot be reached: .*in Pull mode.*spec\.apiEndpoint/);
  });

  it("goes on while the control plane is gone, and takes its new wishes when it is back", async () => {
    await plane.kill();
    await member.client.patch(WEB, { spec: { replicas: 7 } }, "merge", { fieldManager: "kubectl-scale" });
    await eventually(async () => expect(await replicasInMember()).toBe(2));

    await plane.start();
    await plane.client.patch(WEB, { spec: { replicas: 3 } }, "merge");

    await eventually(async () => expect(await replicasInMember()).toBe(3));
    await becomes("True");
  });

  it("is Unknown when its agent is killed, and ready again when it is back", async () => {
    await agent.kill();

    const silent = await eventually(async () => {
      const ready = await readyCondition();
      expect(ready?.status).toBe("Unknown");
      return ready;
    });
    expect(silent).toMatchObject({
      reason: "ClusterStatusUnknown",
      message: "Cluster status controller stopped posting cluster status.",
    });
    await eventually(async () => {
      const { spec } = await plane.client.get<Cluster>(CLUSTER);
      expect(spec.taints).toMatchObject([{ key: "cluster.karmada.io/unreachable", effect: "NoSchedule" }]);
    });
    // What runs there runs on.
    expect(await replicasInMember()).toBe(3);

    agent.start();
    await becomes("True");
    await eventually(async () => expect((await plane.client.get<Cluster>(CLUSTER)).spec.taints ?? []).toEqual([]));
  });

  it("renews its certificate, and gets another by a token of its own", async () => {
    const before = readFileSync(file("agent.yaml"), "utf8");
    await agent.kill();
    const eager = new ChildCommand(
      [
        ...own("agent", "--cluster-name", NAME),
        ...AGENT_PACE,
        "--cert-rotation-checking-interval=200ms",
        "--cert-rotation-remaining-time-threshold=0.9999999",
      ],
      folder,
    );
    eager.start();
    await eventually(() => expect(readFileSync(file("agent.yaml"), "utf8")).not.toBe(before));
    await eager.kill();

    rmSync(file("agent.yaml"));
    const line = await registerLine("--cluster", NAME);
    expect(await runFlaghoist(own(...line), folder)).toMatchObject({ code: 0 });
    agent.start();
    // Its condition may still be that of the agent before it.
    await member.client.patch(WEB, { spec: { replicas: 9 } }, "merge", { fieldManager: "kubectl-scale" });
    await eventually(async () => expect(await replicasInMember()).toBe(3));
    await becomes("True");
  });

  it("leaves the fleet, with what was placed there, and its agent has no rights any more", async () => {
    const left = await runFlaghoist(own("unregister", NAME), folder);

    expect(left).toMatchObject({ code: 0, err: "" });
    expect(await plane.client.find(CLUSTER)).toBeUndefined();
    expect(await member.client.find(WEB)).toBeUndefined();
    await eventually(async () => {
      const role = {
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: "ClusterRole",
        name: "system:karmada:edge:agent",
      };
      expect(await plane.client.find(role)).toBeUndefined();
    });
    await agent.kill();
    const works = await plane.client.list<Work>("work.karmada.io/v1alpha1", "Work", { namespace: "karmada-es-edge" });
    expect(works.items).toEqual([]);
  });

  it("is let go although its agent is gone for good: what is there stays there", async () => {
    const line = await registerLine();
    expect(await runFlaghoist([...own(...line), "--cluster-name", NAME], folder)).toMatchObject({ code: 0 });
    const second = new ChildCommand([...own("agent", "--cluster-name", NAME), ...AGENT_PACE], folder);
    second.start();
    await eventually(async () => expect(await replicasInMember()).toBe(3));
    await second.kill();

    await plane.client.delete(CLUSTER);

    await eventually(async () => expect(await plane.client.find(CLUSTER)).toBeUndefined());
    expect(await replicasInMember()).toBe(3);
    const client = new KubeClient((await openHttpTransportFile(file("agent.yaml"))).send);
    await eventually(async () => expect(client.find(CLUSTER)).rejects.toThrow(/forbidden/));
  });
});
