// Custom resources whose versions a webhook converts: v1 has `spec.size` ("3cm"), v2 `spec.length` and `spec.unit`.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startTestWebhook, type TestWebhook } from "../admission/webhooks/test-webhook.ts";
import { type LooseObject, settleControllers, startTestServer, type TestServer } from "../test-server.ts";

const DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const GROUP = "/apis/example.com";
const V1 = `${GROUP}/v1/namespaces/default/rods`;
const V2 = `${GROUP}/v2/namespaces/default/rods`;
const MERGE = { "content-type": "application/merge-patch+json" };

let hook: TestWebhook;
let test: TestServer;
/** Objects of each call that the webhook answered. */
let calls: LooseObject[][];
/** Changes the webhook's answer. */
let spoil: ((answer: Record<string, unknown>) => void) | undefined;

beforeAll(async () => {
  hook = await startTestWebhook();
  hook.behave("/convert", {
    raw(body, _request, response) {
      const { apiVersion, kind, request } = JSON.parse(body);
      calls.push(request.objects);
      const convertedObjects = request.objects.map((object: LooseObject) => convert(object, request.desiredAPIVersion));
      const result = { status: "Success" };
      const answer = { apiVersion, kind, response: { uid: request.uid, result, convertedObjects } };
      spoil?.(answer.response as Record<string, unknown>);
      response.end(JSON.stringify(answer));
    },
  });
});
afterAll(() => hook.close());
beforeEach(async () => {
  calls = [];
  spoil = undefined;
  test = await startTestServer();
  await define("v2");
});
afterEach(() => test.server.close());

function convert(object: LooseObject, apiVersion: string): object {
  const { spec, ...rest } = object as unknown as { spec: Record<string, string> };
  const [, length, unit] = /^([0-9]+)(.*)$/.exec(spec["size"] ?? "") ?? [];
  const converted = apiVersion.endsWith("v2") ? { length, unit } : { size: `${spec["length"]}${spec["unit"]}` };
  return { ...rest, apiVersion, spec: converted };
}

function definition(storage: string, conversion: object): object {
  const texts = (...names: string[]): object => ({
    type: "object",
    properties: {
      spec: { type: "object", properties: Object.fromEntries(names.map((name) => [name, { type: "string" }])) },
      status: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
    },
  });
  const version = (name: string, schema: object, selectable: string): object => ({
    name,
    served: true,
    storage: name === storage,
    schema: { openAPIV3Schema: schema },
    subresources: { status: {} },
    selectableFields: [{ jsonPath: selectable }],
    additionalPrinterColumns: [{ name: "Size", type: "string", jsonPath: selectable }],
  });
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "rods.example.com" },
    spec: {
      group: "example.com",
      scope: "Namespaced",
      names: { plural: "rods", kind: "Rod" },
      versions: [version("v1", texts("size"), ".spec.size"), version("v2", texts("length", "unit"), ".spec.length")],
      conversion,
    },
  };
}

const BY_WEBHOOK = () => ({
  strategy: "Webhook",
  webhook: { clientConfig: hook.client("/convert"), conversionReviewVersions: ["v1"] },
});

async function define(storage: string): Promise<void> {
  expect((await test.call("POST", DEFINITIONS, definition(storage, BY_WEBHOOK()))).status).toBe(201);
  await settleControllers();
}

function rod(version: "v1" | "v2", name: string, spec: object, labels = {}): object {
  return { apiVersion: `example.com/${version}`, kind: "Rod", metadata: { name, labels }, spec };
}

async function createShort(name = "a"): Promise<void> {
  expect((await test.call("POST", V1, rod("v1", name, { size: "3cm" }))).status).toBe(201);
}

