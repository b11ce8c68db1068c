import { createServer as createHttp2Server, type ServerHttp2Stream } from "node:http2";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { FakeClock, systemClock } from "../../../runtime/clock.ts";
import { silentLogger } from "../../../runtime/logger.ts";
import { GrpcChannel } from "./channel.ts";
import { type GrpcMethod, type GrpcServer, startGrpcServer } from "./server.ts";
import { GrpcError } from "./status.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const ECHO: GrpcMethod = async (request) => request;
const HELLO = Buffer.from("hello");

async function serve(methods: Record<string, GrpcMethod>, port = 0): Promise<GrpcServer> {
  const server = await startGrpcServer({
    host: "127.0.0.1",
    port,
    methods: new Map(Object.entries(methods)),
    clock: systemClock,
    logger: silentLogger,
  });
  closers.push(() => server.close());
  return server;
}

function channelTo(port: number, clock: FakeClock = new FakeClock()): GrpcChannel {
  const channel = new GrpcChannel({ resolve: async () => [`127.0.0.1:${port}`], tls: () => undefined, clock });
  closers.push(() => channel.close());
  return channel;
}

/** A TCP server that does with each connection as told. */
async function serveTcp(handle: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    handle(socket);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** A server of HTTP/2 that answers each stream as told. */
async function serveHttp2(handle: (stream: ServerHttp2Stream) => void): Promise<number> {
  const server = createHttp2Server();
  server.on("stream", (stream: ServerHttp2Stream) => {
    stream.on("error", () => {});
    handle(stream);
  });
  server.on("session", (session) => closers.push(() => session.destroy()));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  closers.unshift(() => server.close());
  return (server.address() as AddressInfo).port;
}

const GRPC_HEAD = { ":status": 200, "content-type": "application/grpc" };
const CALL = { timeoutMs: 3_000 };

async function failureOf(promise: Promise<unknown>): Promise<Pick<GrpcError, "status" | "message">> {
  const error = await promise.then(
    () => new Error("the call went well"),
    (reason: unknown) => reason,
  );
  if (!(error instanceof GrpcError)) throw error;
  return { status: error.status, message: error.message };
}

describe("GrpcChannel and its server", () => {
  it("carry messages of any size up to 4 MiB over one connection", async () => {
    const channel = channelTo((await serve({ "/s/Echo": ECHO })).port);
    for (const size of [0, 1, 70_000, 4 * 1024 * 1024]) {
      const message = Buffer.alloc(size, 7);
      expect(Buffer.from(await channel.unary("/s/Echo", message, CALL)).equals(message)).toBe(true);
    }
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, each) => channel.unary("/s/Echo", Buffer.from(`${each}`), CALL)),
    );
    expect(answers.map(String)).toEqual(Array.from({ length: 50 }, (_, each) => `${each}`));
  });

  it("refuse larger messages, both ways", async () => {
    const big = Buffer.alloc(5 * 1024 * 1024);
    const channel = channelTo((await serve({ "/s/Echo": ECHO, "/s/Big": async () => big })).port);
    expect(await failureOf(channel.unary("/s/Echo", big, CALL))).toMatchObject({ status: "RESOURCE_EXHAUSTED" });
    expect(await failureOf(channel.unary("/s/Big", HELLO, CALL))).toMatchObject({ status: "RESOURCE_EXHAUSTED" });
    expect(String(await channel.unary("/s/Echo", HELLO, CALL))).toBe("hello");
  });

  it("tell why a call failed, in any language", async () => {
    const channel = channelTo(
      (
        await serve({
          "/s/Refuse": async () => {
            throw new GrpcError("INVALID_ARGUMENT", "ungültig: 100 %");
          },
          "/s/Fail": async () => {
            throw new Error("a bug");
          },
        })
      ).port,
    );
    expect(await failureOf(channel.unary("/s/Refuse", HELLO, CALL))).toEqual({
      status: "INVALID_ARGUMENT",
      message: "ungültig: 100 %",
    });
    expect(await failureOf(channel.unary("/s/Fail", HELLO, CALL))).toEqual({ status: "UNKNOWN", message: "a bug" });
    expect(await failureOf(channel.unary("/s/Missing", HELLO, CALL))).toEqual({
      status: "UNIMPLEMENTED",
      message: "there is no method /s/Missing",
    });
  });

  it("end a call when its time is over, on both sides", async () => {
    const clock = new FakeClock();
    let ended: unknown;
    const { port } = await serve({
      "/s/Hang": (_request, { signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener("abort", () => {
            ended = signal.reason;
            reject(ended);
          });
        }),
      "/s/Echo": ECHO,
    });
    const channel = channelTo(port, clock);
    await channel.connect();
    const failure = failureOf(channel.unary("/s/Hang", HELLO, CALL));
    await clock.advance(3_000);

    expect(await failure).toEqual({ status: "DEADLINE_EXCEEDED", message: "no answer within 3000 ms" });
    // The same connection serves on.
    expect(String(await channel.unary("/s/Echo", HELLO, CALL))).toBe("hello");
    expect(ended).toBeInstanceOf(GrpcError);
  });

  it("end a call that nobody waits for any more", async () => {
    const channel = channelTo((await serve({ "/s/Hang": () => new Promise(() => {}) })).port);
    const abort = new AbortController();
    await channel.connect();
    const failure = failureOf(channel.unary("/s/Hang", HELLO, { ...CALL, signal: abort.signal }));
    abort.abort(new Error("not needed"));
    expect(await failure).toEqual({ status: "CANCELLED", message: "not needed" });
  });

  it("fail at once while there is no server, and try again after a second", async () => {
    const clock = new FakeClock();
    const first = await serve({ "/s/Echo": ECHO });
    const { port } = first;
    await first.close();
    closers.pop();
    const channel = channelTo(port, clock);
    const refused = {
      status: "UNAVAILABLE",
      message: expect.stringContaining(`127.0.0.1:${port}: connect ECONNREFUSED`),
    };
    expect(await failureOf(channel.unary("/s/Echo", HELLO, CALL))).toEqual(refused);

    await serve({ "/s/Echo": ECHO }, port);
    expect(await failureOf(channel.unary("/s/Echo", HELLO, CALL))).toEqual(refused);
    await clock.advance(1_000);
    expect(String(await channel.unary("/s/Echo", HELLO, CALL))).toBe("hello");
  });

  it("connect anew after the server went away", async () => {
    const first = await serve({ "/s/Echo": ECHO });
    const channel = channelTo(first.port);
    await channel.unary("/s/Echo", HELLO, CALL);
    await first.close();
    closers.splice(closers.length - 2, 1);

    await serve({ "/s/Echo": ECHO }, first.port);
    expect(String(await channel.unary("/s/Echo", HELLO, CALL))).toBe("hello");
  });

  it("try all addresses", async () => {
    const { port } = await serve({ "/s/Echo": ECHO });
    const resolve = async (): Promise<string[]> => ["127.0.0.1:1", `127.0.0.1:${port}`];
    const channel = new GrpcChannel({ resolve, tls: () => undefined, clock: systemClock });
    closers.push(() => channel.close());
    expect(String(await channel.unary("/s/Echo", HELLO, CALL))).toBe("hello");
  });
});

