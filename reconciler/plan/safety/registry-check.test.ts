import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { manifestAddress, parseChallenge, RegistryCheck, type RegistryOptions } from "./registry-check.ts";

const servers: Server[] = [];
const checks: RegistryCheck[] = [];

afterEach(() => {
  for (const check of checks.splice(0)) check.close();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** A registry on this machine; gives its `host:port`. */
async function registry(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function checkOf(host: string, options: Partial<RegistryOptions> = {}): RegistryCheck {
  const check = new RegistryCheck({ signal: new AbortController().signal, inwardHosts: [host], ...options });
  checks.push(check);
  return check;
}

/** As registries with anonymous tokens do; `seen` has what they were asked. */
async function tokenRegistry(seen: string[], tokenAnswer = JSON.stringify({ token: "t0ken" })): Promise<string> {
  const host = await registry((request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers.authorization ?? "-"}`);
    if (request.url?.startsWith("/token") === true) response.end(tokenAnswer);
    else if (request.headers.authorization !== "Bearer t0ken") {
      const challenge = `Bearer realm="http://${host}/token",service="registry",scope="repository:other:push"`;
      response.writeHead(401, { "www-authenticate": challenge }).end();
    } else response.writeHead(request.url?.endsWith("/manifests/1.0") === true ? 200 : 404).end();
  });
  return host;
}

describe("RegistryCheck", () => {
  it("finds what is there, and misses what is not", async () => {
    const host = await registry((request, response) => {
      response.writeHead(request.method === "HEAD" && request.url === "/v2/shop/web/manifests/1.0" ? 200 : 404).end();
    });
    const { check } = checkOf(host);

    expect(await check(`${host}/shop/web:1.0`)).toEqual({ state: "found" });
    expect(await check(`${host}/shop/web:2.0`)).toEqual({ state: "missing", why: `${host} has no such image` });
    expect(await check("Not A Name")).toEqual({ state: "missing", why: "this is no name of an image" });
  });

  it("gets a token for the repository and no more when it is challenged", async () => {
    const seen: string[] = [];
    const host = await tokenRegistry(seen);
    const { check } = checkOf(host);

    expect(await check(`${host}/shop/web:1.0`)).toEqual({ state: "found" });
    expect(await check(`${host}/shop/web:2.0`)).toMatchObject({ state: "missing" });
    expect(seen.slice(0, 3)).toEqual([
      "HEAD /v2/shop/web/manifests/1.0 -",
      "GET /token?service=registry&scope=repository%3Ashop%2Fweb%3Apull -",
      "HEAD /v2/shop/web/manifests/1.0 Bearer t0ken",
    ]);
  });

  it("sends credentials to the token server", async () => {
    const seen: string[] = [];
    const host = await tokenRegistry(seen);
    const { check } = checkOf(host, { credentialsOf: () => ({ username: "u", password: "p" }) });

    expect(await check(`${host}/shop/web:1.0`)).toEqual({ state: "found" });
    expect(seen[1]).toContain(`Basic ${Buffer.from("u:p").toString("base64")}`);
  });

  it.each(["no JSON", "[]", '{"token": "a\\r\\nb"}'])("says nothing of what it may not see: %s", async (token) => {
    const host = await tokenRegistry([], token);

    expect(await checkOf(host).check(`${host}/shop/web:1.0`)).toEqual({
      state: "unknown",
      why: `${host} lets nobody see it without credentials`,
    });
  });

  it.each([
    [429, "was asked too often"],
    [500, "answers with status 500"],
    [403, "lets nobody see it without credentials"],
  ])("says nothing after status %i", async (status, why) => {
    const host = await registry((_, response) => response.writeHead(status).end());

    expect(await checkOf(host).check(`${host}/a:1`)).toEqual({ state: "unknown", why: `${host} ${why}` });
  });

  it("asks with GET where HEAD is not allowed", async () => {
    const host = await registry((request, response) => response.writeHead(request.method === "HEAD" ? 405 : 200).end());

    expect(await checkOf(host).check(`${host}/a:1`)).toEqual({ state: "found" });
  });

  it("waits no longer than it is told", async () => {
    const host = await registry(() => undefined);

    expect(await checkOf(host, { timeoutMs: 20 }).check(`${host}/a:1`)).toEqual({
      state: "unknown",
      why: `${host} did not answer within 0.02s`,
    });
  });

  it("reads no endless answer", async () => {
    const host = await registry((request, response) => {
      if (request.url?.startsWith("/token") === true) {
        const more = (): void => {
          while (response.write("x".repeat(65_536)));
          response.once("drain", more);
        };
        more();
      } else response.writeHead(401, { "www-authenticate": `Bearer realm="http://${host}/token"` }).end();
    });

    expect(await checkOf(host).check(`${host}/a:1`)).toMatchObject({
      state: "unknown",
      why: expect.stringContaining("more than it should"),
    });
  });

  it("goes to no host of this network that it was not told of, nor is led to one", async () => {
    const seen: string[] = [];
    const inside = await tokenRegistry(seen);
    const leading = await registry((_, response) =>
      response.writeHead(307, { location: `http://${inside}/v2/a/manifests/1` }).end(),
    );
    const challenging = await registry((_, response) =>
      response.writeHead(401, { "www-authenticate": `Bearer realm="http://${inside}/token"` }).end(),
    );

    expect(await checkOf("").check(`${inside}/shop/web:1.0`)).toMatchObject({ state: "unknown" });
    expect(await checkOf(leading).check(`${leading}/a:1`)).toMatchObject({ state: "unknown" });
    expect(await checkOf(challenging).check(`${challenging}/a:1`)).toMatchObject({ state: "unknown" });
    expect(seen).toEqual([]);
  });

  it("asks once about an image, and not at all when nothing listens", async () => {
    let asked = 0;
    const host = await registry((_, response) => {
      asked++;
      response.end();
    });
    const { check } = checkOf(host);

    await Promise.all([check(`${host}/a:1`), check(`${host}/a:1`)]);

    expect(asked).toBe(1);
    expect(await checkOf("127.0.0.1:1").check("127.0.0.1:1/a:1")).toMatchObject({
      state: "unknown",
      why: expect.stringContaining("nothing listens there"),
    });
  });

  it("ends with the plan", async () => {
    const host = await registry(() => undefined);
    const ending = new AbortController();
    const answer = checkOf(host, { signal: ending.signal }).check(`${host}/a:1`);

    ending.abort(new Error("over"));

    await expect(answer).rejects.toThrow("over");
  });
});

describe("manifestAddress", () => {
  const digest = `sha256:${"a".repeat(64)}`;

  it.each([
    ["nginx", "https://registry-1.docker.io/v2/library/nginx/manifests/latest"],
    ["docker.io/shop/web:1", "https://registry-1.docker.io/v2/shop/web/manifests/1"],
    ["ghcr.io/shop/web:1", "https://ghcr.io/v2/shop/web/manifests/1"],
    ["registry.example.io:5000/web", "https://registry.example.io:5000/v2/web/manifests/latest"],
    ["localhost:5000/web:1", "http://localhost:5000/v2/web/manifests/1"],
    [`shop/web:1@${digest}`, `https://registry-1.docker.io/v2/shop/web/manifests/${digest}`],
  ])("of %s is %s", (image, url) => {
    expect(manifestAddress(image)?.url.href).toBe(url);
  });
});

describe("parseChallenge", () => {
  it("reads the realm and the service of bearer tokens only", () => {
    expect(parseChallenge('Bearer realm="https://a/t",service="s"')).toEqual({ realm: "https://a/t", service: "s" });
    expect(parseChallenge('Basic realm="x"')).toBeUndefined();
    expect(parseChallenge("")).toBeUndefined();
  });
});
