import { afterEach, describe, expect, it } from "vitest";
import { createApiServer } from "../../fleets/apiserver/server.ts";
import { KubeClient } from "../../kube/client/kube-client.ts";
import { FakeClock } from "../../runtime/clock.ts";
import { silentLogger } from "../../runtime/logger.ts";
import { installDefinitions } from "./install.ts";
import { installedFailover } from "./installation.ts";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function emptyStore() {
  const clock = new FakeClock();
  const server = await createApiServer({ name: "store", clock, logger: silentLogger });
  closers.push(() => server.close());
  return { clock, client: new KubeClient(server.handle) };
}

const RECORD = { apiVersion: "v1", kind: "ConfigMap", namespace: "karmada-system", name: "flaghoist-installation" };

describe("installedFailover", () => {
  it("is safe in a new store, and stays so", async () => {
    const { client, clock } = await emptyStore();

    expect(await installedFailover(client, undefined)).toBe("safe");
    await installDefinitions(client, clock);

    expect(await installedFailover(client, undefined)).toBe("safe");
    expect(await client.get(RECORD)).toMatchObject({ data: { failover: "safe" } });
  });

  it("is what the first start asked for", async () => {
    const { client } = await emptyStore();

    expect(await installedFailover(client, "off")).toBe("off");
    expect(await installedFailover(client, "safe")).toBe("off");
  });

  it("is off in a store of an earlier version, or of Karmada, which nothing is written to", async () => {
    const { client, clock } = await emptyStore();
    await installDefinitions(client, clock);

    expect(await installedFailover(client, undefined)).toBe("off");
    expect(await client.find(RECORD)).toBeUndefined();
  });

  it("goes on with a first start that was killed before the definitions", async () => {
    const { client } = await emptyStore();
    await client.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: "karmada-system" } });

    expect(await installedFailover(client, undefined)).toBe("safe");
  });

  it("takes words that it does not know for off", async () => {
    const { client } = await emptyStore();
    await installedFailover(client, undefined);
    await client.patch(RECORD, { data: { failover: "sometimes" } }, "merge");

    expect(await installedFailover(client, undefined)).toBe("off");
  });
});
