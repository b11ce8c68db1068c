import { afterEach, describe, expect, it } from "vitest";
import { ApiStatusError } from "../../../../kube/client/status-error.ts";
import type { KubeObject } from "../../../../kube/object.ts";
import { createFleet } from "../../simulated-fleet.ts";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const BUDGET = { apiVersion: "policy/v1", kind: "PodDisruptionBudget", namespace: "default", name: "web" };

async function start() {
  const fleet = await createFleet({ clusters: 1, pace: "stepped", startMs: Date.UTC(2026, 0, 1) });
  closers.push(() => fleet.close());
  const { client } = fleet.cluster("member1");
  async function pass(ms = 5_000): Promise<void> {
    await fleet.clock.advance(ms);
  }
  async function podNames(): Promise<string[]> {
    return (await client.list("v1", "Pod", { namespace: "default" })).items.map((pod) => pod.metadata.name ?? "");
  }
  async function evict(name: string, body: Record<string, unknown> = {}): Promise<void> {
    const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name }, ...body };
    await client.raw("POST", `/api/v1/namespaces/default/pods/${name}/eviction`, eviction);
  }
  async function refusal(attempt: Promise<unknown>): Promise<ApiStatusError["status"]> {
    const error = await attempt.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (!(error instanceof ApiStatusError)) throw new Error(`no refusal: ${error}`);
    return error.status;
  }
  async function status(): Promise<Record<string, unknown>> {
    return (await client.get(BUDGET))["status"] as Record<string, unknown>;
  }
  async function events(reason: string): Promise<string[]> {
    const { items } = await client.list("v1", "Event", { namespace: "default" });
    return items.filter((event) => event["reason"] === reason).map((event) => String(event["message"]));
  }
  return { client, pass, podNames, evict, refusal, status, events };
}

function deployment(replicas: number): KubeObject {
  const labels = { app: "web" };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace: "default" },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: "c", image: "web:1" }] } },
    },
  };
}

function budget(spec: Record<string, unknown>, name = "web"): KubeObject {
  const metadata = { name, namespace: "default" };
  return {
    apiVersion: BUDGET.apiVersion,
    kind: BUDGET.kind,
    metadata,
    spec: { selector: { matchLabels: { app: "web" } }, ...spec },
  };
}

describe("disruptionController", () => {
  it("allows nothing while there are no Pods", async () => {
    const { client, pass, status, events } = await start();

    await client.create(budget({ minAvailable: 2 }));
    await pass();

    expect(await status()).toEqual({
      observedGeneration: 1,
      disruptionsAllowed: 0,
      currentHealthy: 0,
      desiredHealthy: 2,
      expectedPods: 0,
      conditions: [
        {
          type: "DisruptionAllowed",
          status: "False",
          observedGeneration: 1,
          lastTransitionTime: "2026-01-01T00:00:00Z",
          reason: "InsufficientPods",
          message: "",
        },
      ],
    });
    expect(await events("NoPods")).toEqual(["No matching pods found"]);
  });

  it.each([
    { spec: { minAvailable: 2 }, expected: { desiredHealthy: 2, disruptionsAllowed: 1, expectedPods: 3 } },
    { spec: { minAvailable: "50%" }, expected: { desiredHealthy: 2, disruptionsAllowed: 1, expectedPods: 3 } },
    { spec: { maxUnavailable: "50%" }, expected: { desiredHealthy: 1, disruptionsAllowed: 2, expectedPods: 3 } },
    { spec: { maxUnavailable: 5 }, expected: { desiredHealthy: 0, disruptionsAllowed: 3, expectedPods: 3 } },
  ])("counts $spec of three Pods", async ({ spec, expected }) => {
    const { client, pass, status } = await start();

    await client.create(deployment(3));
    await client.create(budget(spec));
    await pass();

    expect(await status()).toMatchObject({
      ...expected,
      currentHealthy: 3,
      conditions: [{ type: "DisruptionAllowed", status: "True", reason: "SufficientPods" }],
    });
  });

  it("says when a share cannot be told for lack of a controller that can be scaled", async () => {
    const { client, pass, status, events } = await start();
    const { spec } = deployment(1) as { spec?: Record<string, unknown> };
    const { selector, template } = spec ?? {};

    await client.create({ ...deployment(1), kind: "DaemonSet", spec: { selector, template } });
    await client.create(budget({ maxUnavailable: 1 }));
    await pass();

    const message = "daemonsets.apps does not implement the scale subresource";
    expect(await status()).toMatchObject({
      disruptionsAllowed: 0,
      conditions: [{ type: "DisruptionAllowed", status: "False", reason: "SyncFailed", message }],
    });
    expect(await events("CalculateExpectedPodCountFailed")).toEqual([
      `Failed to calculate the number of expected pods: ${message}`,
    ]);
  });
});

