// What clients may cost, and how a listener ends: over real connections.
import { mkdtempSync, rmSync } from "node:fs";
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from "node:http2";
import { Agent, request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../runtime/clock.ts";
import { silentLogger } from "../../../runtime/logger.ts";
import { type ApiServer, createApiServer } from "../server.ts";
import { CONFIG_MAPS, configMap } from "../test-server.ts";
import { type Listener, listen } from "./listener.ts";

const TOKEN = { authorization: "Bearer good" };
let folder: string;
let server: ApiServer;
let listener: Listener;
/** Lets requests that create a ConfigMap named `slow` go on. */
let release: () => void;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "flaghoist-connections-"));
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  server = await createApiServer({
    name: "root",
    clock: systemClock,
    logger: silentLogger,
    database: join(folder, "store.db"),
    admission: [
      {
        handles: (kind) => kind.kind === "ConfigMap",
        validate: ({ name }) => (name === "slow" ? gate.then(() => []) : []),
      },
    ],
  });
  listener = await listen(server, {
    host: "127.0.0.1",
    port: 0,
    directory: join(folder, "pki"),
    clock: systemClock,
    logger: silentLogger,
    headMs: 300,
    bodyMs: 300,
    tokens: (token) => (token === "good" ? { name: "alice", groups: ["devs"] } : undefined),
  });
});

afterEach(async () => {
  release();
  await listener.close();
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

function openSession(): ClientHttp2Session {
  const session = connect(listener.url, { ca: listener.caPem });
  // Ends are looked at where they matter.
  session.on("error", () => {});
  return session;
}

function openSocket(): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({
      host: "127.0.0.1",
      port: listener.port,
      ca: listener.caPem,
      ALPNProtocols: ["http/1.1"],
    });
    socket.once("secureConnect", () => resolve(socket));
    socket.once("error", reject);
  });
}

interface Reply {
  readonly status: number;
  readonly text: string;
}

function replyOf(stream: ClientHttp2Stream): Promise<Reply> {
  return new Promise((resolve, reject) => {
    let status = 0;
    let text = "";
    stream.on("response", (headers) => {
      status = Number(headers[":status"]);
    });
    stream.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    stream.on("end", () => resolve({ status, text }));
    stream.on("error", reject);
  });
}

function post(session: ClientHttp2Session, name: string): Promise<Reply> {
  const stream = session.request({ ":method": "POST", ":path": CONFIG_MAPS, ...TOKEN });
  stream.end(JSON.stringify(configMap(name)));
  return replyOf(stream);
}

/** Everything that the server sends until it ends the connection. */
function textUntilEnd(socket: TLSSocket): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(text));
  });
}

/** Waits for a condition that other connections bring about. */
async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setImmediate(resolve));
}

async function inFlightWrites(): Promise<number> {
  const answer = await server.handle({ method: "GET", path: "/metrics" });
  const text = Buffer.from(answer.body as Uint8Array).toString();
  return Number(/apiserver_current_inflight_requests\{request_kind="mutating"\} (\d+)/.exec(text)?.[1]);
}

