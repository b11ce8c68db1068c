import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startTestServer } from "../test-server.ts";

const WRITER = join(import.meta.dirname, "testdata", "writer.ts");

/** Runs the writer until it has acknowledged `count` writes, then kills it without warning. */
function writeAndKill(database: string, count: number): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [WRITER, database], { stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    let killed = false;
    child.stdout.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      if (!killed && text.split("\n").length > count) {
        killed = true;
        child.kill("SIGKILL");
      }
    });
    child.on("error", reject);
    // The last line may be cut off; its write may or may not have happened.
    child.on("close", () => resolve(text.split("\n").slice(0, -1)));
  });
}

describe("A durable server", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "crash-"));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it("has every acknowledged write after it was killed, three times over", { timeout: 60_000 }, async () => {
    const database = join(folder, "store.db");
    const acknowledged: string[] = [];

    for (const count of [1, 40, 150]) acknowledged.push(...(await writeAndKill(database, count)));

    const { server, call } = await startTestServer({ database });
    const { body } = await call("GET", "/api/v1/namespaces/default/configmaps");
    const present = new Set(body["items"]!.map((item) => String(item["metadata"]!["name"])));
    expect(acknowledged.length).toBeGreaterThan(190);
    expect(acknowledged.filter((name) => !present.has(name))).toEqual([]);
    await server.close();
  });
});
