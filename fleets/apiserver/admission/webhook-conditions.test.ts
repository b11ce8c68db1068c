import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { CONFIG_MAPS, configMap, startTestServer, type TestServer } from "../test-server.ts";
import { registerWebhooks, startTestWebhook, type TestWebhook } from "./webhooks/test-webhook.ts";

let hook: TestWebhook;
let test: TestServer;

beforeAll(async () => {
  hook = await startTestWebhook();
});
afterAll(() => hook.close());
beforeEach(async () => {
  test = await startTestServer();
  hook.seen.clear();
  hook.behave("/", () => ({}));
});
afterEach(() => test.server.close());

function register(expression: string, parts: object = {}): Promise<void> {
  const matchConditions = [{ name: "condition", expression }];
  return registerWebhooks(test, hook, "validating", "v", [{ matchConditions, ...parts }]);
}

describe("match conditions of webhooks", () => {
  it("leave the webhook out where they do not hold", async () => {
    await register("object.metadata.name == 'two' && request.operation == 'CREATE'");
    await test.call("POST", CONFIG_MAPS, configMap("one"));
    expect(hook.seen.get("/")).toBeUndefined();
    await test.call("POST", CONFIG_MAPS, configMap("two"));
    expect(hook.seen.get("/")).toHaveLength(1);
  });

  it("see deletions as their old object", async () => {
    await register("request.operation == 'DELETE' && object == null && oldObject.metadata.name == 'one'");
    await test.call("POST", CONFIG_MAPS, configMap("one"));
    await test.call("DELETE", `${CONFIG_MAPS}/one`);
    expect(hook.seen.get("/")).toHaveLength(1);
  });

  it("refuse the write when they fail, unless failures are ignored", async () => {
    await register("object.data.nope == 'x'");
    const answer = await test.call("POST", CONFIG_MAPS, configMap("one", { a: "1" }));
    expect(answer.status).toBe(403);
    expect(answer.body["message"]).toContain(
      "expression 'object.data.nope == 'x'' resulted in error: no such key: nope",
    );
    expect(hook.seen.get("/")).toBeUndefined();
  });

  it("pass the webhook by when they fail and failures are ignored", async () => {
    await register("object.data.nope == 'x'", { failurePolicy: "Ignore" });
    expect((await test.call("POST", CONFIG_MAPS, configMap("one", { a: "1" }))).status).toBe(201);
    expect(hook.seen.get("/")).toBeUndefined();
  });
});
