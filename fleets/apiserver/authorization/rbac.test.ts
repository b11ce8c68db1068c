import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { UserInfo } from "../../../kube/client/transport.ts";
import { type Answer, CONFIG_MAPS, configMap, startTestServer, type TestServer } from "../test-server.ts";

const RBAC = "/apis/rbac.authorization.k8s.io/v1";
const alice: UserInfo = { name: "alice", groups: ["devs", "system:authenticated"] };

let test: TestServer;

beforeEach(async () => {
  test = await startTestServer({ authorization: "rbac" });
});

afterEach(async () => {
  await test.server.close();
});

async function as(
  user: UserInfo,
  method: string,
  path: string,
  object?: unknown,
): Promise<{ status: number; parsed?: unknown }> {
  return test.server.handle({ method, path, user, ...(object === undefined ? {} : { object }) });
}

function role(name: string, rules: readonly object[]) {
  return { apiVersion: "rbac.authorization.k8s.io/v1", kind: "Role", metadata: { name }, rules };
}

function binding(name: string, kind: string, roleName: string, subject: object) {
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind, name: roleName };
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "RoleBinding",
    metadata: { name },
    roleRef,
    subjects: [subject],
  };
}

function created(answer: Answer): void {
  expect(answer.status).toBe(201);
}

const toAlice = { kind: "User", name: "alice", apiGroup: "rbac.authorization.k8s.io" };

describe("role-based access control", () => {
  it("denies what nobody granted, in the reference's words", async () => {
    const { status, parsed } = await as(alice, "GET", `${CONFIG_MAPS}/x`);

    expect(status).toBe(403);
    expect(parsed).toMatchObject({
      message: `configmaps "x" is forbidden: User "alice" cannot get resource "configmaps" in API group "" in the namespace "default"`,
    });
  });

  it("allows by verb, resource, subresource and name, in the binding's namespace only", async () => {
    created(
      await test.call(
        "POST",
        `${RBAC}/namespaces/default/roles`,
        role("r", [
          { apiGroups: [""], resources: ["configmaps"], verbs: ["list"] },
          { apiGroups: [""], resources: ["secrets"], resourceNames: ["one"], verbs: ["get"] },
          { apiGroups: ["apps"], resources: ["*/scale"], verbs: ["get"] },
        ]),
      ),
    );
    created(await test.call("POST", `${RBAC}/namespaces/default/rolebindings`, binding("b", "Role", "r", toAlice)));

    const asked = [
      [CONFIG_MAPS, 200],
      [`${CONFIG_MAPS}/x`, 403],
      ["/api/v1/namespaces/default/secrets/one", 404],
      ["/api/v1/namespaces/default/secrets/two", 403],
      ["/apis/apps/v1/namespaces/default/deployments/d/scale", 404],
      ["/apis/apps/v1/namespaces/default/deployments/d", 403],
      ["/api/v1/namespaces/kube-system/configmaps", 403],
      ["/api/v1/configmaps", 403],
    ] as const;
    for (const [path, status] of asked) expect([path, (await as(alice, "GET", path)).status]).toEqual([path, status]);
  });

  it("lets who may list and watch one object do so by its name, and no other", async () => {
    const rule = { apiGroups: [""], resources: ["configmaps"], resourceNames: ["one"], verbs: ["list", "watch"] };
    created(await test.call("POST", `${RBAC}/namespaces/default/roles`, role("r", [rule])));
    created(await test.call("POST", `${RBAC}/namespaces/default/rolebindings`, binding("b", "Role", "r", toAlice)));

    const asked = [
      ["fieldSelector=metadata.name%3Done", 200],
      ["fieldSelector=metadata.name%3D%3Done", 200],
      ["fieldSelector=metadata.name%21%3Done", 403],
      ["fieldSelector=metadata.name%3Dtwo", 403],
      ["fieldSelector=metadata.namespace%3Done", 403],
      ["", 403],
    ] as const;
    for (const [query, status] of asked)
      expect([query, (await as(alice, "GET", `${CONFIG_MAPS}?${query}`)).status]).toEqual([query, status]);
  });

  it("follows a binding that goes away", async () => {
    created(
      await test.call("POST", `${RBAC}/namespaces/default/rolebindings`, binding("b", "ClusterRole", "view", toAlice)),
    );
    const before = await as(alice, "GET", CONFIG_MAPS);

    await test.call("DELETE", `${RBAC}/namespaces/default/rolebindings/b`);

    expect([before.status, (await as(alice, "GET", CONFIG_MAPS)).status]).toEqual([200, 403]);
  });

  it("gathers the rules of aggregated roles", async () => {
    const { body } = await test.call("GET", `${RBAC}/clusterroles/view`);

    expect(JSON.stringify(body["rules"])).toContain("configmaps");
    expect(JSON.stringify(body["rules"])).not.toContain("secrets");
  });

  it("lets nobody grant what they do not hold", async () => {
    created(
      await test.call(
        "POST",
        `${RBAC}/namespaces/default/roles`,
        role("binder", [
          { apiGroups: ["rbac.authorization.k8s.io"], resources: ["roles", "rolebindings"], verbs: ["create"] },
          { apiGroups: [""], resources: ["configmaps"], verbs: ["get"] },
        ]),
      ),
    );
    created(
      await test.call("POST", `${RBAC}/namespaces/default/rolebindings`, binding("b", "Role", "binder", toAlice)),
    );

    const more = await as(
      alice,
      "POST",
      `${RBAC}/namespaces/default/rolebindings`,
      binding("evil", "ClusterRole", "cluster-admin", toAlice),
    );
    const held = await as(
      alice,
      "POST",
      `${RBAC}/namespaces/default/roles`,
      role("same", [{ apiGroups: [""], resources: ["configmaps"], verbs: ["get"] }]),
    );

    expect([more.status, held.status]).toEqual([403, 201]);
  });

  it("lets only those act as others who may", async () => {
    const headers = { "impersonate-user": "bob" };

    const refused = await test.server.handle({ method: "GET", path: CONFIG_MAPS, headers, user: alice });
    const { parsed } = await test.server.handle({ method: "GET", path: CONFIG_MAPS, headers });

    expect(refused.status).toBe(403);
    expect(parsed).toMatchObject({ message: expect.stringContaining('User "bob" cannot list') });
  });
});

