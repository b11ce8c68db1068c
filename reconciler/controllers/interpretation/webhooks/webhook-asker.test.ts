// Against a real HTTPS server on loopback.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestWebhook, type TestWebhook } from "../../../../fleets/apiserver/admission/webhooks/test-webhook.ts";
import type { KubeObject } from "../../../../kube/object.ts";
import { systemClock } from "../../../../runtime/clock.ts";
import type { InterpreterHook } from "../../../interpreter/webhook/hooks.ts";
import { WebhookQuestion } from "../../../interpreter/webhook/question.ts";
import { WebhookAsker } from "./webhook-asker.ts";

let hook: TestWebhook;
let asker: WebhookAsker;
const services = new Map<string, KubeObject>();
const signal = new AbortController().signal;

beforeAll(async () => {
  hook = await startTestWebhook();
  asker = new WebhookAsker({
    clock: systemClock,
    newUuid: () => crypto.randomUUID(),
    findService: async (namespace, name) => services.get(`${namespace}/${name}`),
  });
});

afterAll(async () => {
  asker.close();
  await hook.close();
});

function hookAt(path: string, more: Partial<InterpreterHook> = {}): InterpreterHook {
  return {
    configuration: "gadgets",
    name: `${path.slice(1)}.example.com`,
    id: `gadgets/${path.slice(1)}.example.com`,
    version: "1",
    client: hook.client(path),
    rules: [],
    timeoutMs: 10_000,
    ...more,
  };
}

const GADGET: KubeObject = { apiVersion: "example.com/v1", kind: "Gadget", metadata: { name: "a" } };

async function askReplicas(path: string, more: Partial<InterpreterHook> = {}, object = GADGET): Promise<unknown> {
  return asker.ask(new WebhookQuestion(hookAt(path, more), { operation: "InterpretReplica", object }), signal);
}

