// What the port for webhooks does about senders that mean no good, or go wrong.
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request as httpsRequest } from "node:https";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeAuthority, makeLeaf } from "../../fleets/apiserver/http/certificate-signing.ts";
import { FakeClock, systemClock } from "../../runtime/clock.ts";
import { createLogger } from "../../runtime/logger.ts";
import { Metrics } from "../../runtime/metrics.ts";
import { deliveryOf } from "../../test/forges/deliveries.ts";
import { openRawConnection, type RawConnection } from "../../test/raw-connection.ts";
import { WEBHOOK_MAX_BYTES } from "../forges/webhooks/read-webhook.ts";
import { startWebhookListener, type WebhookLimits, type WebhookListener, webhookPath } from "./webhook-listener.ts";
import type { TlsFiles } from "./webhooks/tls-files.ts";

const SECRET = "correct horse battery";
const PATH = webhookPath("shop", "reports");

let clock: FakeClock;
let metrics: Metrics;
let events: number;
let log: string;
let onLog: (line: string) => void;
let listener: WebhookListener | undefined;
let sockets: Socket[];
let readSecrets: () => Promise<readonly string[]>;

beforeEach(() => {
  clock = new FakeClock();
  metrics = new Metrics();
  events = 0;
  log = "";
  onLog = () => {};
  sockets = [];
  readSecrets = () => Promise.resolve([SECRET]);
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await listener?.close();
  listener = undefined;
});

async function start(
  limits: Partial<WebhookLimits> = {},
  { port = 0, tls }: { readonly port?: number; readonly tls?: TlsFiles } = {},
): Promise<WebhookListener> {
  const write = (line: string) => {
    log += line;
    onLog(line);
  };
  listener = await startWebhookListener({
    host: "127.0.0.1",
    port,
    tls,
    clock,
    logger: createLogger({ level: "debug", format: "json", write, now: () => clock.now() }),
    metrics,
    find: (path) =>
      path === PATH ? { kind: "github", repository: "octo/shop", secrets: () => readSecrets() } : undefined,
    onEvent: () => {
      events += 1;
    },
    limits,
  });
  return listener;
}

async function open(): Promise<RawConnection> {
  const connection = await openRawConnection(listener?.url ?? "");
  sockets.push(connection.socket);
  return connection;
}

const genuine = (id = "d-1") =>
  deliveryOf({
    kind: "github",
    what: "push",
    secret: SECRET,
    repository: "octo/shop",
    cloneUrl: "https://github.com/octo/shop.git",
    id,
  });

