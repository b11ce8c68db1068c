import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { CONFIG_MAPS, configMap, settleControllers, startTestServer, type TestServer } from "../../test-server.ts";
import {
  ALL_CONFIG_MAPS,
  type Half,
  patchAnswer,
  REGISTRATION,
  registerWebhooks,
  startTestWebhook,
  type TestWebhook,
  type WebhookParts,
} from "./test-webhook.ts";

const ONE = `${CONFIG_MAPS}/one`;
const MERGE = { "content-type": "application/merge-patch+json" };

let hook: TestWebhook;
let test: TestServer;

beforeAll(async () => {
  hook = await startTestWebhook();
});
afterAll(() => hook.close());
beforeEach(async () => {
  test = await startTestServer();
  hook.seen.clear();
});
afterEach(() => test.server.close());

function register(half: Half, name: string, ...webhooks: readonly WebhookParts[]): Promise<void> {
  return registerWebhooks(test, hook, half, name, webhooks);
}

function addData(key: string, value: string): object {
  return patchAnswer({ op: "add", path: `/data/${key}`, value });
}

describe("a validating webhook", () => {
  it("is told of a create in full", async () => {
    hook.behave("/", () => ({}));
    await register("validating", "v", {});
    await test.call("POST", `${CONFIG_MAPS}?fieldManager=m&dryRun=All`, configMap("one", { a: "1" }));

    expect(hook.seen.get("/")).toEqual([
      {
        uid: expect.stringMatching(/^[0-9a-f-]{36}$/),
        kind: { group: "", version: "v1", kind: "ConfigMap" },
        resource: { group: "", version: "v1", resource: "configmaps" },
        requestKind: { group: "", version: "v1", kind: "ConfigMap" },
        requestResource: { group: "", version: "v1", resource: "configmaps" },
        name: "one",
        namespace: "default",
        operation: "CREATE",
        userInfo: { username: "system:admin", groups: ["system:masters", "system:authenticated"] },
        object: expect.objectContaining({ kind: "ConfigMap", data: { a: "1" } }),
        oldObject: null,
        dryRun: true,
        options: { kind: "CreateOptions", apiVersion: "meta.k8s.io/v1", dryRun: ["All"], fieldManager: "m" },
      },
    ]);
  });

  it("is told of updates and deletions with the old object", async () => {
    hook.behave("/", () => ({}));
    await register("validating", "v", {});
    await test.call("POST", CONFIG_MAPS, configMap("one", { a: "1" }));
    await test.call("PATCH", ONE, { data: { a: "2" } }, MERGE);
    await test.call("DELETE", ONE);

    expect(hook.seen.get("/")?.slice(1)).toMatchObject([
      {
        operation: "UPDATE",
        object: { data: { a: "2" } },
        oldObject: { data: { a: "1" } },
        options: { kind: "UpdateOptions" },
      },
      { operation: "DELETE", object: null, oldObject: { data: { a: "2" } }, options: { kind: "DeleteOptions" } },
    ]);
  });

  it("refuses in its own words", async () => {
    hook.behave("/", () => ({
      allowed: false,
      status: { code: 418, reason: "Teapot", message: "no tea", details: { causes: [{ field: "data.tea" }] } },
      warnings: ["think of coffee"],
    }));
    await register("validating", "v", {});
    const answer = await test.call("POST", CONFIG_MAPS, configMap("one"));

    expect(answer).toMatchObject({
      status: 418,
      body: {
        status: "Failure",
        code: 418,
        reason: "Teapot",
        message: 'admission webhook "w0.v.example.com" denied the request: no tea',
        details: { causes: [{ field: "data.tea" }] },
      },
    });
    expect(answer.headers["warning"]).toEqual(['299 - "think of coffee"']);
    expect((await test.call("GET", ONE)).status).toBe(404);
  });

  it.each([
    [{}, 400, 'admission webhook "w0.v.example.com" denied the request without explanation'],
    [{ code: 200 }, 400, 'admission webhook "w0.v.example.com" denied the request without explanation'],
    [{ reason: "Unfit" }, 400, 'admission webhook "w0.v.example.com" denied the request: Unfit'],
    [{ code: 403, message: "no" }, 403, 'admission webhook "w0.v.example.com" denied the request: no'],
  ])("refuses with status %j", async (status, code, message) => {
    hook.behave("/", () => ({ allowed: false, status }));
    await register("validating", "v", {});

    expect(await test.call("POST", CONFIG_MAPS, configMap("one"))).toMatchObject({ status: code, body: { message } });
  });

  it("warns beside an accepted write", async () => {
    hook.behave("/", () => ({ warnings: ["mind the gap", 'a "quoted" one'] }));
    await register("validating", "v", {});

    const { status, headers } = await test.call("POST", CONFIG_MAPS, configMap("one"));

    expect(status).toBe(201);
    expect(headers["warning"]).toEqual(['299 - "mind the gap"', '299 - "a \\"quoted\\" one"']);
  });

  it("is asked together with all others", async () => {
    const meeting = Promise.withResolvers<object>();
    hook.behave("/first", () => meeting.promise);
    hook.behave("/second", () => {
      meeting.resolve({});
      return {};
    });
    await register("validating", "v", { path: "/first" }, { path: "/second" });

    expect((await test.call("POST", CONFIG_MAPS, configMap("one"))).status).toBe(201);
  });

  it("sees what will be stored", async () => {
    hook.behave("/", () => ({}));
    await register("validating", "v", {});
    await test.call("POST", CONFIG_MAPS, configMap("", {}, { name: undefined, generateName: "made-" }));

    const [asked] = hook.seen.get("/")!;
    expect(asked?.["object"]?.["metadata"]).toMatchObject({ name: asked?.["name"], uid: expect.any(String) });
    expect(String(asked?.["name"])).toMatch(/^made-.{5}$/);
  });

  it("is never asked about webhook configurations", async () => {
    hook.behave("/", () => ({ allowed: false }));
    const everything = { operations: ["*"], apiGroups: ["*"], apiVersions: ["*"], resources: ["*/*"] };
    await register("validating", "v", { rules: [everything] });

    expect((await test.call("POST", CONFIG_MAPS, configMap("one"))).status).toBe(400);
    const gone = await test.call("DELETE", `${REGISTRATION}/validatingwebhookconfigurations/v`);
    expect(gone.status).toBe(200);
    expect((await test.call("POST", CONFIG_MAPS, configMap("one"))).status).toBe(201);
  });
});

