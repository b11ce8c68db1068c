import { mkdtempSync, rmSync } from "node:fs";
import { createServer as createHttpServer, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { type AddressInfo, connect as connectTcp } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../runtime/clock.ts";
import { silentLogger } from "../../runtime/logger.ts";
import { createSimulatedCluster } from "../simulator/simulated-cluster.ts";
import { type ProxyServer, startProxyServer, throughProxy } from "./support/proxy-server.ts";
import { type RecordingMember, startRecordingMember } from "./support/recording-member.ts";

const ALICE = {
  name: "alice",
  groups: ["devs", "ops"],
  uid: "a-1",
  extra: { "example.org/Scopes": ["read", "write"] },
};
const USERS = { alice: ALICE, bob: { name: "bob", groups: ["devs"] } };

let folder: string;
let member: RecordingMember;
let plane: ProxyServer;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "member-"));
  member = await startRecordingMember(join(folder, "pki"));
  plane = await startProxyServer({ users: USERS, answerTimeoutMs: 300 });
  await plane.join("m1", { apiEndpoint: `${member.url}/base` }, { caPem: member.caPem });
  await allow("alice", ["get", "create", "update", "patch", "delete"]);
});

beforeEach(() => member.reset());

afterAll(async () => {
  await plane.close();
  await member.close();
  rmSync(folder, { recursive: true });
});

async function allow(user: string, verbs: readonly string[], resourceNames?: readonly string[]): Promise<void> {
  const api = "rbac.authorization.k8s.io/v1";
  const rule = { apiGroups: ["cluster.karmada.io"], resources: ["clusters/proxy"], verbs };
  const rules = [resourceNames === undefined ? rule : { ...rule, resourceNames }];
  await plane.client.create({ apiVersion: api, kind: "ClusterRole", metadata: { name: user }, rules });
  await plane.client.create({
    apiVersion: api,
    kind: "ClusterRoleBinding",
    metadata: { name: user },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: user },
    subjects: [{ kind: "User", name: user, apiGroup: "rbac.authorization.k8s.io" }],
  });
}

/** Lets what is on its way arrive, as far as it is going to. */
async function settled(): Promise<"settled"> {
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
  return "settled";
}

function onlyRequest(): RecordingMember["requests"][number] {
  expect(member.requests).toHaveLength(1);
  return member.requests[0]!;
}

