import { afterEach, describe, expect, it } from "vitest";
import type { ResourceBinding } from "../../../api/work.ts";
import { createApiServer } from "../../../fleets/apiserver/server.ts";
import { KubeClient } from "../../../kube/client/kube-client.ts";
import { FakeClock } from "../../../runtime/clock.ts";
import { silentLogger } from "../../../runtime/logger.ts";
import { binding, deployment, policy } from "../../../test/builders.ts";
import { eventually } from "../../../test/e2e/support/eventually.ts";
import { installDefinitions } from "../../cli/install.ts";
import { createContext } from "../context.ts";
import { startDescheduler, type UnschedulableReplicas } from "./descheduler.ts";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const BINDING = {
  apiVersion: "work.karmada.io/v1alpha2",
  kind: "ResourceBinding",
  namespace: "shop",
  name: "web-deployment",
};
const SETTINGS = { intervalMs: 120_000, thresholdMs: 300_000, timeoutMs: 3_000 };

/** Four replicas in each of two clusters, of which `ready` serve, under the loop that asks `source`. */
async function start(ready: Readonly<Record<string, number>>, source: UnschedulableReplicas["unschedulable"]) {
  const clock = new FakeClock();
  const server = await createApiServer({ name: "store", clock, logger: silentLogger });
  closers.push(() => server.close());
  const client = new KubeClient(server.handle);
  await installDefinitions(client, clock);
  await client.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } });
  const placement = {
    replicaScheduling: { replicaSchedulingType: "Divided", replicaDivisionPreference: "Aggregated" },
  } as const;
  const made = binding({
    template: deployment(),
    policy: policy({ name: "web", placement }),
    clusters: Object.keys(ready).map((name) => ({ name, replicas: 4 })),
  });
  const { generation: _, ...metadata } = made.metadata;
  await client.create({ ...made, metadata });
  const aggregatedStatus = Object.entries(ready).map(([clusterName, readyReplicas]) => ({
    clusterName,
    status: { readyReplicas },
  }));
  await client.patch(BINDING, { status: { aggregatedStatus } }, "merge", { subresource: "status" });
  const context = createContext({ client, clock, logger: silentLogger, newUuid: () => "id" });
  closers.push(() => context.informers.stop());
  context.informers.of(BINDING.apiVersion, BINDING.kind);
  await context.informers.synced();
  const controller = startDescheduler(context, { unschedulable: source }, SETTINGS);
  closers.push(() => controller.stop());
  return {
    client,
    clock,
    targets: async () =>
      Object.fromEntries(
        ((await client.get<ResourceBinding>(BINDING)).spec.clusters ?? []).map((each) => [each.name, each.replicas]),
      ),
    reasons: async (kind: string) =>
      (await client.list("v1", "Event", { namespace: "shop", fieldSelector: `involvedObject.kind=${kind}` })).items.map(
        (event) => event["reason"],
      ),
  };
}

describe("startDescheduler", () => {
  it("asks about clusters that are short of ready replicas, takes those back, and tells binding and template", async () => {
    const asked: string[] = [];
    const { targets, reasons } = await start({ "paris-1": 1, "tokyo-1": 4 }, async (cluster, workload, thresholdMs) => {
      asked.push(`${cluster} ${workload.kind} ${workload.namespace}/${workload.name} ${thresholdMs}`);
      return 2;
    });

    await eventually(async () => expect(await targets()).toEqual({ "paris-1": 2, "tokyo-1": 4 }));

    expect(asked).toEqual(["paris-1 Deployment shop/web 300000"]);
    await eventually(async () => {
      expect(await reasons("ResourceBinding")).toEqual(["DescheduleBindingSucceed"]);
      expect(await reasons("Deployment")).toEqual(["DescheduleBindingSucceed"]);
    });
  });

  it("never takes a replica that is ready", async () => {
    const { targets } = await start({ "paris-1": 3, "tokyo-1": 4 }, async () => 4);

    await eventually(async () => expect(await targets()).toEqual({ "paris-1": 3, "tokyo-1": 4 }));
  });

  it("looks again after the interval, and not before", async () => {
    let asked = 0;
    const { clock } = await start({ "paris-1": 1, "tokyo-1": 4 }, async () => {
      asked++;
      return undefined;
    });
    await eventually(() => asked === 1);
    await clock.advance(SETTINGS.intervalMs - 1);
    expect(asked).toBe(1);

    await clock.advance(1);

    await eventually(() => asked === 2);
  });

  it("goes on without a cluster that does not answer, or answers with an error", async () => {
    const { clock, targets } = await start({ "paris-1": 1, "paris-2": 1, "tokyo-1": 1 }, async (cluster) => {
      if (cluster === "paris-1") return new Promise(() => {});
      if (cluster === "paris-2") throw new Error("connection refused");
      return 3;
    });

    await clock.advance(SETTINGS.timeoutMs - 1);
    expect(await targets()).toEqual({ "paris-1": 4, "paris-2": 4, "tokyo-1": 4 });
    await clock.advance(1);

    await eventually(async () => expect(await targets()).toEqual({ "paris-1": 4, "paris-2": 4, "tokyo-1": 1 }));
  });
});