describe("a mutating webhook", () => {
  it("changes what is stored, and leaves ownership to who wrote", async () => {
    hook.behave("/", () => addData("added", "yes"));
    await register("mutating", "m", {});

    const { status, body } = await test.call("POST", CONFIG_MAPS, configMap("one", { a: "1" }));

    expect(status).toBe(201);
    expect(body["data"]).toEqual({ a: "1", added: "yes" });
    const fields = JSON.stringify(body["metadata"]!["managedFields"]);
    expect(fields).toContain("f:a");
    expect(fields).not.toContain("f:added");
    expect((await test.call("GET", ONE)).body["data"]).toEqual({ a: "1", added: "yes" });
  });

  it("works on what the ones before it made, in the order of their configurations' names", async () => {
    hook.behave("/b", (request) => addData("trail", `${request["object"]!["data"]!["trail"] as unknown as string}b`));
    hook.behave("/a", () => addData("trail", "a"));
    await register("mutating", "second", { path: "/b" });
    await register("mutating", "first", { path: "/a" });

    const { body } = await test.call("POST", CONFIG_MAPS, configMap("one", { x: "" }));

    expect(body["data"]).toEqual({ x: "", trail: "ab" });
  });

  it("is asked again when a later one changed the object, if it wants to be", async () => {
    hook.behave("/watcher", ({ object }) => (object!["data"]!["late"] === undefined ? {} : addData("seen", "yes")));
    hook.behave("/indifferent", () => ({}));
    hook.behave("/late", () => addData("late", "yes"));
    await register(
      "mutating",
      "m",
      { path: "/watcher", reinvocationPolicy: "IfNeeded" },
      { path: "/indifferent" },
      { path: "/late", reinvocationPolicy: "IfNeeded" },
    );

    const { body } = await test.call("POST", CONFIG_MAPS, configMap("one", { x: "" }));

    expect(body["data"]).toEqual({ x: "", late: "yes", seen: "yes" });
    expect(hook.seen.get("/watcher")).toHaveLength(2);
    expect(hook.seen.get("/indifferent")).toHaveLength(1);
  });

  it("is asked once more at most", async () => {
    let count = 0;
    const more = (): object => addData("count", String(++count));
    hook.behave("/a", more);
    hook.behave("/b", more);
    await register(
      "mutating",
      "m",
      { path: "/a", reinvocationPolicy: "IfNeeded" },
      { path: "/b", reinvocationPolicy: "IfNeeded" },
    );

    await test.call("POST", CONFIG_MAPS, configMap("one", { x: "" }));

    expect(count).toBe(4);
  });

  it("has its defaults and unknown fields looked after", async () => {
    const pods = { ...ALL_CONFIG_MAPS, resources: ["pods"] };
    hook.behave("/", () =>
      patchAnswer(
        { op: "add", path: "/spec/containers/-", value: { name: "sidecar", image: "s:latest" } },
        { op: "add", path: "/spec/nonsense", value: 1 },
      ),
    );
    await register("mutating", "m", { rules: [pods] });
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "p" },
      spec: { containers: [{ name: "c", image: "i" }] },
    };

    const { body } = await test.call("POST", "/api/v1/namespaces/default/pods", pod);

    expect(body["spec"]!["containers"]!.map((each) => each["imagePullPolicy"])).toEqual(["Always", "Always"]);
    expect(body["spec"]!["nonsense"]).toBeUndefined();
  });

  it("cannot make an object that validation refuses", async () => {
    hook.behave("/", () => patchAnswer({ op: "add", path: "/metadata/labels", value: { "no good": "x" } }));
    await register("mutating", "m", {});

    expect((await test.call("POST", CONFIG_MAPS, configMap("one"))).status).toBe(422);
  });

  it("cannot change spec through a write of the status", async () => {
    const deployments = "/apis/apps/v1/namespaces/default/deployments";
    const rules = [{ operations: ["UPDATE"], apiGroups: ["apps"], apiVersions: ["v1"], resources: ["*/status"] }];
    hook.behave("/", () => patchAnswer({ op: "replace", path: "/spec/replicas", value: 9 }));
    await register("mutating", "m", { rules });
    const labels = { app: "a" };
    const template = { metadata: { labels }, spec: { containers: [{ name: "c", image: "i:1" }] } };
    const spec = { replicas: 1, selector: { matchLabels: labels }, template };
    await test.call("POST", deployments, { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "d" }, spec });

    const { body } = await test.call("PATCH", `${deployments}/d/status`, { status: { replicas: 1 } }, MERGE);

    expect(body).toMatchObject({ spec: { replicas: 1 }, status: { replicas: 1 } });
  });

  it("may write to the server while it is asked", async () => {
    let madeStatus = 0;
    hook.behave("/", async ({ name }) => {
      if ((name as unknown) === "one") {
        const made = await test.call("POST", CONFIG_MAPS, configMap("two", { x: "" }));
        madeStatus = made.status;
      }
      return addData("two", "made");
    });
    await register("mutating", "m", {});

    const { body } = await test.call("POST", CONFIG_MAPS, configMap("one", { x: "" }));

    expect(madeStatus).toBe(201);
    expect(body["data"]).toEqual({ x: "", two: "made" });
  });

  it("sees the newest state when the object changed while it was asked", async () => {
    let interrupted = false;
    hook.behave("/", async ({ operation, userInfo }) => {
      const isOurs = (userInfo!["username"] as unknown) === "system:admin";
      if ((operation as unknown) === "UPDATE" && isOurs && !interrupted) {
        interrupted = true;
        const user = { name: "other", groups: ["system:masters"] };
        await test.server.handle({ method: "PATCH", path: ONE, headers: MERGE, object: { data: { b: "2" } }, user });
      }
      return {};
    });
    await test.call("POST", CONFIG_MAPS, configMap("one", { a: "1" }));
    await register("mutating", "m", {});

    const { body } = await test.call("PATCH", ONE, { data: { c: "3" } }, MERGE);

    expect(body["data"]).toEqual({ a: "1", b: "2", c: "3" });
  });
});

