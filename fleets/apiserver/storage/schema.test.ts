import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeClock } from "../../../runtime/clock.ts";
import { type Migration, migrate } from "./schema.ts";
import { Store } from "./store.ts";
import { writeOldStore } from "./testdata/old-store.ts";

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "flaghoist-schema-"));
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

function meta(file: string, key: string): unknown {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    return database.prepare("SELECT v FROM meta WHERE k = ?").get(key)?.["v"];
  } finally {
    database.close();
  }
}

describe("a store file of an older program", () => {
  it("is brought to the present schema with all its objects, and a copy is kept", () => {
    writeOldStore(path, ["a", "b"]);

    const store = openStore();

    expect(store.list("configmaps").map((stored) => stored.name)).toEqual(["a", "b"]);
    expect(store.uid).toBe("old-uid");
    expect(store.revision).toBe(4);
    store.close();
    expect(meta(path, "schema")).toBe(2);
    const copy = `${path}.before-v2`;
    expect(meta(copy, "schema")).toBe(1);
    expect(statSync(copy).mode & 0o777).toBe(0o600);
  });

  it("is left as it was when a step fails, in one piece", () => {
    writeOldStore(path, ["a"]);
    const steps: Migration[] = [
      { version: 2, what: "a table", run: (database) => database.exec("CREATE TABLE extra(a)") },
      { version: 3, what: "nonsense", run: (database) => database.exec("ALTER TABLE nowhere ADD COLUMN x") },
    ];
    const database = new DatabaseSync(path);

    expect(() => migrate(database, path, steps)).toThrow(/could not be brought to schema version 3: no such table/);

    expect(database.prepare("SELECT count(*) AS n FROM sqlite_schema WHERE name = 'extra'").get()?.["n"]).toBe(0);
    expect(database.prepare("SELECT v FROM meta WHERE k = 'schema'").get()?.["v"]).toBe(1);
    database.close();
  });

  it("goes through every step that it lacks, in order, and none that it has", () => {
    writeOldStore(path, ["a"]);
    const done: number[] = [];
    const steps: Migration[] = [2, 3, 4].map((version) => ({ version, what: "", run: () => done.push(version) }));
    const database = new DatabaseSync(path);

    expect(migrate(database, path, steps.slice(0, 1))).toMatchObject({ from: 1, to: 2 });
    expect(migrate(database, path, steps)).toMatchObject({ from: 2, to: 4 });
    expect(migrate(database, path, steps)).toBeUndefined();

    expect(done).toEqual([2, 3, 4]);
    database.close();
    expect(readdirSync(folder).sort()).toEqual(["store.db", "store.db.before-v2", "store.db.before-v4"]);
  });

  it("never replaces a copy that is there", () => {
    for (const expected of ["store.db.before-v2", "store.db.before-v2.2"]) {
      rmSync(path, { force: true });
      writeOldStore(path, ["a"]);
      openStore().close();
      expect(readdirSync(folder)).toContain(expected);
    }
  });
});

describe("a store file of a newer program", () => {
  it("is refused untouched, with what to do", () => {
    openStore().close();
    const database = new DatabaseSync(path);
    database.exec("UPDATE meta SET v = 99 WHERE k = 'schema'");
    database.close();

    expect(openStore).toThrow(/schema version 99, this program reads up to 2: use a newer program/);
    expect(meta(path, "schema")).toBe(99);
  });
});
