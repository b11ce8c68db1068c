import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startTestServer, type TestServer } from "../test-server.ts";

let test: TestServer;

beforeEach(async () => {
  test = await startTestServer();
});

afterEach(async () => {
  await test.server.close();
});

describe("health paths", () => {
  it.each([
    ["/healthz", "ok"],
    ["/livez", "ok"],
    ["/readyz", "ok"],
    ["/readyz/ping", "ok"],
    ["/readyz/etcd", "ok"],
    ["/readyz/etcd?verbose", "ok"],
    ["/livez/poststarthook/start-controllers", "ok"],
    ["/readyz?exclude=nope", "ok"],
    [
      "/readyz?verbose",
      "[+]ping ok\n[+]log ok\n[+]etcd ok\n[+]storage ok\n[+]poststarthook/start-controllers ok\n[+]shutdown ok\nreadyz check passed\n",
    ],
    ["/livez?verbose", "[+]ping ok\n[+]log ok\n[+]poststarthook/start-controllers ok\nlivez check passed\n"],
    [
      "/healthz?verbose&exclude=etcd&exclude=nope",
      '[+]ping ok\n[+]log ok\n[+]etcd excluded: ok\n[+]storage ok\n[+]poststarthook/start-controllers ok\nwarn: some health checks cannot be excluded: no matches for "nope"\nhealthz check passed\n',
    ],
  ])("%s answers that all is well", async (path, text) => {
    expect(await test.call("GET", path)).toMatchObject({ status: 200, body: text });
  });

  it.each(["/readyz/nope", "/readyz/", "/livez/shutdown", "/healthz/poststarthook"])(
    "%s is not there",
    async (path) => {
      expect(await test.call("GET", path)).toMatchObject({ status: 404, body: "404 page not found\n" });
    },
  );

  it("tell of a server that is about to close, while it still answers", async () => {
    test.server.drain();

    expect(await test.call("GET", "/readyz")).toMatchObject({
      status: 500,
      headers: { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" },
      body: "[+]ping ok\n[+]log ok\n[+]etcd ok\n[+]storage ok\n[+]poststarthook/start-controllers ok\n[-]shutdown failed: reason withheld\nreadyz check failed\n",
    });
    expect((await test.call("GET", "/readyz/shutdown")).status).toBe(500);
    expect((await test.call("GET", "/readyz?exclude=shutdown")).status).toBe(200);
    expect((await test.call("GET", "/livez")).status).toBe(200);
    expect((await test.call("GET", "/api/v1/namespaces")).status).toBe(200);
  });
});