describe("clusters/proxy", () => {
  it.each(["GET", "POST", "PUT", "PATCH", "DELETE"])(
    "passes on %s with path, query, headers and body",
    async (method) => {
      member.answer = (_request, response) =>
        response.writeHead(201, { "x-mine": "a", warning: "299 - b" }).end("answer");
      const body = method === "GET" ? "" : '{"a":1}';

      const path = throughProxy("m1", "/api/v1/pods/?labelSelector=a%3Db&x=%2F");
      const reply = await plane.ask(path, { method, token: "alice", headers: { "content-type": "a/b" }, body });

      expect(reply).toMatchObject({ status: 201, text: "answer", headers: { "x-mine": "a", warning: "299 - b" } });
      expect(onlyRequest()).toMatchObject({
        method,
        url: "/base/api/v1/pods/?labelSelector=a%3Db&x=%2F",
        body,
        headers: { "content-type": "a/b" },
      });
    },
  );

  it("passes on HEAD, and OPTIONS for who may do everything", async () => {
    member.answer = (_request, response) => response.writeHead(200, { "x-mine": "a" }).end();

    expect(await plane.ask(throughProxy("m1", "/version"), { method: "HEAD", token: "alice" })).toMatchObject({
      status: 200,
      headers: { "x-mine": "a" },
    });
    expect((await plane.ask(throughProxy("m1", ""), { method: "OPTIONS", token: "alice" })).status).toBe(403);
    expect((await plane.ask(throughProxy("m1", ""), { method: "OPTIONS" })).status).toBe(200);
    expect(member.requests.map(({ method, url }) => [method, url])).toEqual([
      ["HEAD", "/base/version"],
      ["OPTIONS", "/base/"],
    ]);
  });

  it("asks in the name of the caller, with the account that may act for others", async () => {
    await plane.ask(throughProxy("m1", "/version"), { token: "alice" });

    const { headers, raw } = onlyRequest();
    expect(headers).toMatchObject({
      authorization: "Bearer impersonator-token",
      "impersonate-user": "alice",
      "impersonate-uid": "a-1",
    });
    const groups = raw.filter((_, index) => raw[index - 1]?.toLowerCase() === "impersonate-group");
    expect(groups).toEqual(["devs", "ops"]);
    const extra = raw.filter((_, index) => raw[index - 1]?.toLowerCase() === "impersonate-extra-example.org%2fscopes");
    expect(extra).toEqual(["read", "write"]);
  });

  it("keeps the UID back from accounts that may not tell it, and no extra that may narrow rights", async () => {
    member.wholeIdentity = false;
    await plane.join("karmadas", { apiEndpoint: member.url }, { caPem: member.caPem });

    await plane.ask(throughProxy("karmadas", "/version"), { token: "alice" });

    const { headers } = onlyRequest();
    expect(headers["impersonate-uid"]).toBeUndefined();
    expect(headers["impersonate-extra-example.org%2fscopes"]).toBe("read, write");
  });

  it("lets nothing through that the caller says of itself", async () => {
    await plane.ask(throughProxy("m1", "/version"), {
      token: "alice",
      headers: {
        "X-Remote-User": "root",
        "X-Remote-Group": "system:masters",
        Impersonate_User: "root",
        Connection: "close, Impersonate-User, Authorization",
        Cookie: "session=1",
        "X-Forwarded-For": "10.0.0.1",
      },
    });

    const { headers, raw } = onlyRequest();
    expect(headers).toMatchObject({ authorization: "Bearer impersonator-token", "impersonate-user": "alice" });
    expect(raw.join("\n")).not.toMatch(/root|masters|session|10\.0\.0\.1/);
  });

  it("asks for whom the caller acts, when it may", async () => {
    const headers = { "Impersonate-User": "carol", "Impersonate-Group": "qa" };

    expect((await plane.ask(throughProxy("m1", "/version"), { token: "bob", headers })).status).toBe(403);
    expect((await plane.ask(throughProxy("m1", "/version"), { headers: { ...headers } })).status).toBe(403);
    await allow("carol", ["get"]);
    await plane.ask(throughProxy("m1", "/version"), { headers });

    expect(onlyRequest().headers).toMatchObject({ "impersonate-user": "carol", "impersonate-group": "qa" });
  });

  it("refuses who has no right on the subresource, whatever right on the kind", async () => {
    await allow("bob", ["get"], ["other"]);

    const reply = await plane.ask(throughProxy("m1", "/version"), { token: "bob" });

    expect(reply.status).toBe(403);
    expect(JSON.parse(reply.text).message).toBe(
      'clusters.cluster.karmada.io "m1" is forbidden: User "bob" cannot get resource "clusters/proxy" in API group "cluster.karmada.io" at the cluster scope',
    );
    expect((await plane.ask(throughProxy("m1", "/version"), { token: "" })).status).toBe(403);
    expect((await plane.ask(throughProxy("m1", "/version"), { token: "wrong" })).status).toBe(401);
    expect(member.requests).toEqual([]);
  });

  it.each(["/../secret", "/a/..", "/..%2fsecret", "/%2e%2e/secret", "/a%2F..%2Fb", "/.", "/..%5csecret", "/api/%2e"])(
    "refuses the path %s",
    async (path) => {
      expect((await plane.ask(throughProxy("m1", path))).status).toBe(400);
      expect(member.requests).toEqual([]);
    },
  );

  it("passes escapes on as they are", async () => {
    const path = "/api/v1/namespaces/a/services/https:web:443/proxy/a%2Fb/%252e%252e/c";

    await plane.ask(throughProxy("m1", path));

    expect(onlyRequest().url).toBe(`/base${path}`);
  });

  it("follows no redirection, and keeps callers in the member", async () => {
    member.answer = (request, response) =>
      response.writeHead(301, { location: String(new URL(request.url, "http://x").searchParams.get("to")) }).end();
    const redirected = async (to: string) => {
      const reply = await plane.ask(throughProxy("m1", `/openapi/v3?to=${encodeURIComponent(to)}`));
      return [reply.status, reply.headers["location"]];
    };

    expect(await redirected("/base/openapi/v3?hash=1")).toEqual([301, throughProxy("m1", "/openapi/v3?hash=1")]);
    expect(await redirected(`${member.url}/base/x`)).toEqual([301, throughProxy("m1", "/x")]);
    expect(await redirected("v4")).toEqual([301, throughProxy("m1", "/openapi/v4")]);
    expect(await redirected("/elsewhere")).toEqual([502, undefined]);
    expect(await redirected("//169.254.169.254/")).toEqual([502, undefined]);
    expect(await redirected("https://example.org/")).toEqual([502, undefined]);
  });

  it("answers with what the member answers, refusals included", async () => {
    member.answer = (_request, response) => response.writeHead(409, { "retry-after": "3" }).end('{"kind":"Status"}');

    expect(await plane.askHttp2(throughProxy("m1", "/x"), { token: "alice" })).toMatchObject({
      status: 409,
      headers: { "retry-after": "3" },
      text: '{"kind":"Status"}',
    });
  });

  it("says whose credentials a member refuses", async () => {
    member.answer = (_request, response) => response.writeHead(401).end();

    const reply = await plane.ask(throughProxy("m1", "/x"));

    expect(reply.status).toBe(401);
    expect(reply.headers["warning"]).toMatch(/cluster m1 does not accept the account that acts for others/);
  });

  it("uses new credentials as soon as the Secret has them", async () => {
    await plane.join("rotated", { apiEndpoint: member.url }, { caPem: member.caPem });
    await plane.ask(throughProxy("rotated", "/a"));
    const secret = { apiVersion: "v1", kind: "Secret", namespace: "karmada-cluster", name: "rotated-impersonator" };
    await plane.client.patch(secret, { data: { token: Buffer.from("new-token").toString("base64") } }, "merge");
    await plane.ask(throughProxy("rotated", "/b"));

    expect(member.requests.map(({ headers }) => headers["authorization"])).toEqual([
      "Bearer impersonator-token",
      "Bearer new-token",
    ]);
  });
});

