import { afterEach, describe, expect, it } from "vitest";
import { Informer } from "../../kube/client/informer.ts";
import type { KubeObject, ObjectRef } from "../../kube/object.ts";
import { FakeClock } from "../../runtime/clock.ts";
import { silentLogger } from "../../runtime/logger.ts";
import { eventually } from "../../test/e2e/support/eventually.ts";
import { wantedReplicas } from "./fast/final-status.ts";
import { createSimulatedCluster, type SimulatedClusterOptions } from "./simulated-cluster.ts";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function start(options: Partial<SimulatedClusterOptions> = {}) {
  const clock = new FakeClock();
  const cluster = await createSimulatedCluster({
    name: "paris-1",
    clock,
    logger: silentLogger,
    readyAfterMs: 100,
    ...options,
  });
  closers.push(() => cluster.close());
  /** Lets time pass until the check holds. */
  async function settled(check: () => Promise<void> | void): Promise<void> {
    await eventually(async () => {
      await clock.advance(50);
      await check();
    });
  }
  async function pods(): Promise<KubeObject[]> {
    return (await cluster.client.list("v1", "Pod", { namespace: "default" })).items;
  }
  async function statusOf(ref: ObjectRef): Promise<Record<string, unknown>> {
    return ((await cluster.client.get(ref))["status"] ?? {}) as Record<string, unknown>;
  }
  return { cluster, client: cluster.client, clock, settled, pods, statusOf };
}

interface WorkloadWords {
  readonly kind?: "Deployment" | "StatefulSet" | "DaemonSet";
  readonly replicas?: number;
  readonly image?: string;
  readonly cpu?: readonly string[];
  readonly strategy?: unknown;
}

function workload({
  kind = "Deployment",
  replicas,
  image = "web:1",
  cpu = [],
  strategy,
}: WorkloadWords = {}): KubeObject {
  const containers = (cpu.length === 0 ? [undefined] : cpu).map((amount, i) => ({
    name: `c${i}`,
    image,
    ...(amount === undefined ? {} : { resources: { requests: { cpu: amount } } }),
  }));
  return {
    apiVersion: "apps/v1",
    kind,
    metadata: { name: "web", namespace: "default" },
    spec: {
      ...(replicas === undefined ? {} : { replicas }),
      ...(strategy === undefined ? {} : { strategy }),
      selector: { matchLabels: { app: "web" } },
      template: { metadata: { labels: { app: "web" } }, spec: { containers } },
    },
  };
}

const ref = (kind: string): ObjectRef => ({ apiVersion: "apps/v1", kind, namespace: "default", name: "web" });

function nodeOf(pod: KubeObject): string {
  return String((pod["spec"] as { nodeName?: string }).nodeName ?? "");
}

function imageOf(pod: KubeObject): string {
  return (pod["spec"] as { containers: { image: string }[] }).containers[0]?.image ?? "";
}

function isPodReady(pod: KubeObject): boolean {
  const { conditions = [] } = (pod["status"] ?? {}) as { conditions?: { type: string; status: string }[] };
  return conditions.some(({ type, status }) => type === "Ready" && status === "True");
}

