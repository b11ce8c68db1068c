import { createServer } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { CONFIG_MAPS, configMap, startTestServer, type TestServer } from "../../test-server.ts";
import {
  type Half,
  patchAnswer,
  REGISTRATION,
  registerWebhooks,
  startTestWebhook,
  type TestWebhook,
  type WebhookParts,
} from "./test-webhook.ts";

const ONE = `${CONFIG_MAPS}/one`;

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

describe("a webhook that fails", () => {
  const refused = 'failed calling webhook "w0.v.example.com": ';

  async function write(webhook: WebhookParts): Promise<{ status: number; message: string }> {
    await register("validating", "v", webhook);
    const { status, body } = await test.call("POST", CONFIG_MAPS, configMap("one"));
    return { status, message: String(body["message"] ?? "") };
  }

  /** A port that nobody listens on. */
  async function closedPort(): Promise<number> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    await new Promise((resolve) => server.close(resolve));
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  it("refuses the write, or is passed by where its policy says so", async () => {
    const port = await closedPort();
    const clientConfig = { url: `https://127.0.0.1:${port}/x`, caBundle: hook.caBundle };

    expect(await write({ clientConfig })).toEqual({
      status: 500,
      message: `Internal error occurred: ${refused}failed to call webhook: Post "https://127.0.0.1:${port}/x?timeout=10s": dial tcp 127.0.0.1:${port}: connect: connection refused`,
    });
    await test.call("DELETE", `${REGISTRATION}/validatingwebhookconfigurations/v`);
    expect((await write({ clientConfig, failurePolicy: "Ignore" })).status).toBe(201);
  });

  it("is given the time it may take, and not more", async () => {
    const asked = Promise.withResolvers<void>();
    hook.behave("/", { raw: () => asked.resolve() });
    const writing = write({ timeoutSeconds: 2 });
    await asked.promise;
    test.clock.advance(2000);

    expect((await writing).message).toBe(
      `Internal error occurred: ${refused}failed to call webhook: Post "${hook.url}/?timeout=2s": context deadline exceeded`,
    );
  });

  it("is not trusted by another authority", async () => {
    const other = await startTestWebhook();
    const { message } = await write({ clientConfig: { url: `${hook.url}/`, caBundle: other.caBundle } });
    await other.close();

    expect(message).toMatch(/tls: failed to verify certificate: x509: certificate signed by unknown authority$/);
  });

  it.each<[string, (body: string) => unknown, string]>([
    ["the uid of another review", () => ({ response: { uid: "x", allowed: true } }), 'expected response.uid="'],
    ["no response", () => ({}), "webhook response was absent"],
    ["another kind", (uid) => ({ kind: "Pod", response: { uid, allowed: true } }), "expected webhook response of"],
    [
      "a patch",
      (uid) => ({ response: { uid, allowed: true, patchType: "JSONPatch" } }),
      "validating webhook may not return response.patchType",
    ],
    ["no object", () => [1], "is no object"],
  ])("lies when it answers %s", async (_, answerOf, why) => {
    hook.behave("/", {
      raw(body, _request, response) {
        const { apiVersion, kind, request } = JSON.parse(body);
        const answer = answerOf(request.uid);
        response.end(JSON.stringify(Array.isArray(answer) ? answer : { apiVersion, kind, ...(answer as object) }));
      },
    });
    const { status, message } = await write({});

    expect(status).toBe(500);
    expect(message).toContain(`Internal error occurred: ${refused}received invalid webhook response: `);
    expect(message).toContain(why);
  });

  it.each([
    [
      "text",
      200,
      "<html>",
      "couldn't get version/kind; json parse error: invalid character '<' looking for beginning of value",
    ],
    ["a failure", 500, "boom\n", 'an error on the server ("boom") has prevented the request from succeeding'],
    ["that it is not there", 404, "", "the server could not find the requested resource"],
    ["a redirect", 302, "", "the server answered with a redirect (302), which is not followed"],
  ])("says so when it answers %s", async (_, status, text, why) => {
    hook.behave("/", { raw: (_body, _request, response) => response.writeHead(status, { location: "/y" }).end(text) });

    expect((await write({})).message).toBe(`Internal error occurred: ${refused}failed to call webhook: ${why}`);
  });

  it("is not listened to for ever", async () => {
    hook.behave("/", { raw: (_body, _request, response) => response.end(Buffer.alloc(10 * 1024 * 1024, " ")) });

    expect((await write({})).message).toMatch(/the answer is larger than 3145728 bytes$/);
  });

  it("says so when it hangs up", async () => {
    hook.behave("/", { raw: (_body, request) => request.socket.destroy() });

    expect((await write({})).message).toMatch(/: EOF$/);
  });

  it("is told apart from one that refuses, which no policy ignores", async () => {
    hook.behave("/", () => ({ allowed: false, status: { message: "no" } }));

    expect((await write({ failurePolicy: "Ignore" })).status).toBe(400);
  });
});