describe("a custom resource with a conversion webhook", () => {
  it("is answered as it was written, and served in each version", async () => {
    const created = await test.call("POST", V1, rod("v1", "a", { size: "3cm" }));

    expect(created).toMatchObject({ status: 201, body: { apiVersion: "example.com/v1", spec: { size: "3cm" } } });
    expect((await test.call("GET", `${V2}/a`)).body).toMatchObject({
      apiVersion: "example.com/v2",
      metadata: created.body["metadata"],
      spec: { length: "3", unit: "cm" },
    });
    expect((await test.call("GET", `${V1}/a`)).body).toEqual(created.body);
  });

  it("is stored in the storage version", async () => {
    await createShort();
    calls = [];

    await test.call("GET", `${V2}/a`);

    expect(calls).toEqual([]);
  });

  it("is listed with one call, and without one where nothing is to convert", async () => {
    for (const name of ["a", "b", "c"]) await createShort(name);
    await test.server.compact();
    calls = [];

    const second = await test.call("GET", V2);
    expect(calls).toEqual([]);
    expect(second.body["items"]!.map((item) => item["spec"])).toEqual(Array(3).fill({ length: "3", unit: "cm" }));
    await test.call("PATCH", `${V2}/a`, { metadata: { labels: { x: "y" } } }, MERGE);
    await test.call("PATCH", `${V2}/b`, { metadata: { labels: { x: "y" } } }, MERGE);
    calls = [];
    const first = await test.call("GET", V1);

    expect(first.body["items"]!.map((item) => item["spec"])).toEqual(Array(3).fill({ size: "3cm" }));
    expect(calls.map((objects) => objects.length)).toEqual([2]);
  });

  it("is patched, applied and updated in any version", async () => {
    await createShort();

    const patched = await test.call("PATCH", `${V2}/a`, { spec: { length: "4" } }, MERGE);
    expect(patched.body["spec"]).toEqual({ length: "4", unit: "cm" });
    const merged = await test.call("PATCH", `${V1}/a`, { spec: { size: "5mm" } }, MERGE);
    expect(merged.body["spec"]).toEqual({ size: "5mm" });
    const { body } = await test.call("GET", `${V2}/a`);
    expect(body["spec"]).toEqual({ length: "5", unit: "mm" });
    const updated = await test.call("PUT", `${V1}/a`, {
      ...rod("v1", "a", { size: "6m" }),
      metadata: { name: "a", resourceVersion: body["metadata"]!["resourceVersion"] },
    });
    expect(updated).toMatchObject({ status: 200, body: { spec: { size: "6m" } } });
    const applied = await test.call(
      "PATCH",
      `${V2}/a?fieldManager=m&force=true`,
      { ...rod("v2", "a", { unit: "km" }) },
      { "content-type": "application/apply-patch+yaml" },
    );
    expect(applied.body["spec"]).toEqual({ length: "6", unit: "km" });
    const status = await test.call("PATCH", `${V1}/a/status`, { status: { ready: true } }, MERGE);
    expect(status.body).toMatchObject({ spec: { size: "6km" }, status: { ready: true } });
  });

  it("is watched in any version, in order, with bookmarks after what they speak of", async () => {
    await createShort();
    const path = `${V1}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`;
    const abort = new AbortController();
    const answer = await test.server.handle({ method: "GET", path, signal: abort.signal });
    const events = answer.events![Symbol.asyncIterator]();
    const next = async (): Promise<string> => {
      const { value } = await events.next();
      const object = value.object as LooseObject;
      return `${value.type} ${String(object["spec"]?.["size"] ?? "")}`;
    };

    expect([await next(), await next()]).toEqual(["ADDED 3cm", "BOOKMARK "]);
    await test.call("PATCH", `${V2}/a`, { spec: { length: "4" } }, MERGE);
    await test.call("PATCH", `${V2}/a`, { spec: { length: "5" } }, MERGE);
    await test.call("DELETE", `${V2}/a`);
    expect([await next(), await next(), await next()]).toEqual(["MODIFIED 4cm", "MODIFIED 5cm", "DELETED 5cm"]);
    abort.abort();
  });

  it("is selected by the fields of the version asked for", async () => {
    await createShort("a");
    await test.call("POST", V1, rod("v1", "b", { size: "9cm" }));

    const { body } = await test.call("GET", `${V1}?fieldSelector=spec.size%3D9cm`);

    expect(body["items"]!.map((item) => item["metadata"]!["name"])).toEqual(["b"]);
  });

  it("is shown in tables of the version asked for", async () => {
    await createShort();
    const accept = "application/json;as=Table;v=v1;g=meta.k8s.io";

    const { body } = await test.call("GET", V1, undefined, { accept });

    expect(body["rows"]!.map((row) => row["cells"])).toEqual([["a", "3cm"]]);
  });

  it("is deleted one by one, together, and with its definition, whatever the webhook does", async () => {
    for (const name of ["a", "b", "c"]) await createShort(name);
    expect((await test.call("DELETE", `${V1}/a`)).status).toBe(200);
    expect((await test.call("DELETE", `${V1}?fieldSelector=metadata.name%3Db`)).body["items"]).toHaveLength(1);
    spoil = (answer) => {
      answer["result"] = { status: "Failure" };
    };

    await test.call("DELETE", `${DEFINITIONS}/rods.example.com`);
    await settleControllers();

    expect((await test.call("GET", `${DEFINITIONS}/rods.example.com`)).status).toBe(404);
  });

  it("follows its definition to another storage version", async () => {
    await createShort();
    const crd = `${DEFINITIONS}/rods.example.com`;
    const patch = [
      { op: "replace", path: "/spec/versions/0/storage", value: true },
      { op: "replace", path: "/spec/versions/1/storage", value: false },
    ];
    await test.call("PATCH", crd, patch, { "content-type": "application/json-patch+json" });
    await settleControllers();
    expect((await test.call("GET", crd)).body["status"]!["storedVersions"]).toEqual(["v2", "v1"]);

    const { body } = await test.call("GET", `${V1}/a`);
    expect(body["spec"]).toEqual({ size: "3cm" });
    // As a migration does it: a write of what is there.
    const migrated = await test.call("PUT", `${V1}/a`, body);
    expect(migrated.body["metadata"]!["resourceVersion"]).not.toBe(body["metadata"]!["resourceVersion"]);
    calls = [];
    await test.call("GET", `${V1}/a`);
    expect(calls).toEqual([]);
  });
});

