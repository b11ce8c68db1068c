// Clients that open watches and do not read: they are cut off, and cost little until then.

import type { EventEmitter } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type ClientHttp2Session, connect } from "node:http2";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeClock } from "../../../runtime/clock.ts";
import { silentLogger } from "../../../runtime/logger.ts";
import { type ApiServer, createApiServer } from "../server.ts";
import { configMap } from "../test-server.ts";
import { type CertificateSet, ensureCertificates } from "./certificates.ts";
import { type Listener, listen } from "./listener.ts";

const COLLECTION = "/api/v1/namespaces/default/configmaps";
const WATCH = `${COLLECTION}?watch=1&resourceVersion=`;
const TEXT = "x".repeat(200_000);

let folder: string;
let clock: FakeClock;
let server: ApiServer;
let listener: Listener;
let certificates: CertificateSet;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "flaghoist-stuck-"));
  clock = new FakeClock(Date.now());
  server = await createApiServer({ name: "test", clock, logger: silentLogger, database: join(folder, "store.db") });
  listener = await listen(server, { host: "127.0.0.1", port: 0, directory: folder, clock, logger: silentLogger });
  certificates = await ensureCertificates(folder, [], clock);
  await write("POST", COLLECTION, configMap("x"));
});

afterEach(async () => {
  await listener.close();
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

async function write(method: string, path: string, object: unknown): Promise<void> {
  const answer = await server.handle({ method, path, object });
  expect(answer.status).toBeLessThan(300);
}

async function presentRevision(): Promise<string> {
  const answer = await server.handle({ method: "GET", path: COLLECTION });
  return (answer.parsed as { metadata: { resourceVersion: string } }).metadata.resourceVersion;
}

/** A stream that is open and not read. */
interface StuckWatch {
  /** Reads after all, to the end; answers how many bytes there were. Never resolves for a watch that goes on. */
  readAll(): Promise<number>;
}

function readerOf(stream: Readable, closing: EventEmitter): StuckWatch {
  stream.on("error", () => {});
  stream.pause();
  return {
    readAll: () =>
      new Promise((resolve) => {
        let size = 0;
        stream.on("data", (chunk: Buffer) => {
          size += chunk.length;
        });
        closing.once("close", () => resolve(size));
        stream.resume();
      }),
  };
}

function credentials() {
  const { caPem: ca, admin } = certificates;
  return { ca, cert: admin.certificate, key: admin.key };
}

async function openHttp2(revision: string): Promise<StuckWatch> {
  const session: ClientHttp2Session = connect(listener.url, credentials());
  session.on("error", () => {});
  const stream = session.request({ ":path": `${WATCH}${revision}` });
  await new Promise((resolve) => stream.once("response", resolve));
  stream.once("close", () => session.destroy());
  return readerOf(stream, stream);
}

function openHttp1(revision: string): Promise<StuckWatch> {
  return new Promise((resolve, reject) => {
    const url = `${listener.url}${WATCH}${revision}`;
    const call = request(url, { ...credentials(), agent: false }, (answer) => resolve(readerOf(answer, answer.socket)));
    call.on("error", reject);
    call.end();
  });
}

const VERSIONS = [
  ["HTTP/2", openHttp2],
  ["HTTP/1.1", openHttp1],
] as const;

describe.each(VERSIONS)("a watch over %s that nobody reads", (_name, open) => {
  it("is cut off once 16 MiB wait for it", async () => {
    const stuck = await open(await presentRevision());

    for (let n = 0; n < 180; n++) await write("PUT", `${COLLECTION}/x`, configMap("x", { text: `${n}${TEXT}` }));

    // What the connection held, and no more.
    expect(await stuck.readAll()).toBeLessThan(20 * 1024 * 1024);
  });

  it("is cut off when it is a thousand changes behind for half a minute", async () => {
    const stuck = await open(await presentRevision());
    // More than any connection takes, and less than the limit on bytes.
    for (let n = 0; n < 40; n++) await write("PUT", `${COLLECTION}/x`, configMap("x", { text: `${n}${TEXT}` }));
    for (let n = 0; n < 1100; n++) await write("PUT", `${COLLECTION}/x`, configMap("x", { n: String(n) }));

    await clock.advance(31_000);
    await write("PUT", `${COLLECTION}/x`, configMap("x", { n: "last" }));

    expect(await stuck.readAll()).toBeGreaterThan(0);
  });
});

describe("many watches that nobody reads", () => {
  it("share the events that wait for them", async () => {
    const session = connect(listener.url, credentials());
    session.on("error", () => {});
    const revision = await presentRevision();
    const streams = Array.from({ length: 100 }, () => session.request({ ":path": `${WATCH}${revision}` }));
    for (const stream of streams) {
      stream.on("error", () => {});
      await new Promise((resolve) => stream.once("response", resolve));
    }
    const before = process.memoryUsage();

    for (let n = 0; n < 70; n++) await write("PUT", `${COLLECTION}/x`, configMap("x", { text: `${n}${TEXT}` }));

    const after = process.memoryUsage();
    // 14 MB for each of them would be 1.4 GB.
    expect(after.external + after.heapUsed - before.external - before.heapUsed).toBeLessThan(300_000_000);
    session.destroy();
  });
});
