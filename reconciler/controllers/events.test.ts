import { afterEach, describe, expect, it } from "vitest";
import { createApiServer } from "../../fleets/apiserver/server.ts";
import { FaultyTransport } from "../../fleets/simulator/faults/faulty-transport.ts";
import { KubeClient } from "../../kube/client/kube-client.ts";
import type { KubeObject } from "../../kube/object.ts";
import { FakeClock } from "../../runtime/clock.ts";
import { silentLogger } from "../../runtime/logger.ts";
import { EventRecorder, type EventSubject, subjectOf } from "./events.ts";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function start() {
  const clock = new FakeClock();
  const server = await createApiServer({ name: "test", clock, logger: silentLogger });
  closers.push(() => server.close());
  const faults = new FaultyTransport(server.handle, clock);
  const people = new KubeClient(server.handle);
  const recorder = new EventRecorder(new KubeClient(faults.send), clock, silentLogger);
  async function events(namespace = "default"): Promise<KubeObject[]> {
    return (await people.list("v1", "Event", { namespace })).items;
  }
  return { recorder, clock, people, faults, events };
}

const WEB: EventSubject = { apiVersion: "apps/v1", kind: "Deployment", namespace: "default", name: "web", uid: "u-1" };

describe("EventRecorder", () => {
  it("writes an Event that kubectl describe finds", async () => {
    const { recorder, events } = await start();

    recorder.record(WEB, "Normal", "Synced", "all is well");
    await recorder.flush();

    expect(await events()).toMatchObject([
      {
        involvedObject: { apiVersion: "apps/v1", kind: "Deployment", namespace: "default", name: "web", uid: "u-1" },
        type: "Normal",
        reason: "Synced",
        message: "all is well",
        count: 1,
        source: { component: "flaghoist" },
      },
    ]);
  });

  it("counts up the same event instead of repeating it, without losing one told at once", async () => {
    const { recorder, clock, events } = await start();

    for (let i = 0; i < 5; i++) recorder.record(WEB, "Warning", "Failed", "no room");
    await recorder.flush();
    await clock.advance(300_000);
    recorder.record(WEB, "Warning", "Failed", "no room");
    await recorder.flush();

    expect(await events()).toMatchObject([
      { count: 6, firstTimestamp: "2026-01-01T00:00:00Z", lastTimestamp: "2026-01-01T00:05:00Z" },
    ]);
  });

  it("begins a new series when ten minutes have passed", async () => {
    const { recorder, clock, events } = await start();

    recorder.record(WEB, "Warning", "Failed", "no room");
    await clock.advance(600_000);
    recorder.record(WEB, "Warning", "Failed", "no room");
    await recorder.flush();

    expect((await events()).map((event) => event["count"])).toEqual([1, 1]);
  });

  it("begins a new series when someone has deleted the Event", async () => {
    const { recorder, people, events } = await start();
    recorder.record(WEB, "Warning", "Failed", "no room");
    await recorder.flush();
    const [first] = await events();
    await people.delete({ apiVersion: "v1", kind: "Event", namespace: "default", name: first?.metadata.name ?? "" });

    recorder.record(WEB, "Warning", "Failed", "no room");
    await recorder.flush();
    recorder.record(WEB, "Warning", "Failed", "no room");
    await recorder.flush();

    expect(await events()).toMatchObject([{ count: 1 }]);
  });

  it("names events of one moment so that they list in the order in which they happened", async () => {
    const { recorder, events } = await start();
    const reasons = Array.from({ length: 12 }, (_, i) => `Reason${i}`);

    for (const reason of reasons) recorder.record(WEB, "Normal", reason, "text");
    await recorder.flush();

    expect((await events()).map((event) => event["reason"])).toEqual(reasons);
  });

  it.each([
    ["system:node:Reader", /^system-node-reader\.[0-9a-f]+$/],
    [`${"a".repeat(229)}.${"b".repeat(20)}`, /^a{229}\.[0-9a-f]+$/],
    ["under_score", /^under-score\.[0-9a-f]+$/],
  ])("finds a name that the server takes for an object named %s", async (name, expected) => {
    const { recorder, events } = await start();

    recorder.record({ apiVersion: "v1", kind: "Thing", name }, "Normal", "Reason", "text");
    await recorder.flush();

    const [event] = await events();
    expect(event?.metadata.name).toMatch(expected);
    expect(event?.["involvedObject"]).toMatchObject({ name });
  });

  it("puts events of cluster-wide objects into the default namespace", async () => {
    const { recorder, events } = await start();

    recorder.record(
      subjectOf({ apiVersion: "v1", kind: "Namespace", metadata: { name: "shop", uid: "u-2" } }),
      "Normal",
      "Reason",
      "text",
    );
    await recorder.flush();

    expect((await events()).map((event) => event["involvedObject"])).toMatchObject([
      { kind: "Namespace", name: "shop" },
    ]);
  });

  it("leaves out what comes faster than it can be written, and goes on afterwards", async () => {
    const { recorder, events } = await start();

    for (let i = 0; i < 12_000; i++) recorder.record({ ...WEB, uid: `u-${i}` }, "Normal", "Reason", "text");
    await recorder.flush();
    const written = (await events()).length;
    recorder.record(WEB, "Normal", "Last", "text");
    await recorder.flush();

    expect(written).toBeGreaterThanOrEqual(10_000);
    expect(written).toBeLessThan(10_010);
    expect((await events()).length).toBe(written + 1);
  });

  it("does not hold up the end when the store hangs", async () => {
    const { recorder, clock, faults } = await start();
    faults.setFault("hang");
    recorder.record(WEB, "Normal", "Reason", "text");

    const flushed = recorder.flush();
    await clock.advance(5_000);

    await expect(flushed).resolves.toBeUndefined();
  });

  it("never fails its caller when the store is down, and tells again later", async () => {
    const { recorder, faults, events } = await start();
    faults.setFault("down");
    recorder.record(WEB, "Warning", "Failed", "no room");
    await recorder.flush();
    faults.setFault("none");

    recorder.record(WEB, "Warning", "Failed", "no room");
    await recorder.flush();

    expect(await events()).toMatchObject([{ reason: "Failed", count: 1 }]);
  });
});
