// What every client does with connections, over bare servers.
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { makeAuthority, makeLeaf } from "../../../fleets/apiserver/http/certificate-signing.ts";
import { FakeClock, systemClock } from "../../../runtime/clock.ts";
import { HastyClock, NEVER_MS } from "../../../test/forges/hasty-clock.ts";
import { tokenAuth } from "./credentials.ts";
import { ForgeHttp, type ForgeHttpOptions } from "./forge-http.ts";

const call = { signal: new AbortController().signal };
const TOKEN = "a-very-secret-token";
const closers: (() => void)[] = [];

afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const serve = async (answer: RequestListener) => `http://${await listen(createServer(answer))}`;

function open(apiUrl: string, more: Partial<ForgeHttpOptions> = {}): ForgeHttp {
  const limits = { timeoutMs: NEVER_MS, ...more.limits };
  const http = new ForgeHttp({
    provider: "GitHub",
    repository: "octo/shop",
    apiUrl,
    auth: tokenAuth(TOKEN),
    clock: new HastyClock(),
    random: () => 0.5,
    ...more,
    limits,
  });
  closers.push(() => http.close());
  return http;
}

const GET = { method: "GET", path: "/thing", what: "read the thing", needs: "a right" } as const;
const POST = { ...GET, method: "POST", body: { a: 1 } } as const;
const seen = (request: IncomingMessage) => `${request.method} ${request.url} ${request.headers.authorization}`;

describe("a client", () => {
  it("follows a repository that was renamed, with its credentials", async () => {
    const asked: string[] = [];
    const url = await serve((request, response) => {
      asked.push(seen(request));
      if (request.url === "/thing") response.writeHead(301, { location: "/repositories/1/thing" }).end();
      else response.end('{"ok":true}');
    });

    expect((await open(url).send(GET, call)).json.at("ok").value).toBe(true);
    expect(asked).toEqual([`GET /thing Bearer ${TOKEN}`, `GET /repositories/1/thing Bearer ${TOKEN}`]);
  });

  it("does not turn a POST into a GET: it says what the repository is called now", async () => {
    const url = await serve((_, response) => response.writeHead(301, { location: "/repositories/1/thing" }).end());

    await expect(open(url).send(POST, call)).rejects.toThrow("name the repository as it is called now");
  });

  it("does not run in circles", async () => {
    const url = await serve((_, response) => response.writeHead(302, { location: "/thing" }).end());

    await expect(open(url).send(GET, call)).rejects.toThrow("it redirects too often");
  });

  it("sends a POST again that nobody can have got", async () => {
    const free = createTcpServer();
    await new Promise<void>((resolve) => free.listen(0, "127.0.0.1", resolve));
    const { port } = free.address() as AddressInfo;
    await new Promise((resolve) => free.close(resolve));

    const sent = open(`http://127.0.0.1:${port}`).send(POST, call);

    // Refused each time: not an outcome that nobody knows.
    await expect(sent).rejects.toMatchObject({ code: "forge-unreachable", recovery: "retry" });
    await expect(sent).rejects.toThrow("nothing listens there");
  });

  it("does not send a POST again that somebody may have got", async () => {
    let count = 0;
    const url = await serve((request) => {
      count++;
      request.socket.destroy();
    });

    await expect(open(url).send(POST, call)).rejects.toMatchObject({ code: "forge-outcome-unknown" });
    expect(count).toBe(1);
  });

  it("waits for an answer only so long", async () => {
    const url = await serve(() => undefined);
    const clock = new FakeClock();
    const http = open(url, { clock, limits: { timeoutMs: 5000, attempts: 1 } });

    const pending = http.send(GET, call).catch((error: unknown) => error);
    await clock.advance(5000);

    expect(await pending).toMatchObject({
      code: "forge-unreachable",
      message: expect.stringContaining("no answer within 5s"),
    });
  });

  it("trusts the authority that is set, and no unknown one", async () => {
    const authority = await makeAuthority("test", systemClock);
    const leaf = await makeLeaf(authority, systemClock, {
      subject: [{ CN: ["test"] }],
      usage: "server",
      hosts: ["127.0.0.1"],
    });
    const server = createSecureServer({ key: leaf.key, cert: leaf.certificate }, (_, response) => response.end("{}"));
    const url = `https://${await listen(server)}`;

    await expect(open(url).send(GET, call)).rejects.toThrow(/certificate is not accepted .* set a CA certificate/);
    expect((await open(url, { tls: { caFile: authority.certificate } }).send(GET, call)).status).toBe(200);
  });

  it("goes through the proxy of the environment", async () => {
    const proxy = await serve((request, response) => response.end(JSON.stringify({ asked: request.url })));
    vi.stubEnv("http_proxy", proxy);
    vi.stubEnv("no_proxy", "");
    closers.push(() => vi.unstubAllEnvs());

    const answer = await open("http://git.example.test/api").send(GET, call);

    expect(answer.json.at("asked").text()).toBe("http://git.example.test/api/thing");
  });

  it("never asks another host, whatever is named", async () => {
    await expect(open("http://127.0.0.1:1").send({ ...GET, path: "http://127.0.0.2:1/thing" }, call)).rejects.toThrow(
      "another host",
    );
  });
});