function head(headers: Readonly<Record<string, string>>, path = PATH): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST ${path} HTTP/1.1\r\nhost: hooks.example\r\n${lines.join("")}\r\n`;
}

/** A whole request as bytes. */
function whole(id = "d-1"): string {
  const { headers, body } = genuine(id);
  return head({ ...headers, "content-length": String(Buffer.byteLength(body)) }) + body;
}

/** Sends the head of a body that is to come, and returns once the listener waits for it. */
async function begin(headers: Readonly<Record<string, string>>): Promise<RawConnection> {
  const connection = await open();
  connection.socket.write(head({ ...headers, expect: "100-continue" }));
  await connection.until("HTTP/1.1 100 Continue\r\n\r\n");
  return connection;
}

const statusesOf = (text: string) => [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]));

const heldConnections = async () => Number(/^webhook_connections (\d+)$/m.exec(await metrics.text())?.[1]);

describe("a body", () => {
  it("that does not arrive in time is cut off, however it dribbles", async () => {
    await start();
    const { socket, closed } = await begin({ "content-length": "1000" });
    for (let i = 0; i < 9; i++) {
      socket.write("x");
      await clock.advance(1000);
    }
    await clock.advance(1000);

    const text = await closed;
    expect(statusesOf(text)).toEqual([100, 408]);
    expect(text).toContain("the body did not arrive within 10s");
  });

  it("without an end is refused once it is too long, and then not read for ever", async () => {
    await start({ maxBytes: 100_000 });
    const { socket, until, closed } = await begin({ "transfer-encoding": "chunked" });
    const chunk = `8000\r\n${"x".repeat(0x8000)}\r\n`;
    for (let i = 0; i < 4; i++) socket.write(chunk);

    expect(await until("bytes\n")).toContain("HTTP/1.1 413 ");
    socket.write(chunk);
    await clock.advance(2000);
    expect(statusesOf(await closed)).toEqual([100, 413]);
  });

  it("of 100 MB is refused by its head: the sender has its answer, and the connection goes on", async () => {
    await start();
    const { socket, until } = await open();
    const size = 100 << 20;
    socket.write(head({ "content-length": String(size) }));

    expect(await until("\n", 8)).toContain(`the body is longer than ${WEBHOOK_MAX_BYTES} bytes\n`);

    // Senders that do not read before they have sent everything get there as well.
    const block = Buffer.alloc(1 << 20);
    for (let sent = 0; sent < size; sent += block.length) if (!socket.write(block)) await once(socket, "drain");
    socket.write(whole());
    expect(statusesOf(await until("taken\n"))).toEqual([413, 202]);
  });

  it("of an announced 100 MB is not even asked for", async () => {
    await start();
    const { socket, until } = await open();
    socket.write(head({ "content-length": String(100 << 20), expect: "100-continue" }));

    const text = await until("bytes\n");

    expect(statusesOf(text).at(-1)).toBe(413);
  });

  it("is read only as long as all of them together hold little", async () => {
    await start({ heldBytes: 100_000 });
    const first = await begin({ "content-length": "90000" });
    first.socket.write("x".repeat(80_000));
    const second = await begin({ "content-length": "90000" });
    second.socket.write("x".repeat(50_000));

    expect(await second.until("at a time\n")).toContain("HTTP/1.1 503 ");
    first.socket.write("x".repeat(10_000));
    expect(await first.until("the secret\n")).toContain("HTTP/1.1 401 ");

    // What they held is free again.
    const third = await begin({ "content-length": "90000" });
    third.socket.write("x".repeat(90_000));
    expect(await third.until("the secret\n")).toContain("HTTP/1.1 401 ");
  });

  it("that is long is read now and then only, so that short ones with a proof get through meanwhile", async () => {
    await start();
    const long = (1 << 20) + 1;
    const body = "x".repeat(long);
    const connection = await open();
    const answers: number[] = [];
    for (let i = 1; i <= 21; i++) {
      connection.socket.write(head({ "content-length": String(long) }) + body);
      answers.push(...statusesOf(await connection.until("HTTP/1.1 ", i)).slice(-1));
    }

    expect(answers).toEqual([...new Array<number>(20).fill(401), 429]);
    connection.socket.write(whole());
    expect(statusesOf(await connection.until("taken\n")).at(-1)).toBe(202);
    await clock.advance(2000);
    connection.socket.write(head({ "content-length": String(long) }) + body);
    expect(statusesOf(await connection.until("HTTP/1.1 ", 23)).at(-1)).toBe(401);
  });

  it("whose sender is gone leaves nothing behind", async () => {
    await start({ deliveries: 1, heldBytes: 2000 });
    for (let i = 0; i < 5; i++) {
      const { socket } = await begin({ "content-length": "5000" });
      socket.write("x".repeat(1500));
      socket.destroy();
      await expect.poll(heldConnections).toBe(0);
    }

    const { socket, until } = await open();
    socket.write(whole());
    expect(await until("taken\n")).toContain("HTTP/1.1 202 ");
  });
});

describe("a connection", () => {
  it("gives the answers of pipelined deliveries in their order", async () => {
    await start();
    const { socket, until } = await open();
    const elsewhere = `${head({ "content-length": "2" }, "/hook/no/one")}{}`;
    socket.write([whole("d-1"), elsewhere, whole("d-1"), whole("d-2")].join(""));

    const text = await until("taken\n", 2);

    expect(statusesOf(text)).toEqual([202, 404, 200, 202]);
    await expect.poll(() => events).toBe(2);
  });

  it("has no more deliveries at work than the bound, also when they come pipelined", async () => {
    let letGo: () => void = () => {};
    const gate = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    let asked = 0;
    readSecrets = async () => {
      asked += 1;
      await gate;
      return [SECRET];
    };
    await start({ deliveries: 3 });
    const { socket, until } = await open();
    socket.write(Array.from({ length: 10 }, (_, i) => whole(`d-${i}`)).join(""));
    await expect.poll(() => asked).toBe(3);
    letGo();

    const text = await until("at a time\n", 7);

    expect(statusesOf(text)).toEqual([202, 202, 202, 503, 503, 503, 503, 503, 503, 503]);
    expect(text).toContain("retry-after: 60");
  });

  it("serves so many requests, says with the last one that it is, and refuses more", async () => {
    await start({ requests: 2 });
    const { socket, until } = await open();
    socket.write(whole("d-1") + whole("d-2") + whole("d-3"));

    const text = await until("HTTP/1.1 503 ");
    expect(statusesOf(text)).toEqual([202, 202, 503]);
    expect(text).toMatch(/connection: close/i);
    expect(events).toBeLessThanOrEqual(2);
  });

  it("is closed when nothing comes, and when a head does not end", async () => {
    await start({ headMs: 100 });
    const silent = await open();
    const slow = await open();
    slow.socket.write("POST /hook");

    expect(statusesOf(await silent.closed)).toEqual([408]);
    expect(statusesOf(await slow.closed)).toEqual([408]);
  });

  it("is closed when it stays idle after an answer", async () => {
    await start({ idleMs: 1 });
    const { socket, closed } = await open();
    socket.write(whole());

    expect(statusesOf(await closed)).toEqual([202]);
  });

  it("with a flood of headers is answered 431", async () => {
    await start();
    const { socket, closed } = await open();
    const flood = Array.from({ length: 2000 }, (_, i) => [`x-${i}`, "y".repeat(20)]);
    socket.write(head(Object.fromEntries(flood)));

    expect(statusesOf(await closed)).toEqual([431]);
  });

  it.each([
    ["two lengths", "content-length: 2\r\ncontent-length: 3\r\n"],
    ["a length beside chunks", "content-length: 2\r\ntransfer-encoding: chunked\r\n"],
    ["a length that is none", "content-length: -1\r\n"],
    ["a folded header", "x-a: b\r\n c\r\nbroken\r\n"],
  ])("with %s is answered 400", async (_name, lines) => {
    await start();
    const { socket, closed } = await open();
    socket.write(`POST ${PATH} HTTP/1.1\r\nhost: a\r\n${lines}\r\n{}`);

    expect(statusesOf(await closed)).toEqual([400]);
  });

  it("beyond the bound is cut off, and one that ended makes room", async () => {
    await start({ connections: 2 });
    const [first, second] = [await open(), await open()];
    await expect.poll(heldConnections).toBe(2);
    const third = await open();

    expect(await third.closed).toBe("");
    first.socket.destroy();
    await expect.poll(heldConnections).toBe(1);
    second.socket.write(whole());
    expect(await second.until("taken\n")).toContain("HTTP/1.1 202 ");
    const fourth = await open();
    fourth.socket.write(whole("d-2"));
    expect(await fourth.until("taken\n")).toContain("HTTP/1.1 202 ");
  });
});

describe("closing", () => {
  it("does not wait for a body that comes in: it is answered 503, and nothing follows", async () => {
    await start();
    const { headers, body } = genuine();
    const arriving = await begin({ ...headers, "content-length": String(Buffer.byteLength(body)) });
    arriving.socket.write(body.slice(0, 20));
    const idle = await open();

    await listener?.close();

    expect(statusesOf(await arriving.closed)).toEqual([100, 503]);
    expect(await idle.closed).toBe("");
    expect(events).toBe(0);
    await expect(openRawConnection(listener?.url ?? "")).rejects.toThrow("ECONNREFUSED");
  });

  it("cuts off what does not end by itself", async () => {
    readSecrets = () => new Promise(() => {});
    await start();
    const { socket, closed } = await open();
    socket.write(whole());
    await expect.poll(heldConnections).toBe(1);

    const closing = listener?.close();
    await clock.advance(2000);
    await closing;

    expect(await closed).toBe("");
  });

  it("lets no event come after it, also not of a delivery that just had its answer", async () => {
    await start();
    let closing: Promise<void> | undefined;
    onLog = (line) => {
      if (line.includes("took a delivery")) closing = listener?.close();
    };
    const { socket, closed } = await open();
    socket.write(whole());

    expect(statusesOf(await closed)).toEqual([202]);
    await closing;
    expect(events).toBe(0);
  });

  it("may be asked for twice", async () => {
    await start();
    await Promise.all([listener?.close(), listener?.close()]);
  });
});

describe("the port", () => {
  it("that is taken says so, and what to do", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const address = other.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;

    await expect(start({}, { port })).rejects.toMatchObject({
      code: "webhook-port-taken",
      message: `127.0.0.1:${port} is taken by another program: choose another port for webhooks with --webhook-listen`,
    });
    other.close();
  });
});

describe("TLS", () => {
  let folder: string;
  let files: TlsFiles;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "webhook-tls-"));
    files = { cert: join(folder, "tls.crt"), key: join(folder, "tls.key") };
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  async function renew(name: string): Promise<string> {
    const authority = await makeAuthority(name, systemClock);
    const leaf = await makeLeaf(authority, systemClock, {
      subject: [{ CN: [name] }],
      usage: "server",
      hosts: ["127.0.0.1"],
    });
    writeFileSync(files.cert, leaf.certificate);
    writeFileSync(files.key, leaf.key);
    return authority.certificate;
  }

  function post(ca: string, id: string): Promise<{ readonly status: number; readonly name: string }> {
    const { headers, body } = genuine(id);
    return new Promise((resolve, reject) => {
      const agent = new Agent({ keepAlive: false });
      const sent = httpsRequest(`${listener?.url}${PATH}`, { method: "POST", headers: { ...headers }, ca, agent });
      sent.on("error", reject).end(body);
      sent.on("response", (answer) => {
        // A request by https has a connection by TLS.
        const name = (answer.socket as TLSSocket).getPeerCertificate().subject.CN;
        answer.resume().on("end", () => resolve({ status: answer.statusCode ?? 0, name: String(name) }));
      });
    });
  }

  it("is spoken with the certificate of the files, and with another once both are there", async () => {
    const first = await renew("first");
    await start({}, { tls: files });
    expect(listener?.url).toMatch(/^https:/);
    expect(await post(first, "d-1")).toEqual({ status: 202, name: "first" });

    const key = "-----BEGIN PRIVATE KEY-----\nbm8=\n-----END PRIVATE KEY-----\n";
    writeFileSync(files.key, key);
    await clock.advance(60_000);
    expect(await post(first, "d-2")).toEqual({ status: 202, name: "first" });
    expect(log.split("\n").filter((line) => line.includes("kept the certificate"))).toHaveLength(1);
    expect(log).not.toContain("bm8=");

    const second = await renew("second");
    await clock.advance(30_000);
    expect(await post(second, "d-3")).toEqual({ status: 202, name: "second" });
    await expect(post(first, "d-4")).rejects.toThrow(/certificate/);
  });

  it("needs a certificate and its key", async () => {
    await expect(start({}, { tls: files })).rejects.toMatchObject({
      code: "webhook-tls-unusable",
      message: expect.stringContaining("--webhook-tls-cert"),
    });
    await renew("first");
    const { cert } = files;
    const other = { cert, key: join(folder, "other.key") };
    await renew("second");
    writeFileSync(other.key, (await makeAuthority("other", systemClock)).key);

    await expect(start({}, { tls: other })).rejects.toThrow(`the key ${other.key} is not that of ${cert}`);
    await expect(start({}, { tls: { cert: files.key, key: files.key } })).rejects.toThrow("has no certificate in PEM");
  });

  it("is the only thing that is spoken then", async () => {
    await renew("first");
    await start({}, { tls: files });
    const { socket, closed } = await open();
    socket.write(whole());

    expect(await closed).not.toContain("202");
    expect(events).toBe(0);
  });
});