describe("tokens of ServiceAccounts", () => {
  async function issue(): Promise<string> {
    const accounts = "/api/v1/namespaces/default/serviceaccounts";
    await test.call("POST", accounts, { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "bot" } });
    const request = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { expirationSeconds: 600 } };
    const { body } = await test.call("POST", `${accounts}/bot/token`, request);
    return String(body["status"]!["token"]);
  }

  it("stand for the account until they expire", async () => {
    const token = await issue();

    expect(test.server.checkToken(token)).toMatchObject({ name: "system:serviceaccount:default:bot" });
    await test.clock.advance(601_000);
    expect(test.server.checkToken(token)).toBeUndefined();
  });

  it("end with the account, and cannot be changed", async () => {
    const token = await issue();
    const [head, body, signature] = token.split(".");
    const claims = JSON.parse(Buffer.from(body!, "base64url").toString()) as Record<string, unknown>;
    const forged = Buffer.from(JSON.stringify({ ...claims, exp: 9e9 })).toString("base64url");

    expect(test.server.checkToken(`${head}.${forged}.${signature}`)).toBeUndefined();
    await test.call("DELETE", "/api/v1/namespaces/default/serviceaccounts/bot");
    expect(test.server.checkToken(token)).toBeUndefined();
  });

  it("are told by in-process requests that carry them", async () => {
    const token = await issue();

    const good = await test.call("GET", CONFIG_MAPS, undefined, { authorization: `Bearer ${token}` });
    const bad = await test.call("GET", CONFIG_MAPS, undefined, { authorization: "Bearer x.y.z" });

    expect([good.status, bad.status]).toEqual([403, 401]);
  });
});

describe("a server without roles", () => {
  it("allows everything to everybody who is known", async () => {
    const open = await startTestServer();

    const known = await open.server.handle({ method: "POST", path: CONFIG_MAPS, user: alice, object: configMap("a") });
    const stranger: UserInfo = { name: "system:anonymous", groups: ["system:unauthenticated"] };
    const unknown = await open.server.handle({ method: "GET", path: CONFIG_MAPS, user: stranger });

    expect([known.status, unknown.status]).toEqual([201, 403]);
    await open.server.close();
  });
});
