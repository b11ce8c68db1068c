import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Transport } from "../../kube/client/transport.ts";
import { systemClock } from "../../runtime/clock.ts";
import { silentLogger } from "../../runtime/logger.ts";
import { type ExtensionListener, openExtensionListener, parseAdvertisedAddress } from "./extension-listener.ts";

describe("parseAdvertisedAddress", () => {
  it.each([
    ["flaghoist.example", "flaghoist.example", undefined],
    ["10.0.0.1:8443", "10.0.0.1", 8443],
    ["[fd00::1]:8443", "fd00::1", 8443],
    ["fd00::1", "fd00::1", undefined],
  ])("reads %s", (text, host, port) => {
    expect(parseAdvertisedAddress(text)).toEqual({ host, port });
  });

  it.each(["", "https://a", "a:b", "a:0", "a:65536", "[a]:1", "a/b"])("refuses %j", (text) => {
    expect(parseAdvertisedAddress(text)).toBeUndefined();
  });
});

describe("openExtensionListener", () => {
  let folder: string;
  let listener: ExtensionListener;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "flaghoist-extension-"));
    listener = await openExtensionListener({
      host: undefined,
      port: undefined,
      advertise: { host: "localhost", port: undefined },
      dataFolder: folder,
      clock: systemClock,
      logger: silentLogger,
    });
  });
  afterEach(async () => {
    await listener.close();
    rmSync(folder, { recursive: true, force: true });
  });

  function post(path: string, body: string): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const sent = request(`${listener.url}${path}`, { method: "POST", ca: listener.caPem, agent: false }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("end", () => resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
      });
      sent.on("error", reject);
      sent.end(body);
    });
  }

  const answering = (name: string): Transport => {
    return ({ path, body }) => {
      const text = `${name} ${path} ${Buffer.from(body ?? "").length}`;
      return Promise.resolve({ status: 200, headers: {}, body: Buffer.from(text) });
    };
  };

  it("hands requests to the handler of the longest prefix, at the advertised address", async () => {
    listener.route("/apis", answering("apis"));
    listener.route("/apis/cluster.karmada.io", answering("clusters"));

    expect((await post("/apis/cluster.karmada.io/v1alpha1/x?y=1", "abc")).text).toBe(
      "clusters /apis/cluster.karmada.io/v1alpha1/x?y=1 3",
    );
    expect((await post("/apis/cluster.karmada.iox", "")).text).toBe("apis /apis/cluster.karmada.iox 0");
  });

  it("answers other paths with 404", async () => {
    expect((await post("/other", "")).status).toBe(404);
  });

  it("takes reviews of two large objects, and refuses larger ones", async () => {
    listener.route("/mutate", answering("m"));

    expect((await post("/mutate", "x".repeat(4_000_000))).text).toBe("m /mutate 4000000");
    expect((await post("/mutate", "x".repeat(8_000_000)).catch(() => ({ status: 413 }))).status).toBe(413);
  });
});
