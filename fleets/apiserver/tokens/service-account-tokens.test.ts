import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Answer, settleControllers, startTestServer, type TestServer } from "../test-server.ts";

const NAMESPACE = "/api/v1/namespaces/default";
const GROUP = "authentication.k8s.io/v1";

let test: TestServer;

beforeEach(async () => {
  test = await startTestServer({
    authorization: "rbac",
    tokens: (token) => (token === "fixed" ? { name: "alice", groups: ["devs"] } : undefined),
  });
  await test.call("POST", `${NAMESPACE}/serviceaccounts`, account("bot"));
});

afterEach(async () => {
  await test.server.close();
});

function account(name: string) {
  return { apiVersion: "v1", kind: "ServiceAccount", metadata: { name } };
}

function request(spec: object = {}, metadata: object = {}): Promise<Answer> {
  return test.call("POST", `${NAMESPACE}/serviceaccounts/bot/token`, {
    apiVersion: GROUP,
    kind: "TokenRequest",
    metadata,
    spec,
  });
}

async function tokenOf(spec: object = {}): Promise<string> {
  return String((await request(spec)).body["status"]!["token"]);
}

function claimsOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split(".")[1]!, "base64url").toString()) as Record<string, unknown>;
}

async function review(token: string, audiences?: readonly string[]): Promise<unknown> {
  const spec = { token, ...(audiences === undefined ? {} : { audiences }) };
  const answer = await test.call("POST", `/apis/${GROUP}/tokenreviews`, {
    apiVersion: GROUP,
    kind: "TokenReview",
    spec,
  });
  return answer.body["status"];
}

const REFUSED = { user: {}, error: "invalid bearer token" };

describe("TokenRequest", () => {
  it("answers a token for an hour and the server itself, unless asked otherwise", async () => {
    const usual = claimsOf(await tokenOf());
    const asked = claimsOf(await tokenOf({ audiences: ["vault"], expirationSeconds: 600 }));

    expect(usual).toMatchObject({ aud: ["https://kubernetes.default.svc"], sub: "system:serviceaccount:default:bot" });
    expect(Number(usual["exp"]) - Number(usual["iat"])).toBe(3600);
    expect(asked["aud"]).toEqual(["vault"]);
    expect(Number(asked["exp"]) - Number(asked["iat"])).toBe(600);
  });

  it.each([
    ["less than ten minutes", { expirationSeconds: 599 }, 422, "may not specify a duration less than 10 minutes"],
    [
      "more than 2^32 seconds",
      { expirationSeconds: 2 ** 33 },
      422,
      "may not specify a duration larger than 2^32 seconds",
    ],
    ["a time that is no number", { expirationSeconds: "x" }, 400, "cannot unmarshal string into Go struct field"],
    [
      "a Pod that is not there",
      { boundObjectRef: { kind: "Pod", apiVersion: "v1", name: "no" } },
      404,
      'pods "no" not found',
    ],
    ["a Secret that is not there", { boundObjectRef: { kind: "Secret", name: "no" } }, 404, 'secrets "no" not found'],
    ["a Node that is not there", { boundObjectRef: { kind: "Node", name: "no" } }, 404, 'nodes "no" not found'],
    [
      "a kind that no token lives with",
      { boundObjectRef: { kind: "ConfigMap", apiVersion: "v1", name: "c" } },
      400,
      "cannot bind token to object of type /v1, Kind=ConfigMap",
    ],
  ])("refuses %s", async (_what, spec, status, message) => {
    const answer = await request(spec);

    expect(answer.status).toBe(status);
    expect(String(answer.body["message"])).toContain(message);
  });

  it("refuses the name of another account, and another namespace", async () => {
    expect((await request({}, { name: "other" })).status).toBe(422);
    expect((await request({}, { namespace: "other" })).status).toBe(400);
  });

  it("binds to a Pod of the account only", async () => {
    const container = { name: "c", image: "i" };
    for (const [name, serviceAccountName] of [
      ["mine", "bot"],
      ["other", "default"],
    ]) {
      const pod = {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name },
        spec: { serviceAccountName, containers: [container] },
      };
      await test.call("POST", `${NAMESPACE}/pods`, pod);
    }

    const mine = await request({ boundObjectRef: { kind: "Pod", apiVersion: "v1", name: "mine" } });
    const other = await request({ boundObjectRef: { kind: "Pod", apiVersion: "v1", name: "other" } });
    const wrongUid = await request({ boundObjectRef: { kind: "Pod", apiVersion: "v1", name: "mine", uid: "x" } });

    expect(claimsOf(String(mine.body["status"]!["token"]))["kubernetes.io"]).toMatchObject({ pod: { name: "mine" } });
    expect([other.status, wrongUid.status]).toEqual([400, 409]);
  });
});

