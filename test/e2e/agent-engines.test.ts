// An agent against both engines of the store, with its own rights and no others.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Cluster } from "../../api/cluster.ts";
import { createSimulatedCluster, type SimulatedCluster } from "../../fleets/simulator/simulated-cluster.ts";
import { type HttpTransport, openHttpTransportFile } from "../../kube/client/http-transport.ts";
import { KubeClient } from "../../kube/client/kube-client.ts";
import { runAgent } from "../../reconciler/cli/agents/agent-process.ts";
import { findReady } from "../../reconciler/controllers/clusters/cluster-object.ts";
import { systemClock } from "../../runtime/clock.ts";
import { AppError } from "../../runtime/errors.ts";
import { silentLogger } from "../../runtime/logger.ts";
import { eventually } from "./support/eventually.ts";
import { deployment, policy } from "./support/manifests.ts";
import { applyAll, engines, type Plane, ref, startPlane } from "./support/plane.ts";

const EDGE: Cluster = {
  apiVersion: "cluster.karmada.io/v1alpha1",
  kind: "Cluster",
  metadata: { name: "edge" },
  spec: { syncMode: "Pull" },
};
const CLUSTER = { apiVersion: EDGE.apiVersion, kind: EDGE.kind, name: "edge" };
const WEB = ref("apps/v1 Deployment", "default", "web");

describe.each(engines())("an agent, %s engine", (engine) => {
  let plane: Plane;
  let member: SimulatedCluster;
  let http: HttpTransport;
  /** The control plane as the agent of `edge` finds it. */
  let client: KubeClient;
  let running: { readonly abort: AbortController; readonly ended: Promise<void> } | undefined;

  beforeEach(async () => {
    plane = await startPlane({
      engine,
      members: {},
      profile: { clusterMonitorPeriodMs: 100, clusterLiveness: { graceMs: 2_500, startupGraceMs: 60_000 } },
    });
    member = await createSimulatedCluster({
      name: "edge",
      clock: systemClock,
      logger: silentLogger,
      readyAfterMs: 20,
    });
    http = await openHttpTransportFile(plane.kubeconfig);
    const { send } = http;
    const headers = { "impersonate-user": "system:karmada:agent:edge", "impersonate-group": "system:karmada:agents" };
    client = new KubeClient((request) => send({ ...request, headers: { ...request.headers, ...headers } }));
    running = undefined;
  }, 120_000);

  afterEach(async () => {
    await stopAgent();
    await http.close();
    await member.close();
    await plane.close();
  }, 60_000);

  function startAgent(): void {
    const abort = new AbortController();
    const ended = runAgent({
      cluster: EDGE,
      plane: { client, server: http.server, close: () => Promise.resolve() },
      member: member.transport,
      profile: {
        clusterStatusIntervalMs: 200,
        clusterThresholds: { failureMs: 400, successMs: 100 },
        clusterLeaseDurationMs: 800,
      },
      clock: systemClock,
      logger: silentLogger,
      signal: abort.signal,
    });
    running = { abort, ended };
  }

  async function stopAgent(): Promise<void> {
    running?.abort.abort(new AppError("stopped", "the test is over", { recovery: "retry" }));
    await running?.ended;
    running = undefined;
  }

  async function becomes(status: string): Promise<void> {
    await eventually(async () => expect(findReady(await plane.client.get<Cluster>(CLUSTER))?.status).toBe(status));
  }

  async function replicasInMember(): Promise<unknown> {
    return ((await member.client.find(WEB))?.["spec"] as { replicas?: number } | undefined)?.replicas;
  }

  it("drives its cluster, is Unknown when it is silent, and takes its Works out when the cluster leaves", async () => {
    await applyAll(plane.client, EDGE);
    startAgent();
    await becomes("True");
    await applyAll(plane.client, deployment({ namespace: "default", replicas: 2 }), policy({ namespace: "default" }));
    await eventually(async () => expect(await replicasInMember()).toBe(2));
    await eventually(async () => expect((await plane.client.get(WEB))["status"]).toMatchObject({ readyReplicas: 2 }));

    await member.client.patch(WEB, { spec: { replicas: 5 } }, "merge", { fieldManager: "kubectl-scale" });
    await eventually(async () => expect(await replicasInMember()).toBe(2));

    await stopAgent();
    await becomes("Unknown");
    expect(await replicasInMember()).toBe(2);
    startAgent();
    await becomes("True");

    await plane.client.delete(CLUSTER);
    await eventually(async () => expect(await replicasInMember()).toBeUndefined());
    await eventually(async () => expect(await plane.client.find(CLUSTER)).toBeUndefined());
  }, 90_000);

  it("may write no other Cluster, nor more into its own than its status", async () => {
    await applyAll(plane.client, EDGE);
    await eventually(async () => expect(await client.find(CLUSTER)).toBeDefined());

    const other: Cluster = { ...EDGE, metadata: { name: "core" } };
    await expect(client.create(other)).rejects.toThrow(/the agent of cluster edge may not write cluster core/);
    await expect(client.patch(CLUSTER, { spec: { syncMode: "Push" } }, "merge")).rejects.toThrow(/forbidden/);
    await expect(client.list(EDGE.apiVersion, EDGE.kind)).rejects.toThrow(/forbidden/);
    const own = await client.list(EDGE.apiVersion, EDGE.kind, { fieldSelector: "metadata.name=edge" });
    expect(own.items.map(({ metadata }) => metadata.name)).toEqual(["edge"]);
  }, 60_000);
});
