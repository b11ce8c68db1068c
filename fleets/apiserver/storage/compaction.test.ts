// Load that goes on for hours: what is superseded goes, and the file stays as large as it has to be.
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeClock } from "../../../runtime/clock.ts";
import { Store } from "./store.ts";

const MINUTE_MS = 60_000;
const WRITES_A_MINUTE = 250;
const OBJECTS = 20;

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "flaghoist-compaction-"));
  path = join(folder, "store.db");
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function openStore(clock: FakeClock): Store {
  return new Store({ clock, database: path, synchronous: "normal", historyEvents: 500, onFatal: () => {} });
}

/** Updates, deletes and creates, a minute after a minute. */
async function work(store: Store, clock: FakeClock, minutes: number): Promise<void> {
  for (let minute = 0; minute < minutes; minute++) {
    for (let n = 0; n < WRITES_A_MINUTE; n++) {
      const name = `n${n % OBJECTS}`;
      const key = { resource: "configmaps", namespace: "a", name };
      const present = store.get(key);
      if (present !== undefined && n % 7 === 0) store.remove(present);
      else {
        const data = { value: `${minute} ${n} `.repeat(200) };
        store.put(key, { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "a", uid: name }, data });
      }
    }
    await store.settled();
    await clock.advance(MINUTE_MS);
  }
}

function bytesOnDisk(): number {
  return statSync(path).size + statSync(`${path}-wal`).size;
}

describe("a store under load that goes on", () => {
  it("has a file that stops growing, though every write adds to it", async () => {
    const clock = new FakeClock();
    const store = openStore(clock);
    await work(store, clock, 20);
    const early = bytesOnDisk();

    await work(store, clock, 50);

    expect(bytesOnDisk()).toBeLessThan(early * 1.5);
    store.close();
  });

  it("has after a restart what it had before, and no more rows than the last minutes need", async () => {
    const clock = new FakeClock();
    const store = openStore(clock);
    await work(store, clock, 40);
    const before = store.list("configmaps").map((stored) => stored.bytes.toString());
    const { revision } = store;
    store.close();

    const database = new DatabaseSync(path, { readOnly: true });
    const rows = Number(database.prepare("SELECT count(*) AS n FROM log").get()?.["n"]);
    database.close();
    const again = openStore(clock);

    // Five minutes and the time to the next compaction, of forty.
    expect(rows).toBeLessThan(12 * WRITES_A_MINUTE);
    expect(again.list("configmaps").map((stored) => stored.bytes.toString())).toEqual(before);
    expect(again.revision).toBe(revision);
    again.close();
  });
});