describe("a conversion webhook that fails", () => {
  const subject = "conversion webhook for example.com/v2, Kind=Rod";

  async function read(): Promise<{ status: number; message: string }> {
    await test.call("POST", V2, rod("v2", "a", { length: "3", unit: "cm" }));
    const { status, body } = await test.call("GET", `${V1}/a`);
    return { status, message: String(body["message"] ?? "") };
  }

  it.each<[string, (answer: Record<string, unknown>) => void, string]>([
    [
      "a failure",
      (answer) => {
        answer["result"] = { status: "Failure", message: "too long" };
      },
      "failed: too long",
    ],
    [
      "a failure without words",
      (answer) => {
        answer["result"] = {};
      },
      "failed: response.result.status was '', not 'Success'",
    ],
    [
      "too few objects",
      (answer) => {
        answer["convertedObjects"] = [];
      },
      "returned 0 objects, expected 1",
    ],
    [
      "another uid",
      (answer) => {
        answer["uid"] = "x";
      },
      "failed: expected response.uid=",
    ],
  ])("is not believed when it answers %s", async (_, change, why) => {
    spoil = change;
    const { status, message } = await read();

    expect(status).toBe(500);
    expect(message).toContain(`${subject} ${why}`);
  });

  it.each<[string, (object: Record<string, unknown>, metadata: Record<string, unknown>) => void, string]>([
    [
      "its version",
      (object) => {
        object["apiVersion"] = "example.com/v3";
      },
      "invalid converted object: invalid groupVersion (expected example.com/v1, received example.com/v3)",
    ],
    [
      "its kind",
      (object) => {
        object["kind"] = "Pole";
      },
      "invalid converted object: must have the same kind: Rod != Pole",
    ],
    [
      "its name",
      (_, metadata) => {
        metadata["name"] = "b";
      },
      "invalid converted object: must have the same name: a != b",
    ],
    [
      "its uid",
      (_, metadata) => {
        metadata["uid"] = "b";
      },
      "invalid converted object: must have the same UID: ",
    ],
    [
      "its labels for the worse",
      (_, metadata) => {
        metadata["labels"] = { "no good": "" };
      },
      "invalid metadata: metadata.labels: Invalid value",
    ],
  ])("may not change %s", async (_, change, why) => {
    spoil = (answer) => {
      for (const object of answer["convertedObjects"] as Record<string, unknown>[]) {
        change(object, object["metadata"] as Record<string, unknown>);
      }
    };
    const { status, message } = await read();

    expect(status).toBe(500);
    expect(message).toContain(`${subject} returned ${why}`);
  });

  it("may change labels and annotations, and no other metadata", async () => {
    spoil = (answer) => {
      for (const object of answer["convertedObjects"] as { metadata: Record<string, unknown> }[]) {
        object.metadata["labels"] = { converted: "yes" };
        object.metadata["finalizers"] = ["example.com/mine"];
        object.metadata["generation"] = 99;
      }
    };
    await test.call("POST", V2, rod("v2", "a", { length: "3", unit: "cm" }));
    const { body } = await test.call("GET", `${V1}/a`);

    expect(body["metadata"]).toMatchObject({ labels: { converted: "yes" }, generation: 1 });
    expect(body["metadata"]!["finalizers"]).toBeUndefined();
  });

  it("stores nothing that it cannot convert, and recovers", async () => {
    spoil = (answer) => {
      answer["result"] = { status: "Failure", message: "not today" };
    };
    const refused = await test.call("POST", V1, rod("v1", "a", { size: "3cm" }));
    expect(refused.status).toBe(500);
    spoil = undefined;

    expect((await test.call("GET", `${V2}/a`)).status).toBe(404);
    await createShort();
  });

  it("ends watches with the error", async () => {
    await test.call("POST", V2, rod("v2", "a", { length: "3", unit: "cm" }));
    spoil = (answer) => {
      answer["result"] = { status: "Failure", message: "not today" };
    };

    const answer = await test.server.handle({ method: "GET", path: `${V1}?watch=true` });
    const events = await Array.fromAsync(answer.events!);

    expect(events).toMatchObject([{ type: "ERROR", object: { code: 500, message: `${subject} failed: not today` } }]);
  });
});

describe("a custom resource without conversion", () => {
  it("is stored in the storage version, and served as it was written", async () => {
    const own = await startTestServer();
    await own.call("POST", DEFINITIONS, definition("v2", { strategy: "None" }));
    await settleControllers();
    const { body } = await own.call("POST", V1, rod("v1", "a", { size: "3cm" }));

    expect(body).toMatchObject({ apiVersion: "example.com/v1", spec: { size: "3cm" } });
    expect((await own.call("GET", `${V1}/a`)).body).toEqual(body);
    await own.server.close();
  });
});
