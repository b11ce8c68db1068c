// Two servers of ours: one passes on what it does not serve, the other stands behind it.
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, request, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../runtime/clock.ts";
import { silentLogger } from "../../../runtime/logger.ts";
import { eventually } from "../../../test/e2e/support/eventually.ts";
import { ensureCertificates, FRONT_PROXY_NAME } from "../http/certificates.ts";
import { type Listener, listen } from "../http/listener.ts";
import { createApiServer } from "../server.ts";
import { type LooseObject, type ServerCaller, testServerOver } from "../test-server.ts";

const SERVICES = "/apis/apiregistration.k8s.io/v1/apiservices";
const GROUP = "wardle.example.com";
const FLUNDERS = `/apis/${GROUP}/v1/flunders`;
const AGGREGATED = { accept: "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList" };

let folder: string;
let front: ServerCaller;
let frontListener: Listener;
let back: ServerCaller;
let backListener: Listener;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "aggregation-"));
  const certificates = await ensureCertificates(join(folder, "front"), ["127.0.0.1"], systemClock);
  back = testServerOver(await createApiServer({ name: "back", clock: systemClock, logger: silentLogger }));
  await back.call("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition());
  backListener = await listen(back.server, {
    host: "127.0.0.1",
    port: 0,
    directory: join(folder, "back"),
    hostnames: ["wardle.default.svc"],
    requestHeader: { caPem: certificates.frontProxy.caPem, allowedNames: [FRONT_PROXY_NAME] },
    clock: systemClock,
    logger: silentLogger,
  });
  front = testServerOver(
    await createApiServer({ name: "front", clock: systemClock, logger: silentLogger, authorization: "rbac" }),
  );
  frontListener = await listen(front.server, {
    host: "127.0.0.1",
    port: 0,
    directory: join(folder, "front"),
    clock: systemClock,
    logger: silentLogger,
  });
});

afterEach(async () => {
  for (const service of await apiServices()) await front.call("DELETE", `${SERVICES}/${service}`);
  await front.call("DELETE", "/api/v1/namespaces/default/services/wardle");
  await front.call("DELETE", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/wardle");
});

afterAll(async () => {
  await frontListener.close();
  await front.server.close();
  await backListener.close();
  await back.server.close();
  rmSync(folder, { recursive: true });
});

function definition() {
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `flunders.${GROUP}` },
    spec: {
      group: GROUP,
      scope: "Cluster",
      names: { plural: "flunders", kind: "Flunder", shortNames: ["fl"] },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          subresources: { status: {} },
          schema: {
            openAPIV3Schema: {
              type: "object",
              properties: { spec: { type: "object", properties: { a: { type: "string" } } } },
            },
          },
        },
      ],
    },
  };
}

async function apiServices(): Promise<string[]> {
  const { body } = await front.call("GET", SERVICES);
  return body["items"]!.map((item) => String(item["metadata"]!["name"])).filter((name) => name.includes("example.com"));
}

async function register(spec: object = {}, group = GROUP): Promise<void> {
  const { status } = await front.call("POST", SERVICES, {
    apiVersion: "apiregistration.k8s.io/v1",
    kind: "APIService",
    metadata: { name: `v1.${group}` },
    spec: {
      group,
      version: "v1",
      groupPriorityMinimum: 2000,
      versionPriority: 10,
      caBundle: Buffer.from(backListener.caPem).toString("base64"),
      service: { namespace: "default", name: "wardle", port: backListener.port },
      ...spec,
    },
  });
  expect(status).toBe(201);
}

async function addService(spec: object = { type: "ExternalName", externalName: "127.0.0.1" }): Promise<void> {
  const metadata = { name: "wardle" };
  const { status } = await front.call("POST", "/api/v1/namespaces/default/services", {
    apiVersion: "v1",
    kind: "Service",
    metadata,
    spec,
  });
  expect(status).toBe(201);
}

async function available(): Promise<[unknown, unknown, unknown]> {
  const { body } = await front.call("GET", `${SERVICES}/v1.${GROUP}`);
  const condition = (body["status"]?.["conditions"] as unknown as LooseObject[] | undefined)?.[0];
  return [condition?.["status"], condition?.["reason"], condition?.["message"]];
}

async function until(reason: string): Promise<void> {
  await eventually(async () => expect((await available())[1]).toBe(reason));
}

async function serve(): Promise<void> {
  await addService();
  await register();
  await until("Passed");
}

