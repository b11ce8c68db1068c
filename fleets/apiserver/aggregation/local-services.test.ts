import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { settleControllers, startTestServer, type TestServer } from "../test-server.ts";

const SERVICES = "/apis/apiregistration.k8s.io/v1/apiservices";
const DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const LABEL = "kube-aggregator.kubernetes.io/automanaged";

let folder: string;
let test: TestServer;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "api-services-"));
  test = await open();
});

afterEach(async () => {
  await test.server.close();
  rmSync(folder, { recursive: true });
});

function open(): Promise<TestServer> {
  return startTestServer({ database: join(folder, "store.db"), synchronous: "normal" });
}

function definition(versions: readonly string[]) {
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "foos.example.org" },
    spec: {
      group: "example.org",
      scope: "Namespaced",
      names: { plural: "foos", kind: "Foo" },
      versions: versions.map((name, index) => ({
        name,
        served: true,
        storage: index === 0,
        schema: { openAPIV3Schema: { type: "object" } },
      })),
    },
  };
}

async function names(): Promise<string[]> {
  const { body } = await test.call("GET", SERVICES);
  return body["items"]!.map((item) => String(item["metadata"]!["name"]));
}

describe("APIServices of what the server serves", () => {
  it("are there from the start, as kube-apiserver makes them", async () => {
    const { body } = await test.call("GET", `${SERVICES}/v1.apps`);

    expect(body).toMatchObject({
      metadata: { labels: { [LABEL]: "onstart" } },
      spec: { group: "apps", groupPriorityMinimum: 17800, version: "v1", versionPriority: 15 },
      status: {
        conditions: [
          {
            type: "Available",
            status: "True",
            reason: "Local",
            message: "Local APIServices are always available",
          },
        ],
      },
    });
    expect(await names()).toEqual(expect.arrayContaining(["v1.", "v1.rbac.authorization.k8s.io", "v2.autoscaling"]));
    expect(await names()).not.toContain("v1.apiregistration.k8s.io");
  });

  it("print as local and available", async () => {
    const accept = { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" };
    const { body } = await test.call("GET", `${SERVICES}/v1.apps`, undefined, accept);

    expect(body["rows"]!.map((row) => row["cells"])).toEqual([["v1.apps", "Local", "True", "0s"]]);
  });

  it("come and go with definitions", async () => {
    await test.call("POST", DEFINITIONS, definition(["v1", "v1beta1"]));
    await settleControllers();

    expect((await test.call("GET", `${SERVICES}/v1beta1.example.org`)).body).toMatchObject({
      metadata: { labels: { [LABEL]: "true" } },
      spec: { group: "example.org", groupPriorityMinimum: 1000, version: "v1beta1", versionPriority: 100 },
    });

    await test.call("DELETE", `${DEFINITIONS}/foos.example.org`);
    await settleControllers();

    expect((await names()).filter((name) => name.endsWith("example.org"))).toEqual([]);
  });

  it("come back: those of definitions at once, the others at the next start", async () => {
    await test.call("POST", DEFINITIONS, definition(["v1"]));
    await settleControllers();
    await test.call("DELETE", `${SERVICES}/v1.example.org`);
    await test.call("DELETE", `${SERVICES}/v1.apps`);
    await settleControllers();

    expect(await names()).toContain("v1.example.org");
    expect(await names()).not.toContain("v1.apps");

    await test.server.close();
    test = await open();

    expect(await names()).toEqual(expect.arrayContaining(["v1.example.org", "v1.apps"]));
  });

  it("are put right when somebody changed one, those of built-in groups at the next start", async () => {
    const headers = { "content-type": "application/merge-patch+json" };
    await test.call("PATCH", `${SERVICES}/v1.apps`, { spec: { versionPriority: 99 } }, headers);
    await test.server.close();
    test = await open();

    expect((await test.call("GET", `${SERVICES}/v1.apps`)).body["spec"]!["versionPriority"]).toBe(15);
  });

  it("leave alone what somebody made in their place", async () => {
    const own = {
      apiVersion: "apiregistration.k8s.io/v1",
      kind: "APIService",
      metadata: { name: "v1.example.org" },
      spec: { group: "example.org", version: "v1", groupPriorityMinimum: 5, versionPriority: 6 },
    };
    await test.call("POST", SERVICES, own);
    await test.call("POST", DEFINITIONS, definition(["v1"]));
    await settleControllers();

    expect((await test.call("GET", `${SERVICES}/v1.example.org`)).body["spec"]).toEqual(own.spec);

    await test.call("DELETE", `${SERVICES}/v1.example.org`);
    await settleControllers();

    const { body } = await test.call("GET", `${SERVICES}/v1.example.org`);
    expect(body["spec"]!["groupPriorityMinimum"]).toBe(1000);
  });
});