describe("a mutating webhook that fails", () => {
  it.each([
    ["a patch without its type", { patch: "W10=" }, "webhook returned response.patch but not response.patchType"],
    [
      "a type without a patch",
      { patchType: "JSONPatch" },
      "webhook returned response.patchType but not response.patch",
    ],
    ["another type of patch", { patch: "W3t9XQ==", patchType: "Merge" }, 'unsupported patch type "Merge"'],
    [
      "a patch that is none",
      { patch: "bm8=", patchType: "JSONPatch" },
      "received undecodable patch in webhook response",
    ],
  ])("is refused for %s", async (_, answer, why) => {
    hook.behave("/", () => answer);
    await register("mutating", "m", {});
    const { status, body } = await test.call("POST", CONFIG_MAPS, configMap("one"));

    expect(status).toBe(500);
    expect(String(body["message"])).toContain(why);
  });

  it("is refused for a patch that does not apply, and for one of a deletion", async () => {
    hook.behave("/", () => patchAnswer({ op: "remove", path: "/data/missing" }));
    await test.call("POST", CONFIG_MAPS, configMap("one"));
    await register("mutating", "m", {});

    expect((await test.call("POST", CONFIG_MAPS, configMap("two"))).status).toBe(500);
    const { status, body } = await test.call("DELETE", ONE);
    expect({ status, message: body["message"] }).toEqual({
      status: 500,
      message:
        'Internal error occurred: admission webhook "w0.m.example.com" attempted to modify the object, which is not supported for this operation',
    });
  });
});

describe("a webhook behind a Service", () => {
  const services = "/api/v1/namespaces/default/services";
  const clientConfig = () => ({ service: { namespace: "default", name: "hook", path: "/s" }, caBundle: hook.caBundle });

  async function service(spec: object): Promise<void> {
    const object = { apiVersion: "v1", kind: "Service", metadata: { name: "hook" }, spec };
    expect((await test.call("POST", services, object)).status).toBe(201);
  }

  async function write(): Promise<{ status: number; message: string }> {
    hook.behave("/s", () => ({}));
    const { status, body } = await test.call("POST", CONFIG_MAPS, configMap("one"));
    return { status, message: String(body["message"] ?? "") };
  }

  it("is found by the endpoints of the port, ready ones only", async () => {
    await service({ ports: [{ name: "https", port: 443, targetPort: 8443 }] });
    await test.call("POST", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { name: "hook-1", labels: { "kubernetes.io/service-name": "hook" } },
      addressType: "IPv4",
      endpoints: [
        { addresses: ["127.0.0.9"], conditions: { ready: false } },
        { addresses: ["127.0.0.1"], conditions: { ready: true } },
      ],
      ports: [
        { name: "metrics", port: 1 },
        { name: "https", port: hook.port },
      ],
    });
    await register("validating", "v", { clientConfig: clientConfig() });

    expect(await write()).toMatchObject({ status: 201 });
    expect(hook.seen.get("/s")).toHaveLength(1);
  });

  it("is found by Endpoints", async () => {
    await service({ ports: [{ port: 443 }] });
    await test.call("POST", "/api/v1/namespaces/default/endpoints", {
      apiVersion: "v1",
      kind: "Endpoints",
      metadata: { name: "hook" },
      subsets: [{ addresses: [{ ip: "127.0.0.1" }], ports: [{ port: hook.port }] }],
    });
    await register("validating", "v", { clientConfig: clientConfig() });

    expect(await write()).toMatchObject({ status: 201 });
  });

  it("is found by its external name, and must have a certificate for its own", async () => {
    await service({ type: "ExternalName", externalName: "127.0.0.1" });
    const own = clientConfig();
    await register("validating", "v", { clientConfig: { ...own, service: { ...own.service, port: hook.port } } });

    expect(await write()).toMatchObject({ status: 201 });
  });

  it.each([
    ["the Service is missing", undefined, 'services "hook" not found'],
    ["it has no such port", { ports: [{ port: 80 }] }, 'no service port 443 found for service "hook"'],
    [
      "nothing is behind it",
      { clusterIP: "None", ports: [{ port: 443 }] },
      'no endpoints available for service "hook"',
    ],
  ])("refuses when %s", async (_, spec, why) => {
    if (spec !== undefined) await service(spec);
    await register("validating", "v", { clientConfig: clientConfig() });

    expect((await write()).message).toBe(
      `Internal error occurred: failed calling webhook "w0.v.example.com": failed to call webhook: ${why}`,
    );
  });
});
