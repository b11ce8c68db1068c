import { request as httpRequest } from "node:http";
import type { Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeClock } from "../../runtime/clock.ts";
import { createLogger } from "../../runtime/logger.ts";
import { Metrics } from "../../runtime/metrics.ts";
import { type DeliveryOptions, deliveryOf } from "../../test/forges/deliveries.ts";
import { openRawConnection, type RawConnection } from "../../test/raw-connection.ts";
import type { ForgeKind } from "../forges/forge.ts";
import type { WebhookEvent } from "../forges/webhooks/webhook-event.ts";
import {
  startWebhookListener,
  type WebhookLimits,
  type WebhookListener,
  type WebhookRoute,
  webhookPath,
} from "./webhook-listener.ts";

const SECRET = "correct horse battery";
const PATH = webhookPath("shop", "reports");

let clock: FakeClock;
let metrics: Metrics;
let events: { readonly path: string; readonly event: WebhookEvent }[];
let routes: Map<string, WebhookRoute>;
let log: string;
let listener: WebhookListener | undefined;
let sockets: Socket[];
let heard: () => void;

beforeEach(() => {
  clock = new FakeClock();
  metrics = new Metrics();
  events = [];
  routes = new Map([[PATH, route()]]);
  log = "";
  sockets = [];
  heard = () => {};
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await listener?.close();
  listener = undefined;
});

function route(changes: Partial<WebhookRoute> = {}): WebhookRoute {
  return { kind: "github", repository: "octo/shop", secrets: () => Promise.resolve([SECRET]), ...changes };
}

async function start(limits: Partial<WebhookLimits> = {}): Promise<WebhookListener> {
  const write = (line: string) => {
    log += line;
  };
  listener = await startWebhookListener({
    host: "127.0.0.1",
    port: 0,
    clock,
    logger: createLogger({ level: "debug", format: "json", write, now: () => clock.now() }),
    metrics,
    find: (path) => routes.get(path),
    onEvent: (path, event) => {
      events.push({ path, event });
      heard();
    },
    limits,
  });
  return listener;
}

const nextEvent = () =>
  new Promise<void>((resolve) => {
    heard = resolve;
  });

/** As the provider sends it. */
function delivery(options: Partial<DeliveryOptions> = {}) {
  return deliveryOf({
    kind: "github",
    what: "pull request",
    secret: SECRET,
    repository: "octo/shop",
    cloneUrl: "https://github.com/octo/shop.git",
    ...options,
  });
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

function post(
  { headers, body }: { readonly headers: Readonly<Record<string, string>>; readonly body: string | Buffer },
  path = PATH,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const url = `${listener?.url}${path}`;
    const sent = httpRequest(url, { method: "POST", headers: { ...headers }, agent: false }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, text: text.trim() }));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

async function open(): Promise<RawConnection> {
  const connection = await openRawConnection(listener?.url ?? "");
  sockets.push(connection.socket);
  return connection;
}