describe("WebhookAsker", () => {
  it("asks by url and gives the verified answer", async () => {
    hook.behave("/good", () => ({ successful: true, replicas: 4 }));

    expect(await askReplicas("/good")).toEqual({ demand: { replicas: 4 } });
    expect(hook.seen.get("/good")?.at(-1)).toMatchObject({
      operation: "InterpretReplica",
      object: GADGET,
      replicas: 0,
    });
  });

  it("asks by Service, with the certificate of the Service's name", async () => {
    hook.behave("/by-service", () => ({ successful: true, replicas: 5 }));
    services.set("default/hook", {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "hook", namespace: "default" },
      spec: { type: "ExternalName", externalName: "localhost" },
    });
    const service = { namespace: "default", name: "hook", path: "/by-service", port: hook.port };

    const client = { service, caBundle: hook.caBundle };
    expect(await askReplicas("/by-service", { client })).toEqual({ demand: { replicas: 5 } });
  });

  it("uses a connection again", async () => {
    const ports = new Set<number | undefined>();
    hook.behave("/again", {
      raw: (body, request, response) => {
        ports.add(request.socket.remotePort);
        const { uid } = JSON.parse(body).request;
        response.end(JSON.stringify({ response: { uid, successful: true, replicas: 1 } }));
      },
    });

    for (let round = 0; round < 5; round++) await askReplicas("/again");

    expect(ports.size).toBe(1);
  });

  it.each<[string, Parameters<TestWebhook["behave"]>[1], string]>([
    ["another uid", () => ({ uid: "other", successful: true, replicas: 1 }), 'got "other"'],
    ["replicas as text", () => ({ successful: true, replicas: "2" }), "response.replicas is not an integer of 32 bits"],
    [
      "failure",
      () => ({ successful: false, status: { code: 422, message: "not mine" } }),
      "webhook call failed, get status code: 422, msg: not mine",
    ],
    ["no JSON", { raw: (_body, _request, response) => void response.end("<html>") }, "json parse error"],
    ["nothing", { raw: (_body, _request, response) => void response.end() }, "json parse error"],
    [
      "status 500",
      { raw: (_body, _request, response) => void response.writeHead(500).end("broken") },
      'an error on the server (\\"broken\\") has prevented the request from succeeding'.replaceAll("\\", ""),
    ],
    [
      "a redirect",
      {
        raw: (_body, _request, response) =>
          void response.writeHead(307, { location: `https://127.0.0.1:${hook.port}/good` }).end(),
      },
      "the server answered with a redirect (307), which is not followed",
    ],
    [
      "10 MB",
      { raw: (_body, _request, response) => void response.end(Buffer.alloc(10 * 1024 * 1024, "x")) },
      "the answer is larger than 3145728 bytes",
    ],
    ["a closed connection", { raw: (_body, _request, response) => void response.socket?.destroy() }, "EOF"],
    [
      "half an answer",
      {
        raw: (_body, _request, response) => {
          response.writeHead(200, { "content-length": "100" });
          response.write("{");
          setImmediate(() => response.destroy());
        },
      },
      "gadgets/half-an-answer.example.com",
    ],
  ])("fails for a webhook that answers with %s, and names it", async (what, behaviour, message) => {
    const path = `/${what.replaceAll(" ", "-")}`;
    hook.behave(path, behaviour);

    await expect(askReplicas(path)).rejects.toMatchObject({
      code: "interpreter-webhook-failed",
      recovery: "retry",
      message: expect.stringContaining(message),
      details: { configuration: "gadgets", webhook: `${path.slice(1)}.example.com` },
    });
    await expect(askReplicas(path, { version: "2" })).rejects.toThrow(
      `failed calling webhook "gadgets/${path.slice(1)}.example.com": `,
    );
  });

  it("fails for a webhook that takes too long", async () => {
    hook.behave("/slow", { raw: () => {} });

    await expect(askReplicas("/slow", { timeoutMs: 50 })).rejects.toThrow("context deadline exceeded");
  });

  it("fails where nobody listens", async () => {
    const client = { ...hook.client("/"), url: "https://127.0.0.1:1/" };

    await expect(askReplicas("/nobody", { client })).rejects.toThrow("connection refused");
  });

  it("fails for a certificate of another authority, and of another name", async () => {
    const other = await startTestWebhook();
    const strange = { url: `${hook.url}/good`, caBundle: other.caBundle };
    const service = { namespace: "other", name: "name", path: "/good", port: hook.port };
    services.set("other/name", {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "name", namespace: "other" },
      spec: { type: "ExternalName", externalName: "127.0.0.1" },
    });

    await expect(askReplicas("/strange", { client: strange })).rejects.toThrow("signed by unknown authority");
    await expect(askReplicas("/misnamed", { client: { service, caBundle: hook.caBundle } })).rejects.toThrow(
      "certificate is not valid for name.other.svc",
    );
    await other.close();
  });

  it("does not call again at once where nobody answered", async () => {
    const client = { ...hook.client("/"), url: "https://127.0.0.1:1/" };
    await expect(askReplicas("/dead", { client })).rejects.toMatchObject({ recovery: "retry" });

    await expect(askReplicas("/dead", { client })).rejects.toMatchObject({ recovery: "wait" });
    await expect(askReplicas("/dead", { client, version: "changed" })).rejects.toMatchObject({ recovery: "retry" });
  });

  it("withholds what a webhook says about a Secret", async () => {
    const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "s" }, data: { key: "c2VjcmV0" } };
    hook.behave("/echo", { raw: (body, _request, response) => void response.writeHead(500).end(body) });
    hook.behave("/telling", (request) => ({
      successful: false,
      status: { code: 1, message: JSON.stringify(request["object"]) },
    }));

    for (const path of ["/echo", "/telling"]) {
      const failure = askReplicas(path, {}, secret).then(String, (error: Error) => error.message);
      expect(await failure).toContain("withheld");
      expect(await failure).not.toContain("c2VjcmV0");
    }
  });
});
