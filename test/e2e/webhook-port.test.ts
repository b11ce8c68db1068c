// The port for webhooks as an operator has it: options of a process, its figures, its end.
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { deliveryOf } from "../forges/deliveries.ts";
import { openRawConnection } from "../raw-connection.ts";
import { runFlaghoist } from "../run-flaghoist.ts";
import { ChildPlane } from "./support/child-plane.ts";
import { eventually } from "./support/eventually.ts";
import { reporter } from "./support/hosted-repository.ts";
import { gitRepository, namespaceObject } from "./support/manifests.ts";

const SECRET = "correct-horse-battery-staple";
/** Nobody is there. */
const HOST = "http://127.0.0.1:9";

let folder: string;
let data: string;
let plane: ChildPlane | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "flaghoist-webhook-port-"));
  data = join(folder, "data");
});

afterEach(async () => {
  await plane?.kill();
  plane = undefined;
  rmSync(folder, { recursive: true, force: true });
});

const { headers, body } = deliveryOf({
  kind: "github",
  what: "comment",
  secret: SECRET,
  repository: "octo/shop",
  cloneUrl: `${HOST}/octo/shop.git`,
});

/** Starts a control plane with a Reporter that wants webhooks; answers where they are taken. */
async function start(): Promise<{ readonly running: ChildPlane; readonly url: string }> {
  const running = new ChildPlane(data, 0, ["--webhook-listen", "0", "--log-level", "debug"]);
  plane = running;
  await running.start();
  const { client } = running;
  await client.create(namespaceObject("shop"));
  for (const name of ["bot", "hook"]) {
    const metadata = { name, namespace: "shop" };
    await client.create({ apiVersion: "v1", kind: "Secret", metadata, stringData: { token: SECRET } });
  }
  await client.create(gitRepository("shop", "shop", `${HOST}/octo/shop.git`, { interval: "24h" }));
  const webhook = { secretRef: { name: "hook" } };
  await client.create(reporter("shop", "shop", { provider: "github", providerUrl: HOST, webhook }));
  const told = /Webhooks on (http:\S+)/.exec(running.log)?.[1];
  return { running, url: `${told}/hook/shop/shop` };
}

describe("flaghoist up --webhook-listen", { timeout: 60_000 }, () => {
  it("takes deliveries, counts them, and writes no secret into its log", async () => {
    const { running, url } = await start();

    await eventually(async () => {
      const answer = await fetch(url, { method: "POST", headers, body });
      expect([200, 202]).toContain(answer.status);
    });

    const forged = { ...headers, "x-hub-signature-256": `sha256=${"0".repeat(64)}` };
    expect((await fetch(url, { method: "POST", headers: forged, body })).status).toBe(401);
    const { body: text } = await running.client.transport({ method: "GET", path: "/metrics" });
    // An answer that is not streamed has its bytes.
    const figures = Buffer.from(text as Uint8Array)
      .toString()
      .split("\n")
      .filter((line) => line.startsWith("webhook_deliveries_total{"));
    expect(figures).toEqual(
      expect.arrayContaining([
        'webhook_deliveries_total{provider="github",outcome="taken"} 1',
        'webhook_deliveries_total{provider="github",outcome="refused"} 1',
      ]),
    );
    expect(running.log).toContain("refused a delivery");
    expect(running.log).not.toContain(SECRET);
    expect(running.log).not.toContain("/flaghoist plan");
  });

  it("ends when told to, whatever a sender is still sending", async () => {
    const { running, url } = await start();
    await eventually(async () => expect((await fetch(url, { method: "POST" })).status).toBe(401));
    const { socket, until, closed } = await openRawConnection(url);
    const { pathname } = new URL(url);
    socket.write(`POST ${pathname} HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\nexpect: 100-continue\r\n\r\n`);
    await until("100 Continue");
    socket.write("{");

    expect(await running.kill("SIGTERM")).toBe(0);

    expect(await closed).toContain("HTTP/1.1 503 ");
  });

  it("says when the port is taken, and leaves everything free", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const address = other.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const up = ["up", "--data", data, "--port", "0", "--webhook-listen", String(port)];

    for (let attempt = 0; attempt < 2; attempt++) {
      const ran = await runFlaghoist(up, { cwd: folder });

      expect(ran).toMatchObject({ code: 1, err: expect.stringContaining(`127.0.0.1:${port} is taken`) });
      expect(ran.err).toContain("--webhook-listen");
    }
    other.close();
  });
});
