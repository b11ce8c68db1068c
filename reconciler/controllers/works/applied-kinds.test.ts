import { afterEach, describe, expect, it } from "vitest";
import type { Cluster } from "../../../api/cluster.ts";
import { createFleet, type SimulatedFleet } from "../../../fleets/simulator/simulated-fleet.ts";
import type { Transport } from "../../../kube/client/transport.ts";
import { findCondition } from "../../../kube/conditions.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { configMap, policy } from "../../../test/e2e/support/manifests.ts";
import { createVirtualPlane, type VirtualPlane } from "../../cli/virtual-plane.ts";

const START = Date.UTC(2026, 0, 1);
const CLUSTER = { apiVersion: "cluster.karmada.io/v1alpha1", kind: "Cluster", name: "member1" };
const COPY = { apiVersion: "v1", kind: "ConfigMap", namespace: "default", name: "settings" };
const POLICY = {
  apiVersion: "policy.karmada.io/v1alpha1",
  kind: "PropagationPolicy",
  namespace: "default",
  name: "all",
};

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Scene {
  readonly fleet: SimulatedFleet;
  readonly plane: VirtualPlane;
  /** Paths that were asked of member1 since the last start. */
  readonly asked: string[];
  /** What was written into member1 since then. */
  readonly written: string[];
  /** The process ends, and another one begins. */
  restart(): Promise<void>;
  kinds(): Promise<string | undefined>;
}

/** A ConfigMap and its policy, on their way to member1. */
async function scene({ refuses = false } = {}): Promise<Scene> {
  const fleet = await createFleet({ clusters: 1, pace: "stepped", startMs: START, level: "fast", seed: 1 });
  closers.push(() => fleet.close());
  const asked: string[] = [];
  const written: string[] = [];
  const way = (_cluster: string, plain: Transport): Transport => {
    return async (request) => {
      asked.push(request.path);
      const answer = await plain(request);
      if (!refuses || !request.path.endsWith("/selfsubjectaccessreviews")) return answer;
      const body = Buffer.from(JSON.stringify({ status: { allowed: false } }));
      return { status: 201, headers: { "content-type": "application/json" }, body };
    };
  };
  const plane = await createVirtualPlane({ fleet, way });
  closers.push(() => plane.close());
  await plane.start();
  await plane.join();
  const selectors = [{ apiVersion: "v1", kind: "ConfigMap" }];
  const { metadata, ...rest } = policy({ namespace: "default", clusters: ["member1"], selectors });
  await plane.client.apply({ ...rest, metadata: { ...metadata, name: "all" } } as KubeObject, { fieldManager: "test" });
  await plane.client.apply(configMap("default", "settings"), { fieldManager: "test" });
  await fleet.clock.advance(60_000);
  return {
    fleet,
    plane,
    asked,
    written,
    restart: async () => {
      await plane.instances[0]?.stop();
      asked.splice(0);
      await plane.start({
        onWrite: ({ cluster, request }) => {
          if (cluster !== undefined) written.push(request.path);
        },
      });
      await fleet.clock.advance(60_000);
    },
    kinds: async () =>
      findCondition((await plane.client.get<Cluster & KubeObject>(CLUSTER)).status?.conditions, "AppliedKinds")
        ?.message,
  };
}

async function deleteAll({ plane, fleet }: Scene): Promise<void> {
  await plane.client.delete(COPY);
  await plane.client.delete(POLICY);
  await fleet.clock.advance(60_000);
}

const watches = ({ asked }: Scene): boolean =>
  asked.some((path) => path.startsWith("/api/v1/configmaps?") && path.includes("watch="));

describe("kinds that were put into a cluster", () => {
  it("stay on its record when the last copy is gone, and are watched by the next process", async () => {
    const one = await scene();
    expect(await one.kinds()).toContain("v1 ConfigMap");
    await deleteAll(one);

    await one.restart();

    expect(await one.kinds()).toContain("v1 ConfigMap");
    expect(watches(one)).toBe(true);
    expect(one.written).toEqual([]);
  });

  it("are written down once", async () => {
    const one = await scene();
    const { resourceVersion } = (await one.plane.client.get(CLUSTER)).metadata;
    await one.plane.client.apply(configMap("default", "others"), { fieldManager: "test" });
    await one.fleet.clock.advance(60_000);
    const cluster = await one.plane.client.get(CLUSTER);
    expect(cluster.metadata.resourceVersion).toBe(resourceVersion);
  });

  it("are not watched where the cluster does not allow it", async () => {
    const one = await scene({ refuses: true });
    await deleteAll(one);
    await one.restart();
    expect(one.asked.some((path) => path.endsWith("/selfsubjectaccessreviews"))).toBe(true);
    expect(watches(one)).toBe(false);
  });

  it("are not asked for again and again where the cluster does not serve them", async () => {
    const one = await scene();
    const metadata = { annotations: { "gitops.flaghoist.io/member-rights": "kinds-in-use" } };
    await one.plane.client.patch(CLUSTER, { metadata }, "merge");
    const selectors = [{ apiVersion: "example.org/v1", kind: "Widget" }];
    await one.plane.client.apply(policy({ namespace: "default", clusters: ["member1"], selectors }), {
      fieldManager: "test",
      force: true,
    });
    await one.restart();
    const usual = one.asked.filter((path) => path === "/apis").length;
    const { status } = await one.plane.client.get<Cluster & KubeObject>(CLUSTER);
    const conditions = status?.conditions?.map((condition) =>
      condition.type === "AppliedKinds"
        ? { ...condition, message: condition.message.replace("v1 ConfigMap", "v1 ConfigMap, example.org/v1 Widget") }
        : condition,
    );
    await one.plane.client.patch(CLUSTER, { status: { conditions } }, "merge", { subresource: "status" });

    await one.restart();

    expect(await one.kinds()).toContain("example.org/v1 Widget");
    expect(one.asked.filter((path) => path === "/apis").length).toBeLessThanOrEqual(usual + 1);
  });

  it("are not watched where rights follow use and nothing uses them", async () => {
    const one = await scene();
    const metadata = { annotations: { "gitops.flaghoist.io/member-rights": "kinds-in-use" } };
    await one.plane.client.patch(CLUSTER, { metadata }, "merge");
    await one.plane.client.delete(COPY);
    await one.fleet.clock.advance(60_000);
    await one.restart();
    expect(watches(one)).toBe(true);
    await one.plane.client.delete(POLICY);
    await one.fleet.clock.advance(60_000);
    await one.restart();
    expect(watches(one)).toBe(false);
  });
});
