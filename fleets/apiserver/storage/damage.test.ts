// Files that are no longer, or never were, what a store wrote: refused at start, never emptied.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeClock } from "../../../runtime/clock.ts";
import { Store } from "./store.ts";

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "flaghoist-damage-"));
  path = join(folder, "store.db");
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function openStore(): Store {
  return new Store({
    clock: new FakeClock(),
    database: path,
    synchronous: "normal",
    historyEvents: 100,
    onFatal: () => {},
  });
}

async function writeStore(): Promise<Buffer> {
  const store = openStore();
  for (let i = 0; i < 200; i++) {
    const metadata = { name: `n${i}`, namespace: "a", uid: `u${i}` };
    const data = { value: "v".repeat(400) };
    store.put(
      { resource: "configmaps", namespace: "a", name: `n${i}` },
      { apiVersion: "v1", kind: "ConfigMap", metadata, data },
    );
  }
  await store.settled();
  store.close();
  return readFileSync(path);
}

function overwrite(content: Buffer, at: number, text: Buffer | string): Buffer {
  const changed = Buffer.from(content);
  Buffer.from(text).copy(changed, at);
  return changed;
}

const INSTRUCTIONS = /is damaged: .+ 'flaghoist fsck'.+ 'flaghoist restore'/;

describe("a damaged store file", () => {
  it.each<[string, (whole: Buffer) => Buffer]>([
    ["emptied", () => Buffer.alloc(0)],
    ["cut in its header", (whole) => whole.subarray(0, 50)],
    ["cut after its first page", (whole) => whole.subarray(0, 4096)],
    ["cut in half", (whole) => whole.subarray(0, whole.length >>> 1)],
    ["with a header of garbage", (whole) => overwrite(whole, 0, "garbage, garbage")],
    ["with a page of zeros", (whole) => overwrite(whole, 10 * 4096, Buffer.alloc(4096))],
    ["with a page of something else", (whole) => overwrite(whole, 12 * 4096, Buffer.alloc(4096, 0x58))],
    ["with a letter of one object changed", (whole) => overwrite(whole, whole.lastIndexOf("vvvv"), "w")],
    ["that is a text", () => Buffer.from("kind: Config\n".repeat(500))],
  ])("%s is refused with what to do, and stays as it is", async (_what, damage) => {
    const content = damage(await writeStore());
    writeFileSync(path, content);

    expect(openStore).toThrow(INSTRUCTIONS);

    expect(readFileSync(path).equals(content)).toBe(true);
  });

  it("says which object is not what was written", async () => {
    const whole = await writeStore();
    writeFileSync(path, overwrite(whole, whole.lastIndexOf("vvvv"), "w"));

    expect(openStore).toThrow(/configmaps a\/n\d+ is not what was written \(revision \d+\)/);
  });

  it("is not replaced by a new one when only the log beside it is left", async () => {
    await writeStore();
    rmSync(path);
    writeFileSync(`${path}-wal`, "some frames");

    expect(openStore).toThrow(/the file is missing, though its .+-wal is there/);
    expect(existsSync(path)).toBe(false);
  });

  it("of another program is refused", () => {
    const database = new DatabaseSync(path);
    database.exec("CREATE TABLE bookmarks(url)");
    database.close();

    expect(openStore).toThrow(/is not a store of flaghoist: it is an SQLite database of another program/);
  });
});

describe("a folder that cannot hold a store", () => {
  it("is told by a sentence", () => {
    path = join(folder, "none", "store.db");

    expect(openStore).toThrow(/store.db.lock cannot be opened \(ENOENT.+\): check that its folder is there/);
  });
});

describe("a store file in use", () => {
  it("is refused to a second store, with who has it, until the first is closed", async () => {
    await writeStore();
    const first = openStore();

    expect(openStore).toThrow(new RegExp(`another program has the store .+ open \\(process ${process.pid} on `));

    first.close();
    openStore().close();
  });

  it("is free again after its program was killed", async () => {
    await writeStore();
    const script = `
      const { StoreLock } = await import(${JSON.stringify(join(import.meta.dirname, "store-lock.ts"))});
      new StoreLock(${JSON.stringify(path)});
      process.kill(process.pid, "SIGKILL");`;

    const child = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });

    expect(child.signal).toBe("SIGKILL");
    openStore().close();
  });

  it("keeps nothing but its lock beside it when closed", async () => {
    await writeStore();

    expect(readdirSync(folder).sort()).toEqual(["store.db", "store.db.lock"]);
  });
});
