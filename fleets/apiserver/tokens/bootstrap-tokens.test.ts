import { createHmac } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { UserInfo } from "../../../kube/client/transport.ts";
import { startTestServer, type TestServer } from "../test-server.ts";

const SECRETS = "/api/v1/namespaces/kube-system/secrets";
const INFO = "/api/v1/namespaces/kube-public/configmaps/cluster-info";
const CA = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
const ID = "abcdef";
const SECRET = "0123456789abcdef";
const ANONYMOUS: UserInfo = { name: "system:anonymous", groups: ["system:unauthenticated"] };

let test: TestServer;

beforeEach(async () => {
  test = await startTestServer({ authorization: "rbac" });
});

afterEach(async () => {
  await test.server.close();
});

async function addToken(data: Readonly<Record<string, string>> = {}, more: object = {}): Promise<void> {
  const stringData = {
    "token-id": ID,
    "token-secret": SECRET,
    "usage-bootstrap-authentication": "true",
    "usage-bootstrap-signing": "true",
    "auth-extra-groups": "system:bootstrappers:karmada:default-cluster-token",
    ...data,
  };
  const { status } = await test.call("POST", SECRETS, {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: `bootstrap-token-${ID}` },
    type: "bootstrap.kubernetes.io/token",
    stringData,
    ...more,
  });
  expect(status).toBe(201);
}

/** Lets the server's own controllers act. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

describe("a bootstrap token", () => {
  it("stands for a user of its own in the groups that its Secret names", async () => {
    await addToken();

    expect(test.server.checkToken(`${ID}.${SECRET}`)).toEqual({
      name: "system:bootstrap:abcdef",
      groups: ["system:bootstrappers", "system:bootstrappers:karmada:default-cluster-token"],
    });
  });

  it("holds until it expires, and its Secret goes then", async () => {
    await addToken({ expiration: new Date(test.clock.now() + 60_000).toISOString() });
    await settled();
    const before = test.server.checkToken(`${ID}.${SECRET}`);

    await test.clock.advance(60_000);
    await settled();

    expect(before).toBeDefined();
    expect(test.server.checkToken(`${ID}.${SECRET}`)).toBeUndefined();
    expect((await test.call("GET", `${SECRETS}/bootstrap-token-${ID}`)).status).toBe(404);
  });

  it.each<[string, Record<string, string>, object?]>([
    ["another secret", { "token-secret": "ffffffffffffffff" }],
    ["no right to authenticate", { "usage-bootstrap-authentication": "false" }],
    ["a time that cannot be read", { expiration: "tomorrow" }],
    ["a group that is no bootstrappers'", { "auth-extra-groups": "system:masters" }],
    ["a group of masters beside a good one", { "auth-extra-groups": "system:bootstrappers:a,system:masters" }],
    ["another id than its name's", { "token-id": "ffffff" }],
    ["another type", {}, { type: "Opaque" }],
  ])("does not hold with %s", async (_what, data, more) => {
    await addToken(data, more);

    expect(test.server.checkToken(`${ID}.${SECRET}`)).toBeUndefined();
  });

  it("ends with its Secret", async () => {
    await addToken();
    await test.call("DELETE", `${SECRETS}/bootstrap-token-${ID}`);

    expect(test.server.checkToken(`${ID}.${SECRET}`)).toBeUndefined();
  });

  it.each(["", ".", `${ID}.`, `${ID}.${SECRET}x`, `${ID.toUpperCase()}.${SECRET}`, `../${ID}.${SECRET}`])(
    "is not %j",
    async (bearer) => {
      await addToken();

      expect(test.server.checkToken(bearer)).toBeUndefined();
    },
  );
});

describe("cluster-info", () => {
  beforeEach(() => {
    test.server.publishCa(CA);
    test.server.publishEndpoint("https://example.org:6443");
  });

  async function readInfo(): Promise<Record<string, string>> {
    await settled();
    const answer = await test.server.handle({ method: "GET", path: INFO, user: ANONYMOUS });
    expect(answer.status).toBe(200);
    return (answer as { parsed?: { data: Record<string, string> } }).parsed!.data;
  }

  it("tells strangers the server and its authority, and nothing else is told to them", async () => {
    const { kubeconfig = "" } = await readInfo();

    expect(kubeconfig).toContain("server: https://example.org:6443");
    expect(kubeconfig).toContain(Buffer.from(CA).toString("base64"));
    const others = await test.server.handle({ method: "GET", path: SECRETS, user: ANONYMOUS });
    expect(others.status).toBe(403);
  });

  it("is signed by each token that may sign, for as long as there is one", async () => {
    await addToken();
    const { kubeconfig = "", [`jws-kubeconfig-${ID}`]: jws = "" } = await readInfo();
    const [header = "", payload, signature] = jws.split(".");
    const signed = `${header}.${Buffer.from(kubeconfig).toString("base64url")}`;

    expect(JSON.parse(Buffer.from(header, "base64url").toString())).toEqual({ alg: "HS256", kid: ID });
    expect(payload).toBe("");
    expect(signature).toBe(createHmac("sha256", SECRET).update(signed).digest("base64url"));

    await test.call("DELETE", `${SECRETS}/bootstrap-token-${ID}`);
    expect(Object.keys(await readInfo())).toEqual(["kubeconfig"]);
  });

  it("is not signed by a token that may not sign", async () => {
    await addToken({ "usage-bootstrap-signing": "false" });

    expect(Object.keys(await readInfo())).toEqual(["kubeconfig"]);
  });

  it("follows the server to another address", async () => {
    await addToken();
    test.server.publishEndpoint("https://example.org:7443");

    expect((await readInfo())["kubeconfig"]).toContain("server: https://example.org:7443");
  });
});
