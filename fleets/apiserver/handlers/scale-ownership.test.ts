import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startTestServer, type TestServer } from "../test-server.ts";

const D = "/apis/apps/v1/namespaces/default/deployments/d";
const APPLY = { "content-type": "application/apply-patch+yaml" };
const MERGE = { "content-type": "application/merge-patch+json" };

let test: TestServer;

function deployment(spec: object = {}): object {
  const template = { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "i:1" }] } };
  const whole = { selector: { matchLabels: { a: "b" } }, template, ...spec };
  return { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "d" }, spec: whole };
}

function scale(replicas: number): object {
  return { apiVersion: "autoscaling/v1", kind: "Scale", metadata: { name: "d" }, spec: { replicas } };
}

/** Who owns the replicas, as `manager operation subresource`. */
async function owners(): Promise<string[]> {
  const { body } = await test.call("GET", D);
  const entries = body["metadata"]!["managedFields"]!.map((entry) => entry);
  return entries
    .filter((entry) => entry["fieldsV1"]!["f:spec"]?.["f:replicas"] !== undefined)
    .map((entry) => `${String(entry["manager"])} ${String(entry["operation"])} ${String(entry["subresource"] ?? "")}`);
}

beforeEach(async () => {
  test = await startTestServer();
});

afterEach(async () => {
  await test.server.close();
});

describe("replicas written through a Scale", () => {
  it("move to who writes them", async () => {
    await test.call("PATCH", `${D}?fieldManager=a`, deployment({ replicas: 1 }), APPLY);

    await test.call("PATCH", `${D}/scale?fieldManager=b`, { spec: { replicas: 2 } }, MERGE);

    expect(await owners()).toEqual(["b Update scale"]);
  });

  it("have no owner when nobody owned them before", async () => {
    await test.call("PATCH", `${D}?fieldManager=a`, deployment(), APPLY);

    await test.call("PATCH", `${D}/scale?fieldManager=b`, { spec: { replicas: 2 } }, MERGE);

    expect(await owners()).toEqual([]);
  });

  it("have no owner when they are none", async () => {
    await test.call("PATCH", `${D}?fieldManager=a`, deployment({ replicas: 1 }), APPLY);

    await test.call("PATCH", `${D}/scale?fieldManager=b`, { spec: { replicas: 0 } }, MERGE);

    expect(await owners()).toEqual([]);
  });

  it("conflict with their owner when they are applied, and with before-first-apply when there is none", async () => {
    await test.call("PATCH", `${D}?fieldManager=a`, deployment({ replicas: 1 }), APPLY);
    const owned = await test.call("PATCH", `${D}/scale?fieldManager=b`, scale(2), APPLY);
    await test.call("DELETE", D);
    await test.call("PATCH", `${D}?fieldManager=a`, deployment(), APPLY);
    const free = await test.call("PATCH", `${D}/scale?fieldManager=b`, scale(2), APPLY);

    expect([owned.status, free.status]).toEqual([409, 409]);
    expect(owned.body["message"]).toContain('conflict with "a"');
    expect(free.body["message"]).toContain('"before-first-apply" with subresource "scale" using autoscaling/v1');
  });

  it("are taken by force", async () => {
    await test.call("PATCH", `${D}?fieldManager=a`, deployment({ replicas: 1 }), APPLY);

    await test.call("PATCH", `${D}/scale?fieldManager=b&force=true`, scale(2), APPLY);

    expect(await owners()).toEqual(["b Apply scale"]);
  });
});