describe("a token of a ServiceAccount", () => {
  it("holds while the account is there, and not for the next one of its name", async () => {
    const token = await tokenOf();
    expect(await review(token)).toMatchObject({
      authenticated: true,
      user: { username: "system:serviceaccount:default:bot" },
    });

    await test.call("DELETE", `${NAMESPACE}/serviceaccounts/bot`);
    expect(await review(token)).toEqual(REFUSED);
    await test.call("POST", `${NAMESPACE}/serviceaccounts`, account("bot"));

    expect(await review(token)).toEqual(REFUSED);
  });

  it("holds while what it is bound to is there", async () => {
    await test.call("POST", `${NAMESPACE}/secrets`, { apiVersion: "v1", kind: "Secret", metadata: { name: "s" } });
    const token = await tokenOf({ boundObjectRef: { kind: "Secret", apiVersion: "v1", name: "s" } });
    expect(await review(token)).toMatchObject({ authenticated: true });

    await test.call("DELETE", `${NAMESPACE}/secrets/s`);

    expect(await review(token)).toEqual(REFUSED);
  });

  it("holds for its time", async () => {
    const token = await tokenOf({ expirationSeconds: 600 });
    await test.clock.advance(599_000);
    expect(await review(token)).toMatchObject({ authenticated: true });
    await test.clock.advance(2_000);

    expect(await review(token)).toEqual(REFUSED);
  });

  it("holds for its audiences only", async () => {
    const token = await tokenOf({ audiences: ["vault", "other"] });

    expect(await review(token)).toEqual(REFUSED);
    expect(await review(token, ["vault", "else"])).toMatchObject({ authenticated: true, audiences: ["vault"] });
    expect(await review("fixed", ["vault"])).toEqual(REFUSED);
  });

  it("does not hold once it is changed, or signed by another algorithm", async () => {
    const [head, body, signature] = (await tokenOf()).split(".");
    const claims = { ...claimsOf(`${head}.${body}.x`), sub: "system:serviceaccount:kube-system:root" };
    const forged = Buffer.from(JSON.stringify(claims)).toString("base64url");
    const none = Buffer.from('{"alg":"none"}').toString("base64url");

    for (const token of [
      `${head}.${forged}.${signature}`,
      `${none}.${body}.`,
      `${none}.${body}.${signature}`,
      "a.b.c",
      ".",
    ]) {
      expect(await review(token)).toEqual(REFUSED);
    }
  });
});

describe("Secrets of type service-account-token", () => {
  const secret = {
    apiVersion: "v1",
    kind: "Secret",
    type: "kubernetes.io/service-account-token",
    metadata: { name: "bot-token", annotations: { "kubernetes.io/service-account.name": "bot" } },
  };

  async function filled(): Promise<Answer> {
    await settleControllers();
    return test.call("GET", `${NAMESPACE}/secrets/bot-token`);
  }

  it("are filled with a token that never expires, the namespace and the authority", async () => {
    test.server.publishCa("PEM");
    await test.call("POST", `${NAMESPACE}/secrets`, secret);

    const { data } = (await filled()).body;

    const token = Buffer.from(String(data!["token"]), "base64").toString();
    expect(Buffer.from(String(data!["namespace"]), "base64").toString()).toBe("default");
    expect(Buffer.from(String(data!["ca.crt"]), "base64").toString()).toBe("PEM");
    await test.clock.advance(400 * 86_400_000);
    expect(await review(token)).toMatchObject({
      authenticated: true,
      user: { username: "system:serviceaccount:default:bot" },
    });
  });

  it("end their token with themselves, and go with their account", async () => {
    await test.call("POST", `${NAMESPACE}/secrets`, secret);
    const token = Buffer.from(String((await filled()).body["data"]!["token"]), "base64").toString();

    await test.call("DELETE", `${NAMESPACE}/secrets/bot-token`);
    expect(await review(token)).toEqual(REFUSED);
    await test.call("POST", `${NAMESPACE}/secrets`, secret);
    expect((await filled()).status).toBe(200);
    await test.call("DELETE", `${NAMESPACE}/serviceaccounts/bot`);

    expect((await filled()).status).toBe(404);
  });

  it("go when there is no such account", async () => {
    await test.call("POST", `${NAMESPACE}/secrets`, {
      ...secret,
      metadata: { ...secret.metadata, annotations: { "kubernetes.io/service-account.name": "nobody" } },
    });

    expect((await filled()).status).toBe(404);
  });
});
