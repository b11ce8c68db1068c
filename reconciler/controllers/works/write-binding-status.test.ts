import { afterEach, describe, expect, it } from "vitest";
import type { ResourceBinding } from "../../../api/work.ts";
import { createApiServer } from "../../../fleets/apiserver/server.ts";
import { KubeClient } from "../../../kube/client/kube-client.ts";
import { FakeClock } from "../../../runtime/clock.ts";
import { silentLogger } from "../../../runtime/logger.ts";
import { binding, deployment, policy } from "../../../test/builders.ts";
import { installDefinitions } from "../../cli/install.ts";
import { createContext } from "../context.ts";
import { writeBindingStatus } from "./write-binding-status.ts";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const BINDING_API = "work.karmada.io/v1alpha2";

async function start() {
  const clock = new FakeClock();
  const server = await createApiServer({ name: "store", clock, logger: silentLogger });
  closers.push(() => server.close());
  const client = new KubeClient(server.handle);
  await installDefinitions(client, clock);
  await client.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } });
  const made = binding({ template: deployment(), policy: policy({ name: "web", placement: {} }), clusters: [] });
  const { generation: _, ...metadata } = made.metadata;
  const stored = await client.create<ResourceBinding>({ ...made, metadata });
  const context = createContext({ client, clock, logger: silentLogger, newUuid: () => "id" });
  closers.push(() => context.informers.stop());
  for (const kind of ["ResourceBinding", "ClusterResourceBinding"]) context.informers.of(BINDING_API, kind);
  await context.informers.synced();
  return { stored, context };
}

describe("writeBindingStatus", () => {
  it("leaves the last word on the observed generation to whoever observed the latest", async () => {
    const { stored, context } = await start();
    await writeBindingStatus(context, stored, { schedulerObservedGeneration: 3 });

    const slower = await writeBindingStatus(context, stored, {
      schedulerObservedGeneration: 2,
      lastScheduledTime: "2026-01-01T00:00:00Z",
    });

    expect(slower.status).toMatchObject({
      schedulerObservedGeneration: 3,
      lastScheduledTime: "2026-01-01T00:00:00Z",
    });
    expect((await writeBindingStatus(context, stored, { schedulerObservedGeneration: 4 })).status).toMatchObject({
      schedulerObservedGeneration: 4,
    });
  });
});
