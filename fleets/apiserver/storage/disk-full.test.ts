import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { KubeObject } from "../../../kube/object.ts";
import { FakeClock } from "../../../runtime/clock.ts";
import type { Change } from "./change-ring.ts";
import { writeRefusal } from "./errors.ts";
import { Store } from "./store.ts";

const KILOBYTE = 1024;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "flaghoist-full-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function openStore(maxBytes: number | undefined, onFatal: (error: unknown) => void = () => {}): Store {
  return new Store({
    clock: new FakeClock(),
    database: join(folder, "store.db"),
    synchronous: "normal",
    historyEvents: 100,
    maxBytes,
    onFatal,
  });
}

function key(name: string) {
  return { resource: "configmaps", namespace: "a", name };
}

function object(name: string, value: string): KubeObject {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, namespace: "a", uid: `uid-${name}` },
    data: { value },
  };
}

describe("a store whose disk is full", () => {
  it("refuses the write, says why, and keeps what was there", async () => {
    let fatal: unknown;
    const store = openStore(256 * KILOBYTE, (error) => {
      fatal = error;
    });
    store.put(key("kept"), object("kept", "before"));
    await store.settled();
    const told: Change[] = [];
    store.subscribe("configmaps", (change) => told.push(change));

    store.put(key("kept"), object("kept", "after"));
    store.put(key("large"), object("large", "x".repeat(512 * KILOBYTE)));

    await expect(store.settled()).rejects.toMatchObject({ code: "store-disk-full" });
    expect(store.get(key("kept"))?.object["data"]).toEqual({ value: "before" });
    expect(store.get(key("large"))).toBeUndefined();
    expect(told).toEqual([]);
    expect(fatal).toBeUndefined();
    store.close();
  });

  it("goes on when a write fits again, with the revisions that the file has", async () => {
    const store = openStore(256 * KILOBYTE);
    store.put(key("kept"), object("kept", "1"));
    await store.settled();
    const before = store.revision;
    store.put(key("large"), object("large", "x".repeat(512 * KILOBYTE)));
    await expect(store.settled()).rejects.toMatchObject({ code: "store-disk-full" });

    store.put(key("kept"), object("kept", "2"));
    await store.settled();

    expect(store.revision).toBe(before + 1);
    store.close();
    const again = openStore(undefined);
    expect(again.get(key("kept"))?.object["data"]).toEqual({ value: "2" });
    expect(again.get(key("large"))).toBeUndefined();
    again.close();
  });

  it("takes back a removal that could not be written", async () => {
    const store = openStore(256 * KILOBYTE);
    const kept = store.put(key("kept"), object("kept", "1"));
    await store.settled();

    store.remove(kept);
    store.put(key("large"), object("large", "x".repeat(512 * KILOBYTE)));

    await expect(store.settled()).rejects.toMatchObject({ code: "store-disk-full" });
    expect(store.get(key("kept"))?.object["data"]).toEqual({ value: "1" });
    store.close();
  });
});

describe("a store that was refused a write", () => {
  it("says so until a small write succeeds, which it tries by itself", async () => {
    const clock = new FakeClock();
    const store = new Store({
      clock,
      database: join(folder, "store.db"),
      synchronous: "normal",
      historyEvents: 100,
      maxBytes: 256 * KILOBYTE,
      onFatal: () => {},
    });
    store.put(key("large"), object("large", "x".repeat(512 * KILOBYTE)));
    await expect(store.settled()).rejects.toMatchObject({ code: "store-disk-full" });
    expect(store.writeRefusal).toMatchObject({ code: "store-disk-full" });

    await clock.advance(5000);

    expect(store.writeRefusal).toBeUndefined();
    store.close();
  });
});

describe("writeRefusal", () => {
  function sqliteError(code: number): Error {
    return Object.assign(new Error("as SQLite says"), { errcode: code });
  }

  it.each([
    ["a full disk", 13, "store-disk-full"],
    ["a read-only file", 8, "store-read-only"],
    ["a read-only folder", 1544, "store-read-only"],
    ["a log that cannot be opened", 14, "store-read-only"],
    ["a refused write", 778, "store-read-only"],
  ])("takes %s for one that leaves the file as it was", (_what, code, expected) => {
    expect(writeRefusal("store.db", sqliteError(code))?.code).toBe(expected);
  });

  it.each([
    ["a failed fsync", 1034],
    ["a damaged page", 11],
    ["a broken rule", 19],
  ])("does not take %s for one", (_what, code) => {
    expect(writeRefusal("store.db", sqliteError(code))).toBeUndefined();
  });
});

/** Own mounts need user namespaces or root. */
const canMount = spawnSync("unshare", ["-rm", "true"]).status === 0;
if (!canMount) console.log("skipped: a real full disk needs 'unshare -rm' to mount one");

describe.skipIf(!canMount)("a server on a disk that is really full", () => {
  it("refuses writes with 507, answers reads and watches, says so in /readyz, and recovers", {
    timeout: 60_000,
  }, () => {
    const script = join(import.meta.dirname, "testdata", "full-disk.ts");
    const command = 'mount -t tmpfs -o size=2m none "$0" && exec "$1" "$2" "$0"';

    const child = spawnSync("unshare", ["-rm", "sh", "-c", command, folder, process.execPath, script], {
      encoding: "utf8",
    });

    expect(child.stderr).toBe("");
    expect(JSON.parse(child.stdout)).toMatchObject({
      refused: { status: 507, retryAfter: "1", message: expect.stringContaining("the disk is full") },
      list: 200,
      other: 507,
      full: { status: 500, text: expect.stringContaining("[-]storage failed: reason withheld\n") },
      alive: 200,
      ready: 200,
      created: 201,
      seen: true,
    });
  });
});
