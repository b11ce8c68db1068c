import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { TransportEvent } from "../../kube/client/transport.ts";
import type { AdmissionPlugin } from "./registry/admission.ts";
import { CONFIG_MAPS, configMap, settleControllers, startTestServer, type TestServer } from "./test-server.ts";

const MERGE = { "content-type": "application/merge-patch+json" };
const APPLY = { "content-type": "application/apply-patch+yaml" };

let test: TestServer;

beforeEach(async () => {
  test = await startTestServer();
});

afterEach(async () => {
  await test.server.close();
});

describe("create, get and update", () => {
  it("stores an object and gives it back", async () => {
    const created = await test.call("POST", CONFIG_MAPS, configMap("a", { k: "v" }));
    const read = await test.call("GET", `${CONFIG_MAPS}/a`);

    expect(created.status).toBe(201);
    expect(read.body).toEqual(created.body);
    expect(read.body["metadata"]!["uid"]).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("refuses what exists already, and what has no namespace", async () => {
    await test.call("POST", CONFIG_MAPS, configMap("a"));

    const again = await test.call("POST", CONFIG_MAPS, configMap("a"));
    const nowhere = await test.call("POST", "/api/v1/namespaces/none/configmaps", configMap("a"));

    expect(again).toMatchObject({ status: 409, body: { reason: "AlreadyExists" } });
    expect(nowhere).toMatchObject({ status: 404, body: { message: 'namespaces "none" not found' } });
  });

  it("lets only one of two updates of the same state through", async () => {
    const { body } = await test.call("POST", CONFIG_MAPS, configMap("a"));
    const resourceVersion = body["metadata"]!["resourceVersion"]!;
    await test.call("PUT", `${CONFIG_MAPS}/a`, configMap("a", { n: "1" }, { resourceVersion }));

    const late = await test.call("PUT", `${CONFIG_MAPS}/a`, configMap("a", { n: "2" }, { resourceVersion }));

    expect(late).toMatchObject({ status: 409, body: { reason: "Conflict" } });
  });

  it("writes nothing when an update changes nothing", async () => {
    const created = await test.call("POST", CONFIG_MAPS, configMap("a", { k: "v" }));

    const updated = await test.call("PUT", `${CONFIG_MAPS}/a`, configMap("a", { k: "v" }));

    expect(updated.body["metadata"]!["resourceVersion"]).toBe(created.body["metadata"]!["resourceVersion"]);
  });

  it("stores nothing in a dry run", async () => {
    const tried = await test.call("POST", `${CONFIG_MAPS}?dryRun=All`, configMap("a"));

    expect(tried.status).toBe(201);
    expect((await test.call("GET", `${CONFIG_MAPS}/a`)).status).toBe(404);
  });

  it("takes and gives parsed objects without encoding them", async () => {
    const sent = configMap("a", { k: "v" });
    const answer = await test.server.handle({ method: "POST", path: CONFIG_MAPS, object: sent });

    expect(answer.parsed).toMatchObject({ metadata: { name: "a" }, data: { k: "v" } });
    expect(Object.isFrozen(answer.parsed)).toBe(true);
    expect(sent.metadata).toEqual({ name: "a" });
  });
});

describe("apply", () => {
  it("creates, and refuses to take another manager's field without force", async () => {
    await test.call("PATCH", `${CONFIG_MAPS}/a?fieldManager=one`, configMap("a", { k: "1" }), APPLY);

    const refused = await test.call("PATCH", `${CONFIG_MAPS}/a?fieldManager=two`, configMap("a", { k: "2" }), APPLY);
    const forced = await test.call(
      "PATCH",
      `${CONFIG_MAPS}/a?fieldManager=two&force=true`,
      configMap("a", { k: "2" }),
      APPLY,
    );

    expect(refused).toMatchObject({ status: 409, body: { details: { causes: [{ field: ".data.k" }] } } });
    expect(forced).toMatchObject({ status: 200, body: { data: { k: "2" } } });
  });

  it("removes what the manager no longer applies", async () => {
    await test.call("PATCH", `${CONFIG_MAPS}/a?fieldManager=m`, configMap("a", { k: "1", l: "2" }), APPLY);

    const { body } = await test.call("PATCH", `${CONFIG_MAPS}/a?fieldManager=m`, configMap("a", { k: "1" }), APPLY);

    expect(body["data"]).toEqual({ k: "1" });
  });
});

describe("list", () => {
  it("pages through a snapshot", async () => {
    for (const name of ["a", "b", "c"]) await test.call("POST", CONFIG_MAPS, configMap(name));
    const first = await test.call("GET", `${CONFIG_MAPS}?limit=2`);
    await test.call("POST", CONFIG_MAPS, configMap("bb"));

    const rest = await test.call("GET", `${CONFIG_MAPS}?limit=2&continue=${first.body["metadata"]!["continue"]}`);

    expect(first.body["items"]!.map((item) => item["metadata"]!["name"])).toEqual(["a", "b"]);
    expect(first.body["metadata"]!["remainingItemCount"]).toBe(1);
    expect(rest.body["items"]!.map((item) => item["metadata"]!["name"])).toEqual(["c"]);
  });

  it("pages through a kind without namespaces", async () => {
    const clusterRole = (name: string) => ({
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRole",
      metadata: { name, labels: { test: "pages" } },
      rules: [],
    });
    const path = "/apis/rbac.authorization.k8s.io/v1/clusterroles";
    for (const name of ["a", "b:c", "d"]) await test.call("POST", path, clusterRole(name));
    const names: unknown[] = [];
    let token: string | undefined = "";

    do {
      const { status, body } = await test.call("GET", `${path}?labelSelector=test%3Dpages&limit=1&continue=${token}`);
      expect(status).toBe(200);
      names.push(...body["items"]!.map((item) => item["metadata"]!["name"]));
      token = body["metadata"]!["continue"] as string | undefined;
    } while (token !== undefined);

    expect(names).toEqual(["a", "b:c", "d"]);
  });

  it("answers a Table when asked for one", async () => {
    await test.call("POST", CONFIG_MAPS, configMap("a", { k: "v" }));

    const { body } = await test.call("GET", CONFIG_MAPS, undefined, {
      accept: "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
    });

    expect(body["kind"]).toBe("Table");
    expect(body["rows"]![0]!["cells"]).toEqual(["a", 1, "0s"]);
  });

  it("selects by labels and fields", async () => {
    await test.call("POST", CONFIG_MAPS, configMap("a", {}, { labels: { env: "prod" } }));
    await test.call("POST", CONFIG_MAPS, configMap("b", {}, { labels: { env: "dev" } }));

    const byLabel = await test.call("GET", `${CONFIG_MAPS}?labelSelector=env%20in%20(dev)`);
    const byField = await test.call("GET", `${CONFIG_MAPS}?fieldSelector=metadata.name%3Da`);

    expect(byLabel.body["items"]!.map((item) => item["metadata"]!["name"])).toEqual(["b"]);
    expect(byField.body["items"]!.map((item) => item["metadata"]!["name"])).toEqual(["a"]);
  });
});

describe("watch", () => {
  /** Opens a watch, does `act`, and waits for `count` events. */
  async function collect(path: string, count: number, act?: () => Promise<unknown>): Promise<TransportEvent[]> {
    const abort = new AbortController();
    const answer = await test.server.handle({ method: "GET", path, signal: abort.signal });
    await act?.();
    const events: TransportEvent[] = [];
    for await (const event of answer.events!) {
      events.push(event);
      if (events.length === count) break;
    }
    abort.abort();
    return events;
  }

  function summary(events: readonly TransportEvent[]): string[] {
    return events.map(({ type, object }) => `${type} ${String((object["metadata"] as { name?: string }).name ?? "")}`);
  }

  it("replays changes after a revision and goes on with new ones", async () => {
    const { body } = await test.call("GET", CONFIG_MAPS);
    await test.call("POST", CONFIG_MAPS, configMap("a"));
    const path = `${CONFIG_MAPS}?watch=1&resourceVersion=${body["metadata"]!["resourceVersion"]}`;

    const events = await collect(path, 3, async () => {
      await test.call("PATCH", `${CONFIG_MAPS}/a`, { data: { k: "v" } }, MERGE);
      await test.call("DELETE", `${CONFIG_MAPS}/a`);
    });

    expect(summary(events)).toEqual(["ADDED a", "MODIFIED a", "DELETED a"]);
  });

  it("ends the initial events of a streaming list with a bookmark", async () => {
    await test.call("POST", CONFIG_MAPS, configMap("a"));

    const events = await collect(
      `${CONFIG_MAPS}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`,
      2,
    );

    expect(events[1]).toMatchObject({
      type: "BOOKMARK",
      object: { metadata: { annotations: { "k8s.io/initial-events-end": "true" } } },
    });
  });

  it("deletes from the view what stops to match the selector", async () => {
    await test.call("POST", CONFIG_MAPS, configMap("a", {}, { labels: { x: "1" } }));

    const events = await collect(`${CONFIG_MAPS}?watch=1&labelSelector=x%3D1`, 2, () =>
      test.call("PATCH", `${CONFIG_MAPS}/a`, { metadata: { labels: { x: null } } }, MERGE),
    );

    expect(summary(events)).toEqual(["ADDED a", "DELETED a"]);
    expect(events[1]!.object["metadata"]).toMatchObject({ labels: { x: "1" } });
  });

  it("expires a revision that history forgot", async () => {
    const { body } = await test.call("POST", CONFIG_MAPS, configMap("a"));
    await test.call("PATCH", `${CONFIG_MAPS}/a`, { data: { k: "v" } }, MERGE);
    test.server.compact();

    const [event] = await collect(`${CONFIG_MAPS}?watch=1&resourceVersion=${body["metadata"]!["resourceVersion"]}`, 1);

    expect(event).toMatchObject({ type: "ERROR", object: { code: 410, reason: "Expired" } });
  });

  it("sends a bookmark after the present state, then each minute, and ends at its deadline", async () => {
    const answer = await test.server.handle({
      method: "GET",
      path: `${CONFIG_MAPS}?watch=1&allowWatchBookmarks=true&timeoutSeconds=90`,
    });
    const types: string[] = [];
    const reading = (async () => {
      for await (const event of answer.events!) types.push(event.type);
    })();

    await test.clock.advance(91_000);
    await reading;

    expect(types).toEqual(["BOOKMARK", "BOOKMARK", "BOOKMARK"]);
  });

  it("ends when the server closes", async () => {
    const answer = await test.server.handle({ method: "GET", path: `${CONFIG_MAPS}?watch=1` });
    const reading = (async () => {
      for await (const _event of answer.events!);
      return "ended";
    })();

    await test.server.close();

    expect(await reading).toBe("ended");
  });
});

describe("deletion", () => {
  it("waits for finalizers, then removes", async () => {
    await test.call("POST", CONFIG_MAPS, configMap("a", {}, { finalizers: ["x.io/hold"] }));

    const deleted = await test.call("DELETE", `${CONFIG_MAPS}/a`);
    const released = await test.call("PATCH", `${CONFIG_MAPS}/a`, { metadata: { finalizers: [] } }, MERGE);

    expect(deleted.body["metadata"]!["deletionTimestamp"]).toBeDefined();
    expect(released.status).toBe(200);
    expect((await test.call("GET", `${CONFIG_MAPS}/a`)).status).toBe(404);
  });

  it("refuses when the object is not the one that was meant", async () => {
    await test.call("POST", CONFIG_MAPS, configMap("a"));

    const { status } = await test.call("DELETE", `${CONFIG_MAPS}/a`, { preconditions: { uid: "other" } });

    expect(status).toBe(409);
  });
});

describe("garbage collection", () => {
  async function createOwned(blockOwnerDeletion = false): Promise<void> {
    const { body } = await test.call("POST", CONFIG_MAPS, configMap("owner"));
    const owner = {
      apiVersion: "v1",
      kind: "ConfigMap",
      name: "owner",
      uid: body["metadata"]!["uid"],
      blockOwnerDeletion,
    };
    await test.call("POST", CONFIG_MAPS, configMap("child", {}, { ownerReferences: [owner] }));
  }

  it("deletes dependents in the background", async () => {
    await createOwned();

    await test.call("DELETE", `${CONFIG_MAPS}/owner`);
    await settleControllers();

    expect((await test.call("GET", `${CONFIG_MAPS}/child`)).status).toBe(404);
  });

  it("keeps the owner until blocking dependents are gone, in the foreground", async () => {
    await createOwned(true);
    await test.call("PATCH", `${CONFIG_MAPS}/child`, { metadata: { finalizers: ["x.io/hold"] } }, MERGE);

    await test.call("DELETE", `${CONFIG_MAPS}/owner?propagationPolicy=Foreground`);
    await settleControllers();
    const while_ = await test.call("GET", `${CONFIG_MAPS}/owner`);
    await test.call("PATCH", `${CONFIG_MAPS}/child`, { metadata: { finalizers: null } }, MERGE);
    await settleControllers();

    expect(while_.body["metadata"]!["finalizers"]).toEqual(["foregroundDeletion"]);
    expect((await test.call("GET", `${CONFIG_MAPS}/owner`)).status).toBe(404);
  });

  it("leaves orphans without their reference", async () => {
    await createOwned();

    await test.call("DELETE", `${CONFIG_MAPS}/owner?propagationPolicy=Orphan`);
    await settleControllers();

    const { body } = await test.call("GET", `${CONFIG_MAPS}/child`);
    expect(body["metadata"]!["ownerReferences"]).toBeUndefined();
    expect((await test.call("GET", `${CONFIG_MAPS}/owner`)).status).toBe(404);
  });
});

describe("namespaces", () => {
  it("start with a default ServiceAccount and take their content with them", async () => {
    await test.call("POST", "/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: "team" } });
    await settleControllers();
    const account = await test.call("GET", "/api/v1/namespaces/team/serviceaccounts/default");
    await test.call("POST", "/api/v1/namespaces/team/configmaps", configMap("a"));

    await test.call("DELETE", "/api/v1/namespaces/team");
    const refused = await test.call("POST", "/api/v1/namespaces/team/configmaps", configMap("b"));
    await settleControllers();

    expect(account.status).toBe(200);
    expect(refused.status).toBe(403);
    expect((await test.call("GET", "/api/v1/namespaces/team")).status).toBe(404);
    expect((await test.call("GET", "/api/v1/configmaps")).body["items"]).toEqual([]);
  });
});

describe("custom resources", () => {
  const crd = {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "widgets.example.io" },
    spec: {
      group: "example.io",
      scope: "Namespaced",
      names: { plural: "widgets", kind: "Widget", shortNames: ["wd"] },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: {
              type: "object",
              properties: {
                spec: { type: "object", properties: { size: { type: "integer", minimum: 1, default: 3 } } },
              },
            },
          },
        },
      ],
    },
  };
  const widgets = "/apis/example.io/v1/namespaces/default/widgets";

  function widget(name: string, spec: object = {}) {
    return { apiVersion: "example.io/v1", kind: "Widget", metadata: { name }, spec };
  }

  async function register(): Promise<void> {
    const { status } = await test.call("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd);
    expect(status).toBe(201);
  }

  it("are served at once, defaulted and validated", async () => {
    await register();

    const created = await test.call("POST", widgets, widget("a"));
    const refused = await test.call("POST", widgets, widget("b", { size: 0 }));

    expect(created).toMatchObject({ status: 201, body: { spec: { size: 3 } } });
    expect(refused.status).toBe(422);
  });

  it("appear in both forms of discovery and in OpenAPI", async () => {
    await register();

    const legacy = await test.call("GET", "/apis/example.io/v1");
    const aggregated = await test.call("GET", "/apis", undefined, {
      accept: "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
    });
    const openapi = await test.call("GET", "/openapi/v3/apis/example.io/v1");

    expect(legacy.body["resources"]![0]).toMatchObject({ name: "widgets", shortNames: ["wd"] });
    expect(aggregated.body["items"]!.map((item) => item["metadata"]!["name"])).toContain("example.io");
    expect(openapi.status).toBe(200);
  });

  it("go with their definition", async () => {
    await register();
    await test.call("POST", widgets, widget("a"));

    await test.call("DELETE", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.example.io");
    await settleControllers();

    expect((await test.call("GET", widgets)).status).toBe(404);
    await register();
    expect((await test.call("GET", widgets)).body["items"]).toEqual([]);
  });
});

describe("connectors", () => {
  it("answer subresources in place of the store, for objects that exist", async () => {
    const own = await startTestServer({
      connectors: {
        "/pods/log": ({ name, rest, object }) =>
          Promise.resolve({
            status: 200,
            headers: { "content-type": "text/plain" },
            body: Buffer.from(`${object.kind} ${name} ${rest}`),
          }),
      },
    });
    const pods = "/api/v1/namespaces/default/pods";
    const spec = { containers: [{ name: "c", image: "i" }] };
    await own.call("POST", pods, { apiVersion: "v1", kind: "Pod", metadata: { name: "p" }, spec });

    const found = await own.call("GET", `${pods}/p/log`);
    const missing = await own.call("GET", `${pods}/none/log`);

    expect(found.body).toBe("Pod p ");
    expect(missing.status).toBe(404);
    await own.server.close();
  });
});

describe("forms of answers", () => {
  it("come as YAML with sorted keys when asked for", async () => {
    await test.call("POST", CONFIG_MAPS, configMap("a", { k: "yes" }));

    const { body } = await test.call("GET", `${CONFIG_MAPS}/a`, undefined, { accept: "application/yaml" });

    expect(String(body)).toMatch(/^apiVersion: v1\ndata:\n {2}k: "yes"\nkind: ConfigMap\nmetadata:\n/);
  });

  it("are refused when no form suits", async () => {
    expect((await test.call("GET", CONFIG_MAPS, undefined, { accept: "text/html" })).status).toBe(406);
  });
});

describe("strict field validation", () => {
  it("refuses unknown and repeated fields, or warns of them", async () => {
    const text = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"k":"1","k":"2"},"datum":{}}';

    const strict = await test.call("POST", `${CONFIG_MAPS}?fieldValidation=Strict`, text);
    const warned = await test.call("POST", CONFIG_MAPS, text);

    expect(strict.body["message"]).toContain('duplicate field "data.k", unknown field "datum"');
    expect(warned.headers["warning"]).toEqual([
      '299 - "duplicate field \\"data.k\\""',
      '299 - "unknown field \\"datum\\""',
    ]);
  });
});

describe("admission plugins", () => {
  const plugin: AdmissionPlugin = {
    handles: (kind, operation) => kind.kind === "ConfigMap" && operation !== "DELETE",
    mutate: ({ object }) => ({ ...object, data: { ...(object["data"] as object), stamp: "here" } }),
    validate: ({ object }) =>
      (object["data"] as Record<string, string>)["bad"] === undefined
        ? []
        : [{ reason: "FieldValueForbidden", field: "data.bad", message: "Forbidden: no bad data" }],
  };

  it("change and refuse writes", async () => {
    const own = await startTestServer({ admission: [plugin] });

    const created = await own.call("POST", CONFIG_MAPS, configMap("a"));
    const refused = await own.call("POST", CONFIG_MAPS, configMap("b", { bad: "x" }));

    expect(created.body["data"]).toEqual({ stamp: "here" });
    expect(refused).toMatchObject({ status: 422, body: { details: { causes: [{ field: "data.bad" }] } } });
    await own.server.close();
  });
});
