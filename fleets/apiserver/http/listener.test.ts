import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { type ClientHttp2Session, connect } from "node:http2";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseYaml } from "../../../kube/yaml.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { silentLogger } from "../../../runtime/logger.ts";
import { type ApiServer, createApiServer } from "../server.ts";
import { type Listener, listen } from "./listener.ts";

interface Credentials {
  readonly cert: string;
  readonly key: string;
}

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

let folder: string;
let root: ApiServer;
let member: ApiServer;
let listener: Listener;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "listener-"));
  root = await createApiServer({ name: "root", clock: systemClock, logger: silentLogger });
  member = await createApiServer({ name: "member", clock: systemClock, logger: silentLogger });
  listener = await listen(
    new Map([
      ["", root],
      ["/clusters/m1", member],
    ]),
    {
      host: "127.0.0.1",
      port: 0,
      directory: join(folder, "pki"),
      clock: systemClock,
      logger: silentLogger,
      tokens: (token) => (token === "good" ? { name: "alice", groups: ["devs"] } : undefined),
    },
  );
});

afterEach(async () => {
  await listener.close();
  await root.close();
  await member.close();
  rmSync(folder, { recursive: true });
});

function adminCredentials(): Credentials {
  // A kubeconfig of ours has one user.
  const config = parseYaml(listener.adminKubeconfig()) as { users: { user: Record<string, string> }[] };
  const { user } = config.users[0]!;
  return {
    cert: Buffer.from(user["client-certificate-data"]!, "base64").toString(),
    key: Buffer.from(user["client-key-data"]!, "base64").toString(),
  };
}

/** One request over HTTP/1.1. */
function ask(path: string, options: Partial<Credentials> & { headers?: Record<string, string> } = {}): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const sent = request(`${listener.url}${path}`, { ca: listener.caPem, agent: false, ...options }, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    });
    sent.on("error", reject);
    sent.end();
  });
}

describe("listen", () => {
  it("knows the administrator by certificate", async () => {
    const reply = await ask("/api/v1/namespaces", adminCredentials());

    expect(reply.status).toBe(200);
    expect(reply.headers["x-kubernetes-pf-flowschema-uid"]).toBeDefined();
    expect(reply.headers["audit-id"]).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("refuses strangers, and tokens that do not hold", async () => {
    const anonymous = await ask("/api/v1/namespaces");
    const bad = await ask("/api/v1/namespaces", { headers: { authorization: "Bearer bad" } });
    const good = await ask("/api/v1/namespaces", { headers: { authorization: "Bearer good" } });

    expect([anonymous.status, bad.status, good.status]).toEqual([403, 401, 200]);
  });

  it("answers version and health to everybody", async () => {
    expect((await ask("/version")).status).toBe(200);
    expect((await ask("/readyz")).text).toBe("ok");
  });

  it("serves each server under its prefix", async () => {
    await member.handle({
      method: "POST",
      path: "/api/v1/namespaces",
      object: { apiVersion: "v1", kind: "Namespace", metadata: { name: "only-there" } },
    });

    const there = await ask("/clusters/m1/api/v1/namespaces/only-there", adminCredentials());
    const here = await ask("/api/v1/namespaces/only-there", adminCredentials());
    const nowhere = await ask("/clusters/none/api", adminCredentials());

    expect([there.status, here.status, nowhere.status]).toEqual([200, 404, 404]);
  });

  it("lets the administrator act as somebody else", async () => {
    const reply = await ask("/apis/authentication.k8s.io/v1/selfsubjectreviews", {
      ...adminCredentials(),
      headers: { "impersonate-user": "bob", "impersonate-group": "devs" },
    });

    expect(reply.status).toBe(405);
    const denied = await ask("/api/v1/namespaces", {
      ...adminCredentials(),
      headers: { "impersonate-user": "system:anonymous" },
    });
    expect(denied.status).toBe(403);
  });

  it("sends warnings in any language, as UTF-8", async () => {
    const text = '299 - "größer als 5 €"';
    const answer = { status: 200, headers: { warning: [text] }, body: new Uint8Array() };
    const handle = () => Promise.resolve(answer);
    const api = { name: "x", handle, checkToken: () => undefined, publishCa: () => {}, passesThrough: () => false };
    const directory = join(folder, "pki");
    const own = await listen(api, { host: "127.0.0.1", port: 0, directory, clock: systemClock, logger: silentLogger });

    const warning = await new Promise<unknown>((resolve, reject) => {
      request(own.url, { ca: own.caPem, agent: false }, ({ headers }) => resolve(headers["warning"]))
        .on("error", reject)
        .end();
    });
    await own.close();

    expect(Buffer.from(String(warning), "latin1").toString()).toBe(text);
  });

  it("keeps keys private and reuses them", async () => {
    const files = readdirSync(join(folder, "pki"));
    const modes = files.map((file) => statSync(join(folder, "pki", file)).mode & 0o777);
    const names = ["admin", "ca", "front-proxy-ca", "front-proxy-client", "server"];
    expect(files.sort()).toEqual(names.flatMap((name) => [`${name}.crt`, `${name}.key`]));
    expect(new Set(modes)).toEqual(new Set([0o600]));

    const again = await listen(root, {
      host: "127.0.0.1",
      port: 0,
      directory: join(folder, "pki"),
      clock: systemClock,
      logger: silentLogger,
    });
    expect(again.caPem).toBe(listener.caPem);
    await again.close();
  });

  it("streams watches over HTTP/2 and ends them when it closes", async () => {
    const session: ClientHttp2Session = connect(listener.url, { ca: listener.caPem, ...adminCredentials() });
    const stream = session.request({ ":path": "/api/v1/namespaces/default/configmaps?watch=1" });
    let text = "";
    const arrived = new Promise<void>((resolve) => {
      stream.on("data", (chunk: Buffer) => {
        text += chunk.toString();
        if (text.includes('"name":"a"')) resolve();
      });
    });
    await new Promise((resolve) => stream.on("response", resolve));

    await root.handle({
      method: "POST",
      path: "/api/v1/namespaces/default/configmaps",
      object: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" } },
    });
    await arrived;
    const ended = new Promise((resolve) => stream.on("end", resolve));
    await Promise.all([listener.close(), ended]);
    session.close();

    expect(text).toContain('"type":"ADDED"');
  });
});
