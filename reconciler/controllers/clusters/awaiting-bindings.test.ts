import { afterEach, describe, expect, it } from "vitest";
import type { Cluster } from "../../../api/cluster.ts";
import type { GracefulEvictionTask, ResourceBinding } from "../../../api/work.ts";
import { createApiServer } from "../../../fleets/apiserver/server.ts";
import { KubeClient } from "../../../kube/client/kube-client.ts";
import { refOf } from "../../../kube/object.ts";
import { FakeClock } from "../../../runtime/clock.ts";
import { silentLogger } from "../../../runtime/logger.ts";
import { binding, cluster, deployment, policy } from "../../../test/builders.ts";
import { eventually } from "../../../test/e2e/support/eventually.ts";
import { installDefinitions } from "../../cli/install.ts";
import { failoverSettings } from "../../failover/failover-modes.ts";
import { HELD_REPLICAS_ANNOTATION } from "../../works/metadata-keys.ts";
import { createContext } from "../context.ts";
import { BindingWriter } from "../scheduling/binding-writer.ts";
import { FleetState } from "../scheduling/fleet-state.ts";
import { startRelocationController } from "../scheduling/relocation.ts";
import { WorkIndex } from "../works/work-index.ts";
import { changesCopies } from "./awaiting-bindings.ts";
import { startFailoverController } from "./failover.ts";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const BINDING_API = "work.karmada.io/v1alpha2";
const WORK_API = "work.karmada.io/v1alpha1";
const CLUSTER_API = "cluster.karmada.io/v1alpha1";
const HOUR_MS = 3_600_000;
const DRAIN = { key: "drain", effect: "NoExecute" as const, timeAdded: "2026-01-01T00:00:00Z" };
const TASK: GracefulEvictionTask = {
  fromCluster: "paris-1",
  replicas: 3,
  producer: "TaintManager",
  reason: "TaintUntolerated",
  purgeMode: "Gracefully",
  creationTimestamp: "2025-12-31T00:00:00Z",
};

/** What tokyo-1 reports of its copy. */
const WELL = { replicas: 3, readyReplicas: 3 };
const TOKYO_WORK = { apiVersion: WORK_API, kind: "Work", namespace: "karmada-es-tokyo-1", name: "web" };