function head(headers: Readonly<Record<string, string>>, path = PATH): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST ${path} HTTP/1.1\r\nhost: hooks.example\r\n${lines.join("")}\r\n`;
}

const countOf = async (labels: string) =>
  Number(new RegExp(`^webhook_deliveries_total\\{${labels}\\} (\\d+)$`, "m").exec(await metrics.text())?.[1] ?? 0);

const PROVIDERS: readonly (readonly [ForgeKind, string, string])[] = [
  ["github", "octo/shop", "https://github.com/octo/shop.git"],
  ["gitlab", "group/sub/shop", "https://gitlab.com/group/sub/shop.git"],
  ["gitea", "octo/shop", "https://codeberg.org/octo/shop.git"],
  ["bitbucket-cloud", "acme/shop", "https://bitbucket.org/acme/shop"],
  ["bitbucket-data-center", "PRJ/shop", "https://bitbucket.example.com/scm/prj/shop.git"],
  ["azure-devops", "acme/proj/shop", "https://dev.azure.com/acme/proj/_git/shop"],
];

describe("a delivery", () => {
  it.each(
    PROVIDERS.flatMap(([kind, repository, cloneUrl]) =>
      (["pull request", "comment", "push"] as const).map((what) => [kind, what, repository, cloneUrl] as const),
    ),
  )("of %s about a %s is answered, and then told", async (kind, what, repository, cloneUrl) => {
    routes.set(PATH, route({ kind, repository }));
    await start();
    const told = nextEvent();

    const answer = await post(delivery({ kind, what, repository, cloneUrl, id: "d-1" }));
    await told;

    expect(answer).toEqual({ status: 202, text: "taken" });
    expect(events).toEqual([{ path: PATH, event: expect.objectContaining({ type: what, deliveryId: "d-1" }) }]);
    expect(await countOf(`provider="${kind}",outcome="taken"`)).toBe(1);
  });

  it("is told after its answer is on its way, whatever comes of it", async () => {
    await start();
    heard = () => {
      throw new Error("the store is gone");
    };

    expect(await post(delivery())).toMatchObject({ status: 202 });
    expect(await post(delivery({ id: "d-2" }))).toMatchObject({ status: 202 });
    expect(log).toContain("the store is gone");
  });

  it("is taken once: sent again it is answered 200 and nothing follows", async () => {
    await start();

    expect(await post(delivery({ id: "d-1" }))).toMatchObject({ status: 202 });
    expect(await post(delivery({ id: "d-1" }))).toEqual({ status: 200, text: "it was taken before" });
    expect(await post(delivery({ id: "d-2" }))).toMatchObject({ status: 202 });
    expect(events.length).toBeGreaterThanOrEqual(1);
    expect(await countOf('provider="github",outcome="repeated"')).toBe(1);
  });

  it("that is a try, of no interest or about another repository is answered 200, and nothing follows", async () => {
    await start();
    const ping = delivery();

    expect(await post({ ...ping, headers: { ...ping.headers, "x-github-event": "ping" } })).toMatchObject({
      status: 200,
      text: "this webhook arrives, and is believed",
    });
    expect(await post({ ...ping, headers: { ...ping.headers, "x-github-event": "star" } })).toMatchObject({
      status: 200,
    });
    expect(await post(delivery({ repository: "octo/other" }))).toEqual({
      status: 200,
      text: 'it is about "octo/other", and this path is for octo/shop',
    });
    expect(events).toEqual([]);
  });

  it("beyond a pace that nobody needs is answered 429, and can be sent again", async () => {
    await start();
    for (let i = 0; i < 100; i++) expect((await post(delivery({ id: `d-${i}` }))).status).toBe(202);

    expect(await post(delivery({ id: "last" }))).toEqual({ status: 429, text: "too many deliveries at a time" });
    await clock.advance(1000);
    expect((await post(delivery({ id: "last" }))).status).toBe(202);
  });
});

describe("who is believed", () => {
  const signature = "x-hub-signature-256";

  it.each([
    ["no signature", { [signature]: undefined }],
    ["a bad signature", { [signature]: `sha256=${"0".repeat(64)}` }],
    ["a signature by SHA-1 alone", { [signature]: undefined, "x-hub-signature": `sha1=${"0".repeat(40)}` }],
  ])("is nobody with %s", async (_name, changes: Readonly<Record<string, string | undefined>>) => {
    await start();
    const { headers, body } = delivery();
    const changed = Object.entries({ ...headers, ...changes }).filter(([, value]) => value !== undefined);

    // What is undefined was left out.
    const answer = await post({ headers: Object.fromEntries(changed) as Record<string, string>, body });

    expect(answer).toEqual({
      status: 401,
      text: "X-Hub-Signature-256 does not prove that the sender knows the secret",
    });
    expect(events).toEqual([]);
    expect(log).not.toContain(SECRET);
  });

  it("is nobody with two signatures, of which one is right", async () => {
    await start();
    const { headers, body } = delivery();
    const { socket, until } = await open();

    const length = { "content-length": String(Buffer.byteLength(body)) };
    const lines = head({ ...headers, ...length }).replace(
      "\r\n\r\n",
      `\r\n${signature}: sha256=${"0".repeat(64)}\r\n\r\n`,
    );
    socket.write(lines + body);

    expect(await until("the secret\n")).toMatch(/^HTTP\/1.1 401 /);
  });

  it("is nobody where no secret is set, and the previous secret counts while it is given", async () => {
    let secrets: readonly string[] = [];
    routes.set(PATH, route({ secrets: () => Promise.resolve(secrets) }));
    await start();

    expect(await post(delivery())).toMatchObject({ status: 401, text: expect.stringMatching(/^no secret is set/) });
    secrets = ["the new one", SECRET];
    expect(await post(delivery())).toMatchObject({ status: 202 });
    secrets = ["the new one"];
    expect(await post(delivery({ id: "d-2" }))).toMatchObject({ status: 401 });
  });

  it("is not known while the secret cannot be read: the provider may try again", async () => {
    routes.set(PATH, route({ secrets: () => Promise.reject(new Error("the API server is gone")) }));
    await start();

    expect(await post(delivery())).toEqual({ status: 503, text: "the secret of this webhook cannot be read now" });
    expect(log).toContain("the API server is gone");
  });

  it("is said in the log once a minute, however often somebody tries", async () => {
    await start();
    const forged = delivery({ secret: "wrong" });
    for (let i = 0; i < 20; i++) await post(forged);

    expect(log.split("\n").filter((line) => line.includes('"warn"'))).toHaveLength(1);
    await clock.advance(60_000);
    await post(forged);
    expect(log.split("\n").filter((line) => line.includes('"warn"'))).toHaveLength(2);
    expect(await countOf('provider="github",outcome="refused"')).toBe(21);
  });
});

describe("a path", () => {
  it.each(["/", "/hook", "/hook/shop", "/hook/shop/other", `${PATH}/`, "/hook/shop/%72eports", `//${PATH}`])(
    "that no Reporter has is answered 404 without a reason: %s",
    async (path) => {
      await start();

      expect(await post(delivery(), path)).toEqual({ status: 404, text: "there is nothing here" });
    },
  );

  it("counts without what a provider adds behind it", async () => {
    await start();

    expect(await post(delivery(), `${PATH}?source=webhook`)).toMatchObject({ status: 202 });
  });

  it.each(["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"])(
    "takes no %s, whether it exists or not",
    async (method) => {
      await start();
      for (const path of [PATH, "/hook/shop/other"]) {
        const { socket, until } = await open();
        socket.write(`${method} ${path} HTTP/1.1\r\nhost: hooks.example\r\n\r\n`);

        expect(await until("\r\n\r\n")).toMatch(/^HTTP\/1.1 405 .*\r\nallow: POST\r\n/is);
      }
    },
  );
});