describe("GrpcChannel, before a server that is none of gRPC", () => {
  it.each<[string, (socket: Socket) => void]>([
    ["answers in another protocol", (socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")],
    [
      "sends garbage",
      (socket) => socket.end(Buffer.from(Array.from({ length: 500 }, (_, each) => (each * 37) & 0xff))),
    ],
    ["hangs up", (socket) => socket.destroy()],
  ])("calls one that %s unavailable", async (_what, handle) => {
    const channel = channelTo(await serveTcp(handle));
    expect(await failureOf(channel.unary("/s/Echo", HELLO, CALL))).toMatchObject({ status: "UNAVAILABLE" });
  });

  it("waits no longer than the call may take for one that says nothing", async () => {
    const clock = new FakeClock();
    let connected: () => void = () => {};
    const isConnected = new Promise<void>((resolve) => {
      connected = resolve;
    });
    const channel = channelTo(await serveTcp(() => connected()), clock);
    const failure = failureOf(channel.unary("/s/Echo", HELLO, { timeoutMs: 1_000 }));
    await isConnected;
    await clock.advance(1_000);
    expect(await failure).toEqual({ status: "DEADLINE_EXCEEDED", message: "no answer within 1000 ms" });
  });

  it.each<[string, (stream: ServerHttp2Stream) => void, string]>([
    ["answers with an HTTP error", (stream) => stream.respond({ ":status": 503 }, { endStream: true }), "UNAVAILABLE"],
    ["does not know the path", (stream) => stream.respond({ ":status": 404 }, { endStream: true }), "UNIMPLEMENTED"],
    [
      "answers with a page",
      (stream) => {
        stream.respond({ ":status": 200, "content-type": "text/html" });
        stream.end("<html></html>");
      },
      "UNKNOWN",
    ],
    [
      "ends in the middle of a message",
      (stream) => {
        stream.respond(GRPC_HEAD, { waitForTrailers: true });
        stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
        stream.end(Buffer.from([0, 0, 0, 0, 9, 1]));
      },
      "INTERNAL",
    ],
    [
      "announces a huge message",
      (stream) => {
        stream.respond(GRPC_HEAD);
        stream.write(Buffer.from([0, 0xff, 0xff, 0xff, 0xff]));
      },
      "RESOURCE_EXHAUSTED",
    ],
    ["cuts the stream", (stream) => stream.close(2), "UNAVAILABLE"],
  ])("says so when it %s", async (_what, handle, status) => {
    const channel = channelTo(await serveHttp2(handle));
    expect(await failureOf(channel.unary("/s/Echo", HELLO, CALL))).toMatchObject({ status });
  });
});