interface Start {
  readonly clusters: readonly Cluster[];
  /** Of a workload that goes to tokyo-1, where all of it is well as far as is known. */
  readonly tasks?: GracefulEvictionTask[];
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The loops that let copies go, with safe failover; the scheduler has done its part. */
async function start({ clusters, tasks, annotations }: Start) {
  const clock = new FakeClock();
  const server = await createApiServer({ name: "store", clock, logger: silentLogger });
  const client = new KubeClient(server.handle);
  closers.push(() => server.close());
  await installDefinitions(client, clock);
  await client.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } });
  const report = (one: Cluster) => client.patch(refOf(one), { status: one.status }, "merge", { subresource: "status" });
  for (const one of clusters) {
    await client.create(one);
    await report(one);
  }
  const made = binding({
    template: deployment(),
    policy: policy({ name: "web", placement: {} }),
    clusters: [{ name: "tokyo-1", replicas: 3 }],
    replicas: 3,
  });
  const { generation: _, ...metadata } = made.metadata;
  const { status: __, ...rest } = made;
  const stored = await client.create({
    ...rest,
    metadata: { ...metadata, annotations: { ...metadata.annotations, ...annotations } },
    spec: { ...made.spec, ...(tasks === undefined ? {} : { gracefulEvictionTasks: tasks }) },
  });
  const ref = refOf(stored);
  const status = {
    schedulerObservedGeneration: (stored as ResourceBinding).metadata.generation,
    conditions: [
      { type: "Scheduled", status: "True", reason: "Success", message: "", lastTransitionTime: "2026-01-01T00:00:00Z" },
    ],
    aggregatedStatus: [{ clusterName: "tokyo-1", health: "Healthy", status: WELL }],
  };
  await client.patch(ref, { status }, "merge", { subresource: "status" });
  await client.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: "karmada-es-tokyo-1" } });
  await createWork();
  const profile = failoverSettings("safe");
  const context = createContext({ client, clock, logger: silentLogger, newUuid: () => "id", profile });
  closers.push(() => context.informers.stop());
  context.informers.of(CLUSTER_API, "Cluster");
  for (const kind of ["ResourceBinding", "ClusterResourceBinding"]) context.informers.of(BINDING_API, kind);
  await context.informers.synced();
  const fleet = new FleetState(context);
  const writer = new BindingWriter(context, fleet);
  const works = new WorkIndex(context);
  for (const startLoop of [startFailoverController, startRelocationController]) {
    const controller = startLoop(context, fleet, writer, { works });
    closers.push(() => controller.stop());
  }
  async function createWork(): Promise<void> {
    const { apiVersion, kind, ...name } = TOKYO_WORK;
    const { "resourcebinding.karmada.io/permanent-id": id = "" } = made.metadata.labels ?? {};
    await client.create({
      apiVersion,
      kind,
      metadata: {
        ...name,
        labels: { "resourcebinding.karmada.io/permanent-id": id },
        finalizers: ["karmada.io/execution-controller"],
      },
      spec: { workload: { manifests: [deployment()] } },
    });
    const identifier = { ordinal: 0, group: "apps", version: "v1", kind: "Deployment", namespace: "shop", name: "web" };
    const isApplied = { type: "Applied", status: "True", reason: "AppliedSuccessful", message: "" };
    const status = {
      conditions: [{ ...isApplied, lastTransitionTime: "2026-01-01T00:00:00Z" }],
      manifestStatuses: [{ identifier: { ...identifier, resource: "deployments" }, status: WELL, health: "Healthy" }],
    };
    await client.patch(TOKYO_WORK, { status }, "merge", { subresource: "status" });
  }
  /** The copy in tokyo-1 is one that was there before, and is being removed. */
  async function removeCopy(): Promise<void> {
    await client.delete(TOKYO_WORK);
    await touch("Removing");
  }
  async function replaceCopy(): Promise<void> {
    await client.patch(TOKYO_WORK, { metadata: { finalizers: [] } }, "merge");
    await createWork();
    await touch("Replaced");
  }
  /** The loops look again. */
  async function touch(reason: string): Promise<void> {
    const conditions = status.conditions.map((condition) => ({ ...condition, reason }));
    await client.patch(ref, { status: { conditions } }, "merge", { subresource: "status" });
  }
  async function becomesReady(name: string): Promise<void> {
    await report(cluster({ name }));
  }
  async function present(): Promise<ResourceBinding> {
    await clock.advance(100);
    return client.get<ResourceBinding>(ref);
  }
  async function leavingClusters(): Promise<string[]> {
    return ((await present()).spec.gracefulEvictionTasks ?? []).map((task) => task.fromCluster);
  }
  return { clock, becomesReady, removeCopy, replaceCopy, present, leavingClusters };
}