describe("rules and selectors", () => {
  it("choose by operation, resource and subresource", async () => {
    hook.behave("/", () => ({}));
    const rule = { operations: ["DELETE"], apiGroups: ["*"], apiVersions: ["*"], resources: ["*"] };
    await register("validating", "v", { rules: [rule] });
    await test.call("POST", CONFIG_MAPS, configMap("one"));
    await test.call("DELETE", ONE);

    expect(hook.seen.get("/")?.map((request) => request["operation"])).toEqual(["DELETE"]);
  });

  it("choose by the labels of the object and of its namespace", async () => {
    hook.behave("/", () => ({}));
    await register("validating", "v", {
      objectSelector: { matchLabels: { watched: "yes" } },
      namespaceSelector: { matchExpressions: [{ key: "quiet", operator: "DoesNotExist" }] },
    });
    const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "still", labels: { quiet: "" } } };
    await test.call("POST", "/api/v1/namespaces", namespace);
    await test.call("POST", CONFIG_MAPS, configMap("plain"));
    await test.call("POST", CONFIG_MAPS, configMap("watched", {}, { labels: { watched: "yes" } }));
    await test.call("POST", "/api/v1/namespaces/still/configmaps", configMap("x", {}, { labels: { watched: "yes" } }));

    expect(hook.seen.get("/")?.map((request) => request["name"])).toEqual(["watched"]);
  });

  it("know a kind by its other versions, and show it in the version they name", async () => {
    hook.behave("/", () => patchAnswer({ op: "add", path: "/metadata/labels", value: { seen: "v1" } }));
    const rules = [{ operations: ["CREATE"], apiGroups: ["autoscaling"], apiVersions: ["v1"], resources: ["*"] }];
    await register("mutating", "m", { rules });
    const hpa = {
      apiVersion: "autoscaling/v2",
      kind: "HorizontalPodAutoscaler",
      metadata: { name: "h" },
      spec: { maxReplicas: 3, scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "d" } },
    };

    const path = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers";
    const { status, body } = await test.call("POST", path, hpa);

    expect(status).toBe(201);
    expect(body).toMatchObject({ apiVersion: "autoscaling/v2", metadata: { labels: { seen: "v1" } } });
    expect(hook.seen.get("/")).toMatchObject([
      {
        kind: { group: "autoscaling", version: "v1" },
        requestKind: { group: "autoscaling", version: "v2" },
        object: { apiVersion: "autoscaling/v1" },
      },
    ]);
  });
});