describe("a simulated cluster", () => {
  it("has ready nodes on which everything may run", async () => {
    const { client } = await start({ nodes: 2 });

    const { items } = await client.list("v1", "Node");

    expect(items.map((node) => node.metadata.name)).toEqual(["paris-1-node-0", "paris-1-node-1"]);
    for (const node of items) {
      const { conditions } = node["status"] as { conditions: unknown[] };
      expect(conditions).toContainEqual(expect.objectContaining({ type: "Ready", status: "True" }));
      expect(node["spec"] ?? {}).not.toHaveProperty("taints");
    }
  });

  it("makes the pods of a Deployment, spreads them, and has them ready after a while", async () => {
    const { client, clock, settled, pods, statusOf } = await start({ nodes: 3 });

    await client.create(workload({ replicas: 3 }));
    await eventually(async () =>
      expect((await pods()).map(nodeOf).sort()).toEqual(["paris-1-node-0", "paris-1-node-1", "paris-1-node-2"]),
    );
    expect((await statusOf(ref("Deployment")))["readyReplicas"]).toBeUndefined();
    await clock.advance(100);

    await settled(async () =>
      expect(await statusOf(ref("Deployment"))).toMatchObject({
        observedGeneration: 1,
        replicas: 3,
        updatedReplicas: 3,
        readyReplicas: 3,
        availableReplicas: 3,
        conditions: [
          { type: "Available", status: "True" },
          { type: "Progressing", reason: "NewReplicaSetAvailable" },
        ],
      }),
    );
  });

  it("places pods where there is room for all their containers, and the rest when some comes free", async () => {
    const { client, settled, pods } = await start({ nodes: 2, nodeShape: { cpu: "2", memory: "8Gi", pods: 10 } });

    await client.create(workload({ replicas: 5, cpu: ["500m", "500m"] }));
    await settled(async () => {
      const placed = (await pods()).map(nodeOf).filter((node) => node !== "");
      expect(placed.sort()).toEqual(["paris-1-node-0", "paris-1-node-0", "paris-1-node-1", "paris-1-node-1"]);
    });
    const waiting = (await pods()).find((pod) => nodeOf(pod) === "")?.metadata.name;

    const [placed] = (await pods()).filter((pod) => nodeOf(pod) !== "");
    await client.patch(ref("Deployment"), { spec: { replicas: 4 } }, "merge");
    await settled(async () => expect(await pods()).toHaveLength(4));
    await client.delete({ apiVersion: "v1", kind: "Pod", namespace: "default", name: placed?.metadata.name ?? "" });

    await settled(async () => {
      const now = await pods();
      expect(now).toHaveLength(4);
      expect(now.every((pod) => nodeOf(pod) !== "" && isPodReady(pod))).toBe(true);
      expect(now.map((pod) => pod.metadata.name)).not.toContain(waiting);
    });
  });

  it.each<[string, unknown, number, number]>([
    ["25 % of 8 by default", undefined, 6, 10],
    ["none at all", { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } }, 8, 9],
    ["two, and no surge", { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 2, maxSurge: 0 } }, 6, 8],
  ])("never has fewer ready pods than allowed while it rolls over: %s", async (_what, strategy, least, most) => {
    const { client, clock, settled, pods, statusOf } = await start();
    await client.create(workload({ replicas: 8, strategy }));
    await settled(async () => expect(await statusOf(ref("Deployment"))).toMatchObject({ readyReplicas: 8 }));
    const watchOf = (apiVersion: string, kind: string): Informer => {
      const watch = new Informer({ client, apiVersion, kind, clock, logger: silentLogger }).start();
      closers.push(() => watch.stop());
      return watch;
    };
    const watchedPods = watchOf("v1", "Pod");
    const sets = watchOf("apps/v1", "ReplicaSet");
    await Promise.all([watchedPods.synced(), sets.synced()]);
    const ready: number[] = [];
    const ordered: number[] = [];
    watchedPods.subscribe(() => {
      const alive = [...watchedPods.all()].filter((pod) => pod.metadata.deletionTimestamp === undefined);
      ready.push(alive.filter(isPodReady).length);
    });
    sets.subscribe(() => ordered.push([...sets.all()].reduce((sum, set) => sum + wantedReplicas(set), 0)));
    ready.length = 0;

    await client.patch(
      ref("Deployment"),
      [{ op: "replace", path: "/spec/template/spec/containers/0/image", value: "web:2" }],
      "json",
    );

    await settled(async () => {
      expect((await pods()).map(imageOf)).toEqual(Array.from({ length: 8 }, () => "web:2"));
      expect(await statusOf(ref("Deployment"))).toMatchObject({
        observedGeneration: 2,
        updatedReplicas: 8,
        readyReplicas: 8,
      });
    });
    expect(ready.length).toBeGreaterThan(8);
    expect(Math.min(...ready)).toBeGreaterThanOrEqual(least);
    // Pods of a set that was made smaller may linger for a moment, as in a real cluster.
    expect(Math.max(...ordered)).toBeLessThanOrEqual(most);
  });

  it("starts the pods of a StatefulSet one after the other, and takes them away in the other order", async () => {
    const { client, clock, settled, pods, statusOf } = await start();
    const watch = new Informer({ client, apiVersion: "v1", kind: "Pod", clock, logger: silentLogger });
    const story: string[] = [];
    watch.subscribe(({ type, object }) => {
      if (type === "added") {
        const unready = [...watch.all()].filter((pod) => pod !== object && !isPodReady(pod));
        expect(unready).toEqual([]);
      }
      if (type !== "updated") story.push(`${type} ${object.metadata.name}`);
    });
    watch.start();
    closers.push(() => watch.stop());
    await watch.synced();

    await client.create(workload({ kind: "StatefulSet", replicas: 3 }));
    await settled(async () => expect(await statusOf(ref("StatefulSet"))).toMatchObject({ readyReplicas: 3 }));
    await client.patch(ref("StatefulSet"), { spec: { replicas: 1 } }, "merge");
    await settled(async () => expect((await pods()).map((pod) => pod.metadata.name)).toEqual(["web-0"]));

    expect(story).toEqual(["added web-0", "added web-1", "added web-2", "deleted web-2", "deleted web-1"]);
  });

  it("rolls a StatefulSet over from its last pod to its first", async () => {
    const { client, settled, pods, statusOf } = await start();
    await client.create(workload({ kind: "StatefulSet", replicas: 3 }));
    await settled(async () => expect(await statusOf(ref("StatefulSet"))).toMatchObject({ readyReplicas: 3 }));
    const before = (await pods()).map((pod) => pod.metadata.uid);
    const mixes = new Set<string>();

    await client.patch(
      ref("StatefulSet"),
      [{ op: "replace", path: "/spec/template/spec/containers/0/image", value: "web:2" }],
      "json",
    );
    await settled(async () => {
      const now = await pods();
      if (now.length === 3) mixes.add(now.map(imageOf).join(" "));
      expect(now.map(imageOf)).toEqual(["web:2", "web:2", "web:2"]);
      expect(await statusOf(ref("StatefulSet"))).toMatchObject({ readyReplicas: 3, updatedReplicas: 3 });
    });

    expect((await pods()).map((pod) => pod.metadata.uid)).not.toEqual(expect.arrayContaining(before));
    for (const mix of mixes)
      expect(["web:1 web:1 web:1", "web:1 web:1 web:2", "web:1 web:2 web:2", "web:2 web:2 web:2"]).toContain(mix);
  });

  it("runs a DaemonSet on each node, and rolls it over", async () => {
    const { client, settled, pods, statusOf } = await start({ nodes: 3 });
    const nodes = ["paris-1-node-0", "paris-1-node-1", "paris-1-node-2"];

    await client.create(workload({ kind: "DaemonSet" }));
    await settled(async () =>
      expect(await statusOf(ref("DaemonSet"))).toMatchObject({ desiredNumberScheduled: 3, numberReady: 3 }),
    );
    expect((await pods()).map(nodeOf).sort()).toEqual(nodes);

    await client.patch(
      ref("DaemonSet"),
      [{ op: "replace", path: "/spec/template/spec/containers/0/image", value: "web:2" }],
      "json",
    );
    await settled(async () => {
      expect((await pods()).map(imageOf)).toEqual(["web:2", "web:2", "web:2"]);
      expect(await statusOf(ref("DaemonSet"))).toMatchObject({ numberReady: 3, updatedNumberScheduled: 3 });
    });
    expect((await pods()).map(nodeOf).sort()).toEqual(nodes);
  });

  it.each(["full", "fast"] as const)("completes a Job once at level %s, unless it is held back", async (level) => {
    const { client, clock, settled, statusOf } = await start({ level });
    const job = (name: string, spec: Record<string, unknown>): KubeObject => ({
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: { name, namespace: "default" },
      spec: { ...spec, template: { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "job:1" }] } } },
    });
    const refTo = (name: string): ObjectRef => ({ apiVersion: "batch/v1", kind: "Job", namespace: "default", name });

    await client.create(job("runs", { completions: 2 }));
    await client.create(job("waits", { suspend: true }));

    await settled(async () =>
      expect(await statusOf(refTo("runs"))).toMatchObject({
        succeeded: 2,
        conditions: [{ type: "SuccessCriteriaMet" }, { type: "Complete", status: "True" }],
      }),
    );
    const { completionTime } = await statusOf(refTo("runs"));
    await clock.advance(1_000);
    expect((await statusOf(refTo("runs")))["completionTime"]).toBe(completionTime);
    expect(await statusOf(refTo("waits"))).not.toHaveProperty("completionTime");
  });

  it("does not roll over when a write leaves the template's keys in another order", async () => {
    const { client, settled, pods, statusOf } = await start();
    await client.create(workload({ replicas: 2 }));
    await settled(async () => expect(await statusOf(ref("Deployment"))).toMatchObject({ readyReplicas: 2 }));
    const before = (await pods()).map((pod) => pod.metadata.name);
    const live = await client.get(ref("Deployment"));
    const spec = live["spec"] as { template: Record<string, unknown> };

    const template = Object.fromEntries(Object.entries(spec.template).reverse());
    await client.update({ ...live, spec: { ...spec, replicas: 3, template } });

    await settled(async () => expect(await statusOf(ref("Deployment"))).toMatchObject({ readyReplicas: 3 }));
    expect((await pods()).map((pod) => pod.metadata.name)).toEqual(expect.arrayContaining(before));
    expect((await client.list("apps/v1", "ReplicaSet")).items).toHaveLength(1);
  });

  it("at level fast makes no pods, and has a workload ready after a while", async () => {
    const { client, clock, settled, pods, statusOf } = await start({ level: "fast" });

    await client.create(workload({ replicas: 4 }));
    await clock.advance(99);
    expect((await statusOf(ref("Deployment")))["readyReplicas"]).toBeUndefined();
    await settled(async () => expect(await statusOf(ref("Deployment"))).toMatchObject({ readyReplicas: 4 }));
    await client.patch(ref("Deployment"), { spec: { replicas: 2 } }, "merge");
    await settled(async () =>
      expect(await statusOf(ref("Deployment"))).toMatchObject({ observedGeneration: 2, readyReplicas: 2 }),
    );

    expect(await pods()).toEqual([]);
  });
});
