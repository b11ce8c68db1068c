import { afterEach, describe, expect, it } from "vitest";
import type { KubeObject, ObjectRef } from "../../../../kube/object.ts";
import { silentLogger } from "../../../../runtime/logger.ts";
import { Random } from "../../../../runtime/random.ts";
import { VirtualClock } from "../../clock/virtual-clock.ts";
import { KernelLoop } from "../../kernel/kernel-loop.ts";
import { createSimulatedCluster } from "../../simulated-cluster.ts";
import type { PodStatus } from "../pod-status-types.ts";
import type { Stage } from "./stage.ts";
import { mergeStatus, renderTemplate } from "./stage-template.ts";

const START = Date.UTC(2026, 0, 1);
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function start(stages: readonly Stage[]) {
  const clock = new VirtualClock({ pace: "stepped", startMs: START });
  const loop = new KernelLoop();
  clock.join(loop);
  const cluster = await createSimulatedCluster({
    name: "paris",
    nodes: 1,
    clock,
    loop,
    logger: silentLogger,
    readyAfterMs: 100,
    random: new Random(1),
    stages,
  });
  closers.push(async () => {
    clock.close();
    await cluster.close();
  });
  return {
    clock,
    client: cluster.client,
    run: async (name: string, labels: Record<string, string> = {}) => {
      await cluster.client.create({
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name, namespace: "default", labels },
        spec: { nodeName: "paris-node-0", containers: [{ name: "c", image: "web:1" }] },
      });
      await clock.advance(0);
    },
    status: async (name: string): Promise<PodStatus> => (await cluster.client.get(refTo(name)))["status"] as PodStatus,
  };
}

function refTo(name: string): ObjectRef {
  return { apiVersion: "v1", kind: "Pod", namespace: "default", name };
}

const POD = { apiGroup: "v1", kind: "Pod" };
const RUNS = { key: ".status.phase", operator: "In", values: ["Running"] } as const;
const STAYS = { key: ".metadata.deletionTimestamp", operator: "DoesNotExist" } as const;

