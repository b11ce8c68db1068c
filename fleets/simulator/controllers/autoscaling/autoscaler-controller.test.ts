import { afterEach, describe, expect, it } from "vitest";
import type { KubeObject } from "../../../../kube/object.ts";
import { silentLogger } from "../../../../runtime/logger.ts";
import { Random } from "../../../../runtime/random.ts";
import { VirtualClock } from "../../clock/virtual-clock.ts";
import { behavioursOf, type MetricScript } from "../../kernel/behaviours.ts";
import { KernelLoop } from "../../kernel/kernel-loop.ts";
import { createSimulatedCluster } from "../../simulated-cluster.ts";
import type { AutoscalerStatus } from "./autoscaler.ts";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const START = Date.UTC(2026, 0, 1);
const WEB = { apiVersion: "apps/v1", kind: "Deployment", namespace: "default", name: "web" };
const AUTOSCALER = { ...WEB, apiVersion: "autoscaling/v2", kind: "HorizontalPodAutoscaler" };

/** A cluster where each container of two Pods that request 100m uses what `cpu` says. */
async function start(cpu: MetricScript | undefined, spec: Record<string, unknown> = {}) {
  const clock = new VirtualClock({ pace: "stepped", startMs: START });
  const loop = new KernelLoop();
  clock.join(loop);
  const rules = cpu === undefined ? [] : [{ selector: {}, metrics: { cpu } }];
  const behaviours = behavioursOf(rules, START);
  const random = new Random(1);
  const cluster = await createSimulatedCluster({
    name: "member1",
    clock,
    loop,
    random,
    behaviours,
    logger: silentLogger,
  });
  closers.push(async () => {
    clock.close();
    await cluster.close();
  });
  const { client } = cluster;
  await client.create(deployment(2));
  // Samples of a processor count when a Pod has been ready for a while.
  await clock.advance(60_000);
  await client.create(autoscaler(spec));
  async function status(): Promise<AutoscalerStatus> {
    return (await client.get(AUTOSCALER))["status"] as AutoscalerStatus;
  }
  async function says(type: string): Promise<string> {
    const condition = (await status()).conditions?.find((each) => each.type === type);
    return `${condition?.status} ${condition?.reason}: ${condition?.message}`;
  }
  async function replicas(): Promise<number | undefined> {
    return ((await client.get(WEB))["spec"] as { replicas?: number }).replicas;
  }
  async function events(): Promise<string[]> {
    const { items } = await client.list("v1", "Event", { namespace: "default" });
    const own = items.filter((event) => (event["involvedObject"] as { kind: string }).kind === AUTOSCALER.kind);
    return own.map((event) => `${event["type"]} ${event["reason"]}: ${event["message"]}`);
  }
  return { client, clock, status, says, replicas, events };
}

function deployment(replicas: number): KubeObject {
  const labels = { app: "web" };
  const containers = [{ name: "c", image: "web:1", resources: { requests: { cpu: "100m" } } }];
  return {
    apiVersion: WEB.apiVersion,
    kind: WEB.kind,
    metadata: { name: WEB.name, namespace: WEB.namespace },
    spec: { replicas, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } },
  };
}

function autoscaler(spec: Record<string, unknown>): KubeObject {
  const target = { type: "Utilization", averageUtilization: 50 };
  return {
    apiVersion: AUTOSCALER.apiVersion,
    kind: AUTOSCALER.kind,
    metadata: { name: AUTOSCALER.name, namespace: AUTOSCALER.namespace },
    spec: {
      scaleTargetRef: { apiVersion: WEB.apiVersion, kind: WEB.kind, name: WEB.name },
      minReplicas: 1,
      maxReplicas: 10,
      metrics: [{ type: "Resource", resource: { name: "cpu", target } }],
      ...spec,
    },
  };
}