describe("a dry run", () => {
  it.each(["None", "NoneOnDryRun"])(
    "asks webhooks whose side effects are %s, and stores nothing",
    async (sideEffects) => {
      hook.behave("/", () => addData("added", "yes"));
      await register("mutating", "m", { sideEffects });

      const { status, body } = await test.call("POST", `${CONFIG_MAPS}?dryRun=All`, configMap("one", { x: "" }));

      expect({ status, data: body["data"] }).toEqual({ status: 201, data: { x: "", added: "yes" } });
      expect(hook.seen.get("/")).toMatchObject([{ dryRun: true }]);
      expect((await test.call("GET", ONE)).status).toBe(404);
    },
  );
});

describe("what a mutating webhook may not make of a write", () => {
  it.each<[string, object, number]>([
    ["another object", { op: "replace", path: "/metadata/name", value: "two" }, 422],
    ["an object of another namespace", { op: "replace", path: "/metadata/namespace", value: "kube-system" }, 400],
    ["a write of an older state", { op: "replace", path: "/metadata/resourceVersion", value: "1" }, 409],
    ["nothing", { op: "replace", path: "", value: {} }, 422],
    ["a value of another type", { op: "add", path: "/data/b", value: 2 }, 500],
  ])("is %s", async (_, operation, status) => {
    await test.call("POST", CONFIG_MAPS, configMap("one", { a: "1" }));
    const before = await test.call("GET", ONE);
    hook.behave("/", () => patchAnswer(operation));
    await register("mutating", "m", {});

    expect((await test.call("PATCH", ONE, { data: { a: "2" } }, MERGE)).status).toBe(status);
    expect((await test.call("GET", ONE)).body).toEqual(before.body);
  });
});

