import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { KubeObject } from "../../../kube/object.ts";
import { FakeClock } from "../../../runtime/clock.ts";
import type { Change } from "./change-ring.ts";
import { Store, type StoreOptions } from "./store.ts";

function object(name: string, value = "1", namespace = "a"): KubeObject {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace, uid: `uid-${name}` }, data: { value } };
}

function key(name: string, namespace = "a") {
  return { resource: "configmaps", namespace, name };
}

function memoryStore(options: Partial<StoreOptions> = {}): Store {
  return new Store({
    clock: new FakeClock(),
    database: undefined,
    synchronous: "normal",
    historyEvents: 100,
    onFatal: () => {},
    ...options,
  });
}

describe("Store in memory", () => {
  it("counts revisions up from 1 and writes them into the objects", () => {
    const store = memoryStore();

    const first = store.put(key("x"), object("x"));
    const second = store.put(key("x"), object("x", "2"));

    expect(first.object.metadata.resourceVersion).toBe("2");
    expect(second.revision).toBe(3);
    expect(store.revision).toBe(3);
  });

  it("lists in the order of namespace/name, the slash taking part", () => {
    const store = memoryStore();
    for (const [namespace, name] of [
      ["a", "z"],
      ["a-b", "m"],
      ["a", "b"],
      ["0", "q"],
    ] as const) {
      store.put(key(name, namespace), object(name, "1", namespace));
    }

    const names = store.list("configmaps").map((stored) => `${stored.namespace}/${stored.name}`);

    expect(names).toEqual(["0/q", "a-b/m", "a/b", "a/z"]);
  });

  it("shows the state of a past revision while history reaches back", () => {
    const store = memoryStore();
    store.put(key("x"), object("x", "old"));
    const gone = store.put(key("gone"), object("gone"));
    const past = store.revision;
    store.put(key("x"), object("x", "new"));
    store.put(key("later"), object("later"));
    store.remove(gone);

    const then = store
      .listAt(past, "configmaps")!
      .map((stored) => `${stored.name} ${String((stored.object["data"] as { value: string }).value)}`);

    expect(then).toEqual(["gone 1", "x old"]);
    store.compactHistory();
    expect(store.listAt(past, "configmaps")).toBeUndefined();
  });

  it("tells listeners of changes in order, also of those that listeners make", () => {
    const store = memoryStore();
    const heard: string[] = [];
    store.subscribe("configmaps", (change) => {
      if (change.object.name === "cause") store.put(key("effect"), object("effect"));
    });
    store.subscribe("configmaps", (change) => heard.push(`${change.type} ${change.object.name}`));

    store.put(key("cause"), object("cause"));

    expect(heard).toEqual(["ADDED cause", "ADDED effect"]);
  });

  it("gives the deleted object the revision of the deletion", () => {
    const store = memoryStore();
    const changes: Change[] = [];
    store.subscribe("configmaps", (change) => changes.push(change));
    const stored = store.put(key("x"), object("x"));

    store.remove(stored);

    expect(changes[1]).toMatchObject({ type: "DELETED", revision: 3 });
    expect(changes[1]!.object.object.metadata.resourceVersion).toBe("3");
  });

  it("keeps integers beyond 2^53 through bytes and back", () => {
    const store = memoryStore();
    const big = { ...object("x"), spec: { n: 9007199254740993n } };

    const stored = store.put(key("x"), big);
    stored.dropParsed();

    expect(stored.object["spec"]).toEqual({ n: 9007199254740993n });
    expect(stored.bytes.toString()).toContain('"n":9007199254740993');
  });
});

describe("Store in a file", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "store-"));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  function fileStore(options: Partial<StoreOptions> = {}): Store {
    return memoryStore({ database: join(folder, "store.db"), ...options });
  }

  it("tells nobody of a write before it is committed, and commits a turn's writes together", async () => {
    const store = fileStore();
    const heard: number[] = [];
    store.subscribe("configmaps", (change) => heard.push(change.revision));

    store.put(key("x"), object("x"));
    store.put(key("y"), object("y"));
    expect(heard).toEqual([]);
    expect(store.revision).toBe(1);
    await store.settled();

    expect(heard).toEqual([2, 3]);
    expect(store.settled()).toBeUndefined();
    store.close();
  });

  it("comes back with every object, its revision and the store's identity", async () => {
    const before = fileStore();
    before.put(key("x"), object("x", "1"));
    before.put(key("x"), object("x", "2"));
    const gone = before.put(key("gone"), object("gone"));
    before.remove(gone);
    await before.settled();
    before.close();

    const after = fileStore();

    expect(after.uid).toBe(before.uid);
    expect(after.revision).toBe(5);
    expect(after.list("configmaps").map((stored) => stored.object)).toMatchObject([
      { metadata: { name: "x", resourceVersion: "3" }, data: { value: "2" } },
    ]);
    expect(after.forgotten).toBe(5);
    after.close();
  });

  it("forgets superseded rows only, however often it compacts", async () => {
    const clock = new FakeClock();
    const store = fileStore({ clock });
    for (let round = 0; round < 3000; round++) store.put(key(`n${round % 7}`), object(`n${round % 7}`, String(round)));
    await store.settled();
    await clock.advance(5 * 60_000);
    await clock.advance(5 * 60_000);
    await clock.advance(5 * 60_000);
    store.close();

    const after = fileStore();

    expect(after.list("configmaps")).toHaveLength(7);
    expect(after.revision).toBe(3001);
    after.close();
  });

  it("reads again what memory does not hold, as it was written", async () => {
    const store = fileStore();
    // More than memory keeps of either form.
    const large = "x".repeat(100_000);
    for (let n = 0; n < 400; n++) store.put(key(`n${n}`), object(`n${n}`, `${n}${large}`));
    await store.settled();

    const values = store.list("configmaps").map(({ name, object: read, bytes }) => {
      const { value } = read["data"] as { value: string };
      return value === `${name.slice(1)}${large}` && bytes.includes(`"value":"${name.slice(1)}x`);
    });

    expect(values).toEqual(Array.from({ length: 400 }, () => true));
    store.close();
  });

  it("keeps the history readable that it may replay, when it compacts", async () => {
    const clock = new FakeClock();
    const store = fileStore({ clock, historyEvents: 2000 });
    for (let round = 0; round < 2000; round++) store.put(key("x"), object("x", String(round)));
    await store.settled();
    for (let minutes = 0; minutes < 20; minutes += 5) await clock.advance(5 * 60_000);

    const seen = [...store.changesAfter(store.forgotten, "configmaps")].map(
      ({ object: changed }) => (JSON.parse(changed.bytes.toString()) as { data: { value: string } }).data.value,
    );

    expect(seen).toEqual(Array.from({ length: 2000 }, (_, round) => String(round)));
    store.close();
  });

  it("stops for good when the file refuses a batch", async () => {
    const fatal: unknown[] = [];
    const store = fileStore({ onFatal: (error) => fatal.push(error) });
    // Another writer takes the next revision, which the file cannot hold twice.
    const other = new DatabaseSync(join(folder, "store.db"));
    other.exec(
      "INSERT INTO log(rev, res, ns, name, type, create_rev, prev_rev, uid) VALUES (2, 'r', '', 'y', 2, 2, 0, 'u')",
    );
    other.close();
    store.put(key("x"), object("x"));

    await expect(store.settled()).rejects.toThrow("UNIQUE");

    expect(fatal).toHaveLength(1);
    expect(() => store.put(key("z"), object("z"))).toThrow();
  });
});