describe("clusters/proxy without an answer", () => {
  async function refusal(cluster: string): Promise<[number, string]> {
    const reply = await plane.ask(throughProxy(cluster, "/version"));
    return [reply.status, JSON.parse(reply.text).message];
  }

  it("is 404 for a cluster that does not exist", async () => {
    expect(await refusal("nope")).toEqual([404, 'clusters.cluster.karmada.io "nope" not found']);
  });

  it("says what is missing", async () => {
    await plane.join("no-endpoint", {});
    await plane.join("no-secret", { impersonatorSecretRef: { namespace: "a", name: "gone" }, apiEndpoint: member.url });
    await plane.client.create({
      apiVersion: "cluster.karmada.io/v1alpha1",
      kind: "Cluster",
      metadata: { name: "no-reference" },
      spec: { syncMode: "Push", apiEndpoint: member.url },
    });

    expect(await refusal("no-endpoint")).toEqual([503, expect.stringMatching(/has no spec\.apiEndpoint/)]);
    expect(await refusal("no-secret")).toEqual([503, expect.stringMatching(/Secret a\/gone does not exist.*join/)]);
    expect(await refusal("no-reference")).toEqual([503, expect.stringMatching(/spec\.impersonatorSecretRef.*join/)]);
  });

  it("says that the member does not answer, and shows no credential", async () => {
    await plane.join("down", { apiEndpoint: "https://127.0.0.1:1" }, { caPem: member.caPem });
    await plane.join("other", { apiEndpoint: member.url });

    const [code, message] = await refusal("down");
    expect(code).toBe(503);
    expect(message).toMatch(/^cluster "down" does not answer: connect ECONNREFUSED 127\.0\.0\.1:1; 'kubectl describe/);
    // No authority is known for this one.
    expect(await refusal("other")).toEqual([503, expect.stringMatching(/certificate/)]);
    expect(message).not.toContain("token");
  });

  it("gives up when the answer does not begin, and waits for streams", async () => {
    const answers: (() => void)[] = [];
    member.answer = (request, response) => {
      if (request.url.includes("follow")) answers.push(() => response.end("late"));
    };

    const following = plane.ask(throughProxy("m1", "/api/v1/namespaces/a/pods/b/log?follow=true"));
    expect(await refusal("m1")).toEqual([504, expect.stringMatching(/does not answer in time/)]);
    answers[0]!();

    expect((await following).text).toBe("late");
  });

  it("takes no kubeconfig that reaches out of its Secret", async () => {
    const kubeconfig = JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      "current-context": "a",
      contexts: [{ name: "a", context: { cluster: "a", user: "a" } }],
      clusters: [{ name: "a", cluster: { server: member.url } }],
      users: [{ name: "a", user: { exec: { apiVersion: "client.authentication.k8s.io/v1", command: "id" } } }],
    });
    await plane.join("exec", {}, { impersonator: { kubeconfig } });

    expect(await refusal("exec")).toEqual([503, expect.stringMatching(/runs a command/)]);
  });
});