describe("a write that changes nothing", () => {
  it("is shown to admission all the same, applied or not", async () => {
    const apply = { "content-type": "application/apply-patch+yaml" };
    await test.call("PATCH", `${ONE}?fieldManager=m`, configMap("one", { a: "1" }), apply);
    hook.behave("/", () => ({ allowed: false, status: { message: "not any more" } }));
    await register("validating", "v", {});

    expect((await test.call("PATCH", `${ONE}?fieldManager=m`, configMap("one", { a: "1" }), apply)).status).toBe(400);
    expect((await test.call("PATCH", ONE, {}, MERGE)).status).toBe(400);
  });
});

describe("a connection", () => {
  it("is shown to webhooks with its options before it is made", async () => {
    const connected: string[] = [];
    const own = await startTestServer({
      connectors: {
        "/pods/exec": ({ name }) => {
          connected.push(name);
          return Promise.resolve({ status: 200, headers: {}, body: new Uint8Array() });
        },
      },
    });
    const rules = [{ operations: ["CONNECT"], apiGroups: [""], apiVersions: ["v1"], resources: ["pods/exec"] }];
    hook.behave("/", ({ object }) => ({ allowed: (object!["tty"] as unknown) === true }));
    await registerWebhooks(own, hook, "validating", "v", [{ rules }]);
    const pods = "/api/v1/namespaces/default/pods";
    const containers = [{ name: "c", image: "i" }];
    await own.call("POST", pods, { apiVersion: "v1", kind: "Pod", metadata: { name: "p" }, spec: { containers } });

    expect((await own.call("POST", `${pods}/p/exec?command=sh&command=-c&stdin=true&container=c`)).status).toBe(400);
    expect((await own.call("POST", `${pods}/p/exec?command=sh&tty=true`)).status).toBe(200);
    expect(connected).toEqual(["p"]);
    expect(hook.seen.get("/")?.[0]).toMatchObject({
      operation: "CONNECT",
      kind: { group: "", version: "v1", kind: "PodExecOptions" },
      subResource: "exec",
      object: { kind: "PodExecOptions", stdin: true, container: "c", command: ["sh", "-c"] },
      oldObject: null,
      options: null,
    });
    await own.server.close();
  });
});

describe("match conditions", () => {
  it("choose by expressions over the write", async () => {
    hook.behave("/", () => ({}));
    const matchConditions = [
      { name: "named", expression: "object.metadata.name.startsWith('watched')" },
      { name: "human", expression: "!('system:nodes' in request.userInfo.groups)" },
    ];
    await register("validating", "v", { matchConditions });
    await test.call("POST", CONFIG_MAPS, configMap("other"));
    await test.call("POST", CONFIG_MAPS, configMap("watched-a"));

    expect(hook.seen.get("/")?.map((request) => request["name"])).toEqual(["watched-a"]);
  });

  it("that cannot be evaluated refuse the write, or pass the webhook by where its policy says so", async () => {
    hook.behave("/", () => ({ allowed: false }));
    const matchConditions = [{ name: "broken", expression: "object.data.missing == 'x'" }];
    await register("validating", "v", { matchConditions });
    expect((await test.call("POST", CONFIG_MAPS, configMap("one"))).status).toBe(403);
    await test.call("DELETE", `${REGISTRATION}/validatingwebhookconfigurations/v`);
    await register("validating", "v", { matchConditions, failurePolicy: "Ignore" });

    expect((await test.call("POST", CONFIG_MAPS, configMap("one"))).status).toBe(201);
  });
});

describe("what is not stored", () => {
  it("is shown to webhooks too: token requests and reviews", async () => {
    hook.behave("/", () => ({}));
    const everything = { operations: ["*"], apiGroups: ["*"], apiVersions: ["*"], resources: ["*/*"] };
    await settleControllers();
    await register("validating", "v", { rules: [everything] });
    await test.call("POST", "/api/v1/namespaces/default/serviceaccounts/default/token", {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      spec: {},
    });
    await test.call("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SelfSubjectAccessReview",
      spec: { resourceAttributes: { verb: "get", resource: "pods" } },
    });

    expect(hook.seen.get("/")?.map((request) => request["requestKind"]!["kind"])).toEqual([
      "TokenRequest",
      "SelfSubjectAccessReview",
    ]);
  });
});