describe("closing a listener", () => {
  it("ends watches with their last events, without a reset, and says goodbye", async () => {
    const session = openSession();
    const goodbye = new Promise<number>((resolve) => session.on("goaway", (code) => resolve(code)));
    const stream = session.request({ ":path": `${CONFIG_MAPS}?watch=1`, ...TOKEN });
    const watched = replyOf(stream);
    await new Promise((resolve) => stream.once("response", resolve));

    await server.handle({ method: "POST", path: CONFIG_MAPS, object: configMap("last") });
    await listener.close();

    const { status, text } = await watched;
    expect(status).toBe(200);
    expect(text.endsWith("}\n")).toBe(true);
    expect(text).toContain('"name":"last"');
    expect(stream.rstCode).toBe(constants.NGHTTP2_NO_ERROR);
    expect(await goodbye).toBe(constants.NGHTTP2_NO_ERROR);
  });

  it("lets running requests finish, over both versions of HTTP, and takes no new ones", async () => {
    const session = openSession();
    const second = post(session, "slow");
    const agent = new Agent({ keepAlive: true });
    const first = new Promise<{ status: number | undefined; connection: string | undefined }>((resolve, reject) => {
      const sent = request(
        `${listener.url}${CONFIG_MAPS}`,
        { method: "POST", ca: listener.caPem, agent, headers: { ...TOKEN, "user-agent": "h1" } },
        (response) => {
          response.resume();
          response.on("end", () => resolve({ status: response.statusCode, connection: response.headers.connection }));
        },
      );
      sent.on("error", reject);
      sent.end(JSON.stringify({ ...configMap("slow"), metadata: { name: "slow", namespace: "default" } }));
    });
    await until(async () => (await inFlightWrites()) === 2);

    const closed = listener.close();
    const refused = new Promise((resolve) => {
      const late = connectTls({ host: "127.0.0.1", port: listener.port, ca: listener.caPem });
      late.on("error", (error: NodeJS.ErrnoException) => resolve(error.code));
    });
    expect(await refused).toBe("ECONNREFUSED");
    release();

    // The two create the same object.
    const statuses = [(await first).status, (await second).status];
    expect(statuses.sort()).toEqual([201, 409]);
    await closed;
    agent.destroy();
  });

  it("does not wait for idle connections", { timeout: 8000 }, async () => {
    const session = openSession();
    await new Promise((resolve) => session.once("connect", resolve));
    const agent = new Agent({ keepAlive: true });
    await new Promise<void>((resolve) => {
      request(`${listener.url}/readyz`, { ca: listener.caPem, agent }, (response) => {
        response.resume();
        response.on("end", resolve);
      }).end();
    });

    // The test would be over before the ten seconds that running requests get.
    await expect(listener.close()).resolves.toBeUndefined();
    agent.destroy();
  });
});

describe("clients whose credentials do not hold", () => {
  it("get 401, and are counted", async () => {
    const session = openSession();

    const reply = await replyOf(session.request({ ":path": CONFIG_MAPS, authorization: "Bearer bad" }));

    expect(reply.status).toBe(401);
    const answer = await server.handle({ method: "GET", path: "/metrics" });
    const text = Buffer.from(answer.body as Uint8Array).toString();
    expect(text).toContain('authentication_attempts{result="failure"} 1');
    expect(text).toMatch(/apiserver_request_total\{verb="LIST",[^}]*code="401"\} 1/);
    session.close();
  });
});

describe("clients that cost much", () => {
  it("get 408 for a head that does not arrive", async () => {
    const socket = await openSocket();
    const text = textUntilEnd(socket);
    socket.write("GET /readyz HTTP/1.1\r\nHost: a\r\n");

    expect(await text).toMatch(/^HTTP\/1.1 408 /);
  });

  it("get 504 for a body that does not arrive, and others are served meanwhile", async () => {
    const session = openSession();
    const stream = session.request({ ":method": "POST", ":path": CONFIG_MAPS, ...TOKEN });
    stream.write('{"apiVersion":');
    const slow = replyOf(stream);

    expect((await post(session, "quick")).status).toBe(201);
    const reply = await slow;

    expect(reply.status).toBe(504);
    expect(JSON.parse(reply.text)).toMatchObject({ reason: "Timeout" });
    session.destroy();
  });

  it("get 431 for more headers than 16 KiB", async () => {
    const socket = await openSocket();
    const text = textUntilEnd(socket);
    socket.write(`GET /readyz HTTP/1.1\r\nHost: a\r\nX-Large: ${"x".repeat(20_000)}\r\n\r\n`);

    expect(await text).toMatch(/^HTTP\/1.1 431 /);
  });

  it("are cut off when they open and reset streams without end", async () => {
    const session = openSession();
    await new Promise((resolve) => session.once("connect", resolve));
    const cut = new Promise<number>((resolve) => session.on("goaway", (code) => resolve(code)));
    let open = true;
    session.on("close", () => {
      open = false;
    });

    for (let i = 0; i < 5000 && open; i++) {
      const stream = session.request({ ":path": `${CONFIG_MAPS}?watch=1`, ...TOKEN });
      stream.on("error", () => {});
      stream.close(constants.NGHTTP2_CANCEL);
      if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }

    expect(await cut).not.toBe(constants.NGHTTP2_NO_ERROR);
    const other = openSession();
    expect((await replyOf(other.request({ ":path": "/readyz" }))).text).toBe("ok");
    other.close();
  });
});