describe("clusters/proxy with streams", () => {
  it("passes the parts of an answer on as they come, and ends the member's when the caller goes", async () => {
    let write: (text: string) => void = () => undefined;
    const gone = new Promise<void>((resolve) => {
      member.stream = (_incoming, response) => {
        response.writeHead(200).flushHeaders();
        write = (text) => response.write(text);
        response.on("close", resolve);
      };
    });
    const sent = httpsRequest(plane.requestOptions(throughProxy("m1", "/api/v1/pods?watch=true")));
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      sent.on("response", resolve).on("error", reject).end();
    });
    const parts = answer[Symbol.asyncIterator]();

    write("one\n");
    expect(String((await parts.next()).value)).toBe("one\n");
    write("two\n");
    expect(String((await parts.next()).value)).toBe("two\n");
    sent.on("error", () => undefined).destroy();
    await gone;
  });

  it("passes a large body on in parts, as fast as the member takes them", async () => {
    const total = 40 * 1_048_576;
    let received = 0;
    let resume: () => void = () => undefined;
    const paused = new Promise<void>((reached) => {
      member.stream = (incoming, response) => {
        incoming.on("data", (chunk: Buffer) => {
          received += chunk.byteLength;
        });
        incoming.once("data", () => {
          incoming.pause();
          resume = () => incoming.resume();
          reached();
        });
        incoming.on("end", () => response.end(String(received)));
      };
    });
    const base = plane.requestOptions(throughProxy("m1", "/upload"));
    const sent = httpsRequest({ ...base, method: "POST" });
    const answer = new Promise<IncomingMessage>((resolve, reject) => sent.on("response", resolve).on("error", reject));
    const chunk = Buffer.alloc(1_048_576);
    let stalls = 0;
    for (let left = total; left > 0; left -= chunk.byteLength) {
      if (sent.write(chunk)) continue;
      const drained = new Promise<"drained">((resolve) => sent.once("drain", () => resolve("drained")));
      await paused;
      // Buffers between here and the member are full long before the whole body is sent.
      if ((await Promise.race([drained, settled()])) === "drained") continue;
      stalls += 1;
      resume();
      await drained;
    }
    sent.end();

    let text = "";
    for await (const part of await answer) text += String(part);
    expect(text).toBe(String(total));
    expect(stalls).toBeGreaterThan(0);
  });
});

describe("clusters/proxy with upgrades", () => {
  function upgrade(path: string, token = "alice", headers: Record<string, string> = {}) {
    const base = plane.requestOptions(path, token);
    const sent = httpsRequest({
      ...base,
      method: "POST",
      headers: { ...base.headers, connection: "Upgrade", upgrade: "SPDY/3.1", ...headers } as Record<string, string>,
    });
    return new Promise<{ answer: IncomingMessage; socket: Duplex | undefined }>((resolve, reject) => {
      sent.on("upgrade", (answer, socket) => resolve({ answer, socket }));
      sent.on("response", (answer) => resolve({ answer, socket: undefined }));
      sent.on("error", reject).end();
    });
  }

  it("joins the connections of caller and member", async () => {
    member.upgrade = (_request, socket) => {
      socket.write(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Mine: a\r\n\r\nhello ",
      );
      socket.on("data", (chunk: Buffer) => socket.end(`${chunk.toString().toUpperCase()} bye`));
    };

    const { answer, socket } = await upgrade(throughProxy("m1", "/api/v1/namespaces/a/pods/b/exec?command=ls"));
    let text = "";
    socket!.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    socket!.write("abc");
    await new Promise((resolve) => socket!.once("end", resolve));

    expect(answer.statusCode).toBe(101);
    expect(answer.headers).toMatchObject({ upgrade: "SPDY/3.1", "x-mine": "a" });
    expect(text).toBe("hello ABC bye");
    expect(onlyRequest()).toMatchObject({
      url: "/base/api/v1/namespaces/a/pods/b/exec?command=ls",
      headers: { authorization: "Bearer impersonator-token", "impersonate-user": "alice", upgrade: "SPDY/3.1" },
    });
  });

  it("ends the member's connection when the caller's ends, and the other way round", async () => {
    const sockets: Duplex[] = [];
    member.upgrade = (_request, socket) => {
      sockets.push(socket);
      socket.on("error", () => undefined);
      socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n");
    };
    const first = await upgrade(throughProxy("m1", "/exec"));
    const second = await upgrade(throughProxy("m1", "/exec"));

    const memberGone = new Promise((resolve) => sockets[0]!.once("close", resolve));
    first.socket!.on("error", () => undefined).destroy();
    await memberGone;
    const callerGone = new Promise((resolve) => second.socket!.once("close", resolve));
    second.socket!.on("error", () => undefined).resume();
    sockets[1]!.destroy();
    await callerGone;
  });

  it("hands over no connection without right, and none that the member does not upgrade", async () => {
    member.upgrade = (_request, socket) => {
      socket.end("HTTP/1.1 400 Bad Request\r\nContent-Length: 4\r\nConnection: close\r\n\r\nno\r\n");
    };

    const refused = await upgrade(throughProxy("m1", "/exec"), "bob");
    const unwilling = await upgrade(throughProxy("m1", "/exec"));

    expect([refused.answer.statusCode, refused.socket]).toEqual([403, undefined]);
    expect([unwilling.answer.statusCode, unwilling.socket]).toEqual([400, undefined]);
    expect(unwilling.answer.headers["connection"]).toBe("close");
    expect(member.requests).toHaveLength(1);
  });

  it.each(["/api/v1/namespaces", "/api/v1//namespaces", "/%zz", "/clusters/none/x"])(
    "upgrades nothing else: %s",
    async (path) => {
      const { answer, socket } = await upgrade(path, "admin");

      expect(answer.statusCode).toBeGreaterThanOrEqual(400);
      expect(socket).toBeUndefined();
    },
  );

  it("passes on no token that hides in the WebSocket protocols", async () => {
    member.upgrade = (_request, socket) => socket.destroy();

    const protocols = "base64url.bearer.authorization.k8s.io.c2VjcmV0, v5.channel.k8s.io";
    await upgrade(throughProxy("m1", "/exec"), "alice", { "sec-websocket-protocol": protocols });

    expect(onlyRequest().headers["sec-websocket-protocol"]).toBe("v5.channel.k8s.io");
  });
});

