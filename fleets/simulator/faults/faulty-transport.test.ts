import { describe, expect, it } from "vitest";
import type { WatchEvent } from "../../../kube/client/kube-client.ts";
import { KubeClient } from "../../../kube/client/kube-client.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { FakeClock } from "../../../runtime/clock.ts";
import { silentLogger } from "../../../runtime/logger.ts";
import { createApiServer } from "../../apiserver/server.ts";
import { FaultyTransport, type SimpleFault } from "./faulty-transport.ts";

async function start() {
  const clock = new FakeClock();
  const server = await createApiServer({ name: "test", clock, logger: silentLogger });
  const faults = new FaultyTransport(server.handle, clock);
  return {
    clock,
    faults,
    client: new KubeClient(faults.send),
    get: (path: string) => faults.send({ method: "GET", path }),
  };
}

describe("FaultyTransport", () => {
  it.each<[SimpleFault, string, number]>([
    ["none", "/readyz", 200],
    ["none", "/version", 200],
    ["unhealthy", "/readyz", 500],
    ["unhealthy", "/healthz", 500],
    ["unhealthy", "/version", 200],
  ])("with fault %s answers %s with %i", async (fault, path, status) => {
    const { faults, get } = await start();
    faults.setFault(fault);

    expect((await get(path)).status).toBe(status);
  });

  it("answers nothing while down, and everything afterwards", async () => {
    const { faults, get } = await start();

    faults.setFault("down");
    await expect(get("/version")).rejects.toMatchObject({ code: "api-unreachable" });

    faults.setFault("none");
    expect((await get("/version")).status).toBe(200);
  });

  it("answers late when slow", async () => {
    const { faults, get, clock } = await start();
    faults.setFault("slow");
    let answered = false;
    const answer = get("/version").then(() => {
      answered = true;
    });

    await clock.advance(1_999);
    expect(answered).toBe(false);
    await clock.advance(1);
    await answer;
  });

  it("lets requests hang until they are given up or the fault is over", async () => {
    const { faults, get } = await start();
    faults.setFault("hang");
    const abort = new AbortController();
    const patient = get("/version");
    const impatient = faults.send({ method: "GET", path: "/version", signal: abort.signal });

    abort.abort(new Error("enough"));
    await expect(impatient).rejects.toThrow();
    faults.setFault("none");
    await expect(patient).rejects.toMatchObject({ code: "api-unreachable" });
  });

  it.each<SimpleFault>(["down", "hang"])(
    "cuts open watches when the cluster goes %s: an error, not an end",
    async (fault) => {
      const { faults, client } = await start();
      const { resourceVersion } = await client.list("v1", "ConfigMap");
      const events: WatchEvent<KubeObject>[] = [];
      const opened = Promise.withResolvers<void>();
      const watching = (async () => {
        const watch = client.watch("v1", "ConfigMap", { resourceVersion, onOpen: () => opened.resolve() });
        for await (const event of watch) events.push(event);
      })();
      await opened.promise;

      faults.setFault(fault);

      await expect(watching).rejects.toMatchObject({ code: "api-unreachable" });
      expect(events).toEqual([]);
    },
  );
});