describe("stages of a scenario", () => {
  it("take the Pods that fit, after their delay, and leave others to the kubelet", async () => {
    const { clock, run, status, client } = await start([
      {
        name: "pod-evicted",
        resourceRef: POD,
        selector: { matchLabels: { app: "weak" }, matchExpressions: [RUNS, STAYS] },
        weight: 0,
        delay: { durationMs: 5_000 },
        next: {
          event: { type: "Warning", reason: "Evicted", message: "taken from $(.spec.nodeName)" },
          statusPatch: {
            phase: "Failed",
            reason: "Evicted",
            conditions: [{ type: "Ready", status: "False", reason: "PodFailed" }],
          },
        },
      },
    ]);

    await run("weak", { app: "weak" });
    await run("strong");
    await clock.advance(5_099);
    expect((await status("weak")).phase).toBe("Running");
    await clock.advance(1);

    expect(await status("weak")).toMatchObject({
      phase: "Failed",
      reason: "Evicted",
      conditions: expect.arrayContaining([
        expect.objectContaining({ type: "Ready", status: "False", lastTransitionTime: "2026-01-01T00:00:05Z" }),
        expect.objectContaining({ type: "PodScheduled", status: "True" }),
      ]),
    });
    expect((await status("strong")).phase).toBe("Running");
    const { items } = await client.list("v1", "Event", { namespace: "default" });
    expect(items.map((each) => each["message"])).toContain("taken from paris-node-0");
  });

  it("stand in place of a shipped stage of the same name", async () => {
    const { clock, run, status } = await start([
      {
        name: "pod-run",
        resourceRef: POD,
        selector: { matchLabels: { app: "mine" } },
        weight: 0,
        next: { kubelet: "run" },
      },
    ]);

    await run("web", { app: "mine" });
    await run("other");
    await clock.advance(10_000);

    expect([(await status("web")).phase, (await status("other")).phase]).toEqual(["Running", "Pending"]);
  });

  it("are chosen by their weights", async () => {
    const chaos = (name: string, weight: number): Stage => ({
      name,
      resourceRef: POD,
      selector: { matchExpressions: [RUNS, STAYS] },
      weight,
      next: { statusPatch: { phase: "Failed", reason: name } },
    });
    const { clock, run, status } = await start([chaos("never", 0), chaos("often", 3), chaos("seldom", 1)]);
    const names = Array.from({ length: 40 }, (_, number) => `web-${number}`);

    for (const name of names) await run(name);
    await clock.advance(5_000);

    const reasons: string[] = [];
    for (const name of names) reasons.push((await status(name)).reason ?? "");
    const often = reasons.filter((reason) => reason === "often").length;
    expect(reasons).not.toContain("never");
    expect(often).toBeGreaterThan(20);
    expect(often).toBeLessThan(40);
  });

  it("do not repeat themselves at one instant when they leave an object as it was", async () => {
    const { clock, run, status } = await start([
      {
        name: "tick",
        resourceRef: POD,
        selector: {},
        weight: 0,
        next: { statusPatch: { message: "at $(now)" } },
      },
    ]);

    await run("web");
    expect((await status("web")).message).toBe("at 2026-01-01T00:00:00Z");
    await clock.advance(3_000);

    expect((await status("web")).message).toBe("at 2026-01-01T00:00:03Z");
  });

  it("delete, and add and remove finalizers, of any kind", async () => {
    const claims = { apiGroup: "v1", kind: "ConfigMap" };
    const { clock, client } = await start([
      {
        name: "held",
        resourceRef: claims,
        selector: { matchLabels: { stage: "held" } },
        weight: 0,
        next: { finalizers: { add: [{ value: "example.com/a" }], remove: [{ value: "example.com/b" }] } },
      },
      {
        name: "gone",
        resourceRef: claims,
        selector: { matchLabels: { stage: "gone" } },
        weight: 0,
        next: { delete: true },
      },
    ]);
    const create = (name: string, labels: Record<string, string>, finalizers: string[]): Promise<KubeObject> =>
      client.create({
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name, namespace: "default", labels, finalizers },
      });

    await create("held", { stage: "held" }, ["example.com/b", "example.com/c"]);
    await create("gone", { stage: "gone" }, []);
    await clock.advance(0);

    const { items } = await client.list("v1", "ConfigMap", { namespace: "default" });
    const mine = items.filter(({ metadata }) => metadata.labels?.["stage"] !== undefined);
    expect(mine.map(({ metadata }) => [metadata.name, metadata.finalizers])).toEqual([
      ["held", ["example.com/c", "example.com/a"]],
    ]);
  });
});

describe("renderTemplate", () => {
  const object: KubeObject = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "web" },
    spec: { count: 3, list: [{ name: "a", value: 1 }] },
  };

  it.each<[string, unknown]>([
    ["$(.spec.count)", 3],
    ["$(.spec.list)", [{ name: "a", value: 1 }]],
    ['$(.spec.list[?(@.name=="a")].value)', 1],
    ["$(now)", "T"],
    ["$(.metadata.name) has $(.spec.count) at $(now)", "web has 3 at T"],
    ["$(.spec.missing)", undefined],
    ["none: $(.spec.missing).", "none: ."],
  ])("makes %s of it", (template, value) => {
    expect(renderTemplate({ x: [template] }, object, "T")).toEqual({ x: [value] });
  });
});

describe("mergeStatus", () => {
  it("merges conditions by their type and containers by their name, and moves times with the status only", () => {
    const status = {
      phase: "Running",
      conditions: [
        { type: "Ready", status: "True", lastTransitionTime: "old" },
        { type: "Other", status: "True", lastTransitionTime: "old" },
      ],
      containerStatuses: [{ name: "a", ready: true, restartCount: 1 }],
    };
    const patch = {
      phase: null,
      conditions: [
        { type: "Ready", status: "False" },
        { type: "Other", status: "True", reason: "Same" },
      ],
      containerStatuses: [{ name: "a", ready: false }],
    };

    expect(mergeStatus(status, patch, "new")).toEqual({
      conditions: [
        { type: "Ready", status: "False", lastTransitionTime: "new" },
        { type: "Other", status: "True", reason: "Same", lastTransitionTime: "old" },
      ],
      containerStatuses: [{ name: "a", ready: false, restartCount: 1 }],
    });
  });
});