describe("the availability of an APIService", () => {
  it("says that the Service is missing, then that it is reached", async () => {
    await register();
    await until("ServiceNotFound");
    expect(await available()).toEqual(["False", "ServiceNotFound", 'service/wardle in "default" is not present']);

    await addService();
    await until("Passed");
    expect(await available()).toEqual(["True", "Passed", "all checks passed"]);
  });

  it("minds ports and endpoints of Services with a cluster address", async () => {
    await addService({ ports: [{ name: "https", port: 444 }] });
    await register({ service: { namespace: "default", name: "wardle", port: 443 } });
    await until("ServicePortError");
    await front.call("DELETE", "/api/v1/namespaces/default/services/wardle");
    await addService({ ports: [{ name: "https", port: 443 }] });
    await until("EndpointsNotFound");
    expect((await available())[2]).toBe('cannot find endpointslices for service/wardle in "default"');

    const slice = {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { name: "wardle", labels: { "kubernetes.io/service-name": "wardle" } },
      addressType: "IPv4",
      endpoints: [{ addresses: ["127.0.0.1"] }],
      ports: [{ name: "https", port: backListener.port }],
    };
    await front.call("POST", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", slice);
    await until("Passed");

    expect((await front.call("GET", FLUNDERS)).body["kind"]).toBe("FlunderList");
  });

  it("says why the server does not answer", async () => {
    await addService();
    await register({ service: { namespace: "default", name: "wardle", port: 1 } });
    await until("FailedDiscoveryCheck");

    expect((await available())[2]).toMatch(/^failing or missing response from https:\/\/127\.0\.0\.1:1\/apis\/wardle/);
    expect(await front.call("GET", FLUNDERS)).toMatchObject({ status: 503, body: "service unavailable\n" });
  });

  it("trusts the authority that is given, and no other", async () => {
    await addService();
    await register({ caBundle: Buffer.from(frontListener.caPem).toString("base64") });
    await until("FailedDiscoveryCheck");
    await front.call("DELETE", `${SERVICES}/v1.${GROUP}`);
    await register({ caBundle: undefined, insecureSkipTLSVerify: true });
    await until("Passed");
  });
});

describe("requests of an APIService's group-version", () => {
  it("reach the other server, and come back as they are", async () => {
    await serve();
    const flunder = { apiVersion: `${GROUP}/v1`, kind: "Flunder", metadata: { name: "f" }, spec: { a: "b" } };

    expect((await front.call("POST", FLUNDERS, flunder)).status).toBe(201);
    expect((await back.call("GET", `${FLUNDERS}/f`)).body["spec"]).toEqual({ a: "b" });
    expect((await front.call("GET", `${FLUNDERS}/none`)).body).toMatchObject({ kind: "Status", code: 404 });
    expect((await front.call("DELETE", `${FLUNDERS}/f`)).status).toBe(200);
  });

  it("tell the other server who the user is", async () => {
    await serve();
    const seen: unknown[] = [];
    const api = { user: { name: "ann", groups: ["devs"], extra: { Scopes: ["a", "b"] } } };
    // The other server knows only system:masters and those it was told of; ann is known by name there.
    const role = { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", metadata: { name: "fl" } };
    const rules = [{ apiGroups: [GROUP], resources: ["*"], verbs: ["*"] }];
    await front.call("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", { ...role, rules });
    await front.call("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRoleBinding",
      metadata: { name: "fl" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "fl" },
      subjects: [{ kind: "User", name: "ann", apiGroup: "rbac.authorization.k8s.io" }],
    });
    const headers = { "x-remote-user": "root", "x-remote-group": "system:masters", authorization: "Bearer secret" };

    seen.push((await front.server.handle({ method: "GET", path: FLUNDERS, ...api, headers })).status);
    const bob = { name: "bob", groups: ["devs"] };
    seen.push((await front.server.handle({ method: "GET", path: FLUNDERS, user: bob })).status);

    expect(seen).toEqual([200, 403]);
  });

  it("come from a proxy that nothing else can pretend to be", async () => {
    const received: Record<string, unknown>[] = [];
    const spy = await startSpy((headers) => received.push(headers));
    await addService();
    const caBundle = Buffer.from(spy.caPem).toString("base64");
    await register({ caBundle, service: { namespace: "default", name: "wardle", port: spy.port } });
    await until("Passed");
    const headers = {
      "x-remote-user": "root",
      "x-remote-extra-a": "b",
      authorization: "Bearer secret",
      connection: "x-remote-user",
    };
    const user = { name: "system:admin", uid: "7", groups: ["system:masters", "a, b"], extra: { "Ex/y": ["1", "2"] } };

    await front.server.handle({ method: "GET", path: `${FLUNDERS}?x=1`, headers, user });

    expect(received.at(-1)).toMatchObject({
      url: `${FLUNDERS}?x=1`,
      peer: FRONT_PROXY_NAME,
      "x-remote-user": "system:admin",
      "x-remote-uid": "7",
      "x-remote-group": "system:masters, a, b",
      "x-remote-extra-ex%2fy": "1, 2",
    });
    expect(JSON.stringify(received.at(-1))).not.toMatch(/secret|root|extra-a/);
    const redirected = await front.server.handle({ method: "GET", path: `${FLUNDERS}/redirect`, user });
    expect([redirected.status, redirected.headers["location"]]).toEqual([502, undefined]);
    const upwards = await front.server.handle({ method: "GET", path: `${FLUNDERS}/..%2f..%2fsecrets`, user });
    expect(upwards.status).toBe(400);
    await spy.close();
  });

  it("hand connections over", async () => {
    const spy = await startSpy(() => undefined);
    spy.server.on("upgrade", (_request, socket) => {
      socket.on("error", () => undefined);
      socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
      socket.on("data", (chunk: Buffer) => socket.write(chunk));
    });
    await addService();
    const caBundle = Buffer.from(spy.caPem).toString("base64");
    await register({ caBundle, service: { namespace: "default", name: "wardle", port: spy.port } });
    await until("Passed");
    const { admin } = await ensureCertificates(join(folder, "front"), ["127.0.0.1"], systemClock);

    const echoed = await new Promise<string>((resolve, reject) => {
      const sent = request(`${frontListener.url}${FLUNDERS}/f/connect`, {
        method: "POST",
        ca: frontListener.caPem,
        cert: admin.certificate,
        key: admin.key,
        agent: false,
        headers: { connection: "Upgrade", upgrade: "echo" },
      });
      sent.on("upgrade", (_answer, socket) => {
        socket.on("error", () => undefined);
        socket.write("hello");
        socket.once("data", (chunk: Buffer) => {
          socket.destroy();
          resolve(chunk.toString());
        });
      });
      sent.on("response", (answer) => reject(new Error(`status ${answer.statusCode}`)));
      sent.on("error", reject).end();
    });

    expect(echoed).toBe("hello");
    await spy.close();
  });

  it("stream their answers", async () => {
    await serve();
    const stop = new AbortController();
    const path = `${FLUNDERS}?watch=true`;
    const answer = await front.server.handle({ method: "GET", path, signal: stop.signal });
    const parts = (answer.body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
    const next = parts.next();
    await back.call("POST", FLUNDERS, { apiVersion: `${GROUP}/v1`, kind: "Flunder", metadata: { name: "seen" } });

    expect(
      JSON.parse(
        Buffer.from((await next).value)
          .toString()
          .split("\n")[0]!,
      ),
    ).toMatchObject({
      type: "ADDED",
      object: { metadata: { name: "seen" } },
    });
    stop.abort();
    await back.call("DELETE", `${FLUNDERS}/seen`);
  });
});

describe("what a server tells of others", () => {
  async function discovered(): Promise<LooseObject | undefined> {
    const { body } = await front.call("GET", "/apis", undefined, AGGREGATED);
    return (body["items"] as unknown as LooseObject[]).find((each) => String(each["metadata"]!["name"]) === GROUP);
  }

  it("is in discovery, in both forms, by priority", async () => {
    await serve();

    expect(await discovered()).toEqual({
      metadata: { name: GROUP },
      versions: [
        {
          version: "v1",
          resources: [
            {
              resource: "flunders",
              responseKind: { group: GROUP, version: "v1", kind: "Flunder" },
              scope: "Cluster",
              singularResource: "flunder",
              verbs: expect.arrayContaining(["get", "list", "watch"]),
              shortNames: ["fl"],
              subresources: [
                {
                  subresource: "status",
                  responseKind: { group: GROUP, version: "v1", kind: "Flunder" },
                  verbs: ["get", "patch", "update"],
                },
              ],
            },
          ],
          freshness: "Current",
        },
      ],
    });
    const { body } = await front.call("GET", "/apis");
    const groups = body["groups"]!.map((group) => String(group["name"]));
    expect(groups.indexOf(GROUP)).toBe(groups.length - 1);
    expect((await front.call("GET", `/apis/${GROUP}`)).body["preferredVersion"]).toMatchObject({ version: "v1" });
    expect((await front.call("GET", `/apis/${GROUP}/v1`)).body["kind"]).toBe("APIResourceList");
  });

  it("stays, as stale, while the other is away; nothing is known of one never reached", async () => {
    await serve();
    const resources = (await discovered())?.["versions"]?.map((version) => version["resources"]);
    await front.call("DELETE", "/api/v1/namespaces/default/services/wardle");
    await until("ServiceNotFound");

    const versions = (await discovered())?.["versions"];
    expect(versions?.map((version) => [version["freshness"], version["resources"]])).toEqual([
      ["Stale", resources?.[0]],
    ]);
    await register({ group: "none.example.com" }, "none.example.com");
    const { body } = await front.call("GET", "/apis", undefined, AGGREGATED);
    expect(body["items"]).toContainEqual({
      metadata: { name: "none.example.com" },
      versions: [{ version: "v1", freshness: "Stale" }],
    });
  });

  it("goes with the APIService", async () => {
    await serve();
    await front.call("DELETE", `${SERVICES}/v1.${GROUP}`);

    await eventually(async () => expect(await discovered()).toBeUndefined());
    expect((await front.call("GET", FLUNDERS)).status).toBe(404);
  });

  it("is in the OpenAPI documents", async () => {
    await serve();
    await eventually(async () => {
      const { body } = await front.call("GET", "/openapi/v2");
      expect(Object.keys(body["definitions"]!)).toContain("com.example.wardle.v1.Flunder");
    });

    const index = await front.server.handle({ method: "GET", path: "/openapi/v3" });
    const paths = JSON.parse(Buffer.from(index.body as Uint8Array).toString()).paths;
    const url = paths[`apis/${GROUP}/v1`].serverRelativeURL;
    const document = await front.call("GET", url);
    expect(Object.keys(document.body["components"]!["schemas"]!)).toContain("com.example.wardle.v1.Flunder");
    const accept = { accept: "application/com.github.proto-openapi.spec.v2@v1.0+protobuf" };
    const protobuf = await front.server.handle({ method: "GET", path: "/openapi/v2", headers: accept });
    expect(Buffer.from(protobuf.body as Uint8Array).includes("com.example.wardle.v1.Flunder")).toBe(true);
  });
});

describe("extension API servers", () => {
  it("find in a ConfigMap how users are told to them", async () => {
    const path = "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication";
    const { body } = await front.call("GET", path);
    const { caPem, frontProxy } = await ensureCertificates(join(folder, "front"), ["127.0.0.1"], systemClock);

    expect(body["data"]).toMatchObject({
      "client-ca-file": caPem,
      "requestheader-client-ca-file": frontProxy.caPem,
      "requestheader-allowed-names": '["front-proxy-client"]',
      "requestheader-username-headers": '["X-Remote-User"]',
      "requestheader-group-headers": '["X-Remote-Group"]',
      "requestheader-extra-headers-prefix": '["X-Remote-Extra-"]',
    });
    const role =
      "/apis/rbac.authorization.k8s.io/v1/namespaces/kube-system/roles/extension-apiserver-authentication-reader";
    expect((await front.call("GET", role)).status).toBe(200);
  });
});

/** A server that records headers and the name of the client's certificate. */
async function startSpy(record: (request: Record<string, unknown>) => void) {
  const certificates = await ensureCertificates(join(folder, "spy"), ["wardle.default.svc"], systemClock);
  const { server: pair, caPem } = certificates;
  const { frontProxy } = await ensureCertificates(join(folder, "front"), ["127.0.0.1"], systemClock);
  const server: Server = createServer(
    { key: pair.key, cert: pair.certificate, ca: frontProxy.caPem, requestCert: true, rejectUnauthorized: true },
    (request, response) => {
      // A TLS server's sockets are TLS sockets.
      const peer = (request.socket as import("node:tls").TLSSocket).getPeerCertificate().subject.CN;
      record({ url: request.url, peer, ...request.headers });
      if (request.url?.endsWith("/redirect")) response.writeHead(302, { location: "https://example.org/" }).end();
      else response.end("{}");
    },
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    server,
    caPem,
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