describe("eviction", () => {
  it("takes from the budget, and is refused when there is nothing left, until the Pod is replaced", async () => {
    const { client, pass, podNames, evict, refusal, status } = await start();
    await client.create(deployment(3));
    await client.create(budget({ minAvailable: 3 }));
    await pass();
    const [first = "", second = ""] = await podNames();
    expect(await refusal(evict(first))).toMatchObject({
      code: 429,
      reason: "TooManyRequests",
      message: "Cannot evict pod as it would violate the pod's disruption budget.",
      details: {
        causes: [
          { reason: "DisruptionBudget", message: "The disruption budget web needs 3 healthy pods and has 3 currently" },
        ],
      },
    });
    await client.patch(BUDGET, { spec: { minAvailable: 2 } }, "merge");
    await pass();

    await evict(first);
    expect(await refusal(evict(second))).toMatchObject({ code: 429 });
    await pass();

    expect(await podNames()).not.toContain(first);
    expect(await status()).toMatchObject({ currentHealthy: 3, disruptionsAllowed: 1 });
    expect(await status()).not.toHaveProperty("disruptedPods");
  });

  it("marks the Pod before it deletes it", async () => {
    const { client, pass, podNames, evict } = await start();
    await client.create(deployment(1));
    await pass();
    const [name = ""] = await podNames();
    await client.patch(
      { apiVersion: "v1", kind: "Pod", namespace: "default", name },
      { metadata: { finalizers: ["example.com/hold"] } },
      "merge",
    );

    await evict(name);

    const pod = await client.get({ apiVersion: "v1", kind: "Pod", namespace: "default", name });
    expect(pod.metadata.deletionTimestamp).toBeDefined();
    expect((pod["status"] as { conditions: unknown[] }).conditions.at(-1)).toMatchObject({
      type: "DisruptionTarget",
      status: "True",
      reason: "EvictionByEvictionAPI",
      message: "Eviction API: evicting",
    });
  });

  it("changes nothing when it is tried out", async () => {
    const { client, pass, podNames, evict, status } = await start();
    await client.create(deployment(2));
    await client.create(budget({ minAvailable: 1 }));
    await pass();
    const before = await podNames();

    await evict(before[0] ?? "", { deleteOptions: { dryRun: ["All"] } });
    await pass();

    expect(await podNames()).toEqual(before);
    expect(await status()).toMatchObject({ disruptionsAllowed: 1 });
  });

  it("is refused for another Pod than that of the path, and for one that has two budgets", async () => {
    const { client, pass, podNames, evict, refusal } = await start();
    await client.create(deployment(2));
    await pass();
    const [name = ""] = await podNames();

    expect(await refusal(evict(name, { metadata: { name: "other" } }))).toMatchObject({
      code: 400,
      message: "name in URL does not match name in Eviction object",
    });
    await client.create(budget({ minAvailable: 1 }));
    await client.create(budget({ minAvailable: 1 }, "also"));
    await pass();
    expect(await refusal(evict(name))).toMatchObject({
      code: 500,
      message: "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
    });
  });
});
