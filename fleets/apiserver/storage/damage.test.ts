// Files that are no longer, or never were, what a store wrote: refused at start, never emptied.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
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

describe("a large store file", () => {
  /** Beside what is stored, a state that nobody reads any more. */
  async function writeLargeStore(): Promise<Buffer> {
    const store = openStore();
    for (const value of ["old", "new"]) {
      for (let i = 0; i < 200; i++) {
        const metadata = { name: `n${i}`, namespace: "a", uid: `u${i}` };
        const data = { value: value.repeat(10_000) };
        store.put(
          { resource: "configmaps", namespace: "a", name: `n${i}` },
          { apiVersion: "v1", kind: "ConfigMap", metadata, data },
        );
      }
      await store.settled();
    }
    store.close();
    return readFileSync(path);
  }

  const openInTurns = () =>
    Store.open({
      clock: new FakeClock(),
      database: path,
      synchronous: "normal",
      historyEvents: 100,
      onFatal: () => {},
    });

  it("is checked in a thread, so that the event loop goes on meanwhile", async () => {
    await writeLargeStore();
    const prepare = vi.spyOn(DatabaseSync.prototype, "prepare");

    const store = await openInTurns();

    const checks = prepare.mock.calls.filter(([sql]) => sql.includes("quick_check"));
    prepare.mockRestore();
    expect(store.count("configmaps")).toBe(200);
    expect(checks).toEqual([]);
    store.close();
  });

  it.each<[string, (whole: Buffer) => Buffer]>([
    ["in a part that nobody reads", (whole) => overwrite(whole, page(whole, "oldold"), Buffer.alloc(4096))],
    ["in what is read", (whole) => overwrite(whole, page(whole, "newnew"), Buffer.alloc(4096))],
    ["by a page of something else", (whole) => overwrite(whole, 2 * 4096, Buffer.alloc(4096, 0x58))],
    ["by a cut", (whole) => whole.subarray(0, whole.length >>> 1)],
    ["in a letter of one object", (whole) => overwrite(whole, whole.lastIndexOf("newnew"), "m")],
  ])("damaged %s is refused before anybody has the store, and stays as it is", async (_what, damage) => {
    const whole = await writeLargeStore();
    const content = damage(whole);
    writeFileSync(path, content);

    await expect(openInTurns()).rejects.toThrow(INSTRUCTIONS);

    expect(readFileSync(path).equals(content)).toBe(true);
    // Nobody has it open any more.
    writeFileSync(path, whole);
    (await openInTurns()).close();
  });

  it("of an older program is checked before it is brought to the present form", async () => {
    await writeLargeStore();
    const database = new DatabaseSync(path);
    database.exec(
      "ALTER TABLE log DROP COLUMN sum; UPDATE meta SET v = 1 WHERE k = 'schema'; VACUUM; PRAGMA journal_mode=DELETE",
    );
    database.close();
    const whole = readFileSync(path);
    const content = overwrite(whole, page(whole, "oldold"), Buffer.alloc(4096));
    writeFileSync(path, content);

    await expect(openInTurns()).rejects.toThrow(INSTRUCTIONS);

    const after = new DatabaseSync(path, { readOnly: true });
    expect(after.prepare("SELECT v FROM meta WHERE k = 'schema'").get()).toEqual({ v: 1 });
    after.close();
  });

  /** Where a page begins that has nothing but these words. */
  function page(content: Buffer, words: string): number {
    for (let at = 0; at < content.length; at += 4096) {
      const text = content.toString("latin1", at + 4, at + 4096);
      if (text.startsWith(words.slice(0, 3)) || text.slice(3).startsWith(words)) {
        if (!/[^a-z]/.test(text)) return at;
      }
    }
    throw new Error(`no page of ${words}`);
  }
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