describe("clusters/proxy behind an HTTP proxy", () => {
  it("reaches the member through spec.proxyURL with the headers of spec.proxyHeader", async () => {
    const asked: [string | undefined, unknown][] = [];
    const proxy = createHttpServer();
    const sockets: Duplex[] = [];
    proxy.on("connect", (request, socket) => {
      sockets.push(socket);
      asked.push([request.url, request.headers["x-tenant"]]);
      const { hostname, port } = new URL(`http://${request.url}`);
      const onward = connectTcp(Number(port), hostname, () => {
        socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
        onward.pipe(socket).pipe(onward);
      });
      onward.on("error", () => socket.destroy());
      socket.on("error", () => onward.destroy());
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    const proxyURL = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    await plane.join(
      "behind",
      { apiEndpoint: member.url, proxyURL, proxyHeader: { "X-Tenant": "a" } },
      { caPem: member.caPem },
    );

    const reply = await plane.ask(throughProxy("behind", "/version"));

    expect([reply.status, reply.text]).toEqual([200, "{}"]);
    expect(asked).toEqual([[new URL(member.url).host, "a"]]);
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => proxy.close(resolve));
  });
});

describe("clusters/proxy of a member in this process", () => {
  it("is the same, without a connection and without credentials", async () => {
    const simulated = await createSimulatedCluster({
      name: "sim",
      clock: systemClock,
      logger: silentLogger,
      level: "fast",
      nodes: 1,
    });
    const local = await startProxyServer({
      users: USERS,
      answerTimeoutMs: 100,
      local: (name) => (name === "sim" ? simulated.transport : undefined),
    });
    await local.join("sim", {});
    const body = JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" } });

    const path = throughProxy("sim", "/api/v1/namespaces/default/configmaps");
    const headers = { "content-type": "application/json", "user-agent": "me/1" };
    expect((await local.ask(path, { method: "POST", body, headers })).status).toBe(201);
    const listed = JSON.parse((await local.ask(path)).text);
    expect(listed.items.map((item: { metadata: { name: string } }) => item.metadata.name)).toContain("a");
    const self = JSON.stringify({ apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" });
    const reviews = throughProxy("sim", "/apis/authentication.k8s.io/v1/selfsubjectreviews");
    const review = JSON.parse((await local.ask(reviews, { method: "POST", body: self, headers })).text);
    expect(review.status.userInfo).toMatchObject({ username: "admin" });

    simulated.setFault("down");
    expect((await local.ask(path)).status).toBe(503);
    simulated.setFault("hang");
    expect((await local.ask(path)).status).toBe(504);
    await local.close();
    await simulated.close();
  });
});