describe("autoscalerController", () => {
  it("looks for the first time after a period, and scales by the share of what is requested", async () => {
    const { clock, status, says, replicas, events } = await start("75m");

    await clock.advance(14_000);
    expect((await status())?.conditions).toBeUndefined();
    await clock.advance(1_000);

    expect(await replicas()).toBe(3);
    expect(await status()).toMatchObject({
      currentReplicas: 2,
      desiredReplicas: 3,
      lastScaleTime: "2026-01-01T00:01:15Z",
      currentMetrics: [
        { type: "Resource", resource: { name: "cpu", current: { averageUtilization: 75, averageValue: "75m" } } },
      ],
    });
    expect(await says("AbleToScale")).toBe(
      "True SucceededRescale: the HPA controller was able to update the target scale to 3",
    );
    expect(await says("ScalingActive")).toBe(
      "True ValidMetricFound: the HPA was able to successfully calculate a replica count from cpu resource utilization (percentage of request)",
    );
    expect(await says("ScalingLimited")).toBe(
      "False DesiredWithinRange: the desired count is within the acceptable range",
    );
    expect(await events()).toEqual([
      "Normal SuccessfulRescale: New size: 3; reason: cpu resource utilization (percentage of request) above target",
    ]);
  });

  it("leaves the size alone within the tolerance", async () => {
    const { clock, says, replicas } = await start("54m");

    await clock.advance(60_000);

    expect(await replicas()).toBe(2);
    expect(await says("AbleToScale")).toBe("True ReadyForNewScale: recommended size matches current size");
  });

  it("goes to twice the size in one step, or to four, and then to the maximum", async () => {
    const { clock, says, replicas } = await start("1");

    await clock.advance(15_000);
    expect(await replicas()).toBe(4);
    expect(await says("ScalingLimited")).toBe(
      "True ScaleUpLimit: the desired replica count is increasing faster than the maximum scale rate",
    );
    await clock.advance(120_000);

    expect(await replicas()).toBe(10);
    expect(await says("ScalingLimited")).toBe(
      "True TooManyReplicas: the desired replica count is more than the maximum replica count",
    );
  });

  it("goes down five minutes after more was last wanted", async () => {
    const { clock, says, replicas } = await start([
      { atMs: 0, value: "100m" },
      { atMs: 90_000, value: "10m" },
    ]);
    await clock.advance(30_000);
    expect(await replicas()).toBe(4);

    await clock.advance(200_000);
    expect(await replicas()).toBe(4);
    expect(await says("AbleToScale")).toBe(
      "True ScaleDownStabilized: recent recommendations were higher than current one, applying the highest recent recommendation",
    );
    await clock.advance(200_000);

    expect(await replicas()).toBe(1);
  });

  it("goes as fast as its policies allow", async () => {
    const policies = [{ type: "Pods", value: 1, periodSeconds: 60 }];
    const { clock, says, replicas } = await start("1", { behavior: { scaleUp: { policies } } });

    await clock.advance(15_000);
    expect(await replicas()).toBe(3);
    await clock.advance(30_000);
    expect(await replicas()).toBe(3);
    expect(await says("ScalingLimited")).toBe(
      "True ScaleUpLimit: the desired replica count is increasing faster than the maximum scale rate",
    );
    await clock.advance(45_000);

    expect(await replicas()).toBe(4);
  });

  it("does not scale by a policy that is disabled", async () => {
    const { clock, replicas } = await start("1", { behavior: { scaleUp: { selectPolicy: "Disabled" } } });

    await clock.advance(60_000);

    expect(await replicas()).toBe(2);
  });

  it("says that nobody measures when nothing is scripted", async () => {
    const { clock, status, says, replicas } = await start(undefined);

    await clock.advance(15_000);

    expect(await replicas()).toBe(2);
    expect((await status()).currentMetrics).toEqual([{ type: "" }]);
    expect(await says("ScalingActive")).toBe(
      "False FailedGetResourceMetric: the HPA was unable to compute the replica count: failed to get cpu utilization: " +
        "unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: " +
        "the server could not find the requested resource (get pods.metrics.k8s.io)",
    );
  });

  it("scales nothing whose size is none", async () => {
    const { client, clock, says, replicas } = await start("1");
    await client.patch(WEB, { spec: { replicas: 0 } }, "merge");

    await clock.advance(60_000);

    expect(await replicas()).toBe(0);
    expect(await says("ScalingActive")).toBe(
      "False ScalingDisabled: scaling is disabled since the replica count of the target is zero",
    );
  });

  it("refuses Pods that another autoscaler scales too", async () => {
    const { client, clock, says } = await start("75m");
    await client.create({ ...autoscaler({}), metadata: { name: "also", namespace: "default" } });

    await clock.advance(15_000);

    expect(await says("ScalingActive")).toBe(
      "False AmbiguousSelector: pods by selector app=web are controlled by multiple HPAs: [{also default} {web default}]",
    );
  });
});
