import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { settleControllers, startTestServer, type TestServer } from "../test-server.ts";

const ACCOUNTS = "/api/v1/namespaces/default/serviceaccounts";
const SECRETS = "/api/v1/namespaces/default/secrets";
const ACCOUNT = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "bot" } };

function secret(account = "bot", annotations: object = {}) {
  return {
    apiVersion: "v1",
    kind: "Secret",
    type: "kubernetes.io/service-account-token",
    metadata: { name: "bot-token", annotations: { "kubernetes.io/service-account.name": account, ...annotations } },
  };
}

describe("the Secret of an account's token", () => {
  let test: TestServer;

  beforeEach(async () => {
    test = await startTestServer();
    await test.call("POST", ACCOUNTS, ACCOUNT);
  });

  afterEach(() => test.server.close());

  async function readToken(): Promise<string> {
    await settleControllers();
    const { body } = await test.call("GET", `${SECRETS}/bot-token`);
    return Buffer.from(String(body["data"]?.["token"] ?? ""), "base64").toString();
  }

  it("gets a token that authenticates the account", async () => {
    test.server.publishCa("the authority");
    await test.call("POST", SECRETS, secret());

    const user = await test.server.checkToken(await readToken());

    expect(user?.name).toBe("system:serviceaccount:default:bot");
    expect(user?.groups).toContain("system:serviceaccounts:default");
    const { body } = await test.call("GET", `${SECRETS}/bot-token`);
    const { uid } = (await test.call("GET", `${ACCOUNTS}/bot`)).body["metadata"]!;
    expect(body["metadata"]?.["annotations"]?.["kubernetes.io/service-account.uid"]).toBe(uid);
    expect(body["data"]?.["namespace"]).toBe(Buffer.from("default").toString("base64"));
    expect(body["data"]?.["ca.crt"]).toBe(Buffer.from("the authority").toString("base64"));
  });

  it("keeps the token it has", async () => {
    await test.call("POST", SECRETS, secret());
    const token = await readToken();
    const { body } = await test.call("GET", `${SECRETS}/bot-token`);

    await settleControllers();

    expect(await readToken()).toBe(token);
    const again = await test.call("GET", `${SECRETS}/bot-token`);
    expect(again.body["metadata"]?.["resourceVersion"]).toBe(body["metadata"]?.["resourceVersion"]);
  });

  it("revokes its token when it is deleted", async () => {
    await test.call("POST", SECRETS, secret());
    const token = await readToken();

    await test.call("DELETE", `${SECRETS}/bot-token`);

    expect(await test.server.checkToken(token)).toBeUndefined();
  });

  it("goes with its account", async () => {
    await test.call("POST", SECRETS, secret());
    const token = await readToken();

    await test.call("DELETE", `${ACCOUNTS}/bot`);
    await settleControllers();

    expect(await test.server.checkToken(token)).toBeUndefined();
    expect((await test.call("GET", `${SECRETS}/bot-token`)).status).toBe(404);
  });

  it("goes when its account is not there", async () => {
    await test.call("POST", SECRETS, secret("nobody"));
    await settleControllers();

    expect((await test.call("GET", `${SECRETS}/bot-token`)).status).toBe(404);
  });

  it("is for the account of its uid alone", async () => {
    await test.call("POST", SECRETS, secret("bot", { "kubernetes.io/service-account.uid": "another" }));
    await settleControllers();

    expect((await test.call("GET", `${SECRETS}/bot-token`)).status).toBe(404);
  });
});
