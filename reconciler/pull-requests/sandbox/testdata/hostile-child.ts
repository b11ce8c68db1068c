// Does what the first message asks for, and all of it is what a process of a plan must not get away with.
import { spawnSync } from "node:child_process";
import { promises as dns } from "node:dns";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect, createServer, Socket } from "node:net";
import { Worker } from "node:worker_threads";
import { encodeFrame, FrameReader } from "../frames.ts";

const connection = new Socket({ fd: 3, readable: true, writable: true });
const reader = new FrameReader(1024 * 1024);
connection.on("data", (chunk: Uint8Array) => {
  for (const { header } of reader.push(chunk)) void act(String(header["act"]), header);
});
connection.on("close", () => process.exit(0));

function tell(header: Record<string, unknown>, payload?: Uint8Array): void {
  for (const part of encodeFrame(header, payload)) connection.write(part);
}

async function act(what: string, told: Readonly<Record<string, unknown>>): Promise<void> {
  switch (what) {
    case "endless":
      tell({ type: "alive" });
      for (;;);
    case "idle":
      tell({ type: "alive", pid: process.pid });
      return;
    case "heap": {
      const kept: unknown[] = [];
      for (;;) kept.push(Array.from({ length: 10_000 }, (_, index) => ({ index })));
    }
    case "buffers": {
      const kept: Buffer[] = [];
      for (;;) {
        kept.push(Buffer.alloc(4 * 1024 * 1024, 1));
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
    case "exit":
      process.exit(7);
      break;
    case "throw":
      throw new Error("the password is hunter2");
    case "output":
      for (;;) {
        process.stdout.write("x".repeat(65_536));
        await new Promise((resolve) => setImmediate(resolve));
      }
    case "message":
      tell({ type: "request" }, Buffer.alloc(8 * 1024 * 1024));
      return;
    case "result":
      tell({ type: "result" }, Buffer.alloc(Number(told["bytes"])));
      return;
    case "endless-message":
      connection.write(Buffer.from([0, 0, 0, 2, 0xff, 0xff, 0xff, 0xff]));
      for (;;) {
        connection.write(Buffer.alloc(65_536));
        await new Promise((resolve) => setImmediate(resolve));
      }
    case "garbage":
      connection.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 110, 117, 108, 108]));
      return;
    case "requests":
      for (let id = 0; id < 10_000; id++) tell({ type: "request", id });
      return;
    case "attempts":
      tell({ type: "result" }, Buffer.from(JSON.stringify(await attempts(told))));
  }
}

async function attempts({ secretFile, port }: Readonly<Record<string, unknown>>): Promise<Record<string, string>> {
  // Some shells leave the name of the program there.
  const { _, ...env } = process.env;
  const outcomes: Record<string, string> = { env: JSON.stringify(env) };
  const attempt = async (name: string, work: () => unknown): Promise<void> => {
    try {
      outcomes[name] = `done: ${await work()}`;
    } catch (error) {
      outcomes[name] = (error as { code?: string }).code ?? String(error);
    }
  };
  const opened = (socket: Socket): Promise<void> =>
    new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  await attempt("read", () => readFileSync(String(secretFile), "utf8"));
  await attempt("read of the environment", () => readFileSync(`/proc/${process.ppid}/environ`, "utf8"));
  await attempt("list", () => readdirSync("/"));
  await attempt("write", () => writeFileSync(`${secretFile}.new`, "x"));
  await attempt("database", async () => {
    const { DatabaseSync } = await import("node:sqlite");
    return new DatabaseSync(String(secretFile)).location();
  });
  await attempt("connection", () => opened(connect(Number(port), "127.0.0.1")));
  await attempt("local connection", () => opened(connect(String(secretFile))));
  await attempt("fetch", async () => {
    try {
      return (await fetch(`http://127.0.0.1:${port}/`)).status;
    } catch (error) {
      throw (error as Error).cause;
    }
  });
  await attempt("name", () => dns.lookup("localhost"));
  await attempt("server", () => {
    return new Promise((resolve, reject) => {
      // This one is refused a turn later, to nobody.
      process.once("uncaughtException", reject);
      createServer().listen(0, "127.0.0.1", () => resolve(undefined));
    });
  });
  await attempt("program", () => spawnSync("/bin/true").error ?? "ran");
  await attempt("thread", () => new Worker("0", { eval: true }));
  await attempt("addon", () => process.dlopen({ exports: {} }, String(secretFile)));
  await attempt("code", () => new Function("return 1")());
  return outcomes;
}