describe("a copy that stays although its time is over", () => {
  it("goes once the cluster that replaces it answers again, although the binding stays as it is", async () => {
    const { clock, becomesReady, leavingClusters } = await start({
      clusters: [cluster({ name: "paris-1", taints: [DRAIN] }), cluster({ name: "tokyo-1", ready: false })],
      tasks: [TASK],
    });
    await clock.advance(HOUR_MS);
    expect(await leavingClusters()).toEqual(["paris-1"]);

    await becomesReady("tokyo-1");

    await eventually(async () => expect(await leavingClusters()).toEqual([]));
  });

  it("goes once its own cluster answers again, although that still drives workloads out", async () => {
    const { clock, becomesReady, leavingClusters } = await start({
      clusters: [cluster({ name: "paris-1", ready: false, taints: [DRAIN] }), cluster({ name: "tokyo-1" })],
      tasks: [TASK],
    });
    await clock.advance(HOUR_MS);
    expect(await leavingClusters()).toEqual(["paris-1"]);

    await becomesReady("paris-1");

    await eventually(async () => expect(await leavingClusters()).toEqual([]));
  });

  it("goes once the last of several clusters is back, whichever that is", async () => {
    const { clock, becomesReady, leavingClusters } = await start({
      clusters: [
        cluster({ name: "paris-1", ready: false, taints: [DRAIN] }),
        cluster({ name: "tokyo-1", ready: false }),
      ],
      tasks: [TASK],
    });
    await becomesReady("paris-1");
    await clock.advance(HOUR_MS);
    expect(await leavingClusters()).toEqual(["paris-1"]);

    await becomesReady("tokyo-1");

    await eventually(async () => expect(await leavingClusters()).toEqual([]));
  });
});

describe("what waits for a successor in a cluster whose earlier copy is being removed", () => {
  it("stays as long as only that one reports, and goes once its successor does", async () => {
    const { clock, becomesReady, removeCopy, replaceCopy, leavingClusters } = await start({
      clusters: [cluster({ name: "paris-1", taints: [DRAIN] }), cluster({ name: "tokyo-1", ready: false })],
      tasks: [TASK],
    });
    await removeCopy();
    await becomesReady("tokyo-1");
    await clock.advance(HOUR_MS);
    expect(await leavingClusters()).toEqual(["paris-1"]);

    await replaceCopy();

    await eventually(async () => expect(await leavingClusters()).toEqual([]));
  });

  it("holds its replicas back until then, too", async () => {
    const { clock, becomesReady, removeCopy, replaceCopy, present } = await start({
      clusters: [cluster({ name: "tokyo-1", ready: false })],
      annotations: { [HELD_REPLICAS_ANNOTATION]: JSON.stringify({ "tokyo-1": 5 }) },
    });
    const held = async () => (await present()).metadata.annotations?.[HELD_REPLICAS_ANNOTATION];
    await removeCopy();
    await becomesReady("tokyo-1");
    await clock.advance(HOUR_MS);
    expect(await held()).toBeDefined();

    await replaceCopy();

    await eventually(async () => expect(await held()).toBeUndefined());
  });
});

describe("replicas that are held back", () => {
  it("go once the cluster that replaces them answers again, although the placement follows no clusters", async () => {
    const { clock, becomesReady, present } = await start({
      clusters: [cluster({ name: "tokyo-1", ready: false })],
      annotations: { [HELD_REPLICAS_ANNOTATION]: JSON.stringify({ "tokyo-1": 5 }) },
    });
    const held = async () => (await present()).metadata.annotations?.[HELD_REPLICAS_ANNOTATION];
    await clock.advance(HOUR_MS);
    expect(await held()).toBeDefined();

    await becomesReady("tokyo-1");

    await eventually(async () => expect(await held()).toBeUndefined());
  });
});

describe("changesCopies", () => {
  const paris = cluster({ name: "paris-1" });

  it.each<[string, Cluster | undefined]>([
    ["goes", undefined],
    ["stops answering", cluster({ name: "paris-1", ready: false })],
    ["drives workloads out", cluster({ name: "paris-1", taints: [DRAIN] })],
    ["gets an agent", { ...paris, spec: { ...paris.spec, syncMode: "Pull" } }],
    ["is being deleted", { ...paris, metadata: { ...paris.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } }],
  ])("is true when a cluster %s, and when that is over", (_what, other) => {
    expect(changesCopies({ before: paris, after: other })).toBe(true);
    expect(changesCopies({ before: other, after: paris })).toBe(true);
  });

  it("is false for reports that say nothing new of copies", () => {
    expect(changesCopies({ before: paris, after: cluster({ name: "paris-1", allocatable: { pods: "9" } }) })).toBe(
      false,
    );
  });
});
