import { afterEach, describe, expect, it } from "vitest";
import type { Cluster } from "../../../api/cluster.ts";
import type { AggregatedStatusItem, ResourceBinding } from "../../../api/work.ts";
import { createApiServer } from "../../../fleets/apiserver/server.ts";
import { KubeClient } from "../../../kube/client/kube-client.ts";
import { FakeClock } from "../../../runtime/clock.ts";
import { silentLogger } from "../../../runtime/logger.ts";
import { binding, cluster, deployment, policy } from "../../../test/builders.ts";
import { eventually } from "../../../test/e2e/support/eventually.ts";
import { installDefinitions } from "../../cli/install.ts";
import { createContext } from "../context.ts";
import { BindingWriter } from "../scheduling/binding-writer.ts";
import { FleetState } from "../scheduling/fleet-state.ts";
import { isUpToStrength, startFailoverController } from "./failover.ts";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const BINDING_API = "work.karmada.io/v1alpha2";

async function startStore() {
  const clock = new FakeClock();
  const server = await createApiServer({ name: "store", clock, logger: silentLogger });
  const client = new KubeClient(server.handle);
  closers.push(() => server.close());
  await installDefinitions(client, clock);
  await client.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } });
  async function startController(): Promise<void> {
    const context = createContext({
      client,
      clock,
      logger: silentLogger,
      newUuid: () => "id",
      profile: { failover: true, evictionRate: 1_000 },
    });
    closers.push(() => context.informers.stop());
    context.informers.of("cluster.karmada.io/v1alpha1", "Cluster");
    for (const kind of ["ResourceBinding", "ClusterResourceBinding"]) context.informers.of(BINDING_API, kind);
    await context.informers.synced();
    const fleet = new FleetState(context);
    const controller = startFailoverController(context, fleet, new BindingWriter(context, fleet));
    closers.push(() => controller.stop());
  }
  async function targets(): Promise<string[] | undefined> {
    const ref = { apiVersion: BINDING_API, kind: "ResourceBinding", namespace: "shop", name: "web-deployment" };
    return (await client.get<ResourceBinding>(ref)).spec.clusters?.map((target) => target.name);
  }
  return { client, clock, startController, targets };
}

function webBinding(clusters: readonly string[]): ResourceBinding {
  const made = binding({
    template: deployment(),
    policy: policy({ name: "web", placement: {} }),
    clusters: clusters.map((name) => ({ name, replicas: 3 })),
  });
  const { generation: _, ...metadata } = made.metadata;
  return { ...made, metadata };
}

function lost(name: string): Cluster {
  const { metadata, ...rest } = cluster({
    name,
    taints: [{ key: "lost", effect: "NoExecute", timeAdded: "2026-01-01T00:00:00Z" }],
  });
  return { ...rest, metadata: { name: metadata.name ?? name } };
}

describe("startFailoverController", () => {
  it("goes on with evictions after a restart, although nothing changes any more", async () => {
    const { client, clock, startController, targets } = await startStore();
    await client.create(lost("paris-1"));
    await client.create(webBinding(["paris-1", "tokyo-1"]));

    await startController();

    await eventually(async () => {
      await clock.advance(100);
      expect(await targets()).toEqual(["tokyo-1"]);
    });
  });

  it("evicts a binding that comes to target a cluster that is lost already", async () => {
    const { client, clock, startController, targets } = await startStore();
    await client.create(lost("paris-1"));
    await startController();

    await client.create(webBinding(["paris-1", "tokyo-1"]));

    await eventually(async () => {
      await clock.advance(100);
      expect(await targets()).toEqual(["tokyo-1"]);
    });
  });
});

describe("the pace of evictions in Karmada's mode", () => {
  it("is a hundred at once and ten a second from then on, however high the rate is", async () => {
    const { client, clock, startController } = await startStore();
    await client.create(lost("paris-1"));
    for (let i = 0; i < 130; i++) {
      const web = webBinding(["paris-1", "tokyo-1"]);
      await client.create({ ...web, metadata: { ...web.metadata, name: `web-${i}-deployment`, uid: `web-${i}` } });
    }
    const evicted = async (): Promise<number> => {
      const { items } = await client.list<ResourceBinding>(BINDING_API, "ResourceBinding");
      return items.filter(({ spec }) => spec.clusters?.length === 1).length;
    };
    const pass = async (ms: number): Promise<void> => {
      for (let passed = 0; passed < ms; passed += 10) {
        await clock.advance(10);
        await new Promise((resolve) => setImmediate(resolve));
      }
    };

    await startController();
    await eventually(async () => {
      await pass(100);
      expect(await evicted()).toBeGreaterThanOrEqual(100);
    });
    const atFirst = await evicted();
    await pass(1_000);

    const inOneSecond = (await evicted()) - atFirst;
    expect(inOneSecond).toBeGreaterThanOrEqual(5);
    expect(inOneSecond).toBeLessThanOrEqual(20);
  });
});

describe("isUpToStrength", () => {
  function up(
    words: Partial<AggregatedStatusItem>,
    { replicas = 3, kind = "Deployment" }: { replicas?: number; kind?: string } = {},
  ): boolean {
    const made = binding({
      template: deployment(),
      policy: policy({ name: "web" }),
      clusters: [{ name: "paris-1", replicas }],
      status: { aggregatedStatus: [{ clusterName: "paris-1", ...words }] },
    });
    const resource = {
      ...made.spec.resource,
      kind,
      ...(kind === "Deployment" ? {} : { apiVersion: "example.org/v1" }),
    };
    return isUpToStrength({ ...made, spec: { ...made.spec, resource } });
  }

  it.each<[string, Partial<AggregatedStatusItem>, number, boolean]>([
    ["all are ready", { status: { replicas: 3, readyReplicas: 3 } }, 3, true],
    ["one is missing", { status: { replicas: 3, readyReplicas: 2 } }, 3, false],
    ["none is ready, which is left out", { status: { replicas: 3 } }, 3, false],
    ["nothing is there yet, which is left out", { status: {} }, 3, false],
    ["nothing is known", {}, 3, false],
    ["none is wanted", { status: {} }, 0, true],
    ["another cluster reports", { clusterName: "tokyo-1", status: { readyReplicas: 3 } }, 3, false],
  ])("of a Deployment when %s", (_what, words, replicas, expected) => {
    expect(up(words, { replicas })).toBe(expected);
  });

  it.each<[string, Partial<AggregatedStatusItem>, boolean]>([
    ["says nothing of replicas", { status: { phase: "Running" } }, true],
    ["counts replicas but not ready ones", { status: { replicas: 1 } }, true],
    ["counts too few ready ones", { status: { readyReplicas: 1 } }, false],
    ["has no status", {}, false],
  ])("of a kind of its own that %s", (_what, words, expected) => {
    expect(up(words, { kind: "Engine" })).toBe(expected);
  });

  it("of a binding without targets", () => {
    const made = binding({ template: deployment(), policy: policy({ name: "web" }), clusters: [] });

    expect(isUpToStrength(made)).toBe(true);
  });
});
