import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Cluster } from "../../../api/cluster.ts";
import { builtinKinds } from "../../../fleets/apiserver/kinds/builtin.ts";
import { type ApiServer, createApiServer } from "../../../fleets/apiserver/server.ts";
import { clusterKind } from "../../../fleets/cluster-kind.ts";
import { KubeClient } from "../../../kube/client/kube-client.ts";
import { type Clock, FakeClock, rfc3339 } from "../../../runtime/clock.ts";
import { silentLogger } from "../../../runtime/logger.ts";
import { type Controller, type ControllerContext, createContext } from "../context.ts";
import { clusterLease } from "./cluster-lease.ts";
import { CLUSTER_API, findReady } from "./cluster-object.ts";
import { LEASE_KIND, startLeaseMonitor } from "./lease-monitor.ts";

let clock: FakeClock;
let server: ApiServer;
let context: ControllerContext;
let monitor: Controller;
/** For how long the machine of the control plane has slept: its timers did not run. */
let sleptMs = 0;

beforeEach(async () => {
  clock = new FakeClock();
  sleptMs = 0;
  const kinds = [...builtinKinds(), clusterKind()];
  server = await createApiServer({ name: "control-plane", clock, logger: silentLogger, kinds });
  const client = new KubeClient(server.handle);
  const waking: Clock = { now: () => clock.now() + sleptMs, after: (ms, fn) => clock.after(ms, fn) };
  context = createContext({ client, clock: waking, logger: silentLogger, newUuid: () => "id" });
  await client.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: "karmada-cluster" } });
  for (const name of ["pulled", "pushed"]) {
    const syncMode = name === "pulled" ? "Pull" : "Push";
    await client.create({ apiVersion: CLUSTER_API, kind: "Cluster", metadata: { name }, spec: { syncMode } });
    await client.patch(ref(name), { status: { conditions: [ready()] } }, "merge", { subresource: "status" });
  }
  await client.create(clusterLease("pulled", 40_000, clock.now()));
  context.informers.of(CLUSTER_API, "Cluster");
  context.informers.of(...LEASE_KIND);
  await context.informers.synced();
  monitor = startLeaseMonitor(context);
});

afterEach(async () => {
  await monitor.stop();
  await context.informers.stop();
  await server.close();
});

function ref(name: string) {
  return { apiVersion: CLUSTER_API, kind: "Cluster", name };
}

function ready() {
  return {
    type: "Ready",
    status: "True",
    reason: "ClusterReady",
    message: "",
    lastTransitionTime: rfc3339(clock.now()),
  };
}

async function statusOf(name: string): Promise<string | undefined> {
  return findReady(await new KubeClient(server.handle).get<Cluster>(ref(name)))?.status;
}

/** Time goes on in steps in which watches keep up. */
async function pass(seconds: number): Promise<void> {
  for (let left = seconds; left > 0; left -= 5) {
    await clock.advance(Math.min(5, left) * 1000);
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
}

describe("the lease monitor", () => {
  it("calls a silent cluster Unknown, and leaves those that the control plane asks itself", async () => {
    await pass(40);
    const early = await statusOf("pulled");
    await pass(15);

    expect([early, await statusOf("pulled"), await statusOf("pushed")]).toEqual(["True", "Unknown", "True"]);
  });

  it("hears the Lease", async () => {
    for (let i = 0; i < 12; i++) {
      await pass(10);
      const { spec } = clusterLease("pulled", 40_000, clock.now());
      const lease = {
        apiVersion: "coordination.k8s.io/v1",
        kind: "Lease",
        namespace: "karmada-cluster",
        name: "pulled",
      };
      await context.client.patch(lease, { spec }, "merge");
    }

    expect(await statusOf("pulled")).toBe("True");
  });

  it("takes its own absence for nobody's silence", async () => {
    await pass(10);
    sleptMs = 3_600_000;
    await pass(10);

    expect(await statusOf("pulled")).toBe("True");
    await pass(50);
    expect(await statusOf("pulled")).toBe("Unknown");
  });
});
