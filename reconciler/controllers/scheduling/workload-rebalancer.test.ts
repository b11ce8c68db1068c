import { afterEach, describe, expect, it } from "vitest";
import type { WorkloadRebalancer } from "../../../api/apps.ts";
import type { ResourceBinding } from "../../../api/work.ts";
import { createApiServer } from "../../../fleets/apiserver/server.ts";
import { KubeClient } from "../../../kube/client/kube-client.ts";
import type { ApiRequest } from "../../../kube/client/transport.ts";
import { FakeClock } from "../../../runtime/clock.ts";
import { silentLogger } from "../../../runtime/logger.ts";
import { binding, deployment, policy } from "../../../test/builders.ts";
import { eventually } from "../../../test/e2e/support/eventually.ts";
import { installDefinitions } from "../../cli/install.ts";
import { createContext } from "../context.ts";
import { REBALANCER_KIND, startWorkloadRebalancerController } from "./workload-rebalancer.ts";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const WEB = { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "web" };
const BINDING = {
  apiVersion: "work.karmada.io/v1alpha2",
  kind: "ResourceBinding",
  namespace: "shop",
  name: "web-deployment",
};

/** A store with a binding, and the loop over it, whose requests fail while `isBroken` says so. */
async function start(isBroken: (request: ApiRequest) => boolean = () => false) {
  const clock = new FakeClock();
  const server = await createApiServer({ name: "store", clock, logger: silentLogger });
  closers.push(() => server.close());
  const client = new KubeClient(server.handle);
  await installDefinitions(client, clock);
  await client.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } });
  const { generation: _, ...metadata } = binding({
    template: deployment(),
    policy: policy({ name: "web", placement: {} }),
    clusters: [],
  }).metadata;
  await client.create({
    ...binding({ template: deployment(), policy: policy({ name: "web", placement: {} }), clusters: [] }),
    metadata,
  });
  const context = createContext({
    client: new KubeClient(async (request) => {
      if (isBroken(request)) throw new Error("connection reset");
      return server.handle(request);
    }),
    clock,
    logger: silentLogger,
    newUuid: () => "id",
  });
  closers.push(() => context.informers.stop());
  context.informers.of(...REBALANCER_KIND);
  context.informers.of(BINDING.apiVersion, BINDING.kind);
  await context.informers.synced();
  const controller = startWorkloadRebalancerController(context);
  closers.push(() => controller.stop());
  const ref = { apiVersion: REBALANCER_KIND[0], kind: REBALANCER_KIND[1], name: "now" };
  return { client, clock, find: () => client.find<WorkloadRebalancer>(ref) };
}

function request(spec: Partial<WorkloadRebalancer["spec"]> = {}): WorkloadRebalancer {
  return {
    apiVersion: REBALANCER_KIND[0],
    kind: REBALANCER_KIND[1],
    metadata: { name: "now" },
    spec: { workloads: [WEB], ...spec },
  };
}

describe("startWorkloadRebalancerController", () => {
  it("keeps a finished request for as long as it says, and then deletes it", async () => {
    const { client, clock, find } = await start();
    await client.create(request({ ttlSecondsAfterFinished: 60 }));
    await eventually(async () => {
      await clock.advance(10);
      expect((await find())?.status?.finishTime).toBeDefined();
    });

    await clock.advance(50_000);
    expect(await find()).toBeDefined();
    await clock.advance(10_000);

    await eventually(async () => expect(await find()).toBeUndefined());
  });

  it("tries again what could not be written, and is finished only then", async () => {
    let broken = true;
    const { client, clock, find } = await start(
      ({ method, path }) => broken && method === "PATCH" && path.includes("/resourcebindings/"),
    );
    await client.create(request());
    await eventually(async () => {
      await clock.advance(10);
      expect((await find())?.status).toEqual({ observedGeneration: 1, observedWorkloads: [{ workload: WEB }] });
    });

    broken = false;

    await eventually(async () => {
      await clock.advance(1_000);
      const { status, metadata } = (await find()) ?? request();
      expect(status?.observedWorkloads).toEqual([{ workload: WEB, result: "Successful" }]);
      expect(status?.finishTime).toBeDefined();
      const { spec } = await client.get<ResourceBinding>(BINDING);
      expect(spec.rescheduleTriggeredAt).toBe(metadata.creationTimestamp);
    });
  });
});
